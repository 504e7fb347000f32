"""VAL-08 against real servers: each defect is planted and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from probes import headers
from probes.headers import Page
from rollout.model import Observation, Verdict
from tests.contract.probe_world import (
    HOST,
    Asked,
    Authorities,
    Reply,
    Serve,
    closed_port,
    endpoint_at,
    http_server,
)

pytest_plugins = ("tests.contract.probe_fixtures",)

SECURITY = (
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
COOKIE = ("set-cookie", "s=1; Secure; HttpOnly; SameSite=Lax")


def reds(observations: Sequence[Observation]) -> dict[str, str]:
    """What did not pass, with its message."""
    return {each.name: each.message for each in observations if each.verdict is not Verdict.PASS}


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
def test_plain_http(reply: Reply, verdict: Verdict, says: str, loopback_ca: Authorities) -> None:
    """Must redirect to the same host on HTTPS."""
    with http_server(lambda _: reply) as port:
        (seen,) = headers.redirects_to_https(endpoint_at(closed_port(), loopback_ca.file, plain_port=port), "/x")

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message
