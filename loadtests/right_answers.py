"""Whether an answer of the shop is the right one. Pure: an answer in, None or what is wrong with it out.

The sentences have no variable parts, so that a thousand equal failures are one line of the report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from loadtests.answer import Answer
from loadtests.client import Check


def document_of(answer: Answer) -> Mapping[str, Any] | None:
    """The JSON object in the body, or None."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def says(status: int, right: Callable[[Mapping[str, Any]], bool], otherwise: str) -> Check:
    """A check of the status and of the JSON object in the body."""

    def check(answer: Answer) -> str | None:
        if answer.status != status:
            return f"status {answer.status} instead of {status}"
        document = document_of(answer)
        if document is None:
            return "body is no JSON object"
        return None if right(document) else otherwise

    return check


def _names_itself(document: Mapping[str, Any]) -> bool:
    return all(isinstance(document.get(name), str) and document[name] for name in ("slot", "version"))


healthy = says(200, lambda document: document.get("status") == "ok" and _names_itself(document), "not healthy")
status_told = says(
    200,
    lambda document: (
        document.get("status") == "ok"
        and _names_itself(document)
        and all(isinstance(document.get(name), str) for name in ("digest", "time"))
    ),
    "status is not ok, or lacks slot, version, digest or time",
)
_token = says(
    200,
    lambda document: (
        isinstance(document.get("access_token"), str)
        and document["access_token"].count(".") == 2
        and document.get("token_type") == "Bearer"
        and isinstance(document.get("expires_in"), int)
        and document["expires_in"] > 0
    ),
    "no bearer token in the answer",
)


def token_given(answer: Answer) -> str | None:
    """RFC 6749, 5.1: a token that nobody on the way keeps."""
    wrong = _token(answer)
    if wrong is None and answer.header("cache-control") != "no-store":
        return "token may be cached"
    return wrong


_offline = says(200, lambda document: isinstance(document.get("refresh_token"), str), "no refresh token in the answer")


def tokens_given(answer: Answer) -> str | None:
    """An access token and a refresh token."""
    return token_given(answer) or _offline(answer)


def reuse_refused(answer: Answer) -> str | None:
    """A refresh token works once (RFC 9700, 4.14.2)."""
    if answer.status == 200:
        return "refresh token worked twice"
    return _reuse(answer)


_reuse = says(400, lambda document: document.get("error") == "invalid_grant", "refused with another error")


def verified_for(client_id: str) -> Check:
    """The service knows whose token it was shown."""
    return says(
        200,
        lambda document: document.get("active") is True and document.get("client_id") == client_id,
        "token is not active, or of another client",
    )


def item_like(wanted: Mapping[str, Any], *, status: int, item_id: str | None = None) -> Check:
    """An item with these values and an id; with this very id where it is given."""

    def right(document: Mapping[str, Any]) -> bool:
        same = all(document.get(name) == value for name, value in wanted.items())
        known = isinstance(document.get("id"), str) and item_id in (None, document["id"])
        return same and known and isinstance(document.get("created_at"), str)

    return says(status, right, "item is not what was written")


def limited_fairly(answer: Answer) -> str | None:
    """Within the limit or refused over it; either way the answer says where the client stands."""
    if answer.status not in (200, 429):
        return f"status {answer.status} instead of 200 or 429"
    if answer.header("x-rate-limit") != "ok":
        return "rate limit not in force"
    limit, remaining, reset = (_whole(answer.header(f"ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
    if limit is None or remaining is None or reset is None or not 0 <= remaining < max(limit, 1) or reset < 1:
        return "rate limit headers missing or wrong"
    if answer.status == 200:
        return None
    retry_after_seconds = _whole(answer.header("retry-after"))
    if remaining or retry_after_seconds is None or retry_after_seconds < 1:
        return "refused without saying when to come again"
    return None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
