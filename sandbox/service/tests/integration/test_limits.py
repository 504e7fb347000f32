"""Rate limits counted in the real cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.service.tests.inside import InProcess
from sandbox.service.tests.support import World, eventually

LIMIT = {"limits": {"limited": {"requests": 4, "window_seconds": 1}}}
PATH = "/api/v1/limited"


@pytest.fixture
def slots(shop: World) -> Iterator[list[InProcess]]:
    """Both slots, allowing four requests a second."""
    with ExitStack() as stack:
        yield [stack.enter_context(InProcess(shop, slot, **LIMIT)) for slot in ("blue", "green")]


def statuses(slots: list[InProcess], client: str, *, count: int) -> list[int]:
    """Statuses of `count` requests of one client, alternating between the slots."""
    headers = {"x-client-id": client}
    return [slots[turn % len(slots)].get(PATH, headers=headers).status_code for turn in range(count)]


def test_the_limit_is_per_client_shared_by_both_slots_and_recovers(slots: list[InProcess]) -> None:
    """The fifth request is refused with Retry-After; somebody else is not; after the window it goes on."""
    assert statuses(slots, "a", count=5) == [200, 200, 200, 200, 429]
    refused = slots[0].get(PATH, headers={"x-client-id": "a"})
    assert refused.headers["retry-after"] == "1"
    assert statuses(slots, "b", count=1) == [200]
    eventually(lambda: statuses(slots, "a", count=1) == [200], "the client's recovery", seconds=3.0)


def test_a_client_without_a_name_is_its_address(slots: list[InProcess]) -> None:
    """The last address is the one that the load balancer saw; the client may invent the others."""
    seen = [
        slots[0].get(PATH, headers={"x-forwarded-for": f"{turn}.1.1.1, 203.0.113.9"}).status_code for turn in range(5)
    ]

    assert seen[-1] == 429


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        ("off", [200] * 10),
        ("per_process", [200] * 8 + [429] * 2),
        ("forgets", [200, 200, 200, 200, 429] * 2),
    ],
)
def test_planted_limits_fail_as_they_say(slots: list[InProcess], dial: str, expected: list[int]) -> None:
    """No limit; a limit for each process; a limit that forgets whom it refused."""
    for slot in slots:
        slot.turn(rate_limit=dial)

    assert expected == statuses(slots, dial, count=10)


def test_the_planted_refusal_may_lack_its_retry_after(slots: list[InProcess]) -> None:
    """Only the header goes."""
    slots[0].turn(rate_limit="no_retry_after")
    statuses(slots[:1], "c", count=4)
    refused = slots[0].get(PATH, headers={"x-client-id": "c"})

    assert (refused.status_code, "retry-after" in refused.headers) == (429, False)
