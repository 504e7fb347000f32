"""Whether sessions and tokens outlive the switch: signed in on one slot, going on on the other, both ways (ARCH-11)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from probes.auth import Authority, accepts, fetch_token
from probes.failures import Cause
from probes.http import Answer, ask
from probes.identity import identity_of
from probes.question import Question
from rollout.model import Observation


@dataclass(frozen=True, kw_only=True)
class Door:
    """The way to one slot: a client whose host and headers lead there."""

    slot: str
    asker: httpx.Client


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How a customer signs in (POST `path` with `body`) and is known again (GET `path`, `field` of the JSON body)."""

    path: str = "/api/v1/session"
    body: Mapping[str, str] = field(default_factory=lambda: {"customer": "release-check"})
    field_name: str = "customer"
    signed_in: Sequence[int] = (200, 201, 204)


def outlives_switch(
    doors: tuple[Door, Door], sign_in: SignIn, *, authority: Authority | None = None
) -> tuple[Observation, ...]:
    """`session.cookie` and, with an authority, `session.token`, for each direction between the two slots.

    Raises ValueError when both doors lead to one slot: it would only prove that a slot knows itself.
    """
    if doors[0].slot == doors[1].slot:
        raise ValueError(f"both doors lead to {doors[0].slot}; sessions must be tried on two slots")
    observations = []
    for here, there in itertools.permutations(doors):
        observations.append(_cookie_goes_on(here, there, sign_in=sign_in))
        if authority is not None:
            observations.append(_token_goes_on(here, there, authority=authority))
    return tuple(observations)


def _cookie_goes_on(here: Door, there: Door, *, sign_in: SignIn) -> Observation:
    question = Question(
        name="session.cookie",
        rule=f"signed in on {here.slot}, a customer goes on on {there.slot} and back",
        limit=200,
        source=f"{sign_in.path}, {here.slot} then {there.slot}",
    )
    answer = ask(here.asker, sign_in.path, method="POST", json=dict(sign_in.body))
    if isinstance(answer, Cause):
        return question.failed(answer.kind, answer.sentence)
    astray = _astray(answer, here)
    if astray:
        return question.no_data(astray)
    cookies = "; ".join(value.partition(";")[0].strip() for value in answer.values("set-cookie"))
    if answer.status not in sign_in.signed_in or not cookies:
        return question.failed(answer.status, f"signing in on {here.slot} answered {answer.status}, no session cookie")
    for door in (there, here):
        seen = ask(door.asker, sign_in.path, headers={"cookie": cookies})
        if isinstance(seen, Cause):
            return question.failed(seen.kind, seen.sentence)
        astray = _astray(seen, door)
        if astray:
            return question.no_data(astray)
        problem = _forgotten(seen, door, sign_in=sign_in)
        if problem:
            return question.failed(seen.status, f"signed in on {here.slot}: {problem}")
    return question.passed(200, f"signed in on {here.slot}, known on {there.slot} and on {here.slot} again")


def _astray(answer: Answer, door: Door) -> str:
    """Why the answer says nothing about the slot: it came from elsewhere, or does not say from where."""
    slot = identity_of(answer).slot
    return "" if slot == door.slot else f"the route of {door.slot} was answered by {slot or 'nobody who says so'}"


def _forgotten(answer: Answer, door: Door, *, sign_in: SignIn) -> str:
    if answer.status != 200:
        return f"{door.slot} answered {answer.status}"
    known, wanted = answer.mapping().get(sign_in.field_name), sign_in.body.get(sign_in.field_name)
    return "" if known == wanted else f"{door.slot} takes the customer for {known!r}"


def _token_goes_on(here: Door, there: Door, *, authority: Authority) -> Observation:
    question = Question(
        name="session.token",
        rule=f"a token from {here.slot} is accepted on {there.slot}",
        limit=200,
        source=f"{authority.verify_path}, {here.slot} then {there.slot}",
    )
    token = fetch_token(here.asker, authority)
    if isinstance(token, Cause):
        return question.failed(token.kind, f"{here.slot}: {token.sentence}")
    own, other = (accepts(door.asker, authority, token=token) for door in (here, there))
    if own.value != 200:
        return question.failed(own.value, f"{here.slot} refuses its own token: {own.message}")
    judge = question.passed if other.value == 200 else question.failed
    return judge(other.value, f"a token from {here.slot} is answered with {other.value} on {there.slot}")
