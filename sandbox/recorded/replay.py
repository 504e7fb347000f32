"""Sends a recording's requests through a control plane's own front, before it serves anybody."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.errors import SandboxError
from sandbox.recorded.recording import REMEDY, Recording
from sandbox.recorded.requests import Application, Request
from sandbox.recorded.seeds import Seeds

_ANSWER_CHARACTERS = 500


def replay(recording: Recording, application: Application, values: Mapping[str, str]) -> None:
    """Every request in order; `values` fill the recording's placeholders. The account has the recording's ids then.

    Raises SandboxError at the first request that is refused: half an account would be worse than none.
    """
    seeds = Seeds()
    try:
        for number, request in enumerate(recording.requests, 1):
            seeds.plant(request)
            _demand(request, number, request.filled(values).send(application))
    finally:
        seeds.forget()


def _demand(request: Request, number: int, answer: tuple[int, bytes]) -> None:
    status, body = answer
    if status >= 300:
        said = body[:_ANSWER_CHARACTERS].decode(errors="replace")
        raise SandboxError(f"request {number}, {request.service} {request.operation}: {status} {said}", REMEDY)
