"""API Gateway in its two generations: REST APIs (aws_api_gateway_*) and HTTP APIs (aws_apigatewayv2_*)."""

from __future__ import annotations

from policies.tree import Resource, Tree

STAGES = ("aws_api_gateway_stage", "aws_apigatewayv2_stage")


def settings_of(tree: Tree, stage: Resource) -> list[Resource]:
    """The method settings of a REST stage (which hold its throttling)."""
    return [one for one in tree.of("aws_api_gateway_method_settings") if _is_about(tree, one, stage)]


def _is_about(tree: Tree, settings: Resource, stage: Resource) -> bool:
    """By reference to the stage, or by the names of API and stage."""
    if stage in tree.meant(settings.values.get("stage_name"), "aws_api_gateway_stage"):
        return True
    apis = [tree.meant(one.values.get("rest_api_id"), "aws_api_gateway_rest_api") for one in (settings, stage)]
    return settings.values.get("stage_name") == stage.values.get("stage_name") and apis[0] == apis[1] != []


def behind_http_apis(tree: Tree) -> set[str]:
    """Addresses of the load balancers whose listener an integration of an HTTP API names."""
    listeners = [
        listener
        for integration in tree.of("aws_apigatewayv2_integration")
        for listener in tree.meant(integration.values.get("integration_uri"), "aws_lb_listener")
    ]
    arns = [listener.values.get("load_balancer_arn") for listener in listeners]
    return {balancer.address for arn in arns for balancer in tree.meant(arn, "aws_lb")}
