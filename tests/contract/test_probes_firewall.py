"""SEC-04 against real servers: a door that lets attacks in, one that refuses everybody, one that does not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from probes.firewall import refuses_attacks
from rollout.model import Verdict
from tests.contract.probe_world import Asked, Reply, Serve

pytest_plugins = ("tests.contract.probe_fixtures",)


def guarded(*signatures: str) -> Serve:
    """Refuses what holds one of these."""

    def serve(asked: Asked) -> Reply:
        return Reply(status=403 if any(one in unquote(asked.path) for one in signatures) else 200)

    return serve


@pytest.mark.parametrize(
    ("serve", "verdicts", "says"),
    [
        (guarded("<script", "' OR '", "${jndi:"), "PASS PASS PASS PASS", "is refused"),
        (guarded("<script", "${jndi:"), "PASS PASS FAIL PASS", "SQL injection is let in, answered 200"),
        (guarded(), "PASS FAIL FAIL FAIL", "lookup injection is let in"),
        (guarded("/"), "NO_DATA", "answered 403 too"),
        (lambda _: Reply(status=503), "NO_DATA", "answered 503 too"),
    ],
)
def test_a_door(asking: Callable[[Serve], Any], serve: Serve, verdicts: str, says: str) -> None:
    with asking(serve) as asker:
        seen = refuses_attacks(asker)

    assert " ".join(str(one.verdict) for one in seen) == verdicts
    assert says in " ".join(one.message for one in seen)


def test_nobody_at_the_door_is_no_refusal(nobody: httpx.Client) -> None:
    (seen,) = refuses_attacks(nobody)

    assert seen.verdict is Verdict.NO_DATA
