"""What supports the controls of the catalogue in the environment under release: code, account and people joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.catalogue import meanings
from policies.catalogue.model import Catalogue, CatalogueError
from policies.catalogue.reader import incomplete
from policies.report import Report
from probes.account.census import all_checks
from probes.attestation.practice import Practice
from probes.compliance import Evidence, judge_mapping
from probes.question import Question
from rehearsal.findings import policies
from rehearsal.findings.checks import Look
from rollout.model import Observation


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What there is to ask: the report over the code, a look at the account's services, and what people attested."""

    report: Report
    look: Look
    attested: Sequence[Observation]


def practices_of(catalogue: Catalogue) -> tuple[Practice, ...]:
    """What the catalogue wants people to vouch for, as the verifier of attestations takes it."""
    return tuple(
        Practice(name=one.name, says=one.says, sha256=one.sha256, role=one.role, every_days=one.every_days)
        for one in catalogue.attestations.values()
    )


def examine(catalogue: Catalogue, sources: Sources) -> Evidence:
    """Everything that a control of the catalogue names, asked once. What a plan alone could show is not counted: a plan
    defers to the account what it cannot know, and the account is asked."""
    code = dict.fromkeys(name for control in catalogue.controls for name in control.code)
    return Evidence(
        code={name: policies.answer(sources.report, name) for name in code},
        live={name: _live(sources.look, name) for name in sorted(catalogue.live)},
        attested={one.name.removeprefix("attestation."): one for one in sources.attested},
    )


def _live(look: Look, name: str) -> Observation:
    check = all_checks().get(name)
    if check is None:
        question = Question(name=name, rule="the check exists", source="account")
        return question.no_data(f"no live check is called {name}")
    return check(look(name.split(".", 1)[0]))


def mapping(catalogue: Catalogue) -> Observation:
    """`compliance.mapping`: nothing that a control names is gone, or means something else than what was agreed.

    checkov's own rules are held to the version that the lock names: another interpreter has them, and the policy gate
    refuses to work with another version than the locked one.
    """
    try:
        now, stored = meanings.present(catalogue), meanings.load()
        changed = meanings.differences(catalogue, stored, now, checkov=meanings.locked_checkov())
    except CatalogueError as error:
        changed = (str(error),)
    return judge_mapping(incomplete(catalogue), changed, checks=len(catalogue.code | catalogue.live))
