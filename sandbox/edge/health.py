"""The load balancer's health checks: real HTTPS requests with the client certificate, as ELBv2 target health.

The interval is virtual; the real one is interval / factor, at least 0.1 s. The timeout is virtual too but at least
1 s real, so that a fast clock on a busy machine does not make healthy targets look dead. As on AWS a check opens its
own connection, so a target that refuses new connections is found out.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.contracts import Clock, ControlPlane, TargetGroupView, TargetHealth
from sandbox.edge.certificates import INTERNAL_SERVICE_NAME
from sandbox.edge.endpoints import Target

_INTERVAL_SECONDS_MIN = 0.1
_TIMEOUT_SECONDS_MIN = 1.0
_INITIAL_INTERVAL_SECONDS = 0.1
_FACTOR_LOOK_SECONDS = 0.25
_INITIAL_SECONDS_MIN = 2.0
_RECONCILE_SECONDS = 1.0
_REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n"

INITIAL = TargetHealth(
    state="initial", reason="Elb.InitialHealthChecking", description="Initial health checks in progress"
)
HEALTHY = TargetHealth(state="healthy")
DRAINING = TargetHealth(
    state="draining", reason="Target.DeregistrationInProgress", description="Target deregistration is in progress"
)
UNUSED = TargetHealth(
    state="unused",
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)


def matches(matcher: str, code: int) -> bool:
    """Whether a status code satisfies an ELBv2 matcher: "200", "200,202", "200-299"."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False


@dataclass
class Watch:
    """What is known of one target; a pure state machine, see `observe`."""

    group: TargetGroupView
    target: Target
    since_monotonic: float = field(default_factory=time.monotonic)
    health: TargetHealth = INITIAL
    successes: int = 0
    failures: int = 0

    def observe(self, failure: TargetHealth | None, *, counts: bool) -> TargetHealth:
        """The health after one check (None: it was good). A failure that does not count leaves an initial target so."""
        if failure is None:
            self.successes += 1
            self.failures = 0
            if self.successes >= self.group.healthy_threshold:
                self.health = HEALTHY
        else:
            self.successes = 0
            self.failures += 1 if counts else 0
            if self.failures >= self.group.unhealthy_threshold:
                self.health = failure
        return self.health


class HealthChecker:
    """Follows the control plane's target groups and keeps one checking task per target, in one event loop.

    `on_healthy(group_name, targets)` is told which targets may have traffic, whenever that changes."""

    def __init__(
        self,
        plane: ControlPlane,
        clock: Clock,
        *,
        context: ssl.SSLContext,
        on_healthy: Callable[[str, frozenset[Target]], None],
    ) -> None:
        self._plane = plane
        self._clock = clock
        self._context = context
        self._on_healthy = on_healthy
        self._watches: dict[tuple[str, Target], Watch] = {}
        self._tasks: dict[tuple[str, Target], asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None

    def notice(self, kind: str) -> None:
        """Callback for `ControlPlane.on_change`; any thread."""
        if kind != "dns" and self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """(healthy, unhealthy) by group ARN; only groups with targets that are registered and in use."""
        found: dict[str, tuple[int, int]] = {}
        for watch in list(self._watches.values()):
            if not watch.group.referenced:
                continue
            healthy, unhealthy = found.get(watch.group.arn, (0, 0))
            found[watch.group.arn] = (
                healthy + (watch.health.state == "healthy"),
                unhealthy + (watch.health.state == "unhealthy"),
            )
        return found

    def states(self) -> Mapping[Target, str]:
        """State by (address, port); a target in several groups shows the one it is used in."""
        watches = sorted(self._watches.values(), key=lambda watch: watch.group.referenced)
        return {watch.target: watch.health.state for watch in watches}

    async def run(self) -> None:
        """Check until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                if self._failure is not None:
                    raise self._failure
                self._changed.clear()
                self._reconcile(await asyncio.to_thread(self._plane.target_groups))
                try:
                    await asyncio.wait_for(self._changed.wait(), _RECONCILE_SECONDS)
                except TimeoutError:
                    continue
        finally:
            for task in self._tasks.values():
                task.cancel()

    def _reconcile(self, groups: Sequence[TargetGroupView]) -> None:
        wanted: set[tuple[str, Target]] = set()
        for group in groups:
            for view in group.targets:
                target = (view.ip, view.port)
                if view.draining:
                    self._plane.set_target_health(group.arn, view.ip, view.port, DRAINING)
                else:
                    wanted.add((group.arn, target))
                    self._watch(group, target)
        for key in set(self._watches) - wanted:
            watch = self._watches.pop(key)
            self._tasks.pop(key).cancel()
            self._tell_healthy(watch.group)

    def _watch(self, group: TargetGroupView, target: Target) -> None:
        key = (group.arn, target)
        known = self._watches.get(key)
        if known is not None and known.group.referenced == group.referenced:
            known.group = group
            return
        # New, or its group came into use or went out of it: both begin anew, as on AWS.
        if known is not None:
            self._tasks.pop(key).cancel()
        watch = Watch(group, target, health=INITIAL if group.referenced else UNUSED)
        self._watches[key] = watch
        self._publish(watch)
        self._tasks[key] = asyncio.create_task(self._check_forever(watch))
        self._tasks[key].add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A check that ends by an error ends all, so that the status page says so."""
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._changed.set()

    async def _check_forever(self, watch: Watch) -> None:
        while watch.group.referenced:
            started = time.monotonic()
            patience = max(watch.group.unhealthy_threshold * self._interval(watch), _INITIAL_SECONDS_MIN)
            counts = watch.health.state != "initial" or started - watch.since_monotonic >= patience
            before = watch.health
            failure = await self._check(watch)
            if watch.observe(failure, counts=counts) != before:
                self._publish(watch)
            await self._rest(watch, started)

    async def _rest(self, watch: Watch, started: float) -> None:
        """Until the next check is due. A factor that is set meanwhile holds at once: asleep for 20 s of real time, a
        check would miss twenty virtual minutes."""
        initial = watch.health.state == "initial"
        while True:
            interval = _INITIAL_INTERVAL_SECONDS if initial else self._interval(watch)
            left = started + interval - time.monotonic()
            await asyncio.sleep(min(max(0.0, left), _FACTOR_LOOK_SECONDS))
            if left <= _FACTOR_LOOK_SECONDS:
                return

    def _interval(self, watch: Watch) -> float:
        return max(watch.group.health_check_interval_seconds / self._clock.factor(), _INTERVAL_SECONDS_MIN)

    async def _check(self, watch: Watch) -> TargetHealth | None:
        timeout = max(watch.group.health_check_timeout_seconds / self._clock.factor(), _TIMEOUT_SECONDS_MIN)
        try:
            async with asyncio.timeout(timeout):
                code = await self._ask(watch.group.health_check_path, watch.target)
        except TimeoutError:
            return TargetHealth(state="unhealthy", reason="Target.Timeout", description="Request timed out")
        except (OSError, ValueError, asyncio.IncompleteReadError):
            return TargetHealth(
                state="unhealthy", reason="Target.FailedHealthChecks", description="Health checks failed"
            )
        if matches(watch.group.health_check_matcher, code):
            return None
        return TargetHealth(
            state="unhealthy",
            reason="Target.ResponseCodeMismatch",
            description=f"Health checks failed with these codes: [{code}]",
        )

    async def _ask(self, path: str, target: Target) -> int:
        """The status code of one request on a connection of its own. Raises OSError, ValueError."""
        host, port = target
        reader, writer = await asyncio.open_connection(
            host, port, ssl=self._context, server_hostname=INTERNAL_SERVICE_NAME
        )
        try:
            writer.write(_REQUEST.format(path=path, host=f"{host}:{port}").encode())
            words = (await reader.readline()).split()
            if len(words) < 2:
                raise ValueError("the answer is not HTTP")
            return int(words[1])
        finally:
            writer.transport.abort()

    def _publish(self, watch: Watch) -> None:
        ip, port = watch.target
        self._plane.set_target_health(watch.group.arn, ip, port, watch.health)
        self._tell_healthy(watch.group)

    def _tell_healthy(self, group: TargetGroupView) -> None:
        mine = (watch for (arn, _), watch in self._watches.items() if arn == group.arn)
        healthy = frozenset(watch.target for watch in mine if watch.health.state == "healthy")
        self._on_healthy(group.name, healthy)
