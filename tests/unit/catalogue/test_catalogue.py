"""The catalogue of controls: complete, strict, honest about gaps, and of checks that exist and mean what they meant."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.catalogue import meanings, reader
from policies.catalogue.model import ATTESTATION, TECHNICAL, Catalogue, CatalogueError, Control
from probes.account.census import all_checks

ROOT = Path(__file__).parents[3]
DIRECTORY = ROOT / "policies" / "catalogue"
RULES = ROOT / "policies" / "rules"
BUILT_IN = DIRECTORY / "built_in.toml"

# What has to be in it, by the beginning of the control's id.
REQUIRED = {
    "HIPAA": [
        *(f"164.308(a)({n})" for n in range(1, 9)),
        *("164.308(b)(1)", "164.308(b)(3)", "164.312(a)(1)", "164.312(b)", "164.312(c)(1)", "164.312(c)(2)"),
        *("164.312(a)(2)(i)", "164.312(a)(2)(ii)", "164.312(a)(2)(iii)", "164.312(a)(2)(iv)", "164.312(d)"),
        *("164.312(e)(1)", "164.312(e)(2)(i)", "164.312(e)(2)(ii)"),
    ],
    "SOC 2": [
        *(f"CC6.{n}" for n in range(1, 9)),
        *(f"CC7.{n}" for n in range(1, 6)),
        *("CC8.1", "A1.1", "A1.2", "A1.3", "C1.1", "C1.2"),
    ],
    "GDPR": [
        *(f"5(1)({letter})" for letter in "abcdef"),
        *("5(2)", "17(1)", "25(1)", "25(2)", "30(1)", "33(1)", "33(3)", "34(1)"),
        *(f"32(1)({letter})" for letter in "abcd"),
    ],
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return reader.load()


@pytest.mark.parametrize("framework", sorted(REQUIRED))
def test_every_control_of_a_framework_is_there(catalogue: Catalogue, framework: str) -> None:
    ids = [control.id for control in catalogue.controls if control.framework == framework]

    assert [start for start in REQUIRED[framework] if not any(one.startswith(start) for one in ids)] == []


def test_every_control_has_a_check_or_a_gap(catalogue: Catalogue) -> None:
    """VAL-10: a technical control has a check in code and one on the live account, or says that it has not."""
    assert reader.incomplete(catalogue) == ()


def test_technical_controls_without_a_gap_are_looked_at_in_code_plan_and_account(catalogue: Catalogue) -> None:
    chosen = [one for one in catalogue.controls if one.kind == TECHNICAL and not one.gap]

    assert len(chosen) > 30
    assert [one.id for one in chosen if not (one.code and one.plan and one.live)] == []


def test_a_control_that_only_people_see_says_so(catalogue: Catalogue) -> None:
    chosen = [one for one in catalogue.controls if one.kind == ATTESTATION]

    assert [one.id for one in chosen if not one.gap or one.code or one.live] == []


def test_nothing_claims_to_meet_a_control() -> None:
    """A check supports a control; whether it is met, people judge."""
    texts = "".join(path.read_text(encoding="utf-8") for path in sorted(DIRECTORY.glob("*.toml")))

    assert re.findall(r"(?i)satisf\w*|complian\w*|guarantee\w*", texts) == []


def test_every_attestation_is_asked_for(catalogue: Catalogue) -> None:
    asked = {name for control in catalogue.controls for name in control.attestations}

    assert asked == set(catalogue.attestations)
    assert {one.every_days <= 366 for one in catalogue.attestations.values()} == {True}


# ------------------------------------------------------------------------------------------------ the checks exist


def test_every_question_to_the_account_exists_and_says_its_stored_sentence(catalogue: Catalogue) -> None:
    known, stored = all_checks(), meanings.load().meanings

    assert sorted(catalogue.live - set(known)) == []
    assert {name: stored[name].says for name in catalogue.live} == {name: known[name].rule for name in catalogue.live}


def test_every_policy_of_ours_exists_and_is_read_where_the_catalogue_says(catalogue: Catalogue) -> None:
    """Read from each rule's file: where it says `origins`, the catalogue must not claim another reading."""
    ours = sorted(name for name in catalogue.code if meanings.is_ours(name))
    origins = {name: _origins(RULES / f"{name.lower()}.py") for name in ours}
    in_code = {name for control in catalogue.controls for name in control.code}
    on_plan = {name for control in catalogue.controls for name in control.plan}

    assert {name for name, found in origins.items() if "SOURCE" in found} == {name for name in ours if name in in_code}
    assert {name for name, found in origins.items() if "PLAN" in found} == {name for name in ours if name in on_plan}


def _origins(path: Path) -> set[str]:
    """Names of the origins that a rule declares; both where it declares none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "origins":
            return {one.attr for one in ast.walk(node.value) if isinstance(one, ast.Attribute)}
    return {"SOURCE", "PLAN"}


def test_every_policy_of_checkov_is_one_that_the_gate_runs(catalogue: Catalogue) -> None:
    named = {entry["id"] for entry in tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))["policy"]}

    assert sorted(name for name in catalogue.code if not meanings.is_ours(name) and name not in named) == []


def test_no_check_has_changed_its_meaning(catalogue: Catalogue) -> None:
    """Run `python -m policies.catalogue refresh` when a change of meaning was intended, and let it be reviewed."""
    now = meanings.present(catalogue)

    assert meanings.differences(catalogue, meanings.load(), now, checkov=meanings.locked_checkov()) == ()


# ------------------------------------------------------------------------------------------------ strictness

SHARED = """
[reading]
source_only = ["CKV_RG_2"]
plan_only = ["CKV_RG_3"]
[area.one]
says = "a"
code = ["CKV_RG_1", "CKV_RG_2", "CKV_RG_3"]
live = ["database.encrypted"]
[attestation.yearly]
says = "a"
by = "somebody"
every_days = 365
"""
CONTROL = """
[framework]
name = "{name}"
source = "x"
kinds = []
[[control]]
id = "1"
says = "a"
kind = "technical"
supports = "b"
areas = ["one"]
attestations = ["yearly"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "areas.toml").write_text(SHARED)
    for name in reader.FRAMEWORKS:
        (tmp_path / f"{name}.toml").write_text(CONTROL.format(name=name))
    return tmp_path


def test_a_small_catalogue(small: Path) -> None:
    first = reader.load(small).controls[0]

    assert first == Control(
        framework="hipaa",
        id="1",
        says="a",
        kind="technical",
        supports="b",
        areas=("one",),
        code=("CKV_RG_1", "CKV_RG_2"),
        plan=("CKV_RG_1", "CKV_RG_3"),
        live=("database.encrypted",),
        attestations=("yearly",),
    )


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("hipaa", 'kind = "technical"', 'kind = "technical"\nsatisfies = "x"', "satisfies is not known"),
        ("hipaa", 'areas = ["one"]', 'areas = ["two"]', "areas names 'two'"),
        ("hipaa", 'areas = ["one"]', 'areas = ["one", "one"]', "names one twice"),
        ("hipaa", '["yearly"]', '["daily"]', "attestations names 'daily'"),
        ("hipaa", 'says = "a"', 'says = " "', "says is missing"),
        ("hipaa", 'supports = "b"', "", "supports is missing"),
        ("hipaa", '"technical"', '"magic"', "kind is 'magic'"),
        ("hipaa", "[framework]", "[framework", "is no TOML"),
        ("soc2", '"soc2"', '"hipaa"', "names hipaa 1 twice"),
        ("areas", "every_days = 365", "every_days = 0", "every_days is 0"),
        ("areas", "every_days = 365", "every_days = true", "every_days is True"),
        ("areas", "CKV_RG_1", "CKV_1", "'CKV_1', which cannot be a check"),
        ("areas", "database.encrypted", "encrypted", "'encrypted', which cannot be a check"),
        ("areas", '["database.encrypted"]', '["a.b", "a.b"]', "names a.b twice"),
        ("areas", 'says = "a"\ncode', "code", "says is missing"),
        ("areas", "[area.one]", '[area.one]\nnote = "x"', "note is not known"),
    ],
)
def test_what_is_wrong_is_named(small: Path, file: str, before: str, after: str, told: str) -> None:
    path = small / f"{file}.toml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))

    with pytest.raises(CatalogueError, match=re.escape(told)):
        reader.load(small)


def test_a_file_that_is_gone(small: Path) -> None:
    (small / "gdpr.toml").unlink()

    with pytest.raises(CatalogueError, match=r"gdpr\.toml cannot be read"):
        reader.load(small)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('areas = ["one"]\n', ""), "technical, but has no check in code"),
        (
            lambda text: text.replace("technical", "process").replace('attestations = ["yearly"]\n', ""),
            "nobody attests it",
        ),
        (
            lambda text: text.replace("technical", "attestation").replace('areas = ["one"]\n', ""),
            "is checked by nothing and declares no gap",
        ),
    ],
    ids=["technical", "process", "attestation"],
)
def test_a_control_that_nothing_looks_at_is_told(small: Path, change: Callable[[str], str], told: str) -> None:
    path = small / "hipaa.toml"
    path.write_text(change(path.read_text()))

    found = reader.incomplete(reader.load(small))
    assert found
    assert all(one.startswith("hipaa 1") for one in found)
    assert told in " ".join(found)

    path.write_text(path.read_text() + 'gap = "said"\n')
    assert reader.incomplete(reader.load(small)) == ()
