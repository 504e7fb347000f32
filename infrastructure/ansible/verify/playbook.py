"""One run of a playbook against one root, and its recap."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.ansible.verify.commands import CannotVerify, run
from probes.host_report import Recap

_SECONDS_MAX = 3600.0
_GROUPS = {"load_generators.yml": "load_generators", "runners.yml": "runners"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A root to apply a playbook to: where it is, how the host is called in the report, and its variables."""

    name: str
    playbook: str
    root: Path
    variables: Mapping[str, Any]


def apply(target: Target, tree: Path, *, tools: Path, home: Path) -> Recap:
    """Apply it once through Ansible's connection into a chroot. Raises CannotVerify when no recap comes back."""
    home.mkdir(parents=True, exist_ok=True)
    inventory = home / f"{target.name}.json"
    inventory.write_text(json.dumps(_inventory(target)), encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }
    command = (str(tools / "ansible-playbook"), "--inventory", str(inventory), target.playbook)
    done = run(command, seconds_max=_SECONDS_MAX, directory=tree, environment=environment)
    try:
        document = json.loads(done.stdout[done.stdout.index("{") :])
        recap = _recap(document, target.name)
    except (ValueError, KeyError, TypeError) as error:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise CannotVerify(f"{target.playbook} left no recap ({error}): {last[:300]}") from None
    if recap.failed or recap.unreachable:
        raise CannotVerify(f"{target.playbook} failed on {target.name}: {_failure(document, target.name)}")
    return recap


def _inventory(target: Target) -> dict[str, Any]:
    variables = {
        "ansible_connection": "community.general.chroot",
        "ansible_host": str(target.root),
        "ansible_become": False,
        **target.variables,
    }
    return {_GROUPS[target.playbook]: {"hosts": {target.name: variables}}}


def _recap(document: Mapping[str, Any], host: str) -> Recap:
    stats = document["stats"][host]
    return Recap(
        ok=stats["ok"],
        changed=stats["changed"],
        failed=stats["failures"],
        unreachable=stats["unreachable"],
        changed_tasks=tuple(dict.fromkeys(name for name, seen in _tasks(document, host) if seen.get("changed"))),
    )


def _tasks(document: Mapping[str, Any], host: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (task["task"]["name"], task["hosts"][host])
        for play in document["plays"]
        for task in play["tasks"]
        if host in task["hosts"]
    ]


def _failure(document: Mapping[str, Any], host: str) -> str:
    failed = [f"{name}: {seen.get('msg')}" for name, seen in _tasks(document, host) if seen.get("failed")]
    return (failed or ["the host was not reached"])[0][:500]
