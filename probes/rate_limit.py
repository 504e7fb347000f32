"""Rate limiting as customers meet it: per client, shared by both slots, and over after its time (ARCH-03).

The number of requests is bounded: at most twice the declared limit, and some.
"""

from __future__ import annotations

import email.utils
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from probes.failures import Cause
from probes.http import Answer, ask
from probes.question import Question
from probes.waiting import Tries
from rollout.model import Observation

_TOO_MANY = 429
_REPEATS = 3
_SLACK_SECONDS = 1.0
_MOST_REQUESTS = 2000


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What is declared: `requests` per `window_seconds` and client; a client is named by a header."""

    requests: int
    window_seconds: float
    path: str = "/api/v1/limited"
    client_header: str = "x-client-id"


class _Client:
    """One customer, new to the service, who can knock at every slot."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._name = f"probe-{secrets.token_hex(6)}"

    def knock(self, asker: httpx.Client, *, alone: bool = False) -> Answer | Cause:
        """One request; `alone` ends the connection, so that the next one comes over a new one."""
        headers = {self._limit.client_header: self._name} | ({"connection": "close"} if alone else {})
        return ask(asker, self._limit.path, headers=headers)


@dataclass(frozen=True, kw_only=True)
class _Reached:
    """The limit, reached: the 429 and when it came (CLOCK_MONOTONIC)."""

    answer: Answer
    retry_after_seconds: float | None
    at: float

    def still_holds(self, limit: Limit) -> bool:
        """Whether the window cannot be over yet."""
        wait = limit.window_seconds if self.retry_after_seconds is None else self.retry_after_seconds
        # Retry-After counts whole seconds, so the last of them may be partly over.
        return time.monotonic() < self.at + wait - 1.0


def rate_limit(slots: Sequence[httpx.Client], limit: Limit) -> tuple[Observation, ...]:
    """`rate.limits`, `.retry_after`, `.remembers`, `.shared`, `.per_client`, `.recovers`; one client per slot.

    Raises ValueError for fewer than two slots or a limit outside 1..1000.
    """
    if len(slots) < 2 or not 1 <= limit.requests <= _MOST_REQUESTS // 2:
        raise ValueError("rate_limit needs two slots and a limit of 1 to 1000 requests")
    first, *others = slots
    source = f"{first.base_url.host} {limit.path}"
    customer = _Client(limit)
    limits, reached = _exhaust(first, customer, limit=limit, source=source)
    if reached is None:
        return (limits,)
    return (
        limits,
        _retry_after(reached, source),
        _remembers(first, customer, reached=reached, limit=limit),
        *(_shared(first, other, customer=customer, reached=reached, limit=limit) for other in others),
        _per_client(slots, limit),
        _recovers(first, customer, reached=reached, limit=limit),
    )


def _exhaust(
    asker: httpx.Client, customer: _Client, *, limit: Limit, source: str
) -> tuple[Observation, _Reached | None]:
    question = Question(
        name="rate.limits",
        rule=f"more than {limit.requests} requests in {limit.window_seconds:g} s are answered with 429",
        limit=limit.requests,
        unit="requests",
        source=source,
    )
    started = time.monotonic()
    for accepted in range(2 * limit.requests + 2):
        answer = customer.knock(asker)
        if isinstance(answer, Cause):
            return question.failed(answer.kind, answer.sentence, n=accepted), None
        if answer.status == _TOO_MANY:
            reached = _Reached(answer=answer, retry_after_seconds=retry_after(answer), at=time.monotonic())
            return _judge_count(question, accepted, seconds=reached.at - started, limit=limit), reached
        if answer.status >= 400:
            return question.no_data(f"request {accepted + 1} was answered {answer.status}", value=answer.status), None
    seconds = time.monotonic() - started
    if seconds > limit.window_seconds:
        return question.no_data(f"{2 * limit.requests + 2} requests took {seconds:.1f} s, longer than the window"), None
    message = (
        f"no limit, or each process counts for itself: {2 * limit.requests + 2} requests answered in {seconds:.1f} s"
    )
    return question.failed(2 * limit.requests + 2, message), None


def _judge_count(question: Question, accepted: int, *, seconds: float, limit: Limit) -> Observation:
    message = f"{accepted} requests were answered in {seconds:.2f} s before the first 429"
    if accepted == 0:
        return question.failed(0, "a new client's first request is answered with 429: the limit is not per client")
    if accepted > limit.requests and seconds < limit.window_seconds:
        return question.failed(accepted, f"{message}: is each process counting for itself?", n=accepted)
    return question.passed(accepted, message, n=accepted)


def retry_after(answer: Answer) -> float | None:
    """Seconds that Retry-After asks to wait (RFC 9110 section 10.2.3: seconds or a date); None if it says neither."""
    value = (answer.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _retry_after(reached: _Reached, source: str) -> Observation:
    question = Question(name="rate.retry_after", rule="a 429 carries Retry-After", unit="s", source=source)
    said = reached.answer.header("retry-after")
    if said is None:
        return question.failed(None, "the 429 carries no Retry-After")
    if reached.retry_after_seconds is None:
        return question.failed(said, f"Retry-After {said!r} is neither seconds nor a date")
    return question.passed(reached.retry_after_seconds, f"Retry-After is {said}")


def _remembers(asker: httpx.Client, customer: _Client, *, reached: _Reached, limit: Limit) -> Observation:
    question = Question(
        name="rate.remembers",
        rule="a client over its limit stays limited, over new connections too",
        limit=_TOO_MANY,
        source=f"{asker.base_url.host} {limit.path}",
    )
    for number in range(_REPEATS):
        answer = customer.knock(asker, alone=True)
        if isinstance(answer, Cause):
            return question.failed(answer.kind, answer.sentence)
        if answer.status != _TOO_MANY:
            if not reached.still_holds(limit):
                return question.no_data("the window ended before it could be seen", value=answer.status)
            message = f"request {number + 1} after the first 429 was answered {answer.status}: the client is forgotten"
            return question.failed(answer.status, message)
    return question.passed(_TOO_MANY, f"{_REPEATS} more requests were answered with 429", n=_REPEATS)


def _shared(
    first: httpx.Client, other: httpx.Client, *, customer: _Client, reached: _Reached, limit: Limit
) -> Observation:
    question = Question(
        name="rate.shared",
        rule="both slots count together",
        limit=_TOO_MANY,
        source=f"{other.base_url.host} {limit.path}",
    )
    there, here = customer.knock(other), customer.knock(first)
    for answer in (there, here):
        if isinstance(answer, Cause):
            return question.failed(answer.kind, answer.sentence)
    assert isinstance(there, Answer)
    assert isinstance(here, Answer)
    if there.status == _TOO_MANY:
        return question.passed(there.status, "over the limit on one slot, answered with 429 on the other")
    if here.status != _TOO_MANY or not reached.still_holds(limit):
        return question.no_data("the first slot no longer limits the client either", value=there.status)
    return question.failed(
        there.status, f"over the limit on one slot, answered {there.status} on the other: the slots count apart"
    )


def _per_client(slots: Sequence[httpx.Client], limit: Limit) -> Observation:
    question = Question(
        name="rate.per_client",
        rule="another client is not affected",
        limit="not 429",
        source=f"{slots[0].base_url.host} {limit.path}",
    )
    another = _Client(limit)
    statuses = []
    for asker in slots:
        answer = another.knock(asker)
        if isinstance(answer, Cause):
            return question.failed(answer.kind, answer.sentence)
        statuses.append(answer.status)
    judge = question.failed if any(status >= 400 for status in statuses) else question.passed
    return judge(statuses, f"another client was answered {', '.join(map(str, statuses))}")


def _recovers(asker: httpx.Client, customer: _Client, *, reached: _Reached, limit: Limit) -> Observation:
    wait = limit.window_seconds if reached.retry_after_seconds is None else reached.retry_after_seconds
    wait = min(wait, limit.window_seconds)
    question = Question(
        name="rate.recovers",
        rule="the client is served again after the time that Retry-After names",
        limit=wait,
        unit="s",
        source=f"{asker.base_url.host} {limit.path}",
    )
    remaining = max(0.0, reached.at + wait - time.monotonic())
    status: object = None
    for _ in Tries(deadline_seconds=remaining + _SLACK_SECONDS, interval_seconds=0.25):
        if time.monotonic() < reached.at + wait:
            continue  # as told: knocking earlier could lengthen the wait
        answer = customer.knock(asker)
        status = answer.kind if isinstance(answer, Cause) else answer.status
        if isinstance(answer, Answer) and answer.status < 400:
            seconds = time.monotonic() - reached.at
            return question.passed(seconds, f"served again {seconds:.1f} s after the first 429")
    return question.failed(status, f"still answered {status} {wait + _SLACK_SECONDS:.1f} s after the first 429")


def without_store(asker: httpx.Client, limit: Limit, *, stays_open: bool) -> tuple[Observation, ...]:
    """`rate.without_store`: what is declared for a store that is down happens: all served, or all refused with 503."""
    question = Question(
        name="rate.without_store",
        rule="without its store the service " + ("serves everybody" if stays_open else "refuses with 503"),
        limit="below 400" if stays_open else 503,
        source=f"{asker.base_url.host} {limit.path}",
    )
    customer = _Client(limit)
    for number in range(limit.requests + 2):
        answer = customer.knock(asker)
        if isinstance(answer, Cause):
            return (question.failed(answer.kind, answer.sentence, n=number),)
        if not (answer.status < 400 if stays_open else answer.status == 503):
            return (question.failed(answer.status, f"request {number + 1} was answered {answer.status}", n=number + 1),)
    return (question.passed(limit.requests + 2, "every request was answered as declared", n=limit.requests + 2),)
