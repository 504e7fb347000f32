"""Targets of the load balancer's groups and their health, as the data plane reports it.

Corrects moto 5.2.5, which keys targets by address only (two tasks on one loopback address become one), calls every IP
target healthy at once, and forgets a target the moment it is deregistered.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.contracts import Clock, TargetHealth, TargetView

REGISTERING = TargetHealth(
    state="initial", reason="Elb.RegistrationInProgress", description="Target registration is in progress"
)
DRAINING = TargetHealth(
    state="draining", reason="Target.DeregistrationInProgress", description="Target deregistration is in progress"
)
NOT_REGISTERED = TargetHealth(
    state="unused", reason="Target.NotRegistered", description="Target is not registered to the target group"
)
NOT_IN_USE = TargetHealth(
    state="unused",
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)

Key = tuple[str, int]  # ip, port


@dataclass(frozen=True, kw_only=True)
class Target:
    """One registered or draining target. `draining_until` is virtual epoch seconds, None while registered."""

    ip: str
    port: int
    availability_zone: str | None = None
    health: TargetHealth | None = None
    draining_until: float | None = None


class TargetRegistry:
    """Thread-safe; needs no other lock, so the edge may report from inside a change callback."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, dict[Key, Target]] = {}

    def register(self, group_arn: str, ip: str, *, port: int, availability_zone: str | None = None) -> None:
        """Register or re-register; the health of an earlier registration does not count."""
        with self._lock:
            targets = self._groups.setdefault(group_arn, {})
            known = targets.get((ip, port))
            if known is None or known.draining_until is not None:
                targets[(ip, port)] = Target(ip=ip, port=port, availability_zone=availability_zone)

    def deregister(self, group_arn: str, ip: str, *, port: int, delay_seconds: float) -> bool:
        """Begin draining for `delay_seconds` (virtual). False if no such target is registered."""
        with self._lock:
            target = self._groups.get(group_arn, {}).get((ip, port))
            if target is None or target.draining_until is not None:
                return False
            until = self._clock.now() + delay_seconds
            self._groups[group_arn][(ip, port)] = replace(target, draining_until=until, health=None)
            return True

    def ports_of(self, group_arn: str, ip: str) -> Sequence[int]:
        """Registered ports of an address: DeregisterTargets without a port means all of them."""
        return [target.port for target in self.present(group_arn) if target.ip == ip and target.draining_until is None]

    def report(self, group_arn: str, ip: str, *, port: int, health: TargetHealth) -> bool:
        """What the data plane saw; ignored for a target that is not registered any more. True if it is news."""
        with self._lock:
            target = self._groups.get(group_arn, {}).get((ip, port))
            if target is None or target.draining_until is not None or target.health == health:
                return False
            self._groups[group_arn][(ip, port)] = replace(target, health=health)
            return True

    def present(self, group_arn: str) -> Sequence[Target]:
        """Registered and still draining targets, in order of registration."""
        now = self._clock.now()
        with self._lock:
            targets = self._groups.get(group_arn, {})
            for key in [key for key, target in targets.items() if _is_over(target, now)]:
                del targets[key]
            return list(targets.values())

    def health(self, group_arn: str, ip: str, *, port: int, referenced: bool) -> TargetHealth:
        """As DescribeTargetHealth says it: unused, draining, initial until the first report, then the report."""
        target = next((one for one in self.present(group_arn) if (one.ip, one.port) == (ip, port)), None)
        return NOT_REGISTERED if target is None else health_of(target, referenced=referenced)

    def views(self, group_arn: str) -> Sequence[TargetView]:
        """For the edge."""
        return tuple(
            TargetView(ip=target.ip, port=target.port, draining=target.draining_until is not None)
            for target in self.present(group_arn)
        )


def health_of(target: Target, *, referenced: bool) -> TargetHealth:
    """The health of a present target."""
    if target.draining_until is not None:
        return DRAINING
    if not referenced:
        return NOT_IN_USE
    return target.health or REGISTERING


def _is_over(target: Target, now: float) -> bool:
    return target.draining_until is not None and now >= target.draining_until
