"""Carries out one rehearsal by name and leaves its result, whatever happens on the way."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.catalogue import COMPONENTS, DRILLS, RELEASE
from rehearsal.components import fail_and_return
from rehearsal.drill import run_drill
from rehearsal.planted import NOTHING, Plant
from rehearsal.release import rehearse_release
from rehearsal.result import write_result
from rehearsal.scene import Scene
from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox

DEFAULT_FACTOR = 60.0


def rehearse(
    name: str, output: Path, *, directory: Path | None, factor: float, planted: Plant = NOTHING
) -> Mapping[str, Any]:
    """Carry out rehearsal `name`; the release needs the `directory` of the sandbox under release, drills start their
    own. `planted` are faults on top of its own. Writes and answers the result document; `error` in it names why the
    rehearsal itself broke."""
    output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        document = _carry_out(name, output, directory=directory, factor=factor, planted=planted)
    except Exception as error:  # noqa: BLE001 - a rehearsal that broke must say so to the scenarios that wait for it
        (output / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        document = {"error": f"{type(error).__name__}: {error}", "seconds": time.monotonic() - started}
    document = {"name": name, **document, "total_seconds": time.monotonic() - started}
    write_result(output, document)
    return document


def _carry_out(name: str, output: Path, *, directory: Path | None, factor: float, planted: Plant) -> dict[str, Any]:
    with _sandbox_for(name, output, directory=directory, factor=factor) as sandbox:
        scene = Scene(sandbox=sandbox, directory=output, factor=factor)
        exit_code: int | None = None
        if name == RELEASE:
            exit_code = rehearse_release(scene, planted)
        elif name == COMPONENTS:
            fail_and_return(scene)
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
