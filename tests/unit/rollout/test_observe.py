"""What a tick looks at: as much as its state needs, as fresh as it must be, with silence kept apart from numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import DNS, PLAN, SHIFTED, instant, record

from rollout.model import Instant
from rollout.observe import Observer, Sources, metric_query
from rollout.record import Bake, Record, State
from rollout.seen import Situation
from tests.fakes.sim_ports import SimDns, SimMetrics, SimPublic, SimRouter, SimServices, SimTargets
from tests.fakes.sim_world import MINUTE, START, SimWorld

BAKE = Bake(first_minute=START, verified_monotonic=0.0, epoch=0)


class Eyes:
    """An observer over a world, and how often it asked for metrics."""

    def __init__(self) -> None:
        self.world = SimWorld()
        self.metrics = SimMetrics(self.world)
        self.targets_asked: list[str] = []
        targets = SimTargets(self.world)
        asked = targets.targets

        def counting(slot: str) -> Any:
            self.targets_asked.append(slot)
            return asked(slot)

        targets.targets = counting  # type: ignore[method-assign]
        sources = Sources(
            router=SimRouter(self.world),
            targets=targets,
            services=SimServices(self.world),
            metrics=self.metrics,
            public=SimPublic(self.world),
            dns=SimDns(self.world),
        )
        self.observer = Observer(sources, metric_seconds=10.0, real_seconds=lambda: self.world.now)

    def look(self, rec: Record, seconds: float = 0.0) -> Situation:
        self.world.advance(seconds)
        return self.observer.look(replace(PLAN, dns=DNS), rec, Instant(self.world.now, self.world.now - START))


def shifted(state: State, **more: Any) -> Record:
    return record(state, **(SHIFTED | more))


@pytest.mark.parametrize(
    ("state", "public", "dns", "metrics"),
    [
        (State.PREPARING, False, False, False),
        (State.READY, False, False, True),
        (State.BAKING, False, False, True),
        (State.RETIRING, False, True, False),
        (State.VERIFYING, True, False, False),
    ],
)
def test_a_state_asks_for_what_it_needs(state: State, public: bool, dns: bool, metrics: bool) -> None:
    eyes = Eyes()
    seen = eyes.look(shifted(state))

    assert (seen.public is not None, seen.dns is not None, bool(eyes.metrics.queries)) == (public, dns, metrics)


@pytest.mark.parametrize("part", ["elb", "ecs", "health", "metrics", "public", "dns"])
def test_a_part_that_is_down_leaves_its_place_empty_and_says_so(part: str) -> None:
    eyes = Eyes()
    eyes.world.down.add(part)
    state = {"public": State.VERIFYING, "dns": State.RETIRING}.get(part, State.SHIFTING)
    seen = eyes.look(shifted(state))

    assert f"{part} does not answer. Wait." in seen.errors
    assert (seen.listener.error is None) == (part != "elb")
    assert (seen.metrics.error is None) == (part != "metrics")
    if part == "ecs":
        assert (seen.stable_service, seen.candidate_service) == (None, None)
    if part == "health":
        assert (seen.candidate_targets, seen.stable_targets) == (None, None)


def test_metrics_are_shared_by_the_ticks_of_some_seconds() -> None:
    eyes = Eyes()
    for _ in range(5):
        eyes.look(shifted(State.BAKING), 4.0)

    assert len(eyes.metrics.queries) == 2


def test_a_second_reading_is_always_a_new_one() -> None:
    """design.md 5: a PASS is re-read once."""
    eyes = Eyes()
    again = shifted(State.BAKING, bake=replace(BAKE, reading="PASS"))
    for _ in range(3):
        eyes.look(again, 1.0)

    assert len(eyes.metrics.queries) == 3


def test_what_was_known_stays_known_while_the_source_fails() -> None:
    eyes = Eyes()
    eyes.world.set_share(5, "engine")
    before = eyes.look(shifted(State.BAKING), 3 * MINUTE).metrics
    eyes.world.down.add("metrics")
    after = eyes.look(shifted(State.BAKING), 20.0).metrics

    assert after.candidate == before.candidate
    assert after.error is not None


def test_target_health_is_asked_at_every_tick_before_a_raise() -> None:
    """I2: no reading from an earlier minute lets a share rise."""
    eyes = Eyes()
    for _ in range(3):
        seen = eyes.look(shifted(State.SHIFTING), 5.0)
        assert seen.candidate_targets is not None
        assert seen.candidate_targets.read_at == eyes.world.now

    assert eyes.targets_asked.count("blue") == 3


def test_target_health_is_asked_once_in_a_minute_whose_metric_is_missing() -> None:
    """contracts 8."""
    eyes = Eyes()
    for _ in range(8):
        eyes.look(shifted(State.BAKING), 15.0)

    assert eyes.targets_asked.count("blue") == 3  # the minute under way, and two more


@pytest.mark.parametrize(("unhealthy", "asked"), [(0, 0), (1, 1)], ids=["all-healthy", "one-failing"])
def test_target_health_is_asked_when_the_metric_shows_a_failing_target(unhealthy: int, asked: int) -> None:
    eyes = Eyes()
    eyes.world.slots["blue"].desired = 2
    eyes.world.slots["blue"].unhealthy = unhealthy
    eyes.world.advance(5 * MINUTE + 30)
    seen = eyes.look(shifted(State.BAKING))

    assert eyes.targets_asked.count("blue") == asked
    assert len(seen.health_minutes) == asked


def test_old_health_minutes_are_forgotten() -> None:
    eyes = Eyes()
    for _ in range(70):
        seen = eyes.look(shifted(State.BAKING), MINUTE)

    assert len(seen.health_minutes) == 61


@pytest.mark.parametrize(
    ("state", "asked"), [(State.BAKING, 1), (State.RETIRING, 4), (State.SETTLING, 4), (State.ROLLING_BACK, 4)]
)
def test_the_stable_side_is_watched_at_every_tick_while_it_goes_or_comes_back(state: State, asked: int) -> None:
    eyes = Eyes()
    for _ in range(4):
        eyes.look(shifted(state), 5.0)

    assert eyes.targets_asked.count("green") == asked


@pytest.mark.parametrize(
    ("rec", "seconds", "expected"),
    [
        pytest.param(record(State.READY), 90, (-14, 0, None, None, None), id="before-the-first-shift"),
        pytest.param(shifted(State.BAKING), 90, (-14, 0, None, None, -1), id="no-bake-yet"),
        pytest.param(shifted(State.BAKING, bake=BAKE), 90, (-14, 0, 0, 0, -1), id="in-the-bake"),
        pytest.param(shifted(State.BAKING, bake=BAKE), 30 * 60, (0, 29, 0, 14, -1), id="past-the-bake"),
        pytest.param(
            shifted(State.BAKING, bake=replace(BAKE, extended_seconds=120.0)),
            30 * 60,
            (0, 29, 0, 16, -1),
            id="extended",
        ),
        pytest.param(shifted(State.STABILIZING, bake=BAKE), 50 * 60, (0, 49, 0, 29, -1), id="stability"),
        pytest.param(shifted(State.HOLDING, bake=BAKE), 90, (-14, 0, None, None, -1), id="holding"),
        pytest.param(
            shifted(State.BAKING, bake=replace(BAKE, first_minute=START + 60)), 90, (-14, 0, None, None, -1), id="ahead"
        ),
    ],
)
def test_the_minutes_that_are_asked_for(rec: Record, seconds: float, expected: tuple[int | None, ...]) -> None:
    """Closed minutes only: those of the triggers, of the error gate, of the bake, and 30 before the first shift."""
    query = metric_query(PLAN, rec, instant(seconds))

    def at(start: float | None) -> int | None:
        return None if start is None else round((start - START) / MINUTE)

    found = (query.first, query.last, query.bake_first, query.bake_last, query.before_last)
    assert tuple(at(start) for start in found) == expected
    if query.before_first is not None and query.before_last is not None:
        assert (query.before_last - query.before_first) / MINUTE + 1 == 30
