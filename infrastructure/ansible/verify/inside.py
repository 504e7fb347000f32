"""The part that runs in namespaces of its own: `python -m infrastructure.ansible.verify.inside configure|ask JOB`.

`unshare` gave it its own mounts, processes and names; what is mounted here is gone with it. The root that playbooks are
applied to is a layer in memory over the pristine one. `/proc/sys` is read-only in it: a playbook cannot set up the
kernel of this machine. The questions are asked in a network of their own, in which the kernel's network settings are
private: there the settings and the packet filter that Ansible wrote are loaded as a start of the host would load them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infrastructure.ansible.verify.asking import CREDENTIALS_ADDRESS, ask_load_generator, ask_runner
from infrastructure.ansible.verify.commands import CannotVerify, must
from infrastructure.ansible.verify.playbook import Target, apply
from rollout.model import Observation

_THIS = "infrastructure.ansible.verify.inside"
_SECONDS_MAX = 60.0
_ASKING_SECONDS_MAX = 600.0
_HOST_NAMESPACES = ("mnt", "pid")


def configure(job: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the playbook twice and ask; then, if the job plants something, apply that and ask again."""
    root = _mounted(job)
    tree, tools, home = Path(job["tree"]), Path(job["tools"]), Path(job["home"])
    target = Target(name=job["name"], playbook=job["playbook"], root=root, variables=job["variables"])
    first = apply(target, tree, tools=tools, home=home)
    second = apply(target, tree, tools=tools, home=home)
    told: dict[str, Any] = {
        "name": target.name,
        "playbook": target.playbook,
        "first": asdict(first),
        "second": asdict(second),
        "answers": _ask_apart(job, root),
    }
    if job["planted"]:
        spoilt = Target(
            name=target.name, playbook=target.playbook, root=root, variables={**target.variables, **job["planted"]}
        )
        apply(spoilt, tree, tools=tools, home=home)
        told["planted"] = _ask_apart(job, root)
    return told


def _mounted(job: Mapping[str, Any]) -> Path:
    """The throw-away root. Raises CannotVerify where these are the machine's own namespaces."""
    for kind in _HOST_NAMESPACES:
        if os.readlink(f"/proc/self/ns/{kind}") == job["outside"][kind]:
            raise CannotVerify(f"refused: this is the machine's own {kind} namespace, which no playbook may touch")
    place = Path(job["place"])
    upper, work, root = place / "upper", place / "work", place / "root"
    must(("mount", "--make-rprivate", "/"), seconds_max=_SECONDS_MAX)
    must(("mount", "-t", "tmpfs", "tmpfs", str(place)), seconds_max=_SECONDS_MAX)
    for directory in (upper, work, root):
        directory.mkdir()
    layers = f"lowerdir={job['pristine']},upperdir={upper},workdir={work}"
    must(("mount", "-t", "overlay", "overlay", "-o", layers, str(root)), seconds_max=_SECONDS_MAX)
    must(("mount", "-t", "proc", "proc", str(root / "proc")), seconds_max=_SECONDS_MAX)
    settings = str(root / "proc/sys")
    must(("mount", "--bind", settings, settings), seconds_max=_SECONDS_MAX)
    must(("mount", "-o", "remount,bind,ro", settings), seconds_max=_SECONDS_MAX)
    must(("mount", "--bind", job["archives"], str(root / "var/cache/apt/archives")), seconds_max=_SECONDS_MAX)
    return root


def _ask_apart(job: Mapping[str, Any], root: Path) -> list[dict[str, Any]]:
    """The answers, from a process in a network of its own."""
    asking = json.dumps({**job, "root": str(root)})
    command = ("unshare", "--net", "--mount", sys.executable, "-m", _THIS, "ask", asking)
    answer: list[dict[str, Any]] = json.loads(must(command, seconds_max=_ASKING_SECONDS_MAX))
    return answer


def ask(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Load what a start of the host would load, and ask."""
    root = Path(job["root"])
    if os.readlink("/proc/self/ns/net") == job["outside"]["net"]:
        raise CannotVerify("refused: this is the machine's own network")
    settings = str(root / "proc/sys/net")
    must(("mount", "--bind", settings, settings), seconds_max=_SECONDS_MAX)
    must(("mount", "-o", "remount,bind,rw", settings), seconds_max=_SECONDS_MAX)
    must(("ip", "link", "set", "lo", "up"), seconds_max=_SECONDS_MAX)
    must(("ip", "address", "add", f"{CREDENTIALS_ADDRESS}/32", "dev", "lo"), seconds_max=_SECONDS_MAX)
    load = ("sysctl", "--load", "/etc/sysctl.d/60-release-gates.conf")
    must(("chroot", str(root), *load), seconds_max=_SECONDS_MAX)
    if job["name"] == "runner":
        must(("chroot", str(root), "nft", "--file", "/etc/nftables.conf"), seconds_max=_SECONDS_MAX)
        answers = ask_runner(root)
    else:
        answers = ask_load_generator(root, Path(job["lock"]).read_text(encoding="utf-8"))
    return [_written(answer) for answer in answers]


def _written(answer: Observation) -> dict[str, Any]:
    """One answer as the report has it; values become text, since people read them."""
    return {
        "name": answer.name,
        "value": _text(answer.value),
        "limit": _text(answer.limit),
        "unit": answer.unit,
        "rule": answer.rule,
        "verdict": str(answer.verdict),
        "source": answer.source,
        "time": answer.time,
        "message": _text(answer.message),
    }


def _text(value: object) -> str:
    return " ".join(str(value).split())[:1900]


def main(arguments: list[str]) -> int:
    """Print the outcome as JSON; 1 with a sentence on standard error when there is none."""
    what, job = arguments[0], json.loads(arguments[1])
    try:
        outcome = configure(job) if what == "configure" else ask(job)
    except CannotVerify as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
