"""What an environment declares about itself: names from its outputs, and the limits that its account is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

DIRECT, GATEWAY = "direct", "gateway"
# What tasks in private subnets call, by the last part of the endpoint's service name.
ENDPOINTS_USED = frozenset({"s3", "dynamodb", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"})
# Retention of logs: a year is what an investigation needs (CIS AWS 3.x, checkov CKV_AWS_338); seven years end what
# HIPAA's six for documents could ask for, and personal data has to go one day (GDPR 5(1)(e)).
LOG_DAYS_MIN, LOG_DAYS_MAX = 365, 2557


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An environment in its own words. ARNs, names and account as in the outputs; limits with their units.

    `topology` is `direct` (WAF on the public load balancer) or `gateway` (WAF and API Gateway before an internal one).
    `entrance_arn` is what must carry the web ACL; without it the load balancer, which every request passes in both
    topologies (an HTTP API cannot carry one: WAF developer guide, resources that WAF can protect).
    `residency` are the regions in which data may lie. `not_applicable` gives a kind of resource that the environment
    does not have with the reason; a kind without reason that does not exist is NO_DATA.
    """

    region: str
    account_id: str
    topology: str = DIRECT
    load_balancer_arn: str = ""
    listener_arn: str = ""
    rule_arn: str = ""
    entrance_arn: str = ""
    target_group_arns: Mapping[str, str] = field(default_factory=dict)
    cluster_name: str = ""
    service_names: Mapping[str, str] = field(default_factory=dict)
    public_service_name: str = ""
    residency: frozenset[str] = frozenset()
    session_tables: frozenset[str] = frozenset()
    public_routes: frozenset[str] = frozenset()
    pull_roles: frozenset[str] = frozenset()
    push_roles: frozenset[str] = frozenset()
    deploy_roles: frozenset[str] = frozenset()
    engine_role: str = ""
    engine_actions: frozenset[str] = frozenset()
    state_bucket: str = ""
    state_key: str = ""
    state_lock_table: str = ""
    endpoints: frozenset[str] = ENDPOINTS_USED
    zones_min: int = 2
    nat_per_zone: bool = True
    tasks_min: int = 2
    tasks_max: int = 20
    backup_days_min: int = 7
    replica_lag_seconds_max: float = 300.0
    service_timeout_seconds: float = 10.0
    log_days_min: int = LOG_DAYS_MIN
    log_days_max: int = LOG_DAYS_MAX
    rotation_days_max: int = 90
    not_applicable: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown topology, or a kind declared not applicable without a reason."""
        if self.topology not in (DIRECT, GATEWAY):
            raise ValueError(f"topology {self.topology!r} is neither {DIRECT} nor {GATEWAY}")
        silent = sorted(kind for kind, reason in self.not_applicable.items() if not reason.strip())
        if silent:
            raise ValueError(f"not applicable without a reason: {', '.join(silent)}; say why the environment has none")

    @property
    def entrance(self) -> str:
        """ARN of what must carry the web ACL; empty where the outputs name neither."""
        return self.entrance_arn or self.load_balancer_arn


def declared_of(outputs: Mapping[str, Any], **more: Any) -> Declared:
    """From an environment's outputs (plain values, as `account_of` takes them); `more` adds or overrides.

    Outputs that are none of the fields are ignored; lists become sets where the field is one. Raises KeyError
    without region or account_id.
    """
    known = {one.name: one for one in fields(Declared)}
    given = {name: value for name, value in {**outputs, **more}.items() if name in known}
    for name in ("region", "account_id"):
        given[name] = str({**outputs, **more}[name])
    sets = {name for name, one in known.items() if str(one.type).startswith("frozenset")}
    values: dict[str, Any] = {name: frozenset(value) if name in sets else value for name, value in given.items()}
    return Declared(**values)
