"""Assembles results.json (schema 1) from what a run collected, validates it and writes it in one step.

Pure but for `write_results` and `link_latest`. Nothing reaches the file that is not a field of the schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from evidence.redact import redact_scenario, redact_text
from evidence.verdicts import weakest, worst
from rollout.model import Basis

SCHEMA_PATH = Path(__file__).parent / "schema" / "results-1.json"
RESULTS_NAME = "results.json"


@dataclass(frozen=True, kw_only=True)
class ControlEntry:
    """What the results need to know of a control of the register."""

    id: str
    says: str
    built_in: str | None
    same_as: tuple[str, ...] = ()


class InvalidResults(ValueError):
    """results.json would not hold its own schema: a bug of the gate, or a fact of the wrong shape."""


def control_results(controls: Sequence[ControlEntry], scenarios: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry per control of the register: its worst scenario's verdict and its weakest basis.

    A control without a scenario in this run has verdict None; one proven by others (`same_as`) takes theirs.
    """
    own: dict[str, list[Mapping[str, Any]]] = {control.id: [] for control in controls}
    for scenario in scenarios:
        for tag in scenario["tags"]:
            if tag in own:
                own[tag].append(scenario)
    return [_control(control, _proving(control, own)) for control in controls]


def _proving(control: ControlEntry, own: Mapping[str, Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]]:
    if own[control.id] or not all(own.get(other) for other in control.same_as):
        return own[control.id]
    return [scenario for other in control.same_as for scenario in own[other]]


def _control(control: ControlEntry, scenarios: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    bases = [o["basis"] for s in scenarios for step in s["steps"] for o in step["observations"]]
    basis = weakest(bases)
    return {
        "id": control.id,
        "says": control.says,
        "verdict": worst(scenario["verdict"] for scenario in scenarios).value if scenarios else None,
        "basis": basis.value if basis else None,
        "scenarios": [scenario["id"] for scenario in scenarios],
        "built_in": control.built_in,
    }


def counts(results: Mapping[str, Any]) -> dict[str, int]:
    """Controls decided in this run, by basis: {"decided", "live", "artefact", "emulated", "unseen"}.

    `unseen` were decided without any observation (blocked, deferred, not applicable, waived, broken).
    """
    decided = [control for control in results["controls"] if control["verdict"] is not None]
    by_basis = {basis.value: sum(control["basis"] == basis.value for control in decided) for basis in Basis}
    return {"decided": len(decided), **by_basis, "unseen": len(decided) - sum(by_basis.values())}


def redacted(results: Mapping[str, Any]) -> dict[str, Any]:
    """The results without anything that the allow-list does not let through."""
    return {
        **results,
        "caller": redact_text(results["caller"]),
        "selection": redact_text(results["selection"]),
        "scenarios": [redact_scenario(scenario) for scenario in results["scenarios"]],
        "rollouts": [
            {name: redact_text(value) if isinstance(value, str) else value for name, value in rollout.items()}
            for rollout in results["rollouts"]
        ],
    }


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@cache
def _observation_validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return Draft202012Validator({"$ref": "#/$defs/observation", "$defs": schema["$defs"]})


def check_observation(observation: Mapping[str, Any]) -> None:
    """Raises InvalidResults where an observation (as plain JSON) breaks its part of the schema."""
    for error in _observation_validator().iter_errors(observation):
        raise InvalidResults(f"observation {observation.get('name')!r}: {error.json_path}: {error.message[:200]}")


def validate_results(results: Mapping[str, Any]) -> None:
    """Raises InvalidResults that names every place which breaks the schema."""
    errors = sorted(_validator().iter_errors(results), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        places = "; ".join(f"{error.json_path}: {error.message[:200]}" for error in errors[:5])
        raise InvalidResults(f"results.json would break schema 1: {places}; correct what recorded it")


def read_results(path: Path) -> dict[str, Any]:
    """The results of a run from its file. Raises InvalidResults, or OSError where there is none."""
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidResults(f"{path.name}: not JSON: {error}") from None
    validate_results(results)
    return results


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: a reader sees the old one or the whole new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_results(results: Mapping[str, Any], directory: Path) -> Path:
    """Validate and write results.json; its path. Raises InvalidResults before anything is written."""
    validate_results(results)
    path = directory / RESULTS_NAME
    write_text(path, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return path


def link_latest(directory: Path, *, whole: bool) -> Path:
    """Point `latest` (a whole run) or `latest-partial` at the run's directory; the link's path."""
    link = directory.parent / ("latest" if whole else "latest-partial")
    draft = directory.parent / f".{link.name}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(directory.name, target_is_directory=True)
    draft.replace(link)
    return link
