"""API Gateway in its two generations: REST APIs (aws_api_gateway_*) and HTTP APIs (aws_apigatewayv2_*)."""

from __future__ import annotations

from policies.tree import Resource, Tree

STAGES = ("aws_api_gateway_stage", "aws_apigatewayv2_stage")


def settings_of(tree: Tree, stage: Resource) -> list[Resource]:
    """The method settings of a REST stage (which hold its throttling)."""
    name, api = stage.values.get("stage_name"), stage.values.get("rest_api_id")
    return [
        one
        for one in tree.of("aws_api_gateway_method_settings")
        if stage in tree.meant(one.values.get("stage_name"), "aws_api_gateway_stage")
        or (one.values.get("stage_name") == name and tree.meant(one.values.get("rest_api_id"), "aws_api_gateway_rest_api")
            == tree.meant(api, "aws_api_gateway_rest_api"))
    ]  # fmt: skip
