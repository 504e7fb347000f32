"""Ctrl-C during a rollout asks nothing and leaves a state that `status` explains and `rollback` picks up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.scene import ROOT, Scene
from sandbox.fixture import start_sandbox


def rollout(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rollout", *words, "--environment", "sandbox"]
    command += ["--outputs", str(scene.sandbox.outputs_path)]
    environment = {**os.environ, "CI": ""}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.heavy
def test_an_interrupted_rollout_is_explained_and_taken_back(tmp_path: Path) -> None:
    """Exit 13 on SIGINT, the share stays; `rollback` ends with 11, verified, all customers back."""
    with start_sandbox(live="green", factor=60.0) as sandbox:
        scene = Scene(sandbox=sandbox, directory=tmp_path, factor=60.0)
        process = scene.start_rollout()
        scene.await_state("BAKING", seconds=60.0, process=process)
        process.send_signal(signal.SIGINT)
        interrupted = process.wait(30)
        share = scene.connection.router.read(stable="green", candidate="blue").candidate_share
        told = rollout(scene, "status", "--json")
        back = rollout(scene, "rollback", "--reason", "end of the test")
        record = scene.record()
        status = sandbox.status()

    assert interrupted == 13, scene.last_words()
    assert share == 5
    assert json.loads(told.stdout)["state"] == "BAKING"
    assert back.returncode == 11, back.stdout + back.stderr
    assert record is not None
    assert record.back is not None
    assert record.back.verified_at is not None
    assert status["weights"] == {"blue": 0, "green": 100}
