"""The meaning of a check: what changes it, what does not, and that a change never passes unnoticed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from policies.catalogue import __main__ as command
from policies.catalogue import meanings, reader
from policies.catalogue.meaning import Meaning, Sources, of_live_check, of_rule
from policies.catalogue.meanings import Stored, differences
from policies.catalogue.model import Catalogue, CatalogueError

CHECK = '''
"""A service."""
from probes.account import other
from probes.account.helper import helps
from probes.account.population import check, Seen

_WEAK = ("a", "b")


def view(account):
    return account


def unrelated():
    return 1


@check("thing", rule="is good", limit=lambda declared: declared.days_max)
def good(one, declared):
    """Why."""
    # a remark
    return Seen(helps(one), _WEAK, other.looks(one))
'''
RULE = """
from policies.shapes import shape


def judge(tree):
    return shape(tree)


RULE = Rule(id="CKV_RG_1", says="holds", judge=judge)
"""
FILES = {
    "probes/account/thing.py": CHECK,
    "probes/account/helper.py": "def helps(one):\n    return one\n",
    "probes/account/other.py": "def looks(one):\n    return one\n",
    "probes/account/population.py": "def check(kind):\n    return kind\n\n\nclass Seen:\n    pass\n",
    "probes/account/declared.py": "LIMIT = 3\n\n\nclass Declared:\n    days_max: int = LIMIT\n    hours: int = 1\n",
    "policies/rules/ckv_rg_1.py": RULE,
    "policies/shapes.py": "def shape(tree):\n    return tree\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def live(tree: Path) -> Meaning:
    return of_live_check(Sources(tree), "thing.good")


def rule(tree: Path) -> Meaning:
    return of_rule(Sources(tree), "CKV_RG_1")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("thing", "# a remark", "# another"),
        ("thing", '"""Why."""', '"""Because."""'),
        ("thing", "    return Seen(helps(one)", "\n    return Seen( helps( one )"),
        ("thing", "return 1", "return 2"),
        ("population", "return kind", "return None"),
        ("declared", "hours: int = 1", "hours: int = 2"),
    ],
    ids=["remark", "docstring", "layout", "another-function", "machinery", "another-default"],
)
def test_what_does_not_change_a_meaning(tree: Path, file: str, before: str, after: str) -> None:
    was = live(tree)
    path = tree / f"probes/account/{file}.py"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))

    assert live(tree) == was


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("thing", 'rule="is good"', 'rule="is bad"'),
        ("thing", "Seen(helps(one), _WEAK", "Seen(one, _WEAK"),
        ("thing", '("a", "b")', '("a",)'),
        ("thing", "return account", "return None"),
        ("helper", "return one", "return None"),
        ("other", "return one", "return None"),
        ("declared", "LIMIT = 3", "LIMIT = 300"),
        ("declared", "days_max: int = LIMIT", "days_max: int = 9"),
        ("thing", '@check("thing"', '@check("subset"'),
    ],
    ids=["sentence", "code", "constant", "view", "helper", "other-module", "limit", "default", "population"],
)
def test_what_changes_a_meaning(tree: Path, file: str, before: str, after: str) -> None:
    was = live(tree)
    path = tree / f"probes/account/{file}.py"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))

    assert live(tree) != was


def test_a_policy_rests_on_its_helpers(tree: Path) -> None:
    was = rule(tree)
    assert was.says == "holds"
    (tree / "policies/shapes.py").write_text("def shape(tree):\n    return None\n")

    assert rule(tree).sha256 != was.sha256


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gone.good", "there is no module probes.account.gone"),
        ("thing.gone", "has no function gone"),
        ("thing.unrelated", "is no check"),
    ],
)
def test_a_check_that_does_not_exist(tree: Path, name: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told):
        of_live_check(Sources(tree), name)


def test_a_policy_that_does_not_exist(tree: Path) -> None:
    with pytest.raises(CatalogueError, match=r"there is no module policies\.rules\.ckv_rg_9"):
        of_rule(Sources(tree), "CKV_RG_9")


def test_a_sentence_that_is_no_plain_text(tree: Path) -> None:
    path = tree / "probes/account/thing.py"
    path.write_text(path.read_text().replace('rule="is good"', "rule=_WEAK[0]"))

    with pytest.raises(CatalogueError, match="does not say what it demands"):
        live(tree)


# ------------------------------------------------------------------------------------------------ stored against now


@pytest.fixture
def named(tmp_path: Path) -> Catalogue:
    first = reader.load().controls[0]
    return Catalogue(controls=(replace(first, code=("CKV_AWS_1",), plan=(), live=("a.b",)),), attestations={})


GOOD = {"CKV_AWS_1": Meaning(says="x", sha256="1"), "a.b": Meaning(says="y", sha256="2")}


@pytest.mark.parametrize(
    ("stored", "now", "checkov", "told"),
    [
        (GOOD, GOOD, "1", ()),
        ({"a.b": GOOD["a.b"]}, GOOD, "1", ("CKV_AWS_1 has no stored meaning",)),
        ({**GOOD, "c.d": GOOD["a.b"]}, GOOD, "1", ("c.d has a stored meaning, but no control names it",)),
        (GOOD, {"a.b": Meaning(says="z", sha256="2")}, "1", ("a.b said 'y' and now says 'z'",)),
        (
            GOOD,
            {"a.b": Meaning(says="y", sha256="3")},
            "1",
            ("a.b says the same ('y'), but decides by other code",),
        ),
        (GOOD, GOOD, "2", ("checkov's meanings are of 1, the lock has 2",)),
    ],
    ids=["same", "no-meaning", "no-name", "sentence", "code", "another-checkov"],
)
def test_differences(
    named: Catalogue, stored: dict[str, Meaning], now: dict[str, Meaning], checkov: str, told: tuple[str, ...]
) -> None:
    assert differences(named, Stored(checkov="1", meanings=stored), now, checkov=checkov) == told


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    stored = Stored(checkov="3", meanings={"a.b": Meaning(says='say "x" – ü', sha256="1")})
    path = tmp_path / "meanings.toml"
    path.write_text(meanings.text(stored), encoding="utf-8")

    assert meanings.load(path) == stored


def test_no_meanings_at_all(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="refresh"):
        meanings.load(tmp_path / "gone.toml")


def test_a_lock_without_checkov(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("pytest==1\n")

    with pytest.raises(CatalogueError, match="names no checkov"):
        meanings.locked_checkov(tmp_path / "lock")


def test_an_interpreter_without_checkov() -> None:
    with pytest.raises(CatalogueError, match="could not ask checkov"):
        meanings.from_checkov(reader.load(), sys.executable)


# ------------------------------------------------------------------------------------------------ the command


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0

    printed = capsys.readouterr().out
    catalogue = reader.load()
    gaps = [control for control in catalogue.controls if control.gap]
    assert printed.splitlines()[0].split() == list(command._COLUMNS)
    assert f"{len(gaps)} of {len(catalogue.controls)} controls have a gap:" in printed
    assert all(f"  {one.framework} {one.id}: {one.gap}" in printed for one in gaps)


def test_the_counts() -> None:
    catalogue = reader.load()
    found = command.counts(catalogue.controls)

    assert found["controls"] == found["technical"] + found["process"] + found["attestation"] == len(catalogue.controls)
    assert found["live"] == len(catalogue.live)


def test_one_control(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["show", "164.312(d)"]) == 0
    printed = capsys.readouterr().out
    assert "passing checks support that second factors or signed claims are asked for" in printed
    assert "roles.second_factor: is taken through OIDC for one repository, or with a second factor" in printed


def test_a_control_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["show", "99"]) == 1
    assert "no control '99'" in capsys.readouterr().err
