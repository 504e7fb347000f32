"""Whether a rollout is active in an environment, asked of the engine's own command line.

Infrastructure must not change below a rollout, and only the engine knows its records: importing it would tie this side
to its inside, so the question is a process and the answer is its JSON. Before the environment is whole the engine
cannot be asked, since it works by all of the outputs: then the account shows that no rollout was ever recorded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.account.asking import Asker, Unread
from probes.account.session import Account

_SECONDS_MAX = 60.0
_ROOT = Path(__file__).resolve().parents[1]
# What modules/release calls it, for an environment whose outputs do not name it yet.
_TABLE = "rollouts"


class NotKnown(Exception):
    """Whether a rollout is active could not be found out; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """The rollouts of one environment of a release file, recorded in an account."""

    environment: str
    release_file: Path
    scratch: Path
    account: Account

    def active(self, outputs: str) -> int:
        """How many are active (there is at most one), by the environment's outputs (JSON of `terraform output -json`).

        0 where the account has no table of rollouts, or an empty one: nothing was ever started. Raises NotKnown.
        """
        try:
            document = json.loads(outputs)
        except ValueError:
            raise NotKnown("Terraform's outputs are no JSON") from None
        if not self._recorded(document.get("state_table", {}).get("value", _TABLE)):
            return 0
        if self.account.endpoint_url is not None:
            document["aws_endpoint_url"] = {"value": self.account.endpoint_url}
        path = self.scratch / "outputs-for-rollouts.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        answer = self._ask(path)
        return int(bool(answer) and answer.get("finished") is None)

    def _recorded(self, table: str) -> bool:
        """Whether a rollout was ever recorded, running or ended."""
        asker = Asker(self.account)
        tables = asker.all("dynamodb", "list_tables", "TableNames")
        rows = asker.field("dynamodb", "scan", "Items", TableName=table, Limit=1) if table in _read(tables) else ()
        return bool(_read(rows))

    def _ask(self, outputs: Path) -> Mapping[str, object]:
        """The engine's answer: the rollout on record, or an empty object."""
        command = [sys.executable, "-m", "rollout", "status", "--json", "--environment", self.environment]
        command += ["--release-file", str(self.release_file.resolve()), "--outputs", str(outputs.resolve())]
        try:
            answer = subprocess.run(
                command,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotKnown(f"rollout status did not answer within {_SECONDS_MAX:g} s") from None
        try:
            document = json.loads(answer.stdout)
        except ValueError:
            raise NotKnown(answer.stderr.strip()[-500:] or f"rollout status ended with {answer.returncode}") from None
        if not isinstance(document, dict):
            raise NotKnown("rollout status answered something else than an object")
        return document


def _read(rows: Any) -> Any:
    if rows is None or isinstance(rows, Unread):
        raise NotKnown(f"the table of rollouts cannot be read: {rows.cause if rows else 'no answer'}")
    return rows
