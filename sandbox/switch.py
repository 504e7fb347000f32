"""Plants faults: knows which part of the sandbox each slot's faults go to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.cache import Cache
from sandbox.edge.follower import EdgeFollower
from sandbox.errors import SandboxError
from sandbox.faults import CATALOGUE, at_rest, read_fault
from sandbox.foreign import Somebody
from sandbox.postgres import Postgres
from sandbox.state import StateDirectory

# Faults that the control plane must know of although their slot is not `cloud`.
_CLOUD_TOO = {("blue", "one_zone"), ("green", "one_zone"), ("dns", "never_insync")}
_BY_FILE = ("blue", "green", "external")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What faults are planted in. `cloud` sets a dial of the control plane: (slot, name, value)."""

    state: StateDirectory
    postgres: Postgres
    cache: Cache
    edge: EdgeFollower
    cloud: Callable[[str, str, object], None]
    dns: dict[str, object]
    somebody: Callable[[], Somebody]


class FaultSwitch:
    """Thread-safe; one fault is planted at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._planted: dict[str, dict[str, object]] = {slot: {} for slot in CATALOGUE}
        self._lock = threading.Lock()

    def planted(self) -> Mapping[str, Mapping[str, object]]:
        """Faults that are not at rest, by slot."""
        return {slot: dict(faults) for slot, faults in self._planted.items() if faults}

    def set(self, slot: str, name: str, value: object) -> None:
        """Plant one fault, or remove it by its value at rest. Raises SandboxError for what the catalogue lacks.

        The cloud's foreign_write and stable_scaled_to are deeds, done once, not states that last."""
        checked = read_fault(slot, name, value)
        with self._lock:
            if name in ("foreign_write", "stable_scaled_to"):
                somebody = self._parts.somebody()
                act = somebody.set_candidate_share if name == "foreign_write" else somebody.scale_stable
                act(int(checked))
                return
            if checked == at_rest(slot, name):
                self._planted[slot].pop(name, None)
            else:
                self._planted[slot][name] = checked
            self._apply(slot, name, checked)

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            for slot, faults in self._planted.items():
                names = list(faults)
                faults.clear()
                for name in names:
                    self._apply(slot, name, at_rest(slot, name))

    def _apply(self, slot: str, name: str, value: object) -> None:
        if slot in _BY_FILE:
            path = self._parts.state.fault_file(slot)
            self._parts.state.write_json(path, self._planted[slot])
        elif slot == "database":
            self._database(name, bool(value))
        elif slot == "cache":
            self._stop_or_start(self._parts.cache, bool(value))
        elif slot == "edge":
            self._parts.edge.set_fault(name, value)
        elif slot == "dns":
            self._parts.dns[name] = value
        if slot in ("cloud", "account") or (slot, name) in _CLOUD_TOO:
            self._cloud(slot, name, value)

    def _database(self, name: str, value: bool) -> None:
        if name == "read_only":
            self._parts.postgres.set_read_only(value)
        else:
            self._stop_or_start(self._parts.postgres, value)

    def _stop_or_start(self, server: Postgres | Cache, stopped: bool) -> None:
        if stopped:
            server.stop()
        elif server.child is None:
            server.start()

    def _cloud(self, slot: str, name: str, value: object) -> None:
        try:
            self._parts.cloud(slot, name, value)
        except ValueError as error:
            raise SandboxError(f"the control plane refuses {slot} {name}={value!r}: {error}") from error
