"""Load runs: the report on the version under release, and the load on the public address after it."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gate.observe import Observe
from probes.load_limits import Wanted
from rehearsal.findings import boundaries, loads
from rehearsal.performance import LoadEvidence
from rollout.model import Observation
from steps.observing import named


@given("the load report of the version under release", target_fixture="load")
def candidate(candidate_load: LoadEvidence) -> LoadEvidence:
    return candidate_load


@given("the load on the public address after the release", target_fixture="load")
def live(live_load: LoadEvidence) -> LoadEvidence:
    return live_load


@given("the limits of a load run", target_fixture="limits")
def limits(held_to: Wanted) -> Wanted:
    return held_to


@when("it is judged anew from its histograms", target_fixture="judged")
def judge(load: LoadEvidence) -> tuple[Observation, ...]:
    return load.judged


@when(parsers.parse("{slow:d} of {requests:d} requests take {milliseconds:g} ms"), target_fixture="boundary")
def measure(limits: Wanted, slow: int, requests: int, milliseconds: float) -> Observation:
    return loads.at_the_boundary(limits, slow=slow, requests=requests, milliseconds=milliseconds)


@then(parsers.parse("the load's response time gate says {verdict:w}"))
def gate_says(boundary: Observation, verdict: str, observe: Observe) -> None:
    observe.add(*boundaries.gate_says(boundary, verdict))


@then("it is a whole and recent report on this very version")
def fit(judged: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(judged, "load.report"))


@then(parsers.parse("95% of the requests of every kind took less than {p95:g} ms"))
def in_time(load: LoadEvidence, judged: tuple[Observation, ...], p95: float, observe: Observe) -> None:
    observe.add(*loads.limits_are(load.wanted.thresholds, p95_milliseconds_max=p95))
    observe.add(*named(judged, "load.p95"))


@then(parsers.parse("99% of all requests took less than {p99:g} ms and none {maximum:g} ms"))
def rare_stalls(
    load: LoadEvidence, judged: tuple[Observation, ...], p99: float, maximum: float, observe: Observe
) -> None:
    written = {"p99_milliseconds_max": p99, "maximum_milliseconds_max": maximum}
    observe.add(*loads.limits_are(load.wanted.thresholds, **written))
    observe.add(*named(judged, "load.p99", "load.maximum"))


@then(parsers.parse("fewer than {percent:g}% of the requests failed"))
def failed(load: LoadEvidence, judged: tuple[Observation, ...], percent: float, observe: Observe) -> None:
    observe.add(*loads.limits_are(load.wanted.thresholds, error_rate_percent_max=percent))
    observe.add(*named(judged, "load.errors", "load.samples"))


@then(parsers.parse("at least {percent:g}% of the expected rate was reached and held"))
def rate_held(load: LoadEvidence, judged: tuple[Observation, ...], percent: float, observe: Observe) -> None:
    observe.add(*loads.limits_are(load.wanted.thresholds, rate_reached_percent_min=percent))
    observe.add(*named(judged, "load.rate"))


@then("customers arrived as expected, whether or not answers came")
def arrived(judged: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(judged, "load.traffic", "load.generator"))


@then(parsers.parse("it was measured for at least {seconds:g} seconds after the warm-up"))
def long_enough(load: LoadEvidence, judged: tuple[Observation, ...], seconds: float, observe: Observe) -> None:
    observe.add(*loads.limits_are(load.wanted.thresholds, measured_seconds_min=seconds))
    observe.add(*named(judged, "load.duration"))


@then("every worker was there to the end")
def whole(judged: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(judged, "load.workers"))


@then("rate, response times and failures held")
def held(judged: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(judged, "load.rate", "load.p95", "load.p99", "load.maximum", "load.errors", "load.samples"))


@then(parsers.parse("response times did not grow by {growth:g} ms and {percent:g}% while it ran"))
def level(load: LoadEvidence, judged: tuple[Observation, ...], growth: float, percent: float, observe: Observe) -> None:
    written = {"p95_growth_milliseconds_max": growth, "p95_growth_percent_max": percent}
    observe.add(*loads.limits_are(load.wanted.thresholds, **written))
    observe.add(*named(judged, "load.growth"))


@then("the way back was warm all the while")
def warm(load: LoadEvidence, observe: Observe) -> None:
    observe.add(*loads.while_way_back_was_warm(load.run))


@then(parsers.parse("the service used less than {cpu:g}% of its CPU and {memory:g}% of its memory"))
def used(load: LoadEvidence, cpu: float, memory: float, observe: Observe) -> None:
    observe.add(*loads.used_less(load.use, cpu_percent=cpu, memory_percent=memory, ending=load.ending))
