"""What goes on every answer, prepared in advance."""

from __future__ import annotations

import json

import pytest

from sandbox.service.dials import CHOICES, Dials
from sandbox.service.headers import common_headers
from sandbox.service.live import Live
from sandbox.service.request_id import RequestIds
from sandbox.service.settings import settings_from
from sandbox.service.status import StatusAnswer
from sandbox.service.tests.unit.test_settings import GOOD

SETTINGS = settings_from(GOOD)


@pytest.mark.parametrize("variant", [name for name in CHOICES["headers"] if name != "cookie_insecure"])
def test_each_planted_header_defect_differs_from_the_good_set(variant: str) -> None:
    """A dial that changed nothing would prove nothing."""
    good = common_headers(SETTINGS, Dials(), draining=False)
    planted = common_headers(SETTINGS, Dials(headers=variant), draining=False)

    assert (variant == "ok") is (good == planted)


def test_the_prepared_answer_is_whole_and_follows_the_dials() -> None:
    """Length, body and version fit each other before and after a dial is turned."""
    live = Live(SETTINGS, Dials())
    status = StatusAnswer(live)
    for dials, version in ((Dials(), "1.0.0"), (Dials(wrong_version=True), "0.9.9")):
        live.turn(dials)
        head, _, body = status.reply(b"today", b"id-1").partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])

        assert int(lines[b"content-length"]) == len(body)
        assert lines[b"x-request-id"] == b"id-1"
        assert lines[b"x-version"].decode() == version == json.loads(body)["version"]


def test_the_fast_path_ends_when_draining() -> None:
    """Only uvicorn's way can close connections."""
    live = Live(SETTINGS, Dials())
    status = StatusAnswer(live)
    fast_before = status.fast
    live.drain()

    assert (fast_before, status.fast) == (True, False)
    assert (b"connection", b"close") in live.headers.error


@pytest.mark.parametrize("value", [b"", b"a b", b"x" * 129, b"\r\nx-evil: 1", "\u00e9".encode()])
def test_a_harmful_request_id_is_replaced(value: bytes) -> None:
    """It would end up in headers and logs."""
    ids = RequestIds("task")

    assert ids.of([(b"x-request-id", b"good-1")]) == b"good-1"
    assert ids.of([(b"x-request-id", value)]).startswith(b"task-")
    assert ids.of([]) != ids.of([])
