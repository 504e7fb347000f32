"""What browsers rely on: security headers, cookies, the way from HTTP to HTTPS; and what the door refuses."""

from __future__ import annotations

from pytest_bdd import then, when

from gate.observe import Observe
from probes import firewall, headers
from probes.headers import Page
from probes.http import client
from rehearsal.plugin import World
from rollout.model import Basis, Observation
from steps.observing import named

PAGES = (
    Page(path="/health", status=200),
    Page(path="/api/v1/status", status=200),
    Page(path="/api/v1/auth/verify", status=401),
    Page(path="/nowhere", status=404),
    Page(
        path="/api/v1/session",
        method="POST",
        status=201,
        sets_cookie=True,
        options={"json": {"customer": "release-check"}},
    ),
)


@when("a browser loads good, refused and missing pages", target_fixture="pages")
def load(place: World) -> tuple[Observation, ...]:
    return headers.security_headers(client(place.endpoint), PAGES)


@when("a browser opens the public address over plain HTTP", target_fixture="plain")
def open_plain(place: World) -> tuple[Observation, ...]:
    return headers.redirects_to_https(place.endpoint)


@then("each answer carries strict transport, content, framing and referrer rules")
def strict(pages: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*(seen for seen in pages if not seen.name.startswith(("headers.cookies", "headers.server"))))


@then("no answer tells the server's version")
def no_version(pages: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(pages, "headers.server"))


@then("every cookie is Secure, HttpOnly and SameSite")
def cookies(pages: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(pages, "headers.cookies"))


@then("it is led to the same address over HTTPS")
def led(plain: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*plain)


@when("strings that only look like attacks are sent to the public address", target_fixture="door")
def send_attacks(place: World) -> tuple[Observation, ...]:
    # The sandbox imitates the managed groups by one signature each.
    basis = Basis.LIVE if place.sandbox is None else Basis.EMULATED
    return firewall.refuses_attacks(client(place.endpoint), basis=basis)


@then("a harmless query is let in")
def lets_in(door: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(door, "firewall.lets_in"))


@then("script, SQL and lookup injection are refused with 403")
def refuses(door: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(door, "firewall.refuses"))
