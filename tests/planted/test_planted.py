"""Every planted mistake turns a named test red (contracts.md 5): patches of the core, each with the tests that see it.

Run alone with `-m planted`, or one with `-k TRIG-01`. A patch is made with `git diff` against the tree, two lines of
context; when the code around it has changed it must be made again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.defects.catalogue import DEFECTS
from tests.defects.model import Patched
from tests.defects.trees import PATCHES, ROOT, apply_patch

UNIT = "tests/unit/rollout/"

# Patch: the tests of tests/unit/rollout that must fail with it.
SEEN_BY = {
    "TRIG-01-fires-at-the-fourth": "test_trip.py::test_consecutive_minutes[4-minutes]",
    "TRIG-01-at-the-limit": "test_trip.py::test_error_minute[exactly-1-percent]",
    "TRIG-01-counts-with-a-good-minute-between": "test_trip.py::test_consecutive_minutes[F-F-S-F-F-F]",
    "TRIG-01-a-gap-resets-the-count": "test_trip.py::test_consecutive_minutes[blind-minute-does-not-reset]",
    "TRIG-01-disarmed-while-holding": "test_engine.py::test_triggers_stay_armed[HOLDING]",
    "TRIG-01-disarmed-while-waiting-to-shift": "test_engine.py::test_triggers_stay_armed[SHIFTING]",
    "TRIG-01-count-lost-on-takeover": "test_engine.py::test_a_takeover_forgets_no_bad_minute",
    "TRIG-01-loosened-to-2-percent": "test_trip.py::test_error_minute[one-and-a-half-percent]",
    "TRIG-02-mean-for-p95": "test_trip.py::test_latency_minute_by_its_slow_requests[more-than-5-percent]",
    "TRIG-02-average-of-percentiles": "test_judge.py::test_latency_gate_uses_the_one_window_never_the_minutes",
    "TRIG-05-no-target-is-no-failure": "test_trip.py::test_health_minutes[no-registered-target]",
    "GATE-01-point-value-for-proof": "test_judge.py::test_error_gate_before_all_customers[5-of-10000]",
    "GATE-01-no-data-passes": "test_judge.py::test_partial_data_may_fail_and_never_passes",
    "GATE-02-at-the-limit": "test_judge.py::test_latency_gate[exactly-200-ms]",
    "GATE-03-without-projection": "test_judge.py::test_cpu_gate[35-at-a-quarter-is-140-at-full]",
    "GATE-04-without-trend": "test_judge.py::test_memory_gate[leak]",
}


def copy_of_the_tree(place: Path) -> None:
    for name in ("rollout", "tests/fakes", "tests/unit/rollout"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def run_in(place: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """These unit tests against the copy alone: its rollout package, not the repository's."""
    plain = ["-p", "no:cacheprovider", "-p", "no:logging", "--assert=plain", "-q"]
    command = [sys.executable, "-B", "-m", "pytest", *plain, *(UNIT + test for test in tests)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # most of the time of a short run is plugins
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.planted
@pytest.mark.parametrize("name", sorted(SEEN_BY))
def test_a_planted_mistake_is_seen(name: str, tmp_path: Path) -> None:
    copy_of_the_tree(tmp_path)
    apply_patch(tmp_path, name)
    ran = run_in(tmp_path, SEEN_BY[name])

    assert ran.returncode == 1, f"{name} is planted and {SEEN_BY[name]} does not see it:\n{ran.stdout}{ran.stderr}"
    assert "1 failed" in ran.stdout, f"{name}: the test broke instead of failing:\n{ran.stdout}"


@pytest.mark.planted
def test_the_same_tests_are_green_without_a_mistake(tmp_path: Path) -> None:
    copy_of_the_tree(tmp_path)
    ran = run_in(tmp_path, *sorted(set(SEEN_BY.values())))

    assert ran.returncode == 0, ran.stdout


def test_every_patch_has_its_test() -> None:
    patches = {path.stem for path in PATCHES.glob("*.patch")}

    # The others are seen by scenarios: tests/defects plants them in a copy of the whole tree.
    by_scenarios = {defect.plant.patch for defect in DEFECTS if isinstance(defect.plant, Patched)}
    assert patches == set(SEEN_BY) | by_scenarios, "tests/planted: a patch without a test, or a test without a patch"
