"""What was asked for, against what there is: any narrower run says `partial` at best."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gate.collect import COLLECTION
from gate.recorder import SCENARIO
from gate.settings import RUN

FILE_NAME = "collection.json"
_TAG = re.compile(r"@(\S+)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the selection where the controller finds it; under xdist only the workers collect."""
    run = session.config.stash.get(RUN, None)
    if run is None or not run.work.is_dir():
        return
    found = session.config.stash[COLLECTION]
    document = {
        "offered": found.offered,
        "files": found.files,
        "selected": [asdict(item.stash[SCENARIO]) for item in session.items if SCENARIO in item.stash],
    }
    # Every worker writes the same; the rename lets the last one win without a half-written file.
    worker = getattr(session.config, "workerinput", {}).get("workerid", "controller")
    draft = run.work / f"{FILE_NAME}.{worker}"
    draft.write_text(json.dumps(document), encoding="utf-8")
    draft.replace(run.work / FILE_NAME)


def read_selection(work: Path) -> dict[str, Any]:
    """{"offered": [id], "files": [{path, name, description}], "selected": [ScenarioFacts as dict]}, or all empty."""
    path = work / FILE_NAME
    if not path.exists():
        return {"offered": [], "files": [], "selected": []}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def is_whole(selection: Mapping[str, Any], decided: Iterable[str], *, root: Path, features: Path) -> bool:
    """True if every scenario of every file below features/ was selected and decided."""
    on_disk = {path.relative_to(root).as_posix() for path in features.rglob("*.feature")}
    collected = {file["path"] for file in selection["files"]}
    selected = {facts["id"] for facts in selection["selected"]}
    return on_disk == collected and set(selection["offered"]) == selected == set(decided)


def described(config: pytest.Config) -> str:
    """The selection in the words of the command line: "features/" for all, else arguments and options."""
    words = [_relative(config, argument) for argument in config.args]
    option = config.option
    words += [f"-k {option.keyword}"] if option.keyword else []
    words += [f"-m {option.markexpr}"] if option.markexpr else []
    words += ["--lf"] if getattr(option, "lf", False) else []
    words += [f"--deselect {prefix}" for prefix in option.deselect or ()]
    return " ".join(words) or "features/"


def _relative(config: pytest.Config, argument: str) -> str:
    path, separator, rest = argument.partition("::")
    absolute = config.invocation_params.dir / path
    shown = absolute.relative_to(config.rootpath).as_posix() if absolute.is_relative_to(config.rootpath) else path
    return shown + separator + rest


def controls_with_scenarios(features: Path, known: Iterable[str]) -> set[str]:
    """The ids that some feature file carries as a tag, selected or not."""
    tags: set[str] = set()
    for path in features.rglob("*.feature"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lstrip().startswith("@"):
                tags.update(_TAG.findall(line))
    return tags & set(known)
