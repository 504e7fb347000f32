"""The files of a load run: written whole, readable by all and by others' tools, compared only with their like."""

from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from loadtests.baseline import AUTO, compared, keep_if_good, with_baseline
from loadtests.exports import write_exports
from loadtests.report import REPORT_NAME, BadReport, read_report, write_report, write_text
from tests.unit.loadtests.load_samples import STATUS, TOKEN, healthy, recorded, report, spread

ROOT = Path(__file__).resolve().parents[2]


def judged(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "loadtests", "judge", str(directory), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    told, _ = report()
    path = write_report(tmp_path / "new" / "place", told)

    assert read_report(path.parent) == told
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in path.parent.iterdir()] == [REPORT_NAME]


def test_what_breaks_the_schema_is_not_written(tmp_path: Path) -> None:
    told, _ = report()
    write_report(tmp_path, told)

    with pytest.raises(BadReport, match="schema"):
        write_report(tmp_path, {**told, "verdict": "GO"})
    assert read_report(tmp_path) == told


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "one", "old")

    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "one", "new \udc80")
    assert (tmp_path / "one").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": NaN}', "[" * 100_000])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / REPORT_NAME).write_text(content)

    with pytest.raises(BadReport):
        read_report(tmp_path)


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="cannot be read: No such file"):
        read_report(tmp_path)


def test_the_log_is_read_by_hdrhistograms_own_reader(tmp_path: Path) -> None:
    """Its intervals add up to the histogram of the report."""
    told, record = report()
    path, *_ = write_exports(tmp_path, told, record.series)
    reference = HdrHistogram(1, 120_000_000, 3)
    reader = HistogramLogReader(str(path), reference)
    whole, starts = HdrHistogram(1, 120_000_000, 3), []
    while (interval := reader.get_next_interval_histogram()) is not None:
        starts.append(interval.get_start_time_stamp() / 1000)
        whole.add(interval)
    reader.close()

    assert whole.encode().decode() == told["all"]["histogram"]
    # The reader places them at absolute times: five seconds of warm-up after 2026-01-02T03:04:05Z.
    assert starts[0] - 1767323045 == pytest.approx(5.0)
    assert len(starts) == 30


def test_the_tables_are_of_the_report(tmp_path: Path) -> None:
    told, record = report(recorded({STATUS: [*healthy(), float("inf")], "=cmd()": spread((100, 9.0))}))
    _, latency, series = write_exports(tmp_path, told, record.series)
    rows = list(csv.DictReader(io.StringIO(latency.read_text())))
    points = list(csv.DictReader(io.StringIO(series.read_text())))

    assert {row["name"] for row in rows} == {"all", STATUS, "'=cmd()"}
    assert next(row for row in rows if row["name"] == STATUS and row["quantile"] == "1")["milliseconds"] == ""
    p95 = next(row for row in rows if row["name"] == "all" and row["quantile"] == "0.95")
    assert float(p95["milliseconds"]) == pytest.approx(told["all"]["p95"])
    assert sum(int(point["sent"]) for point in points) == told["all"]["requests"]


def test_a_report_is_judged_anew_by_a_command(tmp_path: Path) -> None:
    told, _ = report()
    write_report(tmp_path, told)
    good = judged(tmp_path)

    assert good.returncode == 0
    assert good.stdout.splitlines()[-1] == told["sentence"]


@pytest.mark.parametrize(
    ("edit", "code", "says"),
    [
        (lambda told: told["all"].update(p95=1.0), 5, "INVALID: edited"),
        (lambda told: told.update(verdict="FAIL", exit_code=3), 5, "verdict is 'FAIL'"),
        (lambda told: told.pop("names"), 5, "INVALID: loadreport.json breaks schema"),
    ],
)
def test_an_edited_report_is_invalid(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], code: int, says: str
) -> None:
    told, _ = report()
    edit(told)
    (tmp_path / REPORT_NAME).write_text(json.dumps(told))
    answer = judged(tmp_path)

    assert answer.returncode == code, answer
    assert says in answer.stdout


def test_stricter_thresholds_may_be_tried(tmp_path: Path) -> None:
    told, _ = report()
    write_report(tmp_path, told)
    text = (ROOT / "loadtests" / "thresholds.toml").read_text()
    (tmp_path / "strict.toml").write_text(text.replace("p95_milliseconds_max = 200 ", "p95_milliseconds_max = 50 "))
    (tmp_path / "wrong.toml").write_text("schema = 1\n")

    assert judged(tmp_path, "--thresholds", str(tmp_path / "strict.toml")).returncode == 3
    assert judged(tmp_path, "--thresholds", str(tmp_path / "wrong.toml")).returncode == 2


def test_the_last_good_run_is_kept_and_a_bad_one_never_replaces_it(tmp_path: Path) -> None:
    good, _ = report()
    bad, _ = report(recorded({STATUS: spread((5000, 60.0), (1000, 201.0))}), run_id="bad")
    keep_if_good(tmp_path, good)

    assert keep_if_good(tmp_path, bad) is None
    baseline = with_baseline(bad, AUTO, directory=tmp_path)["baseline"]
    assert baseline["run_id"] == good["run_id"]
    assert baseline["p95"] == good["all"]["p95"]
    assert baseline["change_percent"] > 0
    write_report(tmp_path, {**bad, "baseline": baseline})


def test_without_a_good_run_nothing_is_compared(tmp_path: Path) -> None:
    told, _ = report()
    baseline = with_baseline(told, AUTO, directory=tmp_path)["baseline"]

    assert baseline["p95"] is None
    assert "no good run of this kind" in baseline["sentence"]
    assert with_baseline(told, None, directory=tmp_path)["baseline"] is None
    assert "cannot be read" in with_baseline(told, tmp_path, directory=tmp_path)["baseline"]["sentence"]


def test_an_edited_baseline_is_refused(tmp_path: Path) -> None:
    before, _ = report(run_id="before")
    before["all"]["p95"] = 900.0
    write_report(tmp_path, before)
    now, _ = report()

    assert "edited" in with_baseline(now, tmp_path, directory=tmp_path)["baseline"]["sentence"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.update(host="https://production.shop.example"), "another host"),
        (lambda t: t["traffic"].update(profile="spike"), "another profile"),
        (lambda t: t["traffic"].update(sha256="2" * 64), "another traffic"),
        (lambda t: t["traffic"].update(arrivals_per_second=1.0), "another arrivals per second"),
        (lambda t: t["thresholds"].update(sha256="2" * 64), "another thresholds"),
        (lambda t: t["subject"].update(environment="production"), "another environment"),
        (lambda t: t.update(run_id="20260102T030405Z-aaaaaa"), "the same run"),
        (lambda t: t.update(verdict="FAIL"), "its verdict was FAIL"),
    ],
)
def test_what_is_not_comparable_is_refused_by_name(change: Callable[[dict[str, Any]], object], says: str) -> None:
    now, _ = report()
    before, _ = report(run_id="before")
    change(before)
    baseline = compared(now, before)

    assert says in baseline["sentence"]
    assert baseline["change_percent"] is None


@pytest.mark.parametrize(
    ("milliseconds", "says"), [(50.0, "surely slower"), (60.0, "within what chance allows"), (80.0, "surely faster")]
)
def test_a_change_is_told_with_its_certainty(milliseconds: float, says: str) -> None:
    now, _ = report(recorded({STATUS: spread((6000, 60.0)), TOKEN: spread((300, 60.0))}))
    before, _ = report(
        recorded({STATUS: spread((6000, milliseconds)), TOKEN: spread((300, milliseconds))}), run_id="before"
    )

    assert says in compared(now, before)["sentence"]
