"""Whether attacks are refused at the door (SEC-04), by strings that would harm nothing if they were let in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import httpx

from probes.failures import Cause
from probes.http import ask
from probes.question import Question
from rollout.model import Basis, Observation

REFUSED = 403
PATH = "/health"
_HARMLESS = "release-check"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A string that names an attack and carries none out; `name` as people call it."""

    name: str
    text: str


# Each is of a kind that one of the managed groups is for: the WAF developer guide, AWS managed rules.
ATTACKS = (
    Attack(name="script injection", text="<script>alert('release-check')</script>"),
    Attack(name="SQL injection", text="release-check' OR '1'='1"),
    Attack(name="lookup injection", text="${jndi:ldap://release-check.invalid/a}"),
)


def refuses_attacks(asker: httpx.Client, *, basis: Basis = Basis.LIVE) -> tuple[Observation, ...]:
    """`firewall.lets_in`, and `firewall.refuses` for each attack: 403 for those, and not for everything.

    A door that does not let a harmless query in shows nothing about attacks: NO_DATA, and they are not sent.
    """
    source = f"{asker.base_url.host} {PATH}"
    open_door = Question(
        name="firewall.lets_in", rule="a harmless query is let in", limit=200, source=source, basis=basis
    )
    answer = ask(asker, f"{PATH}?query={_HARMLESS}")
    if isinstance(answer, Cause):
        return (open_door.no_data(answer.sentence),)
    if answer.status != open_door.limit:
        message = f"the harmless query is answered {answer.status} too, so a refusal would show nothing"
        return (open_door.no_data(message, value=answer.status),)
    let_in = open_door.passed(answer.status, f"the harmless query is answered {answer.status}")
    return (let_in, *(_refused(asker, attack, source=source, basis=basis) for attack in ATTACKS))


def _refused(asker: httpx.Client, attack: Attack, *, source: str, basis: Basis) -> Observation:
    question = Question(
        name="firewall.refuses", rule="an attack is refused at the door", limit=REFUSED, source=source, basis=basis
    )
    answer = ask(asker, f"{PATH}?query={quote(attack.text)}")
    if isinstance(answer, Cause):
        return question.no_data(f"{attack.name}: {answer.sentence}")
    if answer.status != REFUSED:
        return question.failed(answer.status, f"{attack.name} is let in, answered {answer.status}")
    return question.passed(REFUSED, f"{attack.name} is refused")
