"""The whole edge of one sandbox: Envoy, its follower, health checks, metrics and DNS, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sandbox.account_names import PUBLIC_HOST
from sandbox.contracts import ControlPlane, RunningTask
from sandbox.edge.access_log import LogFollower
from sandbox.edge.endpoints import Target
from sandbox.edge.envoy import Envoy
from sandbox.edge.follower import EdgeFollower
from sandbox.edge.health import HealthChecker
from sandbox.edge.loop import EdgeLoop
from sandbox.edge.publisher import Names, Publisher, Sources
from sandbox.edge.resolver import DnsServer, Resolver
from sandbox.foundation import Foundation


class Gateway:
    """Introduces the edge's parts to one control plane; `start` begins their work."""

    def __init__(self, plane: ControlPlane, envoy: Envoy, *, foundation: Foundation) -> None:
        self.dns_faults: dict[str, object] = {}
        self.follower = EdgeFollower(plane, envoy, public_host=PUBLIC_HOST, authority=foundation.authority)
        self.health = HealthChecker(
            plane, foundation.clock, context=foundation.client_context(), on_healthy=self.follower.set_healthy
        )
        self._plane = plane
        self._envoy = envoy
        self._clock = foundation.clock
        self._log = LogFollower(foundation.state.access_log, lambda: envoy.admin("POST", "/reopen_logs"))
        self._public_address = foundation.addresses.public
        resolver = Resolver(load_balancer_address=self._public_address, faults=self.dns_faults)
        self.dns = DnsServer(resolver, plane.dns_records)
        self.publisher: Publisher | None = None
        self._loop: EdgeLoop | None = None
        plane.on_change(self.follower.follow)
        plane.on_change(self.health.notice)

    def start(self, tasks: Callable[[], Sequence[RunningTask]], names: Callable[[], Names]) -> None:
        """Start checking, counting and answering DNS in a thread of their own."""
        sources = Sources(log=self._log, health=self.health, tasks=tasks, names=names)
        self.publisher = Publisher(self._plane, self._clock, sources)
        self._loop = EdgeLoop(self.dns, self._public_address, chores=[self.health.run(), self.publisher.run()])
        self._loop.start()

    def stop(self) -> None:
        """Stop the thread."""
        if self._loop is not None:
            self._loop.stop()
        self._log.close()

    def problems(self) -> list[str]:
        """What is wrong with the edge, in sentences."""
        found = list(self.follower.state.problems)
        try:
            found += [f"Envoy refused its configuration: {name}" for name in self._envoy.rejections()]
        except OSError as error:
            found.append(str(error))
        if self._loop is not None and self._loop.failure is not None:
            found.append(f"the edge's health checks, metrics and DNS have stopped: {self._loop.failure!r}")
        return found

    def target_states(self) -> Mapping[Target, str]:
        """State by (address, port) of every registered or draining target."""
        views = [view for group in self._plane.target_groups() for view in group.targets]
        draining = {(view.ip, view.port): "draining" for view in views if view.draining}
        return {**self.health.states(), **draining}

    def weights(self) -> Mapping[str, int]:
        """Weights of the customers' rule by target group name, as Envoy has them."""
        return self.follower.state.weights
