"""Two whole releases in a row on one sandbox: green to blue, then blue to green, each under 1,000 requests a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.findings import canary, stability
from rehearsal.release import rehearse_release
from rehearsal.result import Result, write_result
from rehearsal.scene import Scene
from rollout.model import Observation, Verdict
from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox

SHARES = (5, 25, 50, 100)


def release(sandbox: Sandbox, directory: Path) -> Result:
    """Release whatever is not live, and read what it left."""
    directory.mkdir()
    scene = Scene(sandbox=sandbox, directory=directory, factor=60.0)
    exit_code = rehearse_release(scene)
    document = scene.result(exit_code=exit_code)
    write_result(directory, document)
    return Result(directory)


def not_passed(observations: tuple[Observation, ...]) -> list[str]:
    return [seen.message for seen in observations if seen.verdict is not Verdict.PASS]


@pytest.mark.heavy
def test_the_second_release_goes_the_other_way_round(tmp_path: Path) -> None:
    """Roles are read from the live weights, never from colours; nobody notices either release."""
    with start_sandbox(live="green") as sandbox:
        first = release(sandbox, tmp_path / "first")
        second = release(sandbox, tmp_path / "second")

    assert [(run.record["stable"], run.record["candidate"]) for run in (first, second)] == [
        ("green", "blue"),
        ("blue", "green"),
    ]
    for run in (first, second):
        assert run.record["state"] == "COMPLETED", run.record["reason"]
        assert run.exit_code == 0
        assert not_passed(canary.observed_shares(run, SHARES)) == []
        assert not_passed(canary.nobody_failed(run)) == []
        assert not_passed(stability.old_side_gone(run)) == []
