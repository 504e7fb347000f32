"""Whether a rollout is active in an environment, asked of the engine's own command line.

Infrastructure must not change below a rollout, and only the engine knows its records: importing it would tie this side
to its inside, so the question is a process and the answer is its JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS_MAX = 60.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """The rollouts of one environment of a release file. `variables` are added to the caller's (an endpoint)."""

    environment: str
    release_file: Path
    scratch: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def active(self, outputs: str) -> int | None:
        """How many are active (there is at most one), by the environment's outputs (JSON of `terraform output -json`).

        0 where there are no outputs yet: the engine works by them, so it never could. None where it is not known.
        """
        try:
            if not json.loads(outputs):
                return 0
        except ValueError:
            return None
        path = self.scratch / "outputs.json"
        path.write_text(outputs, encoding="utf-8")
        answer = self._ask(path)
        return None if answer is None else int(bool(answer) and answer.get("finished") is None)

    def _ask(self, outputs: Path) -> Mapping[str, object] | None:
        command = [sys.executable, "-m", "rollout", "status", "--json", "--environment", self.environment]
        command += ["--release-file", str(self.release_file.resolve()), "--outputs", str(outputs)]
        try:
            answer = subprocess.run(
                command,
                cwd=_ROOT,
                env={**os.environ, **self.variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS_MAX,
                check=False,
            )
            document = json.loads(answer.stdout)
        except (OSError, subprocess.TimeoutExpired, ValueError):
            return None
        return document if isinstance(document, dict) else None
