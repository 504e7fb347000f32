"""Reading what clients send: bounded, decoded strictly, refused with a sentence; never a 500 on odd input."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from sandbox.service.problem import RefusedError

BODY_BYTES_MAX = 65_536
FORM_FIELDS_MAX = 32
# C0 and C1 controls and lone surrogates: PostgreSQL cannot store NUL, UTF-8 cannot carry surrogates, and nobody
# needs the rest in a name.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


async def read_json(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body. Raises RefusedError: 413 too large, 415 not JSON by its type, 400 not JSON."""
    _demand_type(request, "application/json")
    body = await _read(request)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "the body is not a JSON document in UTF-8") from error
    if not isinstance(value, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return value


async def read_form(request: Request) -> dict[str, str]:
    """The form fields in the body, each at most once. Raises RefusedError: 413, 415, 400."""
    _demand_type(request, "application/x-www-form-urlencoded")
    body = await _read(request)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS_MAX)
    except ValueError as error:
        raise RefusedError(400, "the body is not a form in UTF-8 with at most 32 fields") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RefusedError(400, "a form field is given twice")
    return fields


def check_fields(document: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Raises RefusedError(422) when the object has a member that nobody reads."""
    unknown = sorted(set(document) - allowed)
    if unknown:
        raise RefusedError(422, f"unknown member {_shown(unknown[0])}; known are {', '.join(sorted(allowed))}")


def text(document: Mapping[str, Any], name: str, *, length_max: int) -> str:
    """A text of 1 to `length_max` characters. Raises RefusedError(422)."""
    value = document.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= length_max or _FORBIDDEN.search(value):
        raise RefusedError(422, f"{name} must be a text of 1 to {length_max} characters without control characters")
    return value


def whole_number(document: Mapping[str, Any], name: str, *, highest: int) -> int:
    """A whole number from 0 to `highest`. Raises RefusedError(422)."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise RefusedError(422, f"{name} must be a whole number from 0 to {highest}")
    return value


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > BODY_BYTES_MAX:
        _too_large()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                _too_large()
    except ClientDisconnect as error:
        raise RefusedError(400, "the client left before its body was complete") from error
    return bytes(body)


def _too_large() -> NoReturn:
    # The rest of the body is not read, so the connection cannot serve another request.
    raise RefusedError(413, f"the body is larger than {BODY_BYTES_MAX} bytes", headers={"connection": "close"})


def _demand_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given != wanted:
        raise RefusedError(415, f"the body must be sent as {wanted}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(name: str) -> str:
    return ascii(name[:40])
