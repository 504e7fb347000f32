"""Fixtures of the gate tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from gate_project import Project


@pytest.fixture
def project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Project:
    request.config.pluginmanager.import_plugin("pytester")
    return Project(request.getfixturevalue("pytester"), monkeypatch)


@pytest.fixture
def started(project: Project) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a run that a test means to end; what is left of it is ended here."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        processes.append(project.start(*arguments))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
