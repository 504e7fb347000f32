"""Carries out one rehearsal by name and leaves its result, whatever happens on the way.

A rehearsal that did not come to its end while the machine was not there (rehearsal/watch.py) says nothing about the
release: it is void, kept beside the one that is made instead of it, and named in the evidence. Once only: the second is
taken as it is. One that came to its end counts whatever the machine did, since a pause makes answers late, never early.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from probes.stream_record import REQUESTS_FILE
from probes.stream_report import read_records
from rehearsal.catalogue import COMPONENTS, DRILLS, LOAD, RELEASE
from rehearsal.components import fail_and_return
from rehearsal.drill import run_drill
from rehearsal.loads import INVALID, load_candidate, version_under_release
from rehearsal.planted import NOTHING, Plant
from rehearsal.release import rehearse_release
from rehearsal.result import LOG_FILE, VOID_DIRECTORY, write_result
from rehearsal.scene import Scene
from rehearsal.watch import Disturbance, disturbances, in_words, slow_without_change, watched
from rollout.model import Plan
from rollout.record import TERMINAL_STATES, State
from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox

DEFAULT_FACTOR = 60.0
_WATCH_FILE = "watch.jsonl"


def rehearse(
    name: str, output: Path, *, directory: Path | None, factor: float, planted: Plant = NOTHING
) -> Mapping[str, Any]:
    """Carry out rehearsal `name`; the release needs the `directory` of the sandbox under release, drills start their
    own. `planted` are faults on top of its own. Writes and answers the result document; `error` in it names why the
    rehearsal itself broke."""
    output.mkdir(parents=True, exist_ok=True)
    carry_out = partial(_attempt, name, output, directory=directory, factor=factor, planted=planted)
    document = carry_out()
    if (reason := void_because(document)) and may_be_repeated(document, planted):
        _keep_as_void(output, {**document, "void": reason})
        document = carry_out()
    write_result(output, document)
    return document


def void_because(document: Mapping[str, Any]) -> str:
    """Why a rehearsal says nothing about the release; empty when it does: it came to its end, or nothing disturbed."""
    if not document["disturbances"] or _came_to_its_end(document):
        return ""
    return in_words([Disturbance(**one) for one in document["disturbances"]])


def may_be_repeated(document: Mapping[str, Any], planted: Plant) -> bool:
    """A drill always, in a sandbox of its own. The release only where the sandbox under release is as it was: its
    rollout is over, and nothing was planted that would meet the next from its beginning."""
    if document["name"] != RELEASE:
        return True
    return planted == NOTHING and not document.get("error") and _state(document) in TERMINAL_STATES


def _came_to_its_end(document: Mapping[str, Any]) -> bool:
    if document.get("error") or document.get("facts", {}).get("overdue"):
        return False
    if _load_code(document) not in (None, 0):
        return False
    return document["name"] != RELEASE or _completed_in_time(document)


def _completed_in_time(document: Mapping[str, Any]) -> bool:
    """A bake is extended where minutes of it could not be judged, and the release is late by that (MET-02)."""
    record: Mapping[str, Any] = document.get("record") or {}
    submitted, reached = record.get("submitted_at"), record.get("reached_full_at")
    if submitted is not None and reached is not None and reached - submitted >= Plan.deployment_seconds_max:
        return False
    return _state(document) == State.COMPLETED


def _load_code(document: Mapping[str, Any]) -> int | None:
    """How the load run ended: 0 where every limit held; None where there was none."""
    code: int | None = document.get("facts", {}).get("load", {}).get("exit_code")
    return code


def _state(document: Mapping[str, Any]) -> str:
    return str((document.get("record") or {}).get("state", ""))


def _attempt(name: str, output: Path, *, directory: Path | None, factor: float, planted: Plant) -> dict[str, Any]:
    """One try, watched. Its document says what went wrong with it as `error`, and what disturbed it."""
    watch, started = output / _WATCH_FILE, time.monotonic()
    with watched(watch):
        try:
            document = _carry_out(name, output, directory=directory, factor=factor, planted=planted)
        except Exception as error:  # noqa: BLE001 - a rehearsal that broke must say so to the scenarios that wait for it
            (output / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
            document = {"error": f"{type(error).__name__}: {error}", "seconds": time.monotonic() - started}
    document = {"name": name, **document, "total_seconds": time.monotonic() - started}
    seen = disturbances(watch)
    if name == LOAD and seen is not None and _load_code(document) == INVALID:
        seen = (*seen, Disturbance(monotonic=started, seconds=0.0, what="the load generator measured itself"))
    if seen is not None and not _came_to_its_end(document):
        seen = (*seen, *_slow_without_change(output, document))
    return {**document, "disturbances": None if seen is None else [asdict(one) for one in seen]}


def _slow_without_change(output: Path, document: Mapping[str, Any]) -> Iterable[Disturbance]:
    stable, path = str((document.get("record") or {}).get("stable", "")), output / "stream" / REQUESTS_FILE
    return slow_without_change(read_records(path), stable) if path.exists() else ()


def _keep_as_void(output: Path, document: Mapping[str, Any]) -> None:
    """All that the attempt left goes into a directory of its own, but for the log that is still being written."""
    void = output / VOID_DIRECTORY
    void.mkdir()
    for path in [path for path in output.iterdir() if path not in (void, output / LOG_FILE)]:
        path.rename(void / path.name)
    write_result(void, document)


def _carry_out(name: str, output: Path, *, directory: Path | None, factor: float, planted: Plant) -> dict[str, Any]:
    with _sandbox_for(name, output, directory=directory, factor=factor) as sandbox:
        scene = Scene(sandbox=sandbox, directory=output, factor=factor)
        exit_code: int | None = None
        if name == RELEASE:
            exit_code = rehearse_release(scene, planted)
        elif name == COMPONENTS:
            fail_and_return(scene)
        elif name == LOAD:
            under_release = Sandbox.attach(directory) if directory else sandbox
            load_candidate(scene, version_under_release(under_release), planted)
        else:
            exit_code = run_drill(scene, DRILLS[name], planted)
        return scene.result(exit_code=exit_code)


@contextmanager
def _sandbox_for(name: str, output: Path, *, directory: Path | None, factor: float) -> Iterator[Sandbox]:
    if name == RELEASE:
        yield Sandbox.attach(directory)
        return
    # Its state holds keys: it lies outside of what becomes evidence, and is removed with the sandbox.
    with start_sandbox(live="blue", name=output.name, factor=factor) as sandbox:
        yield sandbox
