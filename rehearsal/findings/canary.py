"""How customers moved, and what each step was proven by."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from probes.stream_report import Window, nobody_noticed, observed_share, share_followed, stream_was_steady
from rehearsal.findings.common import candidate_of, effects, finding, journalled, share_in
from rehearsal.result import Result
from rollout.model import Observation, Verdict

_GATES = ("GATE-01", "GATE-02", "GATE-03", "GATE-04")


def proven_growth(result: Result) -> tuple[Observation, ...]:
    """Each raise of the share by the engine had the stored PASS of the stage before, in the journal before it."""
    shares = [stage["share_percent"] for stage in result.plan["stages"]]
    passes = [proof["share_percent"] for proof in result.record["passes"]]
    stored = finding(
        "growth.passes", passes == shares[:-1], f"stored PASS at {passes}; stages are {shares}", value=passes
    )
    order = [e["payload"] for e in result.journal if e["payload"].get("kind") == "decision"]
    seen = [stored]
    for earlier, share in itertools.pairwise(shares):
        grown = _first(order, lambda p, share=share: f"SetShare(candidate={share})" in p["intents"])
        proof = _first(order, lambda p, share=share: p["event"] == "GATE_PASSED" and p["share_wanted"] == share)
        holds = proof is not None and grown is not None and proof < grown
        said = f"the PASS at {earlier} % is {'before' if holds else 'not before'} the shift to {share} % in the journal"
        seen.append(finding(f"growth.{share}", holds, said))
    return tuple(seen)


def _first(payloads: Sequence[dict[str, object]], holds: object) -> int | None:
    return next((index for index, payload in enumerate(payloads) if holds(payload)), None)  # type: ignore[operator]


def observed_shares(result: Result, shares: Sequence[int]) -> tuple[Observation, ...]:
    """What the stream saw in each bake, and that the listener was given these shares in this order and no others."""
    candidate = candidate_of(result)
    calls = effects(result, since=float(result.record["first_shift_at"] or 0.0))
    given = [share for share in (share_in(call, candidate) for call in calls) if share is not None]
    holds = given == list(shares)
    message = f"the listener was given {given}; wanted {list(shares)}" + ("" if holds else f"; {result.ending}")
    order = finding("shares.order", holds, message, value=given)
    windows = [(p["share_percent"], p["first_minute"], p["last_minute"] + 60) for p in result.record["passes"]]
    full = [d["time"] for d in result.decisions(event="FULL_SHARE_VERIFIED")]
    retired = [d["time"] for d in result.decisions(event="STABLE_LONG_ENOUGH")]
    if full and retired:
        windows.append((100, full[0] + 60, retired[0]))
    missing = sorted(set(shares) - {share for share, *_ in windows})
    if missing:
        return (order, finding("shares.windows", None, f"no finished bake at {missing} % to look at; {result.ending}"))
    return (order, *(_share_in_window(result, share, between=span) for share, *span in windows))


def _share_in_window(result: Result, share: int, *, between: Sequence[float]) -> Observation:
    first, last = between
    window = Window(start=result.clock.monotonic_at(first), end=result.clock.monotonic_at(last))
    seen = observed_share(result.requests, candidate_of(result), window=window)
    return replace(share_followed(seen, share / 100), name=f"share at {share} %")


def gate_passed_everywhere(result: Result, gate: str, *, says: str = "", n_min: int = 0) -> tuple[Observation, ...]:
    """The gate's own observation at each stage that grew; `says` must stand in its sentence."""
    wanted = [stage["share_percent"] for stage in result.plan["stages"]][:-1]
    seen = []
    for share, decision in zip(wanted, _gate_decisions(result), strict=False):
        rows = [row for row in journalled(decision) if row.name == gate]
        if not rows:
            seen.append(finding(f"{gate} at {share} %", None, f"no {gate} in the decision to grow from {share} %"))
            continue
        row = replace(rows[0], name=f"{gate} at {share} %")
        lacking = says not in row.message or (row.n or 0) < n_min
        seen.append(replace(row, verdict=Verdict.NO_DATA, message=f"lacks {says!r}: {row.message}") if lacking else row)
    if len(seen) < len(wanted):
        seen.append(finding(gate, None, f"{len(seen)} of {len(wanted)} stages were decided; {result.ending}"))
    return tuple(seen)


def _gate_decisions(result: Result) -> list[Mapping[str, object]]:
    """One per stage, in their order: those that let it grow, and the one that did not."""
    passed = list(result.decisions(event="GATE_PASSED"))
    refused = [*result.decisions(event="GATE_FAILED"), *result.decisions(event="GATE_UNDECIDED")]
    return [*passed, *refused[-1:]] if result.record["reached_full_at"] is None else passed


def all_gates_passed(result: Result) -> tuple[Observation, ...]:
    return tuple(seen for gate in _GATES for seen in gate_passed_everywhere(result, gate))


def reached_in_time(result: Result, minutes_max: float) -> tuple[Observation, ...]:
    submitted, reached = result.record["submitted_at"], result.record["reached_full_at"]
    if submitted is None or reached is None:
        return (finding("deployment.minutes", None, f"all customers were never reached; {result.ending}"),)
    minutes = (reached - submitted) / 60
    message = f"all customers after {minutes:.1f} min, limit {minutes_max:g} min"
    return (
        finding("deployment.minutes", minutes < minutes_max, message, value=minutes, limit=minutes_max, unit="min"),
    )


def nobody_failed(result: Result) -> tuple[Observation, ...]:
    """From the first shift to the stream's end, not one request failed."""
    first = result.record["first_shift_at"]
    if first is None:
        return (finding("stream.failures", None, f"the rollout never shifted; {result.ending}"),)
    since = result.clock.monotonic_at(float(first))
    return (nobody_noticed([r for r in result.requests if r.monotonic >= since], result.run),)


def stream_covered(result: Result) -> tuple[Observation, ...]:
    first, end = result.record["first_shift_at"], result.record["finished_at"]
    if first is None or end is None:
        return (finding("stream.steady", None, "the rollout has no start or no end"),)
    window = Window(start=result.clock.monotonic_at(float(first)), end=result.clock.monotonic_at(float(end)))
    return (stream_was_steady(result.requests, window),)
