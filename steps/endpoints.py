"""Endpoints of the service, asked on the public address."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from gate.observe import Observe
from probes import auth, health, openapi
from probes.http import client
from probes.identity import Identity
from rehearsal.endpoint_checks import core_feature_with_token, live_identity, published_document
from rehearsal.plugin import World
from rehearsal.release import COMPONENTS, REQUIRED
from rehearsal.result import Result
from rollout.model import Observation
from steps.observing import dated, named


@when(parsers.parse('a monitor asks the public address for "{path}"'), target_fixture="asked")
@when(parsers.parse('a customer asks for "{path}"'), target_fixture="asked")
def ask_public(place: World, path: str) -> str:
    return path


@when("a client signs in by OAuth2", target_fixture="signed_in")
def sign_in(place: World) -> tuple[Observation, ...]:
    return auth.tokens(client(place.endpoint), place.authority)


@then("it is answered 200 in under 1 second")
def basic_health(place: World, asked: str, observe: Observe) -> None:
    observe.add(*health.basic(client(place.endpoint), Identity(), path=asked)[:2])


@then("the answer names the slot and version that carry the customers")
def names_live(place: World, asked: str, observe: Observe) -> None:
    observe.add(*health.basic(client(place.endpoint), live_identity(place), path=asked))


@then("database, cache and external dependencies are each reported up")
def all_reported(place: World, observe: Observe) -> None:
    observe.add(*health.detailed(client(place.endpoint), COMPONENTS))


@then("each report agrees with the component's own endpoint")
def reports_agree(place: World, observe: Observe) -> None:
    observe.add(*health.honest(client(place.endpoint), REQUIRED))
    observe.add(*health.detailed(client(place.endpoint), COMPONENTS))


@then("the component is up and was read and written")
def read_and_written(place: World, asked: str, observe: Observe) -> None:
    observe.add(*health.component(client(place.endpoint), asked.rsplit("/", 1)[-1], tried=("read", "write")))


@then("every dependency was tried and is up")
def dependencies_tried(place: World, asked: str, observe: Observe) -> None:
    observe.add(*health.component(client(place.endpoint), "external"))


@then("it was answered in under 1 second")
def in_time(place: World, asked: str, observe: Observe) -> None:
    observe.add(*health.answers_in_time(client(place.endpoint), asked, limit_seconds=1.0))


@then("the answer has the shape of the OpenAPI document")
def has_shape(place: World, asked: str, observe: Observe) -> None:
    asker = client(place.endpoint)
    observe.add(*openapi.matches(asker, published_document(asker), path=asked))


@then("its token is accepted")
def accepted(signed_in: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(signed_in, "auth.flow", "auth.accepts"))


@then("missing, expired, misdirected, forged and altered tokens are refused with 401")
def refused(signed_in: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(signed_in, "auth.refuses"))


@then("its token opens the core features")
def opens_core(place: World, observe: Observe) -> None:
    observe.add(*core_feature_with_token(client(place.endpoint), place.authority))


@then(parsers.parse('"{path}" was red while the {what} was stopped'))
def red_stopped(run: Result, path: str, what: str, observe: Observe) -> None:
    observe.add(*dated(run, run.observations(f"{what} stopped")))


@then(parsers.parse('"{path}" was green after the {what} returned'))
def green_again(run: Result, path: str, what: str, observe: Observe) -> None:
    observe.add(*dated(run, run.observations(f"{what} back")))


@then('"/health/database" was red while the database refused writes')
def red_read_only(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("database read-only")))


@then('"/health/external" was red while the dependency hung')
def red_hanging(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("external hanging")))


@then('"/health/external" was answered in time while the dependency hung')
def in_time_hanging(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("external hanging in time")))
