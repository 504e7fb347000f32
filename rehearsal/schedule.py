"""Runs rehearsals beside the scenarios: the sandbox under release, a few drills at a time, and the release after them.

Scenarios leave a request in the work directory and wait for the result; everything ends with this process, and this
process ends with the one that started it.

Two variables of the environment are for tests/defects. RELEASE_GATES_SANDBOX names the state directory of the sandbox
to attach to instead of build/sandbox/default; if that one does not answer, none is started. RELEASE_GATES_RESULTS names
a directory of prepared results, one directory per rehearsal, that are taken instead of being made: such a run says so,
and is partial at best (`rehearsal.prepared`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rehearsal.catalogue import LOAD, NAMES, RELEASE
from rehearsal.result import LOG_FILE, RESULT_FILE
from rehearsal.warm import Fork, preload
from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.fixture import start_sandbox
from sandbox.state import default_directory

ENVIRONMENT_FILE = "environment.json"
SANDBOX_VARIABLE = "RELEASE_GATES_SANDBOX"
RESULTS_VARIABLE = "RELEASE_GATES_RESULTS"
_LOOK_SECONDS = 0.05
_ALONE = (LOAD, RELEASE)


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
        active: dict[str, Fork] = {}
        done: set[str] = set()
        while not stop.wait(_LOOK_SECONDS):
            active = {name: process for name, process in active.items() if process.poll() is None}
            for name in _wanted(work, done):
                if _has_to_wait(work, name, active=active, done=done, jobs=jobs):
                    continue
                done.add(name)
                if _take_prepared(work, name):
                    continue
                preload()  # once: a run that asks for no rehearsal does not pay for it
                process = _start(work, name, directory=directory, factor=factor)
                running.callback(process.end)
                active[name] = process


def _has_to_wait(work: Path, name: str, *, active: Container[str], done: set[str], jobs: int) -> bool:
    """The load runs alone, first, and the release alone, last: both judge response times over all requests, and drills
    burn processor time by intent."""
    drills = sum(other in active for other in NAMES if other not in _ALONE)
    if name == RELEASE:
        return drills > 0 or LOAD in active or any(other != RELEASE for other in _wanted(work, done))
    if name == LOAD:
        return drills > 0 or RELEASE in active
    return any(other in active for other in _ALONE) or drills >= jobs or LOAD in _wanted(work, done)


def _wanted(work: Path, done: set[str]) -> list[str]:
    folder = work / "requests"
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    names = [path.read_text(encoding="utf-8") for path in paths]
    return [name for name in names if name in NAMES and name not in done]


def prepared_results() -> Path | None:
    """Where results lie that are taken instead of being made; None in every ordinary run."""
    named = os.environ.get(RESULTS_VARIABLE)
    return Path(named) if named else None


def _take_prepared(work: Path, name: str) -> bool:
    """Put a prepared result where a rehearsal leaves its own, the document last, since scenarios wait for it."""
    prepared = prepared_results()
    source = prepared / slug(name) if prepared else None
    if source is None or not (source / RESULT_FILE).exists():
        return False
    target = result_directory(work, name)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(RESULT_FILE))
    shutil.copy2(source / RESULT_FILE, target / f"{RESULT_FILE}.unfinished")
    (target / f"{RESULT_FILE}.unfinished").replace(target / RESULT_FILE)
    return True


def _start(work: Path, name: str, *, directory: Path | None, factor: float) -> Fork:
    output = result_directory(work, name)
    output.mkdir(parents=True, exist_ok=True)

    def carry_out() -> int:
        from rehearsal.run import rehearse

        document = rehearse(name, output, directory=directory, factor=factor)
        return 1 if document.get("error") else 0

    return Fork(carry_out, output / LOG_FILE)


@contextmanager
def _environment(work: Path) -> Iterator[Path | None]:
    """The sandbox under release: the one that is up, else one of our own for this run."""
    try:
        attached = _attached()
    except SandboxError as error:
        _announce(work, error=str(error))
        yield None
        return
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
    """The sandbox that is up. Raises SandboxError when one was named and does not answer."""
    named = os.environ.get(SANDBOX_VARIABLE)
    if named:
        return Sandbox.attach(Path(named)).directory
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
