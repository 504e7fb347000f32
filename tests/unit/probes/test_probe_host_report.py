"""IAC-03's artefact: a report proves something only when it is of this tree, whole, recent, and good in every line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.host_report import AGE_MAX, QUESTIONS, judge_report, place_of, read_report
from probes.question import worst
from probes.strict_json import Unparsable
from probes.tree import tree_digest
from rollout.model import Basis, Observation, Verdict

TREE = "a" * 64
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def answer(name: str, verdict: str = "PASS", message: str = "as it should be") -> dict[str, Any]:
    return {
        "name": f"hosts.{name}",
        "value": "1",
        "limit": "",
        "unit": "",
        "rule": "a rule",
        "verdict": verdict,
        "source": "host h",
        "time": NOW.timestamp(),
        "message": message,
    }


def recap(**more: Any) -> dict[str, Any]:
    return {"ok": 27, "changed": 17, "failed": 0, "unreachable": 0, "changed_tasks": ["Limit open files"], **more}


def report(**more: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "tree_sha256": TREE,
        "started": "2026-11-24T11:00:00Z",
        "ended": "2026-11-24T11:20:00Z",
        "lint": {"profile": "production", "files": 36, "findings": []},
        "hosts": [
            {
                "name": name,
                "playbook": "load_generators.yml",
                "first": recap(),
                "second": recap(changed=0, changed_tasks=[]),
                "answers": [answer(question) for question in questions],
            }
            for name, questions in QUESTIONS.items()
        ],
        **more,
    }


def judged(document: dict[str, Any] | None, *, now: datetime = NOW) -> tuple[Observation, ...]:
    raw = None if document is None else json.dumps(document).encode()
    return judge_report(raw, tree_sha256=TREE, now=now, source="result.json")


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = report()
    change(document)
    return document


def test_a_whole_good_report_passes() -> None:
    seen = judged(report())

    assert worst(seen) is Verdict.PASS
    assert len(seen) == 2 + sum(2 + len(questions) for questions in QUESTIONS.values())
    assert {observation.basis for observation in seen} == {Basis.ARTEFACT}


def test_no_report_is_no_data() -> None:
    assert [seen.verdict for seen in judged(None)] == [Verdict.NO_DATA]


UNUSABLE: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("foreign", lambda r: r.update(tree_sha256="b" * 64), "the report is of another tree (bbbbbbbbbbbb)"),
    ("from the future", lambda r: r.update(ended="2026-11-24T12:06:00Z"), "yet to come"),
    ("without a host", lambda r: r["hosts"].pop(), "the report is about load-generator, not about"),
    ("without any host", lambda r: r.update(hosts=[]), "the report is about no host"),
    ("one host twice", lambda r: r["hosts"].append(r["hosts"][0]), "the report is about"),
]


@pytest.mark.parametrize(("change", "says"), [row[1:] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE])
def test_what_is_not_about_this_tree_is_no_data(change: Callable[[dict[str, Any]], object], says: str) -> None:
    """And nothing else of it is judged."""
    (seen,) = judged(changed(change))

    assert seen.verdict is Verdict.NO_DATA
    assert says in seen.message


@pytest.mark.parametrize(("late", "verdict"), [(0, Verdict.PASS), (1, Verdict.NO_DATA)])
def test_a_report_ages(late: int, verdict: Verdict) -> None:
    ended = datetime(2026, 11, 24, 11, 20, tzinfo=UTC)

    assert worst(judged(report(), now=ended + AGE_MAX + timedelta(seconds=late))) is verdict


BAD: list[tuple[str, Callable[[dict[str, Any]], object], str, Verdict, str]] = [
    ("lint", lambda r: r["lint"].update(findings=["x.yml:1: name"]), "lint", Verdict.FAIL, "x.yml:1: name"),
    ("lint of nothing", lambda r: r["lint"].update(files=0), "lint", Verdict.NO_DATA, "read no file"),
    ("lint with less", lambda r: r["lint"].update(profile="basic"), "lint", Verdict.FAIL, "the profile basic only"),
    (
        "not idempotent",
        lambda r: r["hosts"][0]["second"].update(changed=1, changed_tasks=["Touch a file"]),
        "load-generator.again",
        Verdict.FAIL,
        "the second run changed 1 tasks again: Touch a file",
    ),
    (
        "second run fell short",
        lambda r: r["hosts"][0]["second"].update(ok=26),
        "load-generator.again",
        Verdict.NO_DATA,
        "did 26 tasks, fewer than the first, which did 27",
    ),
    ("second run failed", lambda r: r["hosts"][1]["second"].update(failed=1), "runner.again", Verdict.FAIL, "failed"),
    ("first run failed", lambda r: r["hosts"][1]["first"].update(failed=1), "runner.applied", Verdict.FAIL, "1 tasks"),
    (
        "not reached",
        lambda r: r["hosts"][1]["first"].update(unreachable=1),
        "runner.applied",
        Verdict.FAIL,
        "1 hosts not reached",
    ),
    (
        "first run did nothing",
        lambda r: r["hosts"][1]["first"].update(changed=0),
        "runner.applied",
        Verdict.NO_DATA,
        "changed nothing",
    ),
    (
        "a limit on open files left at 1024",
        lambda r: r["hosts"][0]["answers"].__setitem__(0, answer("open_files", "FAIL", "limited to 1024")),
        "load-generator.open_files",
        Verdict.FAIL,
        "limited to 1024",
    ),
    (
        "a question not asked",
        lambda r: r["hosts"][1]["answers"].pop(),
        "runner.egress",
        Verdict.NO_DATA,
        "runner was not asked for egress",
    ),
]


@pytest.mark.parametrize(("change", "name", "verdict", "says"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_each_defect_is_red_alone_and_named(
    change: Callable[[dict[str, Any]], object], name: str, verdict: Verdict, says: str
) -> None:
    red = [seen for seen in judged(changed(change)) if seen.verdict is not Verdict.PASS]

    assert [(seen.name, seen.verdict) for seen in red] == [(f"hosts.{name}", verdict)]
    assert says in red[0].message


@given(st.data())
def test_a_truncated_report_is_a_source_error(data: st.DataObject) -> None:
    raw = json.dumps(report()).encode()
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]

    (seen,) = judge_report(cut, tree_sha256=TREE, now=NOW, source="result.json")

    assert seen.verdict is Verdict.SOURCE_ERROR


@given(st.binary(max_size=300))
def test_noise_is_a_source_error(raw: bytes) -> None:
    (seen,) = judge_report(raw, tree_sha256=TREE, now=NOW, source="result.json")

    assert seen.verdict is Verdict.SOURCE_ERROR


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(schema=2),
        lambda r: r.update(note="x"),
        lambda r: r.update(ended="2026-11-24T10:00:00Z"),
        lambda r: r["hosts"][0]["answers"][0].update(verdict="WAIVED"),
        lambda r: r["hosts"][0]["answers"][0].update(verdict="pass"),
        lambda r: r["hosts"][0]["first"].update(ok=True),
        lambda r: r["hosts"][0]["first"].pop("changed"),
        lambda r: r["lint"].pop("files"),
    ],
    ids=["schema", "unknown", "ends first", "waived", "another word", "flag", "no count", "no files"],
)
def test_a_report_with_a_mistake_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(Unparsable):
        read_report(json.dumps(changed(change)).encode())


# ------------------------------------------------------------------------------------------------ the tree


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    """Any file changed, renamed, added or moved gives another; what tools leave behind does not count."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_text("1")
    (tmp_path / "b").write_text("2")
    first = tree_digest(tmp_path, ("a", "b"))
    (tmp_path / "a/__pycache__").mkdir()
    (tmp_path / "a/__pycache__/x.pyc").write_text("3")
    same = tree_digest(tmp_path, ("b", "a", "a/one"))
    (tmp_path / "a/one").rename(tmp_path / "a/two")
    renamed = tree_digest(tmp_path, ("a", "b"))
    (tmp_path / "a/two").write_text("12")
    longer = tree_digest(tmp_path, ("a", "b"))

    assert first == same
    assert len({first, renamed, longer}) == 3


def test_a_path_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is not there"):
        tree_digest(tmp_path, ("nowhere",))


def test_a_report_lies_by_its_tree(tmp_path: Path) -> None:
    assert place_of(tmp_path, TREE) == tmp_path / "build/ansible" / TREE / "result.json"
