"""What an answer of the shop must be: right ones pass, each way of being wrong has its sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtests import right_answers
from loadtests.answer import Answer
from loadtests.client import Check

ITEM = {"name": "load test 1", "quantity": 1, "price_cents": 101}
STORED = {**ITEM, "id": "a-b", "created_at": "2026-01-01T00:00:00Z", "note": None}
TOKEN = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 900, "scope": "items:read"}
NO_STORE = {"Cache-Control": "no-store"}
LIMITS = {"X-Rate-Limit": "ok", "RateLimit-Limit": "10", "RateLimit-Remaining": "4", "RateLimit-Reset": "2"}
OVER = {**LIMITS, "RateLimit-Remaining": "0", "Retry-After": "2"}
STATUS = {"status": "ok", "slot": "blue", "version": "1.0.0", "digest": "sha256:0", "time": "2026-01-01T00:00:00Z"}


def answer(status: int, document: Any, headers: dict[str, str] | None = None) -> Answer:
    head = "\r\n".join(["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in (headers or {}).items())])
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, head.encode(), body, True)


@pytest.mark.parametrize(
    ("check", "given"),
    [
        (right_answers.healthy, answer(200, STATUS)),
        (right_answers.status_told, answer(200, STATUS)),
        (right_answers.token_given, answer(200, TOKEN, NO_STORE)),
        (right_answers.tokens_given, answer(200, {**TOKEN, "refresh_token": "r"}, NO_STORE)),
        (right_answers.reuse_refused, answer(400, {"error": "invalid_grant"})),
        (right_answers.verified_for("c"), answer(200, {"active": True, "client_id": "c"})),
        (right_answers.item_like(ITEM, status=201), answer(201, STORED)),
        (right_answers.item_like(ITEM, status=200, item_id="a-b"), answer(200, STORED)),
        (right_answers.limited_fairly, answer(200, {}, LIMITS)),
        (right_answers.limited_fairly, answer(429, {}, OVER)),
    ],
)
def test_the_right_answer_is_right(check: Check, given: Answer) -> None:
    assert check(given) is None


@pytest.mark.parametrize(
    ("check", "given", "said"),
    [
        (right_answers.healthy, answer(503, STATUS), "status 503 instead of 200"),
        (right_answers.healthy, answer(200, {**STATUS, "status": "degraded"}), "not healthy"),
        (right_answers.healthy, answer(200, {**STATUS, "slot": ""}), "not healthy"),
        (right_answers.healthy, answer(200, b"<html>"), "body is no JSON object"),
        (right_answers.healthy, answer(200, b"[1]"), "body is no JSON object"),
        (right_answers.status_told, answer(200, {**STATUS, "digest": None}), "status is not ok, or lacks"),
        (right_answers.token_given, answer(200, {**TOKEN, "access_token": "opaque"}, NO_STORE), "no bearer token"),
        (right_answers.token_given, answer(200, {**TOKEN, "expires_in": 0}, NO_STORE), "no bearer token"),
        (right_answers.token_given, answer(200, TOKEN), "token may be cached"),
        (right_answers.tokens_given, answer(200, TOKEN, NO_STORE), "no refresh token"),
        (right_answers.reuse_refused, answer(200, TOKEN), "refresh token worked twice"),
        (right_answers.reuse_refused, answer(400, {"error": "invalid_scope"}), "refused with another error"),
        (right_answers.verified_for("c"), answer(200, {"active": True, "client_id": "d"}), "token is not active"),
        (right_answers.item_like(ITEM, status=200), answer(200, {**STORED, "quantity": 2}), "not what was written"),
        (right_answers.item_like(ITEM, status=200, item_id="z"), answer(200, STORED), "not what was written"),
        (right_answers.limited_fairly, answer(503, {}), "status 503 instead of 200 or 429"),
        (right_answers.limited_fairly, answer(200, {}), "rate limit not in force"),
        (right_answers.limited_fairly, answer(200, {}, {**LIMITS, "RateLimit-Remaining": "10"}), "headers missing"),
        (right_answers.limited_fairly, answer(429, {}, {**OVER, "RateLimit-Remaining": "1"}), "when to come again"),
        (right_answers.limited_fairly, answer(429, {}, {**OVER, "Retry-After": "soon"}), "when to come again"),
    ],
)
def test_each_way_of_being_wrong_has_its_sentence(check: Check, given: Answer, said: str) -> None:
    found = check(given)

    assert found is not None
    assert said in found
