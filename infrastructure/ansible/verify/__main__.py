"""`python -m infrastructure.ansible.verify`: lint the tree, configure throw-away roots, write and judge the report.

Takes root, debootstrap, and Ansible's commands in an environment of requirements/ansible.lock. Exit codes: 0 all PASS,
1 something is not, 6 it could not be verified.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from infrastructure.ansible.verify.commands import CannotVerify
from infrastructure.ansible.verify.verification import ROOT, Wish, verify
from probes.host_report import INPUTS, judge_report
from probes.question import worst
from probes.tree import tree_digest
from rollout.model import Verdict

EXIT_PASS, EXIT_NOT_PASS, EXIT_NOT_DECIDABLE = 0, 1, 6


def main(arguments: list[str] | None = None) -> int:
    """Verify and print one line per observation."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.ansible.verify", description=__doc__)
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv-ansible" / "bin", help="where ansible-playbook is")
    parser.add_argument("--place", type=Path, default=ROOT / "build" / "ansible", help="where roots are kept")
    given = parser.parse_args(arguments)
    try:
        path = verify(Wish(tools=given.tools, place=given.place))
    except CannotVerify as error:
        sys.stderr.write(f"not verified: {error}\n")
        return EXIT_NOT_DECIDABLE
    seen = judge_report(
        path.read_bytes(), tree_sha256=tree_digest(ROOT, INPUTS), now=datetime.now(UTC), source=path.name
    )
    for observation in seen:
        sys.stdout.write(f"{observation.verdict:12} {observation.name}: {observation.message}\n")
    return EXIT_PASS if worst(seen) is Verdict.PASS else EXIT_NOT_PASS


if __name__ == "__main__":
    sys.exit(main())
