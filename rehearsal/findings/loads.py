"""What a load run showed beside its report: the limits in force, when it ran, and what the service used meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probes.load_histogram import Bucket, Histogram
from probes.load_limits import Thresholds, Wanted
from probes.load_report import Kind
from probes.load_times import response_time
from rehearsal.findings.common import finding
from rehearsal.result import Result
from rollout import judge
from rollout.model import MINUTE_SECONDS, Gates, Observation, Verdict
from rollout.seen import Metrics, SideMinute


def limits_are(thresholds: Thresholds, **written: float) -> tuple[Observation, ...]:
    """The limits that the feature writes down are those of thresholds.toml, each of them; by its name there."""
    return tuple(_same(name, getattr(thresholds, name), said) for name, said in written.items())


def _same(name: str, in_force: float, written: float) -> Observation:
    message = f"{name} is {in_force:g} in thresholds.toml, {written:g} in the feature"
    seen = finding(f"load.limit {name}", in_force == written, message, value=in_force, limit=written)
    return replace(seen, source="loadtests/thresholds.toml")


def at_the_boundary(wanted: Wanted, *, slow: int, requests: int, milliseconds: float) -> Observation:
    """The judge of response times on a histogram that a table writes down: `slow` requests of that time, the others
    of 20 ms."""
    quick, slowly = 20_000, round(1000 * milliseconds)
    buckets = (Bucket(quick, quick, requests - slow), Bucket(slowly, slowly, slow))
    kind = Kind(
        name="requests",
        requests=requests,
        failures=0,
        unfinished=0,
        missed=0,
        at_or_over_limit=slow if milliseconds >= wanted.thresholds.p95_milliseconds_max else 0,
        limit_milliseconds=wanted.thresholds.p95_milliseconds_max,
        quantiles={},
        histogram=Histogram(buckets),
    )
    return response_time(kind, wanted.thresholds.p95_milliseconds_max, wanted)


def while_way_back_was_warm(result: Result | None) -> tuple[Observation, ...]:
    """The load began when all customers were on the candidate, and ended before the old side was given up."""
    if result is None:
        return (finding("load.warm", None, "no release belongs to this load"),)
    load = result.facts.get("load")
    full, done = result.decisions(event="FULL_SHARE_VERIFIED"), result.decisions(event="STABLE_LONG_ENOUGH")
    if load is None or not full or not done:
        return (finding("load.warm", None, f"there was no load inside a stability time; {result.ending}"),)
    began, ended = load["began"]["virtual"], load["ended_virtual"]
    holds = full[-1]["time"] <= began and ended <= done[-1]["time"]
    after, before = (began - full[-1]["time"]) / MINUTE_SECONDS, (done[-1]["time"] - ended) / MINUTE_SECONDS
    message = (
        f"the load began {after:.1f} min after all customers were on the candidate and ended {before:.1f} min before "
    )
    return (finding("load.warm", holds, f"{message}the old side could go", value=round(before, 1), unit="min"),)


@dataclass(frozen=True)
class Use:
    """What the candidate used while the load was measured: the minutes, and the window over them."""

    metrics: Metrics
    window: judge.BakeWindow


def use_under_load(result: Result, *, finished: float, measured_seconds: float) -> Use | None:
    """The metrics of the whole minutes in which the load was measured, which was for so many real seconds until the
    epoch second `finished`; None where nobody kept them."""
    load = result.facts.get("load")
    if load is None or "minutes" not in load:
        return None
    ended = load["began"]["virtual"] + (finished - load["began"]["epoch"]) * result.clock.factor
    began = ended - measured_seconds * result.clock.factor
    first, last = -(-began // MINUTE_SECONDS) * MINUTE_SECONDS, (ended // MINUTE_SECONDS - 1) * MINUTE_SECONDS
    if last < first:
        return None
    window = judge.BakeWindow(
        first=first,
        last=last,
        since_first_shift=first,
        share_percent=100,
        next_share_percent=100,
        remaining_seconds=float(result.plan["stability_seconds"]),
        now=load["ended_virtual"],
    )
    minutes = tuple(SideMinute(**row) for row in load["minutes"])
    return Use(Metrics(candidate=minutes, error=load["metrics_error"]), window)


def used_less(use: Use | None, *, cpu_percent: float, memory_percent: float, ending: str) -> tuple[Observation, ...]:
    """GATE-03 and GATE-04, as the engine judges them, over the time of the load."""
    if use is None:
        return (finding("load.use", None, f"nobody kept CPU and memory under the load; {ending}"),)
    if use.metrics.error is not None:
        seen = finding("load.use", None, f"CPU and memory could not be read: {use.metrics.error}")
        return (replace(seen, verdict=Verdict.SOURCE_ERROR),)
    limits = Gates(cpu_percent_max=cpu_percent, memory_percent_max=memory_percent)
    cpu, memory = judge.cpu_gate(use.metrics, limits, use.window), judge.memory_gate(use.metrics, limits, use.window)
    return replace(cpu, name="load.cpu"), replace(memory, name="load.memory")
