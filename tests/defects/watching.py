"""Runs the watched scenarios as anybody would, in a process of their own, and reads what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.schedule import RESULTS_VARIABLE, SANDBOX_VARIABLE

_RUN_SECONDS = 300.0
_RED = ("FAIL", "NO_DATA", "SOURCE_ERROR", "LOW_SAMPLE")
_OPTIONS = ("--environment", "sandbox", "--no-phase-blocking", "-p", "no:cacheprovider", "-p", "no:randomly")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where scenarios run: a tree, the sandbox that they attach to, and prepared results."""

    tree: Path
    sandbox: Path
    results: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the watched scenarios said: messages of the red ones by name, with the controls they are tagged with."""

    red: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    names: frozenset[str]
    verdict: str
    seconds: float

    def said(self, control: str) -> str:
        """All that the red scenarios of one control say; of all red ones if the control has none of its own."""
        own = [name for name in self.red if control in self.tags[name]]
        return "\n".join(text for name in own or self.red for text in self.red[name])


def environment_for(scene: Scene) -> dict[str, str]:
    """No setting of the person or the pipeline that runs the tests reaches the watched run."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RELEASE_GATES_"))}
    for name in ("CI", "PYTHONPATH", "COV_CORE_SOURCE", "COV_CORE_CONFIG", "COV_CORE_DATAFILE"):
        kept.pop(name, None)
    kept[SANDBOX_VARIABLE] = str(scene.sandbox)
    if scene.results is not None:
        kept[RESULTS_VARIABLE] = str(scene.results)
    return kept


def watch(watched: Sequence[str], scene: Scene) -> Seen:
    """Run the scenarios that these arguments select. Fails the test when nothing was decided."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="watched-") as evidence:
        command = [sys.executable, "-m", "pytest", *watched, *_OPTIONS, "--evidence-directory", evidence]
        ran = subprocess.run(
            command,
            cwd=scene.tree,
            env=environment_for(scene),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        found = [path for path in Path(evidence).glob("*/results.json") if not path.parent.is_symlink()]
        assert found, f"nothing was decided by {' '.join(watched)}:\n{ran.stdout[-3000:]}{ran.stderr[-2000:]}"
        document = json.loads(found[0].read_text(encoding="utf-8"))
    return _seen(document, time.monotonic() - started)


def _seen(document: Mapping[str, object], seconds: float) -> Seen:
    scenarios: list[dict[str, object]] = list(document["scenarios"])  # type: ignore[call-overload]
    red: dict[str, tuple[str, ...]] = {}
    for scenario in scenarios:
        if scenario["verdict"] in _RED:
            name, example = str(scenario["name"]), scenario["example"]
            row = f" [{', '.join(map(str, example.values()))}]" if isinstance(example, dict) else ""
            red[name] = (*red.get(name, ()), f"{scenario['verdict']}{row}: {scenario['message']}")
    return Seen(
        red=red,
        tags={str(s["name"]): tuple(s["tags"]) for s in scenarios},  # type: ignore[arg-type]
        names=frozenset(str(scenario["name"]) for scenario in scenarios),
        verdict=str(document["verdict"]),
        seconds=seconds,
    )
