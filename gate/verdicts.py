"""Ways for a step to end a scenario with another word than PASS.

Every function here raises `NotPassed`; none returns. The ranking of the words is in `evidence.verdicts`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NoReturn, TypedDict, Unpack

from rollout.model import Verdict


class Details(TypedDict, total=False):
    """What results.json tells beside verdict and message; `until` is an ISO date."""

    reason: str | None
    by: str | None
    until: str | None
    blocked_by: str | None


class NotPassed(Exception):
    """A scenario came to a verdict other than PASS. `message` is the sentence an auditor wants."""

    def __init__(self, verdict: Verdict, message: str, **details: Unpack[Details]) -> None:
        """`verdict` must not be PASS (ValueError); TypeError for a detail that does not exist."""
        if verdict is Verdict.PASS:
            raise ValueError("NotPassed cannot carry PASS")
        unknown = sorted(set(details) - set(Details.__annotations__))
        if unknown:
            raise TypeError(
                f"NotPassed has no detail {', '.join(unknown)}; it has {', '.join(Details.__annotations__)}"
            )
        super().__init__(message)
        self.verdict = verdict
        self.message = message
        self.reason = details.get("reason")
        self.by = details.get("by")
        self.until = details.get("until")
        self.blocked_by = details.get("blocked_by")


def not_applicable(reason: str) -> NoReturn:
    """End the scenario as NOT_APPLICABLE. `reason` says why the line of the guide does not bind here."""
    raise NotPassed(Verdict.NOT_APPLICABLE, reason, reason=reason)


def deferred(until: date, owner: str, reason: str) -> NoReturn:
    """End the scenario as DEFERRED until a day, owned by a person or role.

    A day that has passed is no deferral any more: the scenario is BLOCKED by the overdue obligation.
    """
    if until < datetime.now(tz=UTC).date():
        message = f"overdue since {until.isoformat()}, owner {owner}: {reason}"
        raise NotPassed(
            Verdict.BLOCKED, message, reason=reason, by=owner, until=until.isoformat(), blocked_by=f"overdue: {reason}"
        )
    message = f"deferred until {until.isoformat()}, owner {owner}: {reason}"
    raise NotPassed(Verdict.DEFERRED, message, reason=reason, by=owner, until=until.isoformat())


def waived(by: str, until: date, reason: str) -> NoReturn:
    """End the scenario as WAIVED by a person until a day (release.toml does this by itself for a control).

    An expired waiver has no effect and is FAIL.
    """
    if until < datetime.now(tz=UTC).date():
        raise NotPassed(Verdict.FAIL, f"the waiver by {by} expired on {until.isoformat()}: {reason}", reason=reason)
    message = f"waived by {by} until {until.isoformat()}: {reason}"
    raise NotPassed(Verdict.WAIVED, message, reason=reason, by=by, until=until.isoformat())


def blocked(by: str, message: str) -> NoReturn:
    """End the scenario as BLOCKED by something outside the run: a missing tool, an open obligation."""
    raise NotPassed(Verdict.BLOCKED, message, reason=message, blocked_by=by)


def no_data(message: str) -> NoReturn:
    """End the scenario as NO_DATA: nothing could be looked at."""
    raise NotPassed(Verdict.NO_DATA, message)


def low_sample(message: str) -> NoReturn:
    """End the scenario as LOW_SAMPLE: something was seen, too little to decide."""
    raise NotPassed(Verdict.LOW_SAMPLE, message)


def source_error(message: str) -> NoReturn:
    """End the scenario as SOURCE_ERROR: the source refused, throttled or answered nonsense."""
    raise NotPassed(Verdict.SOURCE_ERROR, message)


def fail(message: str) -> NoReturn:
    """End the scenario as FAIL without an observation to show; prefer an observation."""
    raise NotPassed(Verdict.FAIL, message)
