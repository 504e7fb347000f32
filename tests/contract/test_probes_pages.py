"""Health, headers, routes and the API's shape against real servers: each defect is planted and named."""

from __future__ import annotations

import itertools
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from probes import headers, health, openapi, routes
from probes.headers import Page
from probes.http import client
from probes.identity import Identity
from probes.waiting import Tries
from rollout.model import Observation, Verdict
from tests.contract.probe_world import (
    HOST,
    Asked,
    Authorities,
    Reply,
    Serve,
    authorities,
    closed_port,
    document,
    endpoint_at,
    http_server,
    leaf,
    server_context,
)

BLUE = Identity(slot="blue", version="1.1.0", digest="sha256:0123456789abcdef")
GREEN = Identity(slot="green", version="1.0.0", digest="sha256:fedcba9876543210")
SECURITY = (
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
COOKIE = ("set-cookie", "s=1; Secure; HttpOnly; SameSite=Lax")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """One root and intermediate for all tests."""
    return authorities(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def asking(world: Authorities, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Serve], Any]:
    """`with asking(serve) as asker`: a client of a TLS server that answers with `serve`."""
    context: ssl.SSLContext = server_context(leaf(world.below), tmp_path_factory.mktemp("key"))

    @contextmanager
    def opened(serve: Serve) -> Iterator[httpx.Client]:
        with (
            http_server(serve, context) as port,
            client(endpoint_at(port, world.file), timeout_seconds=1.0) as asker,
        ):
            yield asker

    return opened


@pytest.fixture
def nobody(world: Authorities) -> Iterator[httpx.Client]:
    """A client of a port that nobody listens on."""
    with client(endpoint_at(closed_port(), world.file)) as asker:
        yield asker


def reds(observations: Sequence[Observation]) -> dict[str, str]:
    """What did not pass, with its message."""
    return {each.name: each.message for each in observations if each.verdict is not Verdict.PASS}


# ------------------------------------------------------------------------------------------------ health


def service(**changes: Any) -> Serve:
    """A service that is well, but for `changes`: a path's reply, or the state of a component."""
    checks = {"database": ("read", "write", "schema"), "cache": ("set_get",), "external": ("payment",)}

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


BLUE_PUBLIC = Identity(slot="blue", version="1.1.0")


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


# ------------------------------------------------------------------------------------------------ headers


def site(asked: Asked, *, bare_errors: bool = False) -> Reply:
    """Good answers, a 401, a 404, and a page that signs in."""
    status = {"/": 200, "/private": 401, "/login": 200}.get(asked.path, 404)
    cookies = (COOKIE,) if asked.path == "/login" else ()
    return Reply(status, (*(() if bare_errors and status >= 400 else SECURITY), *cookies), b"x")


PAGES = (
    Page(path="/"),
    Page(path="/private", status=401),
    Page(path="/nowhere", status=404),
    Page(path="/login", method="POST", sets_cookie=True, options={"json": {}}),
)


def test_good_headers_pass_on_every_page(asking: Callable[[Serve], Any]) -> None:
    """Six rules on four pages, and the cookie."""
    with asking(site) as asker:
        seen = headers.security_headers(asker, PAGES)

    assert reds(seen) == {}
    assert len(seen) == 6 * 4 + 1


def test_headers_missing_on_errors_only_are_found(asking: Callable[[Serve], Any]) -> None:
    """The good answer does not speak for the others."""
    with asking(lambda asked: site(asked, bare_errors=True)) as asker:
        seen = headers.security_headers(asker, PAGES)

    bad = {each.source for each in seen if each.verdict is Verdict.FAIL}
    assert bad == {f"{HOST} GET /private (401)", f"{HOST} GET /nowhere (404)"}


def test_a_header_sent_twice_is_found(asking: Callable[[Serve], Any]) -> None:
    """As the wire carries it, not as a client folds it."""
    twice = (*SECURITY, ("Strict-Transport-Security", "max-age=0"))
    with asking(lambda _: Reply(200, twice)) as asker:
        seen = reds(headers.security_headers(asker, (Page(path="/"),)))

    assert list(seen) == ["headers.hsts"]
    assert "twice with different values" in seen["headers.hsts"]


def test_a_page_that_answers_otherwise_was_not_seen(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """A 200 in place of a 401 says nothing of the 401; no answer is a failure; no cookie is no data."""
    with asking(lambda _: Reply(200, SECURITY)) as asker:
        other = headers.security_headers(asker, (Page(path="/private", status=401),))
        cookie = headers.security_headers(asker, (Page(path="/login", sets_cookie=True),))[-1]
    gone = headers.security_headers(nobody, (Page(path="/"),))

    assert [each.verdict for each in (*other, cookie, *gone)] == [Verdict.NO_DATA, Verdict.NO_DATA, Verdict.FAIL]


def test_an_insecure_cookie_is_found(asking: Callable[[Serve], Any]) -> None:
    """Wherever it is set."""
    with asking(lambda _: Reply(200, (*SECURITY, ("set-cookie", "s=1; HttpOnly; SameSite=Lax")))) as asker:
        seen = reds(headers.security_headers(asker, (Page(path="/"),)))

    assert list(seen) == ["headers.cookies"]
    assert "cookie s without Secure" in seen["headers.cookies"]


def test_no_pages_is_wrong_use(nobody: httpx.Client) -> None:
    """It would pass anything."""
    with pytest.raises(ValueError, match="at least one page"):
        headers.security_headers(nobody, ())


@pytest.mark.parametrize(
    ("reply", "verdict", "says"),
    [
        (Reply(301, (("location", f"https://{HOST}/x"),)), Verdict.PASS, "answered 301"),
        (Reply(308, (("location", f"https://{HOST}:443/x"),)), Verdict.PASS, "answered 308"),
        (Reply(301, (("location", f"http://{HOST}/x"),)), Verdict.FAIL, "is not HTTPS"),
        (Reply(301, (("location", "/x"),)), Verdict.FAIL, "is not HTTPS"),
        (Reply(301, (("location", "https://elsewhere.example/x"),)), Verdict.FAIL, "another host"),
        (Reply(301, (("location", f"https://{HOST}:8443/x"),)), Verdict.FAIL, "another port"),
        (Reply(301, (("location", f"https://{HOST}:port/x"),)), Verdict.FAIL, "Invalid port"),
        (Reply(301, (("location", f"https://{HOST}:99999/x"),)), Verdict.FAIL, "cannot be read"),
        (Reply(301), Verdict.FAIL, "answered with a 301"),
        (Reply(200, SECURITY), Verdict.FAIL, "the page itself, not with a redirect; HSTS on plain HTTP is ignored"),
        (Reply(raw=b""), Verdict.FAIL, "reset"),
    ],
)
def test_plain_http(reply: Reply, verdict: Verdict, says: str, world: Authorities) -> None:
    """Must redirect to the same host on HTTPS."""
    with http_server(lambda _: reply) as port:
        (seen,) = headers.redirects_to_https(endpoint_at(closed_port(), world.file, plain_port=port), "/x")

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message


# ------------------------------------------------------------------------------------------------ routes


def task(identity: Identity, asked: Asked) -> Reply:
    """An answer of a task: the body names it at /health, the headers do elsewhere."""
    names = {"slot": identity.slot, "version": identity.version}
    if asked.path == "/health":
        return document({"status": "ok", **names, "digest": identity.digest})
    told = (identity.digest or "").removeprefix("sha256:")[:12]
    return Reply(
        200,
        (("x-slot", identity.slot or ""), ("x-version", identity.version or ""), ("x-release-digest", told)),
    )


def test_the_test_route_leads_to_the_candidate(asking: Callable[[Serve], Any]) -> None:
    """Every answer, on every path."""
    with asking(lambda asked: task(BLUE, asked)) as asker:
        (seen,) = routes.leads_to(asker, BLUE, tries=3)

    assert (seen.verdict, seen.n) == (Verdict.PASS, 6)


def test_a_test_route_that_leads_elsewhere_now_and_then_is_found(
    asking: Callable[[Serve], Any], nobody: httpx.Client
) -> None:
    """One stray answer is enough, and so is none."""
    count = itertools.count()
    with asking(lambda asked: task(GREEN if next(count) == 7 else BLUE, asked)) as asker:
        (seen,) = routes.leads_to(asker, BLUE, tries=10)
    (gone,) = routes.leads_to(nobody, BLUE)

    assert (seen.verdict, seen.n) == (Verdict.FAIL, 8)
    assert "slot green instead of blue" in seen.message
    assert gone.verdict is Verdict.FAIL


def test_the_public_name_never_answers_from_the_candidate(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """Not by slot, not by digest, not on one path only."""
    disguised = Identity(slot="green", version="1.0.0", digest=BLUE.digest)
    leaks: list[Serve] = [
        lambda asked: task(GREEN, asked),
        lambda asked: task(BLUE if asked.path == "/api/v1/status" else GREEN, asked),
        lambda asked: task(disguised, asked),
        lambda _: Reply(200),
    ]
    verdicts = []
    for leak in leaks:
        with asking(leak) as asker:
            verdicts.append(routes.never_answered_by(asker, BLUE, tries=3)[0].verdict)
    verdicts.append(routes.never_answered_by(nobody, BLUE)[0].verdict)

    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL, Verdict.NO_DATA, Verdict.NO_DATA]


def test_the_test_route_is_closed_without_the_secret(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """A 404 of the load balancer is what a stranger should see."""

    def door(asked: Asked) -> Reply:
        return task(BLUE, asked) if asked.headers.get("x-release-token") == "secret" else Reply(404)

    with asking(door) as asker:
        (closed,) = routes.closed_to_the_public((asker,), BLUE)
    with asking(lambda asked: task(BLUE, asked)) as asker:
        (opened,) = routes.closed_to_the_public((asker,), BLUE)
    (unknown,) = routes.closed_to_the_public((nobody,), BLUE)

    assert (closed.verdict, opened.verdict, unknown.verdict) == (Verdict.PASS, Verdict.FAIL, Verdict.NO_DATA)
    assert "open to the world" in opened.message


def test_routes_need_something_to_ask(nobody: httpx.Client, asking: Callable[[Serve], Any]) -> None:
    """Wrong use raises."""
    with pytest.raises(ValueError, match="at least one try"):
        routes.leads_to(nobody, BLUE, tries=0)
    with asking(lambda asked: task(GREEN, asked)) as asker, pytest.raises(ValueError, match="named by its slot"):
        routes.never_answered_by(asker, Identity(version="1.1.0"))


# ------------------------------------------------------------------------------------------------ the API's shape

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/api/v1/status": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "object", "required": ["time"]}}}}
                }
            }
        }
    },
}


@pytest.mark.parametrize(
    ("reply", "verdict", "says"),
    [
        (document({"time": "now"}), Verdict.PASS, "documented shape"),
        (document({"slot": "blue"}), Verdict.FAIL, "'time' is a required property"),
        (document({}, 500), Verdict.FAIL, "answered 500 instead of 200"),
        (Reply(raw=b""), Verdict.FAIL, "reset"),
    ],
)
def test_the_status_has_its_documented_shape(
    reply: Reply, verdict: Verdict, says: str, asking: Callable[[Serve], Any]
) -> None:
    """A missing field is named."""
    with asking(lambda _: reply) as asker:
        (seen,) = openapi.matches(asker, DOCUMENT, path="/api/v1/status")

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/components/schemas/Missing"}, {"type": "no such type"}, {}], ids=["lost", "broken", "empty"]
)
def test_a_document_that_does_not_decide_is_no_data(schema: dict[str, str], asking: Callable[[Serve], Any]) -> None:
    """Its fault is not the answer's."""
    responses = {"200": {"content": {"application/json": {"schema": schema}}}}
    written = {"paths": {"/x": {"get": {"responses": responses}}}}
    with asking(lambda _: document({})) as asker:
        (seen,) = openapi.matches(asker, written, path="/x", status=None)

    assert seen.verdict is Verdict.NO_DATA, seen.message
