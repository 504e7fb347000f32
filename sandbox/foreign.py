"""Somebody else's hands: AWS calls that are not the engine's, for the faults `foreign_write` and `stable_scaled_to`.

The operation log shows them with the user agent extra `somebody-else`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from sandbox.errors import SandboxError

_CONFIG = Config(
    user_agent_extra="somebody-else", retries={"total_max_attempts": 2}, connect_timeout=2, read_timeout=10
)


class Somebody:
    """Acts on the account through its API, by what outputs.json says of it."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self._outputs = outputs

    def set_candidate_share(self, percent: int) -> None:
        """Give the side with the smaller share `percent` of the customers, once."""
        elb = self._client("elbv2")
        rule = elb.describe_rules(RuleArns=[self._outputs["rule_arn"]])["Rules"][0]
        action = rule["Actions"][-1]
        groups = action["ForwardConfig"]["TargetGroups"]
        if len(groups) != 2:
            raise SandboxError("the rule does not forward to two target groups", "Start the sandbox again")
        candidate = min(groups, key=lambda group: group.get("Weight", 0))
        for group in groups:
            group["Weight"] = percent if group is candidate else 100 - percent
        elb.modify_rule(RuleArn=rule["RuleArn"], Actions=[action])

    def scale_stable(self, tasks: int) -> None:
        """Set the desired count of the side with the larger share."""
        elb = self._client("elbv2")
        rule = elb.describe_rules(RuleArns=[self._outputs["rule_arn"]])["Rules"][0]
        groups = rule["Actions"][-1]["ForwardConfig"]["TargetGroups"]
        stable = max(groups, key=lambda group: group.get("Weight", 0))["TargetGroupArn"]
        slots = self._outputs["target_group_arns"]
        slot = next(name for name, arn in slots.items() if arn == stable)
        self._client("ecs").update_service(
            cluster=self._outputs["cluster_name"], service=self._outputs["service_names"][slot], desiredCount=tasks
        )

    def _client(self, service: str) -> Any:
        session = boto3.Session(
            aws_access_key_id="sandbox", aws_secret_access_key="sandbox", region_name=self._outputs["region"]
        )
        return session.client(service, endpoint_url=self._outputs["aws_endpoint_url"], config=_CONFIG)  # type: ignore[call-overload]  # the name is not a literal
