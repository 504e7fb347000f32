"""Target health of one side, by DescribeTargetHealth. Satisfies `ports.TargetHealthReader`.

States: initial, healthy, unhealthy, unhealthy.draining, unused, draining, unavailable. Source: ELBv2 API reference,
TargetHealth. A group that no rule names has `unused` targets; an empty group is not healthy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollout.adapters.clients import Clients, asking
from rollout.errors import BadInput
from rollout.ports import Clock
from rollout.seen import TargetCounts
from rollout.target import Target

INITIAL_GRACE_SECONDS = 120.0
_LEAVING = frozenset({"draining", "unhealthy.draining"})
_FAILING = frozenset({"unhealthy", "unavailable"})
_SHOWN_MAX = 5

_Key = tuple[str, str, int]  # slot, address, port


class TargetHealth:
    """Remembers since when each target is `initial` (engine's monotonic clock): after the grace period it fails."""

    def __init__(
        self, clients: Clients, target: Target, clock: Clock, *, initial_grace_seconds: float = INITIAL_GRACE_SECONDS
    ) -> None:
        self._clients, self._target, self._clock = clients, target, clock
        self._initial_grace_seconds = initial_grace_seconds
        self._initial_since: dict[_Key, float] = {}

    def targets(self, slot: str) -> TargetCounts:
        """Counts at this moment; draining targets are not registered. Raises SourceError, BadInput for no such slot."""
        arn = self._target.target_group_arns.get(slot)
        if arn is None:
            raise BadInput(f"there is no slot {slot!r}", hint="Slots are the keys of target_group_arns.")
        with asking("elasticloadbalancing", arn):
            rows = self._clients.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return self._counted(slot, rows)

    def _counted(self, slot: str, rows: Sequence[Mapping[str, Any]]) -> TargetCounts:
        registered = [row for row in rows if _state(row) not in _LEAVING]
        self._note_initial(slot, registered)
        healthy = [row for row in registered if _state(row) == "healthy"]
        failing = [row for row in registered if self._fails(slot, row)]
        others = [row for row in registered if _state(row) != "healthy"]
        leaving = len(rows) - len(registered)
        texts = [_told(row) for row in others[:_SHOWN_MAX]]
        texts += [f"and {len(others) - _SHOWN_MAX} more"] if len(others) > _SHOWN_MAX else []
        texts += [f"{leaving} draining"] if leaving else []
        texts += ["no registered target"] if not registered else []
        return TargetCounts(
            registered=len(registered),
            healthy=len(healthy),
            failing=len(failing),
            read_at=self._clock.wall(),
            detail="; ".join(texts),
        )

    def _note_initial(self, slot: str, rows: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock.monotonic()
        present = {_key(slot, row) for row in rows if _state(row) == "initial"}
        self._initial_since = {
            key: since for key, since in self._initial_since.items() if key[0] != slot or key in present
        }
        for key in present:
            self._initial_since.setdefault(key, now)

    def _fails(self, slot: str, row: Mapping[str, Any]) -> bool:
        if _state(row) == "initial":
            waited = self._clock.monotonic() - self._initial_since[_key(slot, row)]
            return waited > self._initial_grace_seconds
        return _state(row) in _FAILING


def _state(row: Mapping[str, Any]) -> str:
    return str(row.get("TargetHealth", {}).get("State", "unavailable"))


def _key(slot: str, row: Mapping[str, Any]) -> _Key:
    return slot, str(row["Target"]["Id"]), int(row["Target"].get("Port", 0))


def _told(row: Mapping[str, Any]) -> str:
    health = row.get("TargetHealth", {})
    words = (f"{row['Target']['Id']}:{row['Target'].get('Port', '')}", _state(row), health.get("Reason"))
    text = " ".join(str(word) for word in words if word)
    return f"{text} ({health['Description']})" if health.get("Description") else text
