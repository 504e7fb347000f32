"""Sessions and limits that hold on both sides."""

from __future__ import annotations

from pytest_bdd import then

from gate.observe import Observe
from rehearsal.result import Result
from steps.observing import dated, named


@then("tokens and sessions of the stable side were good on the candidate")
def to_candidate(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("sessions from the stable side")))


@then("tokens and sessions of the candidate were good on the stable side")
def to_stable(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("sessions back")))


@then("a client over its limit was answered 429 with Retry-After on both sides")
def limited(run: Result, observe: Observe) -> None:
    seen = run.observations("rate limit")
    observe.add(*dated(run, named(seen, "rate.limits", "rate.retry_after", "rate.remembers", "rate.shared")))


@then("another client was not limited by it")
def per_client(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, named(run.observations("rate limit"), "rate.per_client")))


@then("the client was served again after the time it was told to wait")
def recovers(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, named(run.observations("rate limit"), "rate.recovers")))
