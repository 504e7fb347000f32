"""ARCH-03 against small real services whose defects are planted one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from probes import rate_limit
from probes.http import Answer
from probes.rate_limit import Limit
from rollout.model import Verdict
from tests.contract.probe_world import Asked, Reply, Serve, document

pytest_plugins = ("tests.contract.probe_fixtures",)


LIMIT = Limit(requests=5, window_seconds=1.2)


class Counter:
    """Counts per client in fixed windows; shared by whoever is given the same one."""

    def __init__(self) -> None:
        self.lock, self.windows = threading.Lock(), dict[str, tuple[float, int]]()

    def count(self, name: str, window_seconds: float) -> tuple[int, float]:
        with self.lock:
            opened, number = self.windows.get(name, (time.monotonic(), 0))
            if time.monotonic() >= opened + window_seconds:
                opened, number = time.monotonic(), 0
            self.windows[name] = opened, number + 1
            return number + 1, opened + window_seconds - time.monotonic()


class Limited:
    """A service with a rate limit; `defect` says what it does wrong."""

    def __init__(self, counters: list[Counter], defect: str = "") -> None:
        self.counters, self.defect, self.turn = counters, defect, 0

    def __call__(self, asked: Asked) -> Reply:
        if self.defect == "broken":
            return Reply(500)
        name = "all" if self.defect == "global" else asked.headers["x-client-id"]
        self.turn += 1
        counter = self.counters[self.turn % len(self.counters)]
        number, left = counter.count(name, LIMIT.window_seconds)
        if number <= LIMIT.requests or self.defect == "off":
            return document({})
        if self.defect == "forgets":
            counter.windows.pop(name)
        if self.defect == "never over":
            counter.windows[name] = (time.monotonic() + 60, number)
        retry = {"no header": (), "nonsense": (("retry-after", "soon"),)}.get(
            self.defect, (("retry-after", str(max(1, round(left + 0.5)))),)
        )
        return Reply(429, retry)


@contextmanager
def slots(asking: Callable[[Serve], Any], *services: Serve) -> Iterator[list[httpx.Client]]:
    """A client per slot."""
    with ExitStack() as stack:
        yield [stack.enter_context(asking(service)) for service in services]


def rated(asking: Callable[[Serve], Any], defect: str, *, apart: bool = False, processes: int = 1) -> Mapping[str, Any]:
    """Observations by name, of two slots with that defect."""
    shared = [Counter() for _ in range(processes)]
    other = [Counter() for _ in range(processes)] if apart else shared
    with slots(asking, Limited(shared, defect), Limited(other, defect)) as askers:
        return {each.name: each for each in rate_limit.rate_limit(askers, LIMIT)}


def not_passed(seen: Mapping[str, Any]) -> dict[str, str]:
    """Verdicts other than PASS."""
    return {name: each.verdict.value for name, each in seen.items() if each.verdict is not Verdict.PASS}


def test_a_shared_limit_per_client_passes(asking: Callable[[Serve], Any]) -> None:
    """Exactly five, remembered, shared, nobody else's, and over in time."""
    seen = rated(asking, "")

    assert not_passed(seen) == {}
    assert seen["rate.limits"].value == 5
    assert list(seen) == [
        *("rate.limits", "rate.retry_after", "rate.remembers", "rate.shared", "rate.per_client", "rate.recovers")
    ]


def test_slots_that_count_apart_are_found(asking: Callable[[Serve], Any]) -> None:
    """Over the limit here, welcome there."""
    assert not_passed(rated(asking, "", apart=True)) == {"rate.shared": "FAIL"}


def test_processes_that_count_apart_are_found(asking: Callable[[Serve], Any]) -> None:
    """Twice the limit is served."""
    seen = rated(asking, "", apart=True, processes=2)

    assert seen["rate.limits"].verdict is Verdict.FAIL
    assert "is each process counting for itself?" in seen["rate.limits"].message


@pytest.mark.parametrize(
    ("defect", "red"),
    [
        ("off", {"rate.limits": "FAIL"}),
        ("broken", {"rate.limits": "NO_DATA"}),
        ("forgets", {"rate.remembers": "FAIL", "rate.shared": "NO_DATA"}),
        ("no header", {"rate.retry_after": "FAIL"}),
        ("nonsense", {"rate.retry_after": "FAIL"}),
        ("global", {"rate.per_client": "FAIL"}),
        ("never over", {"rate.recovers": "FAIL"}),
    ],
)
def test_each_rate_defect_is_found(defect: str, red: dict[str, str], asking: Callable[[Serve], Any]) -> None:
    """And nothing else turns red."""
    seen = rated(asking, defect)

    assert not_passed(seen) == red, {name: each.message for name, each in seen.items()}


def test_a_limit_that_is_used_up_by_others_is_not_per_client(asking: Callable[[Serve], Any]) -> None:
    """A new client's very first request is refused."""
    with slots(asking, lambda _: Reply(429), lambda _: Reply(429)) as askers:
        seen = rate_limit.rate_limit(askers, Limit(requests=5, window_seconds=0.2))

    assert "first request is answered with 429" in seen[0].message


def test_a_service_too_slow_for_the_window_is_no_data(asking: Callable[[Serve], Any]) -> None:
    """The limit was never reached within one window."""

    def slow(_: Asked) -> Reply:
        threading.Event().wait(0.02)
        return document({})

    with slots(asking, slow, slow) as askers:
        (seen,) = rate_limit.rate_limit(askers, Limit(requests=5, window_seconds=0.1))

    assert seen.verdict is Verdict.NO_DATA


def test_a_window_that_ends_at_once_cannot_be_judged(asking: Callable[[Serve], Any]) -> None:
    """Served again after the limit, but that may be right."""
    count = 0

    def brief(_: Asked) -> Reply:
        nonlocal count
        count += 1
        return Reply(429, (("retry-after", "1"),)) if count == 6 else document({})

    with slots(asking, brief, brief) as askers:
        seen = {each.name: each.verdict for each in rate_limit.rate_limit(askers, LIMIT)}

    assert seen["rate.remembers"] is Verdict.NO_DATA


def test_a_service_that_dies_on_the_way(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """Each question says that it got no answer."""
    with slots(asking, Limited([Counter()])) as askers:
        first_dead = rate_limit.rate_limit([nobody, askers[0]], LIMIT)
        other_dead = rate_limit.rate_limit([askers[0], nobody], LIMIT)
        reached = rate_limit._Reached(
            answer=Answer(url="", status=429, headers=(), body=b"", seconds=0), retry_after_seconds=0.1, at=0.0
        )
        customer = rate_limit._Client(LIMIT)
        forgotten = rate_limit._remembers(nobody, customer, reached=reached, limit=LIMIT)
        lost = rate_limit._recovers(nobody, customer, reached=reached, limit=LIMIT)

    assert [each.verdict for each in first_dead] == [Verdict.FAIL]
    assert not_passed({each.name: each for each in other_dead}) == {"rate.shared": "FAIL", "rate.per_client": "FAIL"}
    assert (forgotten.verdict, lost.verdict, lost.value) == (Verdict.FAIL, Verdict.FAIL, "refused")


def test_rate_limits_need_two_slots_and_a_bound(nobody: httpx.Client) -> None:
    """Wrong use raises."""
    with pytest.raises(ValueError, match="two slots"):
        rate_limit.rate_limit([nobody], LIMIT)
    with pytest.raises(ValueError, match="1 to 1000"):
        rate_limit.rate_limit([nobody, nobody], Limit(requests=5000, window_seconds=1))


@pytest.mark.parametrize(
    ("serve", "stays_open", "verdict"),
    [
        (lambda _: document({}), True, Verdict.PASS),
        (lambda _: Reply(503), True, Verdict.FAIL),
        (lambda _: Reply(503), False, Verdict.PASS),
        (lambda _: document({}), False, Verdict.FAIL),
        (lambda _: Reply(raw=b""), True, Verdict.FAIL),
    ],
)
def test_without_the_store_what_is_declared_happens(
    serve: Serve, stays_open: bool, verdict: Verdict, asking: Callable[[Serve], Any]
) -> None:
    """Open or closed, but as declared."""
    with asking(serve) as asker:
        (seen,) = rate_limit.without_store(asker, LIMIT, stays_open=stays_open)

    assert seen.verdict is verdict


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("7", 7, 7), (" 7 ", 7, 7), ("Fri, 01 Jan 2010 00:00:00 GMT", 0, 0), ("Fri, 01 Jan 2100 00:00:00 GMT", 1e9, 1e11)],
)
def test_retry_after_is_read(value: str, low: float, high: float) -> None:
    """Seconds or a date."""
    answer = Answer(url="", status=429, headers=(("retry-after", value),), body=b"", seconds=0)
    seconds = rate_limit.retry_after(answer)

    assert seconds is not None
    assert low <= seconds <= high


@pytest.mark.parametrize("value", ["", "soon", "-1", "٣"])
def test_nonsense_is_no_retry_after(value: str) -> None:
    """It is not taken for zero."""
    answer = Answer(url="", status=429, headers=(("retry-after", value),), body=b"", seconds=0)

    assert rate_limit.retry_after(answer) is None
