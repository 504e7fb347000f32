"""The stability time, the change of names, the old side's end."""

from __future__ import annotations

from pytest_bdd import parsers, then

from gate.observe import Observe
from rehearsal.findings import stability
from rehearsal.result import Result
from steps.observing import dated


@then(parsers.parse("all customers were watched for at least {minutes:d} verified minutes"))
def watched(run: Result, minutes: int, observe: Observe) -> None:
    observe.add(*dated(run, stability.watched_long_enough(run, minutes)))


@then("the triggers stayed armed in every one of them")
def armed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.triggers_armed(run)))


@then("the stable side stayed attached, at its size and healthy")
def warm(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.way_back_warm(run)))


@then("the live name was in sync and resolved to the candidate's slot")
def followed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.name_followed(run)))


@then("the old side served until the name's lifetime had passed")
def expired(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.served_until_expiry(run)))


@then("only the declared record of the declared zone was changed")
def declared_only(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.only_declared_record(run)))


@then("the change was planned before and its reverse was stored")
def reversible(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.reverse_stored(run)))


@then("the change came before the old side was scaled down")
def before_scale_down(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.changed_before_scale_down(run)))


@then("the old side has no task left and its revision is kept")
def gone(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.old_side_gone(run)))


@then("it was scaled down only after it had lost all weight")
def without_weight(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.scaled_down_without_weight(run)))


@then("no request failed while it drained")
def nobody_cut_off(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, stability.nobody_cut_off(run)))
