"""HEALTH-01..05, DUR-02 and RB-03 against real servers: each defect is planted and named."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from probes import health
from probes.identity import Identity
from probes.waiting import Tries
from rollout.model import Observation, Verdict
from tests.contract.probe_world import (
    Asked,
    Reply,
    Serve,
    document,
)

pytest_plugins = ("tests.contract.probe_fixtures",)

BLUE_PUBLIC = Identity(slot="blue", version="1.1.0")


def reds(observations: Sequence[Observation]) -> dict[str, str]:
    """What did not pass, with its message."""
    return {each.name: each.message for each in observations if each.verdict is not Verdict.PASS}


def service(**changes: Any) -> Serve:
    """A service that is well, but for `changes`: a path's reply, or the state of a component."""
    checks = {"database": ("read", "write", "schema"), "cache": ("write", "read"), "external": ("payment",)}

    def component(name: str) -> dict[str, Any]:
        state = changes.get(name, "ok")
        tried = dict.fromkeys(checks[name], state)
        return {"component": name, "status": "up" if state == "ok" else "down", "checks": tried}

    def serve(asked: Asked) -> Reply:
        if asked.path in changes:
            reply: Reply = changes[asked.path]
            return reply
        down = [name for name in checks if changes.get(name, "ok") != "ok"]
        if asked.path == "/health":
            body = {"status": "failing" if down else "ok", "slot": "blue", "version": "1.1.0", "down": down}
            return document(body, 503 if down else 200)
        if asked.path == "/health/detailed":
            return document({"components": {name: component(name) for name in checks}}, 503 if down else 200)
        name = asked.path.rpartition("/")[2]
        return document(component(name), 503 if name in down else 200) if name in checks else Reply(404)

    return serve


def test_a_healthy_service_passes(asking: Callable[[Serve], Any]) -> None:
    """Every health question."""
    with asking(service()) as asker:
        seen = (
            *health.basic(asker, BLUE_PUBLIC),
            *health.detailed(asker, ("database", "cache", "external")),
            *health.component(asker, "database", tried=("read", "write")),
            *health.component(asker, "external", limit_seconds=1.0),
            *health.answers_in_time(asker, "/health/external", limit_seconds=1.0),
            *health.honest(asker, ("database", "cache")),
        )

    assert reds(seen) == {}
    assert [each.name for each in seen] == [
        *("health.status", "health.seconds", "health.identity"),
        *("health.detailed.database", "health.detailed.cache", "health.detailed.external"),
        *("health.database", "health.external", "health.external.seconds", "health.bounded", "health.honest"),
    ]


@pytest.mark.parametrize(
    ("reply", "red", "says"),
    [
        (document({"status": "ok", "slot": "blue", "version": "0.9.9"}), "health.identity", "0.9.9 instead of 1.1.0"),
        (document({"status": "ok", "slot": "green", "version": "1.1.0"}), "health.identity", "green instead of blue"),
        (document({"status": "failing", "slot": "blue", "version": "1.1.0"}), "health.status", "is 'failing'"),
        (document({"status": "failing", "down": ["cache"]}, 503), "health.status", "answered 503"),
        (Reply(302, (("location", "/elsewhere"),)), "health.status", "answered 302"),
        (Reply(200, (), b"ok"), "health.identity", "slot not named"),
        (Reply(raw=b""), "health.status", "reset"),
    ],
)
def test_basic_health_names_what_is_wrong(reply: Reply, red: str, says: str, asking: Callable[[Serve], Any]) -> None:
    """Another version, another slot, unwell, a redirect, no body, no answer."""
    with asking(service(**{"/health": reply})) as asker:
        seen = reds(health.basic(asker, BLUE_PUBLIC))

    assert says in seen[red]


def test_a_slow_answer_is_red(asking: Callable[[Serve], Any]) -> None:
    """Though it says that all is well."""

    def slow(asked: Asked) -> Reply:
        threading.Event().wait(0.12)
        return service()(asked)

    with asking(slow) as asker:
        seen = reds(health.basic(asker, BLUE_PUBLIC, limit_seconds=0.1))

    assert list(seen) == ["health.seconds"]
    assert "too slow" in seen["health.seconds"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            document({"status": "down", "checks": {"read": "cannot be reached"}}, 503),
            "answered 503, saying 'down' (read: ",
        ),
        (document({"status": "down", "checks": {"read": "refused"}}), "200 though its status is 'down'"),
        (document({"status": "up", "checks": {"read": "ok"}}), "without having tried write"),
        (document({"status": "up", "checks": {"read": "ok", "write": "read-only"}}), "though write: read-only"),
        (document({"status": "up"}), "without having tried read and write"),
        (Reply(raw=b""), "reset"),
    ],
)
def test_a_component_is_up_only_if_it_was_tried(reply: Reply, says: str, asking: Callable[[Serve], Any]) -> None:
    """Stopped, read-only, and merely claimed to be up."""
    with asking(service(**{"/health/database": reply})) as asker:
        (seen,) = health.component(asker, "database", tried=("read", "write"))

    assert (seen.verdict, says in seen.message) == (Verdict.FAIL, True), seen.message


def test_an_endpoint_that_hangs_is_red(asking: Callable[[Serve], Any]) -> None:
    """One that answers that its dependency hangs is not."""
    done = threading.Event()

    def hang(_: Asked) -> Reply:
        done.wait(5)
        return Reply()

    with asking(hang) as asker:
        (late,) = health.answers_in_time(asker, "/health/external", limit_seconds=0.1)
        done.set()
        (never,) = health.answers_in_time(asker, "/health/external", limit_seconds=0.0)
    with asking(service(external="timed out")) as asker:
        (bounded,) = health.answers_in_time(asker, "/health/external", limit_seconds=1.0)

    assert (late.verdict, never.verdict, bounded.verdict) == (Verdict.FAIL, Verdict.FAIL, Verdict.PASS)
    assert "payment: timed out" in bounded.message


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ({"cache": "down"}, {"health.detailed.cache": "component cache is down"}),
        (
            {"/health/detailed": document({"components": {"database": {"status": "up"}}})},
            {"health.detailed.cache": "component cache is left out"},
        ),
        (
            {"cache": "down", "/health/detailed": document({"components": {"database": "up", "cache": "up"}})},
            {"health.detailed.cache": "says cache is up while /health/cache says down"},
        ),
        (
            {"/health/detailed": document({"components": {"database": "up", "cache": "down"}})},
            {"health.detailed.cache": "says cache is down while /health/cache says up"},
        ),
        (
            {"/health/detailed": document({"components": {"database": "up", "cache": "up", "queue": "down"}})},
            {"health.detailed.queue": "component queue is down"},
        ),
        ({"/health/detailed": Reply(404)}, {"health.detailed": "answered 404 without an object of components"}),
        ({"/health/detailed": Reply(raw=b"")}, {"health.detailed": "reset"}),
        (
            {"/health/cache": Reply(raw=b"")},
            {"health.detailed.cache": "says cache is up while /health/cache says down"},
        ),
    ],
    ids=["down", "left out", "says up", "says down", "extra down", "no page", "no answer", "single gone"],
)
def test_detailed_health(changes: dict[str, Any], red: dict[str, str], asking: Callable[[Serve], Any]) -> None:
    """Reported, up, and no contradiction."""
    with asking(service(**changes)) as asker:
        seen = reds(health.detailed(asker, ("database", "cache")))

    assert list(seen) == list(red)
    assert all(says in seen[name] for name, says in red.items()), seen


def test_a_contradiction_that_does_not_last_is_none(asking: Callable[[Serve], Any]) -> None:
    """A component may go down between two questions."""
    count = itertools.count()

    def flicker(asked: Asked) -> Reply:
        if asked.path == "/health/cache" and next(count) == 0:
            return document({"status": "down"}, 503)
        return service()(asked)

    with asking(flicker) as asker:
        seen = health.detailed(asker, ("database", "cache"))

    assert reds(seen) == {}


def test_no_component_at_all_is_no_data(asking: Callable[[Serve], Any]) -> None:
    """Nothing looked at proves nothing."""
    with asking(service(**{"/health/detailed": document({"components": {}})})) as asker:
        (seen,) = health.detailed(asker, ())

    assert seen.verdict is Verdict.NO_DATA


def test_a_lie_is_found(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """/health says 200 while the database is down; honest while it says so itself."""
    lie = document({"status": "ok", "slot": "blue", "version": "1.1.0"})
    with asking(service(database="down", **{"/health": lie})) as asker:
        (found,) = health.honest(asker, ("database", "cache"))
    with asking(service(database="down")) as asker:
        (honest,) = health.honest(asker, ("database", "cache"))
    (unknown,) = health.honest(nobody, ("database",))

    assert (found.verdict, "while down: database" in found.message) == (Verdict.FAIL, True)
    assert (honest.verdict, unknown.verdict) == (Verdict.PASS, Verdict.NO_DATA)


def quick(deadline_seconds: float = 1.0) -> Tries:
    """Polls without waiting long."""
    return Tries(deadline_seconds=deadline_seconds, interval_seconds=0.01)


def test_verified_means_several_in_a_row(asking: Callable[[Serve], Any]) -> None:
    """A break starts the count anew."""
    count = itertools.count()

    def recovering(asked: Asked) -> Reply:
        wrong = next(count) in (0, 2)
        return document({"status": "ok", "slot": "green" if wrong else "blue", "version": "1.1.0"})

    with asking(recovering) as asker:
        (seen,) = health.several_in_a_row(asker, BLUE_PUBLIC, times=3, tries=quick())

    assert (seen.verdict, seen.n) == (Verdict.PASS, 6)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"database": "down"}, "answered 503"),
        ({"/health": document({"status": "ok", "slot": "green", "version": "1.0.0"})}, "slot green instead of blue"),
        ({"/health": Reply(raw=b"")}, "reset"),
    ],
    ids=["unhealthy", "the candidate answers", "no answer"],
)
def test_never_verified_is_said_so(changes: dict[str, Any], says: str, asking: Callable[[Serve], Any]) -> None:
    """It never says that it succeeded."""
    with asking(service(**changes)) as asker:
        (seen,) = health.several_in_a_row(asker, BLUE_PUBLIC, times=2, tries=quick(0.1))

    assert seen.verdict is Verdict.FAIL
    assert "NOT verified" in seen.message
    assert says in seen.message


def test_no_times_is_wrong_use(nobody: httpx.Client) -> None:
    """It would verify anything."""
    with pytest.raises(ValueError, match="at least one"):
        health.several_in_a_row(nobody, BLUE_PUBLIC, times=0)
