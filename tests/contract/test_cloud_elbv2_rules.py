"""Rules of a listener, in an account of their own; and the server's end."""

from __future__ import annotations

from cloud_world import CloudWorld, error_code, wait_until

pytest_plugins = ("cloud_fixtures",)


def test_rules_come_by_priority_and_in_pages(shop: CloudWorld) -> None:
    """moto keeps them in the order of creation."""
    elbv2, listener = shop.client("elbv2"), shop.value("listener_arn")
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}]
    path = [{"Field": "path-pattern", "Values": ["/internal/*"]}]
    elbv2.create_rule(ListenerArn=listener, Priority=5, Conditions=path, Actions=fixed)
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener, PaginationConfig={"PageSize": 2})
    rules = [rule for page in pages for rule in page["Rules"]]

    assert [rule["Priority"] for rule in rules] == ["5", "10", "11", "100", "default"]
    https = next(one for one in shop.plane.listeners() if one.port == 443)
    assert [rule.priority for rule in https.rules] == [5, 10, 11, 100, None]


def test_the_default_rule_and_unknown_rules_are_refused(shop: CloudWorld) -> None:
    """moto modifies the former and deletes the latter silently."""
    elbv2, rule_arn = shop.client("elbv2"), shop.value("rule_arn")
    default = elbv2.describe_rules(ListenerArn=shop.value("listener_arn"))["Rules"][-1]
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}]

    assert error_code(lambda: elbv2.modify_rule(RuleArn=default["RuleArn"], Actions=fixed)) == "OperationNotPermitted"
    elbv2.delete_rule(RuleArn=rule_arn)
    assert error_code(lambda: elbv2.delete_rule(RuleArn=rule_arn)) == "RuleNotFound"


def test_stopping_ends_kept_connections(cloud: CloudWorld) -> None:
    """A stopped plane answers nobody, not even over a connection that is still open."""
    elbv2 = cloud.client("elbv2")
    elbv2.describe_load_balancers()
    cloud.plane.stop()

    def is_gone() -> bool:
        try:
            elbv2.describe_load_balancers()
        except Exception as error:  # noqa: BLE001  # botocore has several names for a refused connection
            return "onnect" in str(error)
        return False

    wait_until(is_gone, "the endpoint is gone")
