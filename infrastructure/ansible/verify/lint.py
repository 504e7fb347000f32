"""What ansible-lint finds in the tree, and how much of it it read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.ansible.verify.commands import CannotVerify, run

_SECONDS_MAX = 1800.0
_READ = re.compile(r"in (\d+) files? processed")
_CLEAN, _FOUND = 0, 2  # ansible-lint's exit codes; any other is an error of its own


@dataclass(frozen=True, kw_only=True)
class Lint:
    """Number of files read, and one sentence per finding."""

    files: int
    findings: tuple[str, ...]


def lint(tree: Path, *, tools: Path, home: Path, profile: str) -> Lint:
    """Run the linter over `tree`, without network. Raises CannotVerify when its answer cannot be understood."""
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(home),
        "NO_COLOR": "1",
    }
    command = [str(tools / "ansible-lint"), "--offline", "--nocolor", "--profile", profile, "--format", "codeclimate"]
    done = run([*command, "."], seconds_max=_SECONDS_MAX, directory=tree, environment=environment)
    read = _READ.search(done.stderr)
    if done.returncode not in (_CLEAN, _FOUND) or read is None:
        last = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise CannotVerify(f"ansible-lint ended with {done.returncode} and said: {last[:300]}")
    try:
        findings = tuple(sorted({_sentence(entry) for entry in json.loads(done.stdout)}))
    except (ValueError, KeyError, TypeError) as error:
        raise CannotVerify(f"ansible-lint's answer cannot be read: {error}") from None
    if bool(findings) != (done.returncode == _FOUND):
        raise CannotVerify(f"ansible-lint ended with {done.returncode} but named {len(findings)} findings")
    return Lint(files=int(read[1]), findings=findings)


def _sentence(entry: Mapping[str, Any]) -> str:
    """Code Climate's form: a line, or a position that begins with one."""
    location = entry["location"]
    line = location["lines"]["begin"] if "lines" in location else location["positions"]["begin"]["line"]
    return f"{location['path']}:{line}: {entry['check_name']}: {' '.join(str(entry['description']).split())}"[:500]
