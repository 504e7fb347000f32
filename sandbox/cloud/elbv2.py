"""Elastic Load Balancing v2: moto's store of listeners and rules, with AWS's checks and the truth about targets.

Corrects moto 5.2.5: weights and groups unchecked (see `elbv2_rules`), rules not sorted by priority, the default rule
modifiable, DeleteRule silent for an unknown rule, target health invented (see `targets`), a load balancer without a
Scheme where none was asked for (AWS: internet-facing). After each change the views for the edge are rebuilt and
`on_change` runs before the caller gets the reply.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import ELBClientError as ElbError
from moto.elbv2.exceptions import InvalidTargetError, RuleNotFoundError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeAction, elbv2_backends
from moto.elbv2.responses import ELBV2Response

from sandbox.cloud.elbv2_rules import check_actions, complete_action, complete_condition, forward_groups
from sandbox.cloud.targets import TargetRegistry, health_of
from sandbox.cloud.world import ACCOUNT_ID, REGION, World
from sandbox.contracts import ListenerView, RuleView, TargetGroupView

_LISTENER_CHANGES = frozenset(
    {
        "AddListenerCertificates",
        "CreateListener",
        "CreateLoadBalancer",
        "CreateRule",
        "DeleteListener",
        "DeleteLoadBalancer",
        "DeleteRule",
        "ModifyListener",
        "ModifyRule",
        "RemoveListenerCertificates",
        "SetRulePriorities",
    }
)
_TARGET_CHANGES = frozenset(
    {
        "CreateTargetGroup",
        "DeleteTargetGroup",
        "DeregisterTargets",
        "ModifyTargetGroup",
        "ModifyTargetGroupAttributes",
        "RegisterTargets",
    }
)
_DEFAULT = "default"


class LoadBalancing:
    """The load balancers of the account, as the edge and ECS see them. Views are snapshots and need no lock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.targets = TargetRegistry(world.clock)
        self._listeners: Sequence[ListenerView] = ()
        self._referenced: frozenset[str] = frozenset()

    @property
    def backend(self) -> ELBv2Backend:
        return elbv2_backends[ACCOUNT_ID][REGION]

    def listeners(self) -> Sequence[ListenerView]:
        return self._listeners

    def target_groups(self) -> Sequence[TargetGroupView]:
        return tuple(self._group_view(group) for group in list(self.backend.target_groups.values()))

    def is_referenced(self, group_arn: str) -> bool:
        """Whether any rule or default action forwards to the group, at whatever weight."""
        return group_arn in self._referenced

    def deregistration_delay_seconds(self, group_arn: str) -> float:
        """The group's deregistration delay, virtual seconds."""
        group = self.backend.target_groups.get(group_arn)
        return float(str(group.attributes["deregistration_delay.timeout_seconds"])) if group else 0.0

    def refresh(self) -> None:
        """Rebuild the listener views from moto's store; call with the world's lock held."""
        balancers = list(self.backend.load_balancers.values())
        listeners = [listener for balancer in balancers for listener in balancer.listeners.values()]
        self._referenced = frozenset(
            group["TargetGroupArn"]
            for listener in listeners
            for rule in listener.rules.values()
            for action in rule.actions
            for group in forward_groups(action.data)
        )
        self._listeners = tuple(_listener_view(listener) for listener in listeners)

    def _group_view(self, group: Any) -> TargetGroupView:
        return TargetGroupView(
            arn=group.arn,
            name=group.name,
            health_check_path=group.health_check_path or "/",
            health_check_matcher=str(group.matcher["HttpCode"]),
            health_check_interval_seconds=float(group.health_check_interval_seconds),
            health_check_timeout_seconds=float(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            targets=self.targets.views(group.arn),
            referenced=self.is_referenced(group.arn),
        )


class Elbv2Api(ELBV2Response):
    """The API handler; one instance per call."""

    def __init__(self, balancing: LoadBalancing) -> None:
        super().__init__()
        self._balancing = balancing

    def call_action(self) -> Any:
        answer = super().call_action()
        operation = self._get_action()
        if answer[0] < 300 and operation in _LISTENER_CHANGES | _TARGET_CHANGES:
            self._balancing.refresh()
            self._balancing.world.notify("listener" if operation in _LISTENER_CHANGES else "targets")
        return answer

    def create_load_balancer(self) -> ActionResult:
        self.params["Scheme"] = self.params.get("Scheme") or "internet-facing"
        return super().create_load_balancer()

    def create_rule(self) -> ActionResult:
        self._check(self.params.get("Actions", []))
        return _with_complete_conditions(super().create_rule())

    def modify_rule(self) -> ActionResult:
        self._refuse_default_rule("modified")
        self._check(self.params.get("Actions", []))
        return _with_complete_conditions(super().modify_rule())

    def delete_rule(self) -> ActionResult:
        self._refuse_default_rule("deleted")
        return super().delete_rule()

    def create_listener(self) -> ActionResult:
        self._check(self.params.get("DefaultActions", []))
        return super().create_listener()

    def modify_listener(self) -> ActionResult:
        self._check(self.params.get("DefaultActions", []))
        return super().modify_listener()

    def describe_rules(self) -> ActionResult:
        for listener in self._all_listeners():
            ordered = sorted(listener._non_default_rules.items(), key=lambda item: int(item[1].priority))
            listener._non_default_rules = dict(ordered)
        return super().describe_rules()

    def register_targets(self) -> ActionResult:
        group = self._group()
        for target in self.params.get("Targets", []):
            port = int(target.get("Port") or group.port)
            zone = target.get("AvailabilityZone")
            self._balancing.targets.register(group.arn, target["Id"], port=port, availability_zone=zone)
        return ActionResult({})

    def deregister_targets(self) -> ActionResult:
        group = self._group()
        registry = self._balancing.targets
        delay = self._balancing.deregistration_delay_seconds(group.arn)
        for target in self.params.get("Targets", []):
            ports = [int(target["Port"])] if target.get("Port") else registry.ports_of(group.arn, target["Id"])
            done = [registry.deregister(group.arn, target["Id"], port=port, delay_seconds=delay) for port in ports]
            if not any(done):
                raise InvalidTargetError()
        return ActionResult({})

    def describe_target_health(self) -> ActionResult:
        group = self._group()
        registry = self._balancing.targets
        referenced = self._balancing.is_referenced(group.arn)
        wanted = [(one["Id"], int(one.get("Port") or group.port)) for one in self.params.get("Targets", [])]
        zones = {(one.ip, one.port): one for one in registry.present(group.arn)}
        rows = []
        for ip, port in wanted or list(zones):
            known = zones.get((ip, port))
            health = (
                health_of(known, referenced=referenced)
                if known
                else registry.health(group.arn, ip, port=port, referenced=referenced)
            )
            zone = known.availability_zone if known else None
            check_port = str(port) if group.health_check_port == "traffic-port" else group.health_check_port
            rows.append(
                {
                    "Target": {"Id": ip, "Port": port, "AvailabilityZone": zone},
                    "HealthCheckPort": check_port,
                    "TargetHealth": {
                        "State": health.state,
                        "Reason": health.reason,
                        "Description": health.description,
                    },
                }
            )
        return ActionResult({"TargetHealthDescriptions": rows})

    def _group(self) -> Any:
        group = self.elbv2_backend.target_groups.get(self.params["TargetGroupArn"])
        if group is None:
            raise TargetGroupNotFoundError()
        return group

    def _all_listeners(self) -> Iterable[Any]:
        for balancer in self.elbv2_backend.load_balancers.values():
            yield from balancer.listeners.values()

    def _check(self, actions: list[dict[str, Any]]) -> None:
        check_actions(actions, self.elbv2_backend.target_groups)
        actions[:] = [complete_action(action) for action in actions]

    def _refuse_default_rule(self, verb: str) -> None:
        rules = [rule for listener in self._all_listeners() for rule in listener.rules.values()]
        rule = next((rule for rule in rules if rule.arn == self.params["RuleArn"]), None)
        if rule is None:
            raise RuleNotFoundError()
        if rule.is_default:
            raise ElbError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be {verb}")


def _with_complete_conditions(answer: ActionResult) -> ActionResult:
    result: Any = answer.result
    for rule in result["Rules"]:
        rule.conditions = [complete_condition(condition) for condition in rule.conditions]
    return answer


def _blocking_groups(load_balancer_arn: str) -> Sequence[str]:
    # Imported when the account has web ACLs: where nobody asked for the service there are none.
    if "moto.wafv2.models" not in sys.modules:
        return ()
    from sandbox.cloud.firewall import blocking_groups

    return blocking_groups(load_balancer_arn)


def _listener_view(listener: Any) -> ListenerView:
    rules = [_rule_view(rule) for rule in listener.rules.values()]
    rules.sort(key=lambda rule: float("inf") if rule.priority is None else rule.priority)
    return ListenerView(
        arn=listener.arn,
        port=int(listener.port),
        protocol=listener.protocol,
        ssl_policy=listener.ssl_policy if listener.protocol == "HTTPS" else None,
        certificate_arn=listener.certificate,
        rules=tuple(rules),
        blocking_groups=_blocking_groups(listener.load_balancer_arn),
    )


def _rule_view(rule: Any) -> RuleView:
    actions: Sequence[FakeAction] = rule.actions
    return RuleView(
        arn=rule.arn,
        priority=None if rule.priority == _DEFAULT else int(rule.priority),
        conditions=tuple(rule.conditions),
        actions=tuple(complete_action(action.data) for action in actions),
    )
