"""Health against components that really stop, hang and come back; last, because it disturbs the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.service.plain import document
from sandbox.service.tests.declared import undeclared
from sandbox.service.tests.inside import InProcess
from sandbox.service.tests.support import World, eventually

PAGES = ("/health", "/health/detailed", "/health/database", "/health/cache", "/health/external")


@contextmanager
def trouble(shop: World, kind: str) -> Iterator[None]:
    """One thing is wrong, and is right again afterwards."""
    if kind == "database stopped":
        shop.database.stop()
        yield
        shop.database.start()
    elif kind == "database read-only":
        shop.database.set_read_only(True)
        yield
        shop.database.set_read_only(False)
    elif kind == "cache stopped":
        shop.cache.stop()
        yield
        shop.cache.start()
    else:
        shop.dependency.mode = kind.removeprefix("external ")
        yield
        shop.dependency.mode = "ok"


def status_of(inside: InProcess, page: str) -> int:
    """The page's status, its shape checked."""
    answer = inside.get(page)
    assert undeclared(document("1.0.0"), page, answer=answer) == ""
    return answer.status_code


def test_all_pages_are_green_at_rest(inside: InProcess) -> None:
    """In their declared shapes."""
    assert [status_of(inside, page) for page in PAGES] == [200] * 5


@pytest.mark.parametrize(
    ("kind", "component", "public"),
    [
        ("database stopped", "database", 503),
        ("database read-only", "database", 503),
        ("cache stopped", "cache", 503),
        ("external hang", "external", 200),
        ("external down", "external", 200),
    ],
)
def test_a_component_in_trouble_turns_its_pages_red_and_green_again(
    shop: World, inside: InProcess, kind: str, component: str, public: int
) -> None:
    """Its own page, the detailed page, and, unless the service can do without it, the public page; all name it."""
    with trouble(shop, kind):
        eventually(lambda: status_of(inside, f"/health/{component}") == 503, f"{kind} being noticed")
        started = time.monotonic()
        detailed = inside.get("/health/detailed")
        seconds = time.monotonic() - started
        shown = inside.get("/health")

        assert (503, [component]) == (detailed.status_code, detailed.json()["down"])
        assert (public, [component]) == (shown.status_code, shown.json()["down"])
        assert seconds < 1.0
    eventually(lambda: status_of(inside, f"/health/{component}") == 200, f"recovery from {kind}")
    eventually(lambda: inside.get("/health").json()["status"] == "ok", f"public recovery from {kind}")


def test_without_the_cache_limits_open_and_tokens_close(shop: World, inside: InProcess) -> None:
    """As declared: the shop stays open, but a token that might be revoked does not pass."""
    bearer = inside.bearer()
    with trouble(shop, "cache stopped"):
        limited = inside.get("/api/v1/limited")
        verified = inside.get("/api/v1/auth/verify", headers=bearer)

        assert (limited.status_code, limited.headers["x-rate-limit"]) == (200, "unavailable")
        assert (verified.status_code, verified.json()["component"]) == (503, "cache")


def test_without_the_database_items_are_unavailable(shop: World, inside: InProcess) -> None:
    """503 that names it, not 500."""
    bearer = inside.bearer()
    with trouble(shop, "database stopped"):
        answer = inside.get("/api/v1/items", headers=bearer)

        assert (answer.status_code, answer.json()["component"]) == (503, "database")
        assert answer.headers["retry-after"] == "1"


def test_planted_health_defects_show(shop: World, inside: InProcess) -> None:
    """The lie, the page that says up, the page that leaves out, the plain failure."""
    with trouble(shop, "external down"):
        eventually(lambda: status_of(inside, "/health/external") == 503, "the dependency being down")
        inside.turn(health="lie")
        assert (inside.get("/health").status_code, inside.get("/health").json()["down"]) == (200, [])
        inside.turn(components="detailed_says_up")
        assert inside.get("/health/detailed").status_code == 200
    inside.turn(components="left_out")
    assert "cache" not in inside.get("/health/detailed").json()["components"]
    inside.turn(health="fail")
    assert inside.get("/health").status_code == 503


def test_one_task_of_two_may_be_unhealthy(shop: World, inside: InProcess) -> None:
    """Exactly one, and its place passes on when it ends."""
    with InProcess(shop, "blue", task_id="task-2") as other:
        other.turn(unhealthy_tasks=1)
        inside.turn(unhealthy_tasks=1)

        assert (other.get("/health").status_code, inside.get("/health").status_code) == (503, 200)
        other.turn()
        assert (other.get("/health").status_code, inside.get("/health").status_code) == (200, 503)


def test_the_deeper_pages_are_kept_inside(shop: World) -> None:
    """On the public host they need a token with the right scope; the public page does not."""
    with InProcess(shop, "blue", public_host="api.shop.example") as public:
        assert public.get("/health").status_code == 200
        assert public.get("/health/detailed").status_code == 401
        assert public.get("/health/detailed", headers=public.bearer(scope="items:read")).status_code == 403
        assert public.get("/health/detailed", headers=public.bearer(scope="health:read")).status_code == 200
        assert public.get("/health/detailed", headers={"host": "blue.shop.example"}).status_code == 200
