"""Metrics that tests put, minute by minute."""

from __future__ import annotations

from rollout.seen import BalancerMinute, MetricQuery, Metrics, SideMinute
from tests.fakes.faults import Faulty

MINUTE = 60


class FakeMetrics(Faulty):
    """Satisfies `ports.MetricSource`. Sides are keyed by slot; `bake` is (p95 in ms, samples) of any asked bake;
    `error` stands in every answer while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: dict[str, dict[float, SideMinute]] = {"blue": {}, "green": {}}
        self.balancer: dict[float, BalancerMinute] = {}
        self.bake: tuple[float | None, int] = (None, 0)
        self.error: str | None = None

    def put(self, slot: str, minute: SideMinute) -> None:
        self.sides[slot][minute.start] = minute

    def put_balancer(self, minute: BalancerMinute) -> None:
        self.balancer[minute.start] = minute

    def read(self, query: MetricQuery) -> Metrics:
        self._asked("read")
        starts = _starts(query.first, query.last)
        before: list[float] = []
        if query.before_first is not None and query.before_last is not None:
            before = _starts(query.before_first, query.before_last)
        bake = self.bake if query.bake_first is not None else (None, 0)
        return Metrics(
            candidate=self._side(query.candidate, starts),
            stable=self._side(query.stable, starts),
            balancer=self._balancer(starts),
            before=self._balancer(before),
            bake_p95_milliseconds=bake[0],
            bake_samples=bake[1],
            error=self.error,
        )

    def _side(self, slot: str, starts: list[float]) -> tuple[SideMinute, ...]:
        return tuple(self.sides[slot].get(start, SideMinute(start=start)) for start in starts)

    def _balancer(self, starts: list[float]) -> tuple[BalancerMinute, ...]:
        return tuple(self.balancer.get(start, BalancerMinute(start=start)) for start in starts)


def _starts(first: float, last: float) -> list[float]:
    return [first + index * MINUTE for index in range(round((last - first) / MINUTE) + 1)]
