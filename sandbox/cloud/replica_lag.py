"""RDS's metric ReplicaLag, once per virtual minute and replica, as RDS publishes it.

moto 5.2.5 publishes no metric of its own accord. Nothing is replicated here: the lag is what the fault
replica_lag_seconds says (0 without one), and the fault replica_lag=absent makes it a metric that nobody has.
Source: RDS user guide, "Monitoring read replication" (seconds; -1 where replication is not active).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.metric_store import MINUTE_SECONDS, MetricStore
from sandbox.cloud.world import ACCOUNT_ID, World

NAMESPACE, METRIC = "AWS/RDS", "ReplicaLag"
_ABSENT = "absent"


class ReplicaLag:
    """Told to look several times a minute; a minute's value is there as soon as the minute has begun."""

    def __init__(self, world: World, store: MetricStore) -> None:
        self._world = world
        self._store = store
        self._minutes: dict[str, int] = {}  # the last one published, by replica
        self._said: float | None = 0.0

    def publish(self) -> None:
        """Put what is missing; call it with the world's lock held.

        A changed fault rewrites the past: who plants one does not wait until ten minutes of good values are over."""
        lag = self._lag_seconds()
        if lag != self._said:
            for name in self._minutes:
                self._store.forget(NAMESPACE, METRIC, dimensions=_dimensions(name))
            self._minutes.clear()
            self._said = lag
        minute = int(self._world.clock.now() // MINUTE_SECONDS)
        for name in _replicas():
            if lag is not None and self._minutes.get(name) != minute:
                self._store.put(NAMESPACE, [_datum(name, minute=minute, lag_seconds=lag)], delayed=False)
            self._minutes[name] = minute

    def _lag_seconds(self) -> float | None:
        if self._world.faults.get("account", "replica_lag") == _ABSENT:
            return None
        lag = self._world.faults.get("account", "replica_lag_seconds")
        return float(lag) if isinstance(lag, int | float) else 0.0


def _replicas() -> Iterator[str]:
    """Names of the replicas of all regions. moto's RDS is imported when it is first asked, and not for this."""
    module: Any = sys.modules.get("moto.rds.models")
    regions: Mapping[str, Any] = (module.rds_backends.get(ACCOUNT_ID) or {}) if module else {}
    for backend in list(regions.values()):
        yield from [name for name, one in backend.databases.items() if one.is_replica]


def _dimensions(name: str) -> list[dict[str, str]]:
    return [{"Name": "DBInstanceIdentifier", "Value": name}]


def _datum(name: str, *, minute: int, lag_seconds: float) -> dict[str, Any]:
    return {
        "MetricName": METRIC,
        "Dimensions": _dimensions(name),
        "Timestamp": float(minute * MINUTE_SECONDS),
        "Value": lag_seconds,
        "Unit": "Seconds",
    }
