"""What the live view shows of one tick: a pure function from Tick to a view model. Nothing here draws."""

from __future__ import annotations

from dataclasses import dataclass

from rollout import trip
from rollout.cli.outlook import hold_text, leader, seconds_left, stage_text
from rollout.cli.words import sides
from rollout.engine import Tick
from rollout.harm import trigger_observations
from rollout.model import Observation, Verdict
from rollout.record import TERMINAL_STATES
from rollout.sight import Sight


@dataclass(frozen=True, kw_only=True)
class Line:
    """One gate or trigger as the table shows it; `consecutive` is "2/5" minutes over, empty for a gate."""

    name: str
    rule: str
    value: str
    n: str
    verdict: Verdict
    consecutive: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything on the screen. Seconds are those of the rollout's clock."""

    rollout_id: str
    title: str
    state: str
    stage: str
    share_wanted: int
    share_observed: float | None
    requests_share: float | None
    elapsed_seconds: float
    left_seconds: float | None
    hold: str
    leader: str
    note: str
    gates: tuple[Line, ...]
    triggers: tuple[Line, ...]


def view_of(tick: Tick, service: str) -> View:
    """The view model of one tick."""
    record, situation = tick.record, tick.situation
    left = seconds_left(record, tick.plan, tick.now)
    seen = tick.decision.observations if tick.decision is not None else ()
    end = record.finished_at if record.state in TERMINAL_STATES and record.finished_at else tick.now.wall
    return View(
        rollout_id=record.rollout_id,
        title=f"{service} {sides(record)}",
        state=str(record.state),
        stage=stage_text(record, tick.plan),
        share_wanted=record.share_wanted,
        share_observed=situation.listener.candidate_share if situation is not None else None,
        requests_share=_requests_share(seen),
        elapsed_seconds=max(0.0, end - record.created_at),
        left_seconds=left,
        hold=hold_text(record, left),
        leader="led here" if tick.leading else leader(record),
        note=_note(tick),
        gates=tuple(_line(observation) for observation in seen if not observation.name.startswith("TRIG-")),
        triggers=_triggers(tick),
    )


def _requests_share(seen: tuple[Observation, ...]) -> float | None:
    values = [observation.value for observation in seen if observation.name == "SHARE"]
    return values[0] if values and isinstance(values[0], float) else None


def _note(tick: Tick) -> str:
    """What does not go as it should, or the reason of the last decision."""
    failed = [outcome for outcome in tick.outcomes if outcome.error]
    if tick.error:
        return tick.error
    if failed:
        return str(failed[0])
    if tick.situation is not None and tick.situation.errors:
        return tick.situation.errors[0]
    return tick.decision.reason if tick.decision is not None else tick.record.reason


def _line(seen: Observation, consecutive: str = "") -> Line:
    value = seen.value
    figure = f"{value:.4g} {seen.unit}".rstrip() if isinstance(value, (int, float)) else "-"
    limit = f"{seen.limit:g}" if isinstance(seen.limit, (int, float)) else ""
    return Line(
        name=seen.name,
        rule=f"{seen.rule} {limit} {seen.unit}".strip() if limit else seen.rule,
        value=figure,
        n="-" if seen.n is None else f"{seen.n:,}",
        verdict=seen.verdict,
        consecutive=consecutive,
    )


def _triggers(tick: Tick) -> tuple[Line, ...]:
    """All five as they stand, whatever the decision was about; none before the first shift and without a look."""
    record, plan, situation = tick.record, tick.plan, tick.situation
    if situation is None or record.first_shift_at is None or record.state in TERMINAL_STATES:
        return ()
    observations, _ = trigger_observations(Sight(plan, record, situation, tick.now))
    readings = trip.read_triggers(
        plan, situation, share=record.share_wanted, since=record.first_shift_at, now=tick.now.wall
    )
    minutes = {wire.name: wire.minutes for wire in trip.tripwires(plan.triggers)}
    return tuple(_line(seen, f"{trip.longest_run(readings[seen.name])}/{minutes[seen.name]}") for seen in observations)
