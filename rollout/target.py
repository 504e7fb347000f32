"""Where a rollout happens: the names and ARNs of one environment, read from its infrastructure outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Target:
    """One environment. Slots are "blue" and "green"; mappings are keyed by slot.

    `rule_arn` empty means that the listener's default action carries the customers. The last four are set for the
    sandbox only: they say where its AWS, its edge and its clock are.
    """

    environment: str
    region: str
    account_id: str
    load_balancer_arn: str
    listener_arn: str
    rule_arn: str
    target_group_arns: Mapping[str, str]
    cluster_name: str
    service_names: Mapping[str, str]
    task_definition_family: str
    container_name: str
    image_repository: str
    state_table: str
    alert_topic_arn: str
    hosted_zone_id: str
    public_host: str
    test_hosts: Mapping[str, str] = field(default_factory=dict)
    test_header_name: str = ""
    test_header_value: str = ""
    certificate_arn: str = ""
    heartbeat_namespace: str = "ReleaseGates"
    aws_endpoint_url: str | None = None
    connect_to: tuple[str, ...] = ()
    ca_file: str | None = None
    clock_file: str | None = None
    dns_server: str | None = None

    @property
    def key(self) -> str:
        """What the rollouts of this environment are stored under: the rule, or the listener without one."""
        return self.rule_arn or self.listener_arn
