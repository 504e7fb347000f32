"""Runs rehearsals beside the scenarios: the sandbox under release, the release on it, and drills two at a time.

Scenarios leave a request in the work directory and wait for the result; everything ends with this process, and this
process ends with the one that started it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rehearsal.catalogue import NAMES, RELEASE
from rehearsal.result import RESULT_FILE
from rehearsal.scene import ROOT, end_process
from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.fixture import start_sandbox
from sandbox.state import default_directory

ENVIRONMENT_FILE = "environment.json"
_LOOK_SECONDS = 0.05


def slug(name: str) -> str:
    """A rehearsal's name as a directory name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def request(work: Path, name: str) -> None:
    """Ask for a rehearsal; asking twice is one request. Raises ValueError for a name that nobody knows."""
    if name not in NAMES:
        raise ValueError(f"no rehearsal is called {name!r}; known are: {', '.join(NAMES)}")
    folder = work / "requests"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAMES.index(name):02d}").write_text(name, encoding="utf-8")


def result_directory(work: Path, name: str) -> Path:
    return work / "rehearsals" / slug(name)


def serve(work: Path, *, jobs: int, factor: float, stop: threading.Event) -> None:
    """Until `stop`: keep the sandbox under release up and carry out what is asked for."""
    with _environment(work) as directory, ExitStack() as running:
        active: dict[str, subprocess.Popen[bytes]] = {}
        done: set[str] = set()
        while not stop.wait(_LOOK_SECONDS):
            active = {name: process for name, process in active.items() if process.poll() is None}
            for name in _wanted(work, done):
                drills = [other for other in active if other != RELEASE]
                if name != RELEASE and len(drills) >= jobs:
                    continue
                process = _start(work, name, directory=directory, factor=factor)
                running.callback(end_process, process)
                active[name] = process
                done.add(name)


def _wanted(work: Path, done: set[str]) -> list[str]:
    folder = work / "requests"
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    names = [path.read_text(encoding="utf-8") for path in paths]
    return [name for name in names if name in NAMES and name not in done]


def _start(work: Path, name: str, *, directory: Path | None, factor: float) -> subprocess.Popen[bytes]:
    output = result_directory(work, name)
    output.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "rehearsal", "run", name, "--output", str(output), "--factor", str(factor)]
    if directory is not None:
        command += ["--directory", str(directory)]
    with (output / "rehearsal.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def _environment(work: Path) -> Iterator[Path | None]:
    """The sandbox under release: the one that is up, else one of our own for this run."""
    attached = _attached()
    if attached is not None:
        _announce(work, directory=attached, owned=False)
        yield attached
        return
    try:
        with start_sandbox(live="green", name="gates") as sandbox:
            _announce(work, directory=sandbox.directory, owned=True)
            yield sandbox.directory
    except SandboxError as error:
        _announce(work, error=str(error))
        yield None


def _attached() -> Path | None:
    directory = default_directory("default")
    try:
        return Sandbox.attach(directory).directory
    except SandboxError:
        return None


def _announce(work: Path, **facts: object) -> None:
    path = work / ENVIRONMENT_FILE
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(facts, default=str), encoding="utf-8")
    unfinished.replace(path)


def finished(work: Path, name: str) -> bool:
    return (result_directory(work, name) / RESULT_FILE).exists()
