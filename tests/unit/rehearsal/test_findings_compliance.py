"""Catalogue, account, papers and journal joined: what a step records of them, and what is missing has a name."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue.model import Catalogue
from policies.catalogue.reader import load
from policies.report import PolicyResult, Report
from policies.verdict import Verdict as PolicyVerdict
from probes.account import census
from probes.account.asking import Unread
from probes.account.declared import Declared
from probes.account.inventory import Inventory, read_inventory, write_inventory
from probes.account.population import Population, Resource, View, view_of
from probes.account.session import Account
from probes.attestation.approvers import read_approvers
from probes.compliance import judge_framework
from probes.question import Question
from rehearsal.compliance import Papers
from rehearsal.findings import inventory as findings
from rehearsal.findings.checks import LiveAccount
from rehearsal.findings.compliance import Sources, examine, mapping, practices_of
from rehearsal.findings.journal import announced, chained
from rehearsal.people import papers_of
from rehearsal.result import Result
from rollout import journal
from rollout.model import Basis, Observation, Verdict

ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT / "infrastructure" / "recorded" / "change"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture
def papers(tmp_path: Path, catalogue: Catalogue) -> Papers:
    """What the sandbox's people sign, in a directory of the test's."""
    return Papers(papers_of(tmp_path, practices_of(catalogue), RECORDED), "production", imitated=True)


# ------------------------------------------------------------------------------------------------ people


def test_the_sandboxs_people_vouch_for_every_practice_as_an_imitation(papers: Papers, catalogue: Catalogue) -> None:
    found = papers.practices(catalogue)

    assert {one.name.removeprefix("attestation.") for one in found} == set(catalogue.attestations)
    assert {one.verdict for one in found} == {Verdict.PASS}
    assert {one.basis for one in found} == {Basis.EMULATED}


def test_papers_are_signed_once_and_their_keys_are_nowhere(
    papers: Papers, tmp_path: Path, catalogue: Catalogue
) -> None:
    before = {path: path.read_bytes() for path in papers.place.rglob("*") if path.is_file()}
    again = papers_of(tmp_path, practices_of(catalogue), RECORDED)

    assert {path: path.read_bytes() for path in again.rglob("*") if path.is_file()} == before
    assert not any(b"PRIVATE KEY" in content for content in before.values())
    roles = {role for one in read_approvers((again / "approvers.toml").read_bytes()).entries for role in one.roles}
    assert roles == {one.role for one in practices_of(catalogue)} | {"infrastructure"}


def test_every_sandbox_has_people_of_its_own(papers: Papers, tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "other").mkdir()
    other = papers_of(tmp_path / "other", practices_of(catalogue), RECORDED)

    assert (other / "approvers.toml").read_bytes() != (papers.place / "approvers.toml").read_bytes()


def test_the_recorded_change_is_approved_whole_and_applied(papers: Papers) -> None:
    """Of the recording alone: whether it is of this tree's code, tests/infrastructure asks."""
    seen = (*papers.change.review(now=datetime.now(UTC)), *papers.change.applied())

    assert {one.name: one.message for one in seen if one.verdict is not Verdict.PASS} == {}


def test_without_a_recorded_change_none_is_made_up(tmp_path: Path, catalogue: Catalogue) -> None:
    papers = Papers(papers_of(tmp_path, practices_of(catalogue), tmp_path / "nowhere"), "production", imitated=True)

    assert [one.verdict for one in papers.change.applied()] == [Verdict.NO_DATA]
    assert {one.verdict for one in papers.practices(catalogue)} == {Verdict.PASS}


# ------------------------------------------------------------------------------------------------ the catalogue


def _report(catalogue: Catalogue, *missing: str) -> Report:
    ids = {name for control in catalogue.controls for name in control.code} - set(missing)
    policies = {
        name: PolicyResult(
            id=name,
            says="holds",
            remedy="",
            controls=(),
            verdict=PolicyVerdict.PASS,
            population=("root a",),
            findings=(),
        )
        for name in ids
    }
    return Report(policies=policies, facts={"checkov": "1"})


def _no_account(_: str) -> View:
    return View(declared=Declared(region="us-east-1", account_id="1"), populations=_Denied())


class _Denied(dict[str, Population]):
    """Every kind of resource, none of which may be listed."""

    def __missing__(self, kind: str) -> Population:
        return Population(kind=kind, source="aws", members=Unread("aws Describe denied (AccessDenied): no"))


def test_an_account_that_may_not_be_asked_supports_no_technical_control(catalogue: Catalogue) -> None:
    evidence = examine(catalogue, Sources(report=_report(catalogue), look=_no_account, attested=()))
    found = {
        one.name: one.verdict
        for name in ("HIPAA", "SOC 2", "GDPR")
        for one in judge_framework(catalogue.controls, name, evidence)
    }
    technical = {f"compliance.{one.framework} {one.id}" for one in catalogue.controls if one.live}

    assert {found[name] for name in technical} == {Verdict.SOURCE_ERROR}
    assert Verdict.PASS not in found.values(), "nobody vouched for the others"


def test_a_policy_that_was_not_judged_is_no_data(catalogue: Catalogue) -> None:
    evidence = examine(catalogue, Sources(report=_report(catalogue, "CKV_RG_33"), look=_no_account, attested=()))

    assert evidence.code["CKV_RG_33"].verdict is Verdict.NO_DATA
    assert evidence.code["CKV_RG_14"].verdict is Verdict.PASS


def test_nothing_that_is_named_is_left_out(catalogue: Catalogue) -> None:
    evidence = examine(catalogue, Sources(report=_report(catalogue), look=_no_account, attested=()))

    assert set(evidence.live) == set(catalogue.live)
    assert set(evidence.code) == {name for control in catalogue.controls for name in control.code}


def test_the_catalogue_of_this_tree_is_as_it_was_agreed(catalogue: Catalogue) -> None:
    assert mapping(catalogue).verdict is Verdict.PASS


def test_a_control_whose_check_was_taken_out_is_seen(catalogue: Catalogue) -> None:
    """QG-05: a mapping that is one check shorter leaves every verdict as green as before."""
    shorter = tuple(
        replace(one, live=tuple(name for name in one.live if name != "trail.recording")) for one in catalogue.controls
    )
    found = mapping(replace(catalogue, controls=shorter))

    assert found.verdict is Verdict.FAIL
    assert "trail.recording has a stored meaning, but no control names it" in found.message


def test_a_check_that_does_not_exist_is_seen(catalogue: Catalogue) -> None:
    first, *rest = catalogue.controls
    found = mapping(replace(catalogue, controls=(replace(first, live=(*first.live, "trail.dreams")), *rest)))

    assert found.verdict is Verdict.FAIL
    assert "trail.dreams" in found.message


def test_composites_rest_on_every_control_that_asks_the_same(catalogue: Catalogue) -> None:
    """A fault of one of them turns these red as well: tests/defects takes its closure from the register."""
    with (ROOT / "features" / "controls.toml").open("rb") as file:
        register = {entry["id"]: entry for entry in tomllib.load(file)["control"]}
    asked = _asked_by(ROOT / "features")
    for name in ("PRE-09", "VAL-10", "VAL-11", "VAL-12"):
        resting = {control for check in catalogue.live | catalogue.code for control in asked.get(check, ())}

        assert resting <= set(register[name]["rests_on"]) | {name}, f"{name} asks the same as these; say so in rests_on"


def _asked_by(directory: Path) -> Mapping[str, set[str]]:
    """Controls by the checks that their scenarios name in tables."""
    found: dict[str, set[str]] = {}
    for path in (*directory.glob("infrastructure/*.feature"), *directory.glob("compliance/*.feature")):
        control = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            tags = re.findall(r"@([A-Z]+-\d+)", line)
            control = tags[0] if tags else control
            named = re.match(r"\s*\|\s*(CKV\S+|[a-z_]+\.[a-z_0-9]+)\s*\|", line)
            if named and control:
                found.setdefault(named[1], set()).add(control)
    return found


# ------------------------------------------------------------------------------------------------ the inventory


class _Looks(LiveAccount):
    """An account whose services look as they are told, and are empty else."""

    def __init__(self, **kinds: tuple[str, ...] | Unread) -> None:
        super().__init__(Account(region="us-east-1"), Declared(region="us-east-1", account_id="1"))
        self._kinds = {kind.replace("_", " "): names for kind, names in kinds.items()}

    def view(self, name: str) -> View:
        wanted = self._kinds if name == census.SERVICES[0] else {}
        populations = [
            Population(
                kind=kind,
                source="aws",
                members=names if isinstance(names, Unread) else tuple(Resource(name=n, facts={"a": 1}) for n in names),
            )
            for kind, names in wanted.items()
        ]
        return view_of(self.declared, *populations)


def _held(**kinds: list[str] | None) -> Inventory:
    named = {kind.replace("_", " "): names for kind, names in kinds.items()}
    return Inventory(environment="production", taken=datetime.now(UTC), kinds=named)


def _verdicts(seen: tuple[Observation, ...]) -> dict[str, Verdict]:
    return {one.name: one.verdict for one in seen}


def test_what_was_applied_is_there() -> None:
    account = _Looks(bucket=("a", "b"), task_definition=("shop:7",), gateway=())
    held = _held(bucket=["a", "b"], task_definition=["shop:1"], gateway=[])

    assert _verdicts(findings.unchanged(account, held)) == {"drift.bucket": Verdict.PASS}, (
        "the engine's own is left out"
    )
    assert _verdicts(findings.present(account, held)) == {
        "census.bucket": Verdict.PASS,
        "census.task definition": Verdict.PASS,
    }


@pytest.mark.parametrize(
    ("account", "held", "expected"),
    [
        (_Looks(bucket=("a",)), _held(bucket=["a", "b"]), Verdict.FAIL),
        (_Looks(bucket=("a", "b")), _held(bucket=["a"]), Verdict.FAIL),
        (_Looks(bucket=("a",)), _held(bucket=[]), Verdict.FAIL),
        (_Looks(bucket=()), _held(bucket=["a"]), Verdict.FAIL),
        (_Looks(bucket=("a",)), _held(), Verdict.NO_DATA),
        (_Looks(), _held(bucket=["a"]), Verdict.NO_DATA),
        (_Looks(bucket=("a",)), _held(bucket=None), Verdict.NO_DATA),
        (_Looks(bucket=Unread("denied")), _held(bucket=["a"]), Verdict.SOURCE_ERROR),
    ],
    ids=[
        "gone",
        "new",
        "first of its kind",
        "last of its kind",
        "kind unknown",
        "not looked at",
        "unread then",
        "denied",
    ],
)
def test_what_differs_has_a_word(account: _Looks, held: Inventory, expected: Verdict) -> None:
    assert _verdicts(findings.unchanged(account, held)) == {"drift.bucket": expected}


def test_without_an_inventory_nothing_was_compared() -> None:
    missing = Question(name="inventory.file", rule="there", source="files").no_data("there is none")

    assert findings.unchanged(_Looks(bucket=("a",)), missing) == (missing,)
    assert findings.present(_Looks(bucket=("a",)), missing) == (missing,)


def test_an_inventory_is_read_as_it_was_written() -> None:
    taken = datetime(2026, 11, 24, 12, tzinfo=UTC)
    kinds: dict[str, Any] = {"bucket": ["a"], "gateway": [], "key": None}
    found = read_inventory(write_inventory("production", kinds, taken=taken))

    assert found == Inventory(environment="production", taken=taken, kinds=kinds)


# ------------------------------------------------------------------------------------------------ the journal


def _rollout(tmp_path: Path, payloads: list[dict[str, Any]], **record: Any) -> Result:
    entries: list[dict[str, Any]] = []
    for number, payload in enumerate(payloads, 1):
        previous = entries[-1]["hash"] if entries else ""
        entries.append(journal.entry(previous_hash=previous, sequence=number, payload=payload))
    head = {"journal_hash": entries[-1]["hash"]} if entries else {}
    document = {"journal": entries, "record": {**head, **record}, "seconds": 1.0}
    (tmp_path / "result.json").write_text(json.dumps(document))
    return Result(tmp_path)


RAISE = "SetShare(candidate=5)"
STORY = [{"intents": [RAISE]}, {"outcomes": [{"command": RAISE, "error": ""}]}, {"intents": []}]


def test_a_journal_that_nobody_touched(tmp_path: Path) -> None:
    run = _rollout(tmp_path, STORY)

    assert [one.verdict for one in (*chained(run), *announced(run))] == [Verdict.PASS, Verdict.PASS]
    assert chained(run)[0].n == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_entry_that_was_changed(tmp_path: Path, number: int) -> None:
    run = _rollout(tmp_path, STORY)
    document = json.loads((tmp_path / "result.json").read_text())
    document["journal"][number]["payload"]["reason"] = "better"
    (tmp_path / "result.json").write_text(json.dumps(document))
    (found,) = chained(Result(tmp_path))

    assert run.journal
    assert found.verdict is Verdict.FAIL
    assert f"journal entry {number + 1}: its content was changed" in found.message


def test_entries_that_were_cut_off(tmp_path: Path) -> None:
    _rollout(tmp_path, STORY)
    document = json.loads((tmp_path / "result.json").read_text())
    document["journal"].pop()
    (tmp_path / "result.json").write_text(json.dumps(document))

    assert chained(Result(tmp_path))[0].verdict is Verdict.FAIL


def test_a_record_that_names_no_end_hides_a_cut(tmp_path: Path) -> None:
    assert chained(_rollout(tmp_path, STORY, journal_hash=""))[0].verdict is Verdict.NO_DATA


def test_no_journal_is_no_data(tmp_path: Path) -> None:
    run = _rollout(tmp_path, [])

    assert [one.verdict for one in (*chained(run), *announced(run))] == [Verdict.NO_DATA, Verdict.NO_DATA]


def test_an_effect_that_nobody_announced(tmp_path: Path) -> None:
    late = [STORY[1], STORY[0]]
    (found,) = announced(_rollout(tmp_path, late))

    assert found.verdict is Verdict.FAIL
    assert RAISE in found.message
