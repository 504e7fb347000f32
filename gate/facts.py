"""What fixtures and steps know about the run, shared by all xdist workers.

A file of JSON lines in the run's work directory, appended under a lock, merged once at the end. In an ordinary
test run (no gate) recording does nothing.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gate.settings import RUN

FILE_NAME = "facts.jsonl"
# Facts that results.json has a field for; `clock_factor` becomes clock.factor, `tools` is merged.
FACTS = frozenset({"plan_sha256", "image_digests", "account", "region", "caller", "tools", "clock_factor", "commit"})


def work_directory(config: pytest.Config) -> Path | None:
    """The directory that all workers of this run share (it exists), None in an ordinary test run."""
    run = config.stash.get(RUN, None)
    return run.work if run else None


def record(config: pytest.Config, **facts: Any) -> None:
    """Note facts for results.json; a later value wins, dicts are merged. Raises TypeError for an unknown name.

    Names: plan_sha256 (str), image_digests (dict version or slot -> digest), account, region, caller (str),
    tools (dict name -> version), clock_factor (number), commit (str, where git does not know it).
    """
    unknown = sorted(set(facts) - FACTS)
    if unknown:
        raise TypeError(f"unknown fact {', '.join(unknown)}; results.json has fields for {', '.join(sorted(FACTS))}")
    _append(config, {"facts": facts})


def record_rollout(config: pytest.Config, rollout: Mapping[str, Any]) -> None:
    """Note a rollout; the same id again replaces it.

    Shape: id, from, to (versions or digests), outcome (str), started, finished (ISO 8601 or None),
    requests_sent, requests_failed (int or None), void (why it does not count and was repeated, or None).
    Raises TypeError where `id` or `outcome` is missing.
    """
    if not rollout.get("id") or not rollout.get("outcome"):
        raise TypeError(f"a rollout needs id and outcome, got {sorted(rollout)}")
    _append(config, {"rollout": dict(rollout)})


def record_part(config: pytest.Config, name: str, seconds: float) -> None:
    """Note how long a part of the run took (real seconds), for the ledger in the summary."""
    _append(config, {"part": {"name": name, "seconds": round(seconds, 3)}})


def read_facts(work: Path) -> dict[str, Any]:
    """Everything noted: {"facts": dict, "rollouts": [dict], "parts": [{name, seconds}]}, parts summed by name."""
    facts: dict[str, Any] = {}
    rollouts: dict[str, Any] = {}
    parts: dict[str, float] = {}
    path = work / FILE_NAME
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        for name, value in entry.get("facts", {}).items():
            merge = isinstance(value, dict) and isinstance(facts.get(name), dict)
            facts[name] = {**facts[name], **value} if merge else value
        if "rollout" in entry:
            rollouts[entry["rollout"]["id"]] = entry["rollout"]
        if "part" in entry:
            name = entry["part"]["name"]
            parts[name] = round(parts.get(name, 0.0) + entry["part"]["seconds"], 3)
    return {
        "facts": facts,
        "rollouts": list(rollouts.values()),
        "parts": [{"name": name, "seconds": seconds} for name, seconds in parts.items()],
    }


def _append(config: pytest.Config, entry: Mapping[str, Any]) -> None:
    work = work_directory(config)
    if work is None:
        return
    line = json.dumps(entry, ensure_ascii=False, default=str)
    with (work / FILE_NAME).open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file closes
        file.write(line + "\n")
