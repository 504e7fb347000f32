"""One run of what a customer does, and the honest time of each of its requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from loadtests.answer import Answer
from loadtests.client import Check, Client, Request
from loadtests.connection import NoAnswer

_now = time.perf_counter
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Failed(Exception):
    """A request of a visit failed and was recorded so; the visit ends."""


class Records(Protocol):
    """What the hot path needs of loadtests.recording.Recorder; `at` is the intended time in seconds from the start."""

    def started(self, name: str, at: float) -> None: ...
    def ended(self, name: str, at: float, latency_seconds: float, error: str | None = None) -> None: ...
    def missed(self, name: str, at: float) -> None: ...
    def late(self, at: float, lateness_seconds: float) -> None: ...
    def parcel(self, *, final: bool) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all visits of a process share. `began`: perf_counter of second 0; `fire`: locust's request event."""

    client: Client
    records: Records
    fire: Callable[..., None]
    began: float


def makes(*names: str) -> Callable[[_Function], _Function]:
    """Declares the requests that a visit makes, by name ("GET /health") and in order, whatever the answers say.

    The gate expects samples of each, an arrival that could not be sent is counted under the first, and how many there
    are says what rate of requests a rate of arrivals is.
    """

    def declared(function: _Function) -> _Function:
        function.requests = names  # type: ignore[attr-defined]  # functions take attributes, their type has none
        return function

    return declared


class Visit:
    """The first request counts from the arrival's intended time, each further one from the moment it is wanted."""

    __slots__ = ("_around", "_wanted")

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._wanted = 0.0

    def begin(self, wanted: float) -> None:
        """Start over for an arrival intended at this perf_counter."""
        self._wanted = wanted

    def ask(self, request: Request, check: Check) -> Answer:
        """The answer, if it is the right one. Raises Failed; recorded either way.

        Left by anything else, such as the end of the run, the request stays unfinished.
        """
        around = self._around
        wanted, self._wanted = self._wanted or _now(), 0.0
        at = wanted - around.began
        around.records.started(request.name, at)
        answer = None
        try:
            answer = around.client.send(request, wanted=wanted)
            latency_seconds = _now() - wanted
            error = check(answer)
        except NoAnswer as unanswered:
            latency_seconds = _now() - wanted
            error = str(unanswered)
        around.records.ended(request.name, at, latency_seconds, error)
        failed = None if error is None else Failed(error)
        around.fire(
            request_type=request.method,
            name=request.shown,
            response_time=latency_seconds * 1000.0,
            response_length=0 if answer is None else len(answer.body),
            exception=failed,
            context={},
            response=answer,
            url=request.shown,
            start_time=time.time() - latency_seconds,
        )
        if failed is not None:
            raise failed
        assert answer is not None, "without an answer there is an error"
        return answer
