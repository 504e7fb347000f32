"""What a load run showed beside its report: limits in force, the moment of it, CPU and memory meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from rehearsal_documents import START, both, changed, made, overall, put, release, without_events

from rehearsal import loads as runs
from rehearsal.findings import loads
from rehearsal.result import Result
from rollout.model import MINUTE_SECONDS
from rollout.seen import SideMinute

sys.path.insert(0, str(Path(__file__).parents[1] / "probes"))
import loadreport_samples as samples

EPOCH = 1_790_000_000.0
FULL, OVER = 840.0, 2640.0  # of the document's release: all customers on the candidate, and the stability time over
MEASURED = 18.0


def minutes(**figures: float | None) -> list[dict[str, Any]]:
    """Metrics of the candidate by the minute, from the load's beginning on."""
    whole: dict[str, Any] = {
        "requests": 60,
        "cpu_percent": 40.0,
        "memory_percent": 50.0,
        "memory_percent_highest": 51.0,
    }
    first = START + 900
    return [asdict(SideMinute(start=first + MINUTE_SECONDS * number, **{**whole, **figures})) for number in range(24)]


def load(**changes: Any) -> dict[str, Any]:
    """A run from the first minute at the full share on: 22 real seconds."""
    began = {"monotonic": 1015.0, "epoch": EPOCH, "virtual": START + 900}
    good = {"exit_code": 0, "began": began, "ended_virtual": START + 900 + 22 * 60, "seconds": 22.0}
    return {**good, "minutes": minutes(), "metrics_error": None, **changes}


def result(directory: Path, facts: Mapping[str, Any] | None) -> Result:
    document = put("plan", "stability_seconds", value=1800.0)
    noted = put("facts", "load", value=facts) if facts is not None else put("facts", "none", value=0)
    return made(directory, changed(release(), both(document, noted)))


def used(directory: Path, facts: Mapping[str, Any] | None) -> str:
    run = result(directory, facts)
    use = loads.use_under_load(run, finished=EPOCH + 21.0, measured_seconds=MEASURED)
    return overall(loads.used_less(use, cpu_percent=70, memory_percent=80, ending=run.ending))


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        pytest.param({}, "PASS", id="well within"),
        pytest.param({"cpu_percent": 69.9}, "PASS", id="CPU below"),
        pytest.param({"cpu_percent": 70.0}, "FAIL", id="CPU at the limit"),
        pytest.param({"memory_percent": 79.9}, "PASS", id="memory below"),
        pytest.param({"memory_percent": 80.0}, "FAIL", id="memory at the limit"),
        pytest.param({"cpu_percent": None}, "NO_DATA", id="no CPU"),
        pytest.param({"memory_percent": None}, "NO_DATA", id="no memory"),
    ],
)
def test_processor_and_memory_under_the_load(tmp_path: Path, figures: dict[str, float | None], verdict: str) -> None:
    assert used(tmp_path, load(minutes=minutes(**figures))) == verdict


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        pytest.param(None, "NO_DATA", id="no load"),
        pytest.param({"minutes": []}, "NO_DATA", id="no minute"),
        pytest.param({"metrics_error": "PartialData"}, "SOURCE_ERROR", id="metrics did not answer"),
    ],
)
def test_use_that_nobody_saw_is_never_small(tmp_path: Path, facts: dict[str, Any] | None, verdict: str) -> None:
    run = result(tmp_path, None if facts is None else load(**facts))
    use = loads.use_under_load(run, finished=EPOCH + 21.0, measured_seconds=MEASURED)
    seen = loads.used_less(use, cpu_percent=70, memory_percent=80, ending=run.ending)

    assert {str(one.verdict) for one in seen} == {verdict}


def test_only_the_minutes_of_the_load_count(tmp_path: Path) -> None:
    """A hot minute before it was measured, and one after it."""
    rows = minutes()
    for number in (0, 1, 22, 23):
        rows[number]["cpu_percent"] = 99.0
    run = result(tmp_path, load(minutes=rows))

    use = loads.use_under_load(run, finished=EPOCH + 21.0, measured_seconds=MEASURED)
    assert use is not None
    assert (use.window.first, use.window.last) == (START + 900 + 3 * 60, START + 900 + 20 * 60)
    assert used(tmp_path, load(minutes=rows)) == "PASS"


@pytest.mark.parametrize(
    ("began", "ended", "verdict"),
    [
        pytest.param(FULL, 2700.0, "PASS", id="inside"),
        pytest.param(FULL - 1, 2700.0, "FAIL", id="begun before the last shift"),
        pytest.param(FULL, 2800.0, "FAIL", id="ended after the old side could go"),
    ],
)
def test_the_load_lies_inside_the_stability_time(tmp_path: Path, began: float, ended: float, verdict: str) -> None:
    facts = load(began={"monotonic": 0.0, "epoch": EPOCH, "virtual": START + began}, ended_virtual=START + ended)
    run = result(tmp_path, facts)
    over = run.decisions(event="STABLE_LONG_ENOUGH")[-1]["time"] - START

    assert overall(loads.while_way_back_was_warm(run)) == (verdict if over >= 2700 else "FAIL")
    assert over >= 2700, "adapt the rows to the document"


def test_without_a_load_or_a_stability_time_nothing_is_known(tmp_path: Path) -> None:
    document = changed(release(), both(put("facts", "load", value=load()), without_events("STABLE_LONG_ENOUGH")))

    assert overall(loads.while_way_back_was_warm(made(tmp_path, document))) == "NO_DATA"
    assert overall(loads.while_way_back_was_warm(result(tmp_path, None))) == "NO_DATA"
    assert overall(loads.while_way_back_was_warm(None)) == "NO_DATA"


def test_the_feature_and_the_file_name_the_same_limits() -> None:
    limits = samples.thresholds()

    same = loads.limits_are(limits, p95_milliseconds_max=200, error_rate_percent_max=0.1)
    assert overall(same) == "PASS"
    assert len(same) == 2
    for looser in (replace(limits, p95_milliseconds_max=201.0), replace(limits, p95_milliseconds_max=199.0)):
        assert overall(loads.limits_are(looser, p95_milliseconds_max=200)) == "FAIL"


@pytest.mark.parametrize(
    ("slow", "milliseconds", "verdict"),
    [(450, 201.0, "PASS"), (480, 201.0, "LOW_SAMPLE"), (501, 200.0, "FAIL"), (501, 199.9, "PASS")],
)
def test_the_boundary_is_decided_by_the_judge_of_reports(slow: int, milliseconds: float, verdict: str) -> None:
    seen = loads.at_the_boundary(samples.wanted(), slow=slow, requests=10_000, milliseconds=milliseconds)

    assert seen.verdict == verdict


# ------------------------------------------------------------------------------------------------ runs


class Sandbox:
    """What a sandbox says of itself."""

    def __init__(self, live: str, version: str) -> None:
        self.outputs = {"images": {"1.0.0": "sha256:a", "1.1.0": "sha256:b"}}
        other = {"blue": "green", "green": "blue"}[live]
        tasks = {live: [{"version": version}], other: []}
        self._status = {"weights": {live: 100, other: 0}, "slots": {slot: {"tasks": tasks[slot]} for slot in tasks}}

    def status(self) -> dict[str, Any]:
        return self._status


@pytest.mark.parametrize(
    ("live", "version", "expected"),
    [("green", "1.0.0", "1.1.0"), ("blue", "1.0.0", "1.1.0"), ("blue", "1.1.0", "1.0.0")],
)
def test_under_release_is_what_is_not_live(live: str, version: str, expected: str) -> None:
    assert runs.version_under_release(Sandbox(live, version)) == expected  # type: ignore[arg-type]


def test_nothing_is_under_release_where_everything_is_live() -> None:
    sandbox = Sandbox("green", "1.0.0")
    sandbox.outputs = {"images": {"1.0.0": "sha256:a"}}

    with pytest.raises(runs.RehearsalError, match="nothing to release"):
        runs.version_under_release(sandbox)  # type: ignore[arg-type]


def test_a_report_is_published_whole_and_replaces_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    for content in ("first", "second"):
        made_here = tmp_path / content
        made_here.mkdir()
        (made_here / runs.REPORT_FILE).write_text(content)
        (made_here / f"{content}.csv").touch()
        runs.publish(made_here, "sha256:abc")

    place = runs.place_of(tmp_path, "sha256:abc")
    assert place == tmp_path / "build/release/abc/load"
    assert sorted(path.name for path in place.iterdir()) == [runs.REPORT_FILE, "second.csv"]
    assert (place / runs.REPORT_FILE).read_text() == "second"
    assert [path.name for path in place.parent.iterdir()] == ["load"]
