"""What policies and live checks say, as observations: no word but theirs, and never PASS for what nobody judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gherkin.parser import Parser

from policies.built_in import read_built_ins
from policies.registry import load_rules
from policies.report import Finding, PolicyResult, Report
from policies.verdict import Verdict as Said
from probes.account.census import all_checks
from probes.account.declared import Declared
from probes.account.population import Population, Resource, Seen, View, check, view_of
from probes.account.session import Account
from rehearsal.code import roots
from rehearsal.findings import checks, policies
from rehearsal.findings.checks import LiveAccount
from rehearsal.findings.tables import named_rows
from rollout.model import Basis, Verdict

ROOT = Path(__file__).resolve().parents[3]
HEADER = ["policy", "which says"]
SAYS = "Every door is shut"
DECLARED = Declared(region="us-east-1", account_id="123456789012")


def result(verdict: Said = Said.PASS, *findings: Finding, population: tuple[str, ...] = ("r one", "r two")) -> Report:
    policy = PolicyResult(
        id="CKV_RG_900", says=SAYS, remedy="Shut it.", controls=("NET-01",), verdict=verdict,
        population=population, findings=findings, reason="" if population else "r holds no door",
    )  # fmt: skip
    return Report(policies={policy.id: policy}, inputs=("r (source)",), read=("r/main.tf",), facts={"checkov": "1.2"})


def finding(verdict: Said = Said.FAIL, resource: str = "two") -> Finding:
    return Finding(
        policy="CKV_RG_900", root="r", resource=resource, verdict=verdict, why="it stands open", remedy="Shut it.",
        file="r/main.tf", line=7, end_line=9,
    )  # fmt: skip


@pytest.mark.parametrize("word", list(Said))
def test_a_policys_word_is_handed_on_as_it_is(word: Said) -> None:
    (seen,) = policies.hold(result(word), [HEADER, ["CKV_RG_900", SAYS]])

    assert seen.verdict.value == word.value
    assert (seen.basis, seen.value, seen.n, seen.rule) == (Basis.ARTEFACT, ("r one", "r two"), 2, SAYS)
    assert "checkov 1.2" in seen.source


def test_a_finding_is_told_with_its_place_and_what_to_do() -> None:
    (seen,) = policies.hold(result(Said.FAIL, finding()), [HEADER, ["CKV_RG_900", SAYS]])

    assert seen.message.startswith("CKV_RG_900: 1 of 2 resources: Every door is shut; r/main.tf:7 two (r) is FAIL")
    assert "is FAIL: it stands open; remedy: Shut it." in seen.message


def test_many_findings_are_named_in_part_and_counted_whole() -> None:
    many = [finding(resource=f"door{number}") for number in range(11)]
    (seen,) = policies.hold(
        result(Said.FAIL, *many, population=tuple(f"r door{number}" for number in range(12))),
        [HEADER, ["CKV_RG_900", SAYS]],
    )

    assert "1 of 12 resources" in seen.message
    assert "door7 " in seen.message
    assert "door8 " not in seen.message
    assert "and 3 more" in seen.message


def test_nothing_to_judge_says_so() -> None:
    (seen,) = policies.hold(result(Said.NO_DATA, population=()), [HEADER, ["CKV_RG_900", SAYS]])

    assert seen.verdict is Verdict.NO_DATA
    assert seen.n == 0
    assert "r holds no door" in seen.message


def test_a_policy_that_does_not_exist_is_no_data_and_another_sentence_is_no_pass() -> None:
    unknown, renamed = policies.hold(result(), [HEADER, ["CKV_RG_901", SAYS], ["CKV_RG_900", "Some doors are shut"]])

    assert unknown.verdict is Verdict.NO_DATA
    assert "no policy CKV_RG_901 was evaluated" in unknown.message
    assert renamed.verdict is Verdict.SOURCE_ERROR
    assert "'Some doors are shut'" in renamed.message


@pytest.mark.parametrize("table", [[], [HEADER], [["policy", "says"], ["CKV_RG_900", SAYS]]])
def test_a_table_that_names_nothing_is_an_error(table: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="the table"):
        policies.hold(result(), table)


def test_what_asks_to_look_away_fails_every_scenario() -> None:
    (clean,), (spoilt,) = policies.whole(result()), policies.whole(replace(result(), problems=("a comment skips it",)))

    assert (clean.verdict, clean.n) == (Verdict.PASS, 1)
    assert spoilt.verdict is Verdict.FAIL
    assert spoilt.message.startswith("a comment skips it")


def test_a_scan_that_read_nothing_is_no_pass() -> None:
    (seen,) = policies.whole(replace(result(), read=()))

    assert (seen.verdict, seen.n) == (Verdict.PASS, 0), "the recorder turns a PASS on nothing into NO_DATA"


def test_environments_are_the_roots(tmp_path: Path) -> None:
    (tmp_path / "environments" / "staging").mkdir(parents=True)
    (tmp_path / "environments" / "note.txt").touch()

    assert roots(tmp_path) == (tmp_path / "environments" / "staging",)
    assert roots(tmp_path / "nowhere") == ()


# ------------------------------------------------------------------------------------------------ live checks


@check("door", rule="is shut")
def shut(one: Resource, _: Declared) -> Seen:
    return Seen(one["shut"], "" if one["shut"] else "stands open")


def test_live_checks_answer_for_every_row_and_look_once_at_each_service() -> None:
    looked: list[str] = []

    def look(name: str) -> View:
        looked.append(name)
        return view_of(DECLARED, Population(kind="VPC", source="ec2", members=()))

    seen = checks.hold(
        look,
        [
            ["live check", "which says"],
            ["network.zones", "VPC: private and public subnets in enough zones"],
            ["network.zones", "VPC: something else"],
            ["network.nothing", "VPC: nothing"],
        ],
    )

    assert [one.verdict for one in seen] == [Verdict.NO_DATA, Verdict.SOURCE_ERROR, Verdict.NO_DATA]
    assert "no VPC exists" in seen[0].message
    assert "correct the feature" in seen[1].message
    assert "no live check is called network.nothing" in seen[2].message
    assert looked == ["network"]


def test_a_service_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No port answers on the discard port of this machine: unread, and still kept."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    account = LiveAccount(Account(region="us-east-1", endpoint_url="http://127.0.0.1:9"), DECLARED)

    assert account.view("logs") is account.view("logs")
    (seen,) = checks.hold(
        account.view,
        [["live check", "which says"], ["logs.encrypted", "log group: is encrypted with a key of ours"]],
    )
    assert seen.verdict is Verdict.SOURCE_ERROR


# ------------------------------------------------------------------------------------------------ the features


def tables(heading: str) -> Iterator[tuple[str, str, str]]:
    """(place, id, sentence) of every row below that heading in any feature."""
    for path in sorted((ROOT / "features").rglob("*.feature")):
        feature = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
        for child in feature["children"]:
            for step in next(iter(child.values()))["steps"]:
                rows = [[cell["value"] for cell in row["cells"]] for row in step.get("dataTable", {}).get("rows", ())]
                if rows and rows[0][0] == heading:
                    place = f"{path.name}:{step['location']['line']}"
                    yield from ((place, *row) for row in named_rows(rows, heading))


def test_every_policy_in_a_feature_exists_and_says_what_the_feature_says() -> None:
    known = {name: rule.says for name, rule in load_rules().rules.items()}
    known |= {name: one.meaning for name, one in read_built_ins().items()}
    rows = list(tables("policy"))

    assert rows
    assert [row for row in rows if known.get(row[1]) != row[2]] == []


def test_every_live_check_in_a_feature_exists_and_says_what_the_feature_says() -> None:
    known = {name: f"{one.kind}: {one.rule}" for name, one in all_checks().items()}
    rows = list(tables("live check"))

    assert rows
    assert [row for row in rows if known.get(row[1]) != row[2]] == []
