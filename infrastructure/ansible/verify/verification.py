"""A whole verification: lint, then each playbook on a throw-away root, then the report."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrastructure.ansible.verify.commands import CannotVerify, must
from infrastructure.ansible.verify.ground import Ground, lay
from infrastructure.ansible.verify.lint import lint
from probes.host_report import INPUTS, LINT_PROFILE, QUESTIONS, SCHEMA, place_of, read_report
from probes.tree import tree_digest

ROOT = Path(__file__).resolve().parents[3]
TREE = ROOT / "infrastructure" / "ansible"
LOCK = ROOT / "requirements" / "load_generators.lock"
_HOST_SECONDS_MAX = 3 * 3600.0
_PLAYBOOKS = {"load-generator": "load_generators.yml", "runner": "runners.yml"}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to verify: where Ansible's commands are, where things are kept, and what to plant after the good runs."""

    tools: Path
    place: Path
    names: Sequence[str] = tuple(QUESTIONS)
    planted: Mapping[str, Any] = field(default_factory=dict)


def verify(wish: Wish) -> Path:
    """Make the report on this tree and answer where it lies. Raises CannotVerify; then no report is written."""
    if sorted(wish.names) != sorted(QUESTIONS) or wish.planted:
        raise ValueError("a report is about all hosts as they are; for a part or a planted mistake use `configured`")
    started = _now()
    digest = tree_digest(ROOT, INPUTS)
    found = lint(TREE, tools=wish.tools, home=wish.place / "home", profile=LINT_PROFILE)
    hosts = configured(wish)
    report = {
        "schema": SCHEMA,
        "tree_sha256": digest,
        "started": started,
        "ended": _now(),
        "lint": {"profile": LINT_PROFILE, "files": found.files, "findings": found.findings},
        "hosts": hosts,
    }
    if tree_digest(ROOT, INPUTS) != digest:
        raise CannotVerify("the tree was changed while it was verified; verify it again")
    content = json.dumps(report, indent=1).encode() + b"\n"
    read_report(content)  # what the gate could not read must not be left for it
    return _put(place_of(ROOT, digest), content)


def configured(wish: Wish) -> list[dict[str, Any]]:
    """Each wished host after two runs with its answers, and with those after the planted mistake where one is given."""
    with _alone(wish.place), tempfile.TemporaryDirectory(prefix="hosts-") as scratch:
        ground = lay(wish.place, LOCK)
        return [_one(name, wish, ground=ground, scratch=Path(scratch)) for name in wish.names]


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One verification at a time: apt's archives are shared, and so is what is made once."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _one(name: str, wish: Wish, *, ground: Ground, scratch: Path) -> dict[str, Any]:
    place = scratch / name
    place.mkdir()
    job = {
        "name": name,
        "playbook": _PLAYBOOKS[name],
        "variables": _variables(name, ground, scratch),
        "planted": dict(wish.planted),
        "pristine": str(ground.root.resolve()),
        "archives": str(ground.archives.resolve()),
        "place": str(place),
        "tree": str(TREE),
        "tools": str(wish.tools.absolute()),
        "home": str((wish.place / "home").absolute()),
        "lock": str(LOCK),
        "outside": {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "pid", "net")},
    }
    apart = ("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
    command = (*apart, sys.executable, "-m", "infrastructure.ansible.verify.inside", "configure", json.dumps(job))
    outcome: dict[str, Any] = json.loads(must(command, seconds_max=_HOST_SECONDS_MAX, directory=ROOT))
    return outcome


def _variables(name: str, ground: Ground, scratch: Path) -> dict[str, Any]:
    """Addresses of the networks kept for documentation (RFC 5737): nobody is reached by a mistake."""
    if name == "load-generator":
        return {
            "load_generator_master_address": "192.0.2.10",
            "load_generator_networks": ["192.0.2.0/24"],
            "load_generator_wheels": str(ground.wheels.resolve()),
        }
    archive = scratch / "agent.tar.gz"
    _write_agent(archive)
    return {
        "runner_agent_archive": str(archive),
        "runner_agent_sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "runner_egress_networks": ["203.0.113.0/24"],
        "runner_resolver_addresses": ["192.0.2.2"],
    }


def _write_agent(path: Path) -> None:
    """An archive in the shape of a forge's runner; the forge's own is not this project's to ship."""
    content = b"#!/bin/sh\nexit 1\n"
    entry = tarfile.TarInfo("./run.sh")
    entry.size, entry.mode = len(content), 0o755
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(entry, io.BytesIO(content))


def _put(path: Path, content: bytes) -> Path:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".unfinished")
    beside.write_bytes(content)
    beside.replace(path)
    return path


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
