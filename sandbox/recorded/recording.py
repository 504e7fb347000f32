"""A recording of an apply: from which tree it was made, what Terraform said at the end, and every request that changed
something, in order. `python -m infrastructure.record` makes one; the text file is meant to be read and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.recorded.requests import Request, filled, read_line
from sandbox.state import REPOSITORY

RECORDING = REPOSITORY / "infrastructure" / "recorded" / "production.jsonl"
REMEDY = "Record anew where Terraform is present: python -m infrastructure.record"
_FORMAT = 1
# What production's apply is made of: its root module, the modules, the policies that they read, and what makes the
# bucket of the state. Other environments do not reach it.
_MADE_FROM = (
    "infrastructure/environments/production/**/*",
    "infrastructure/modules/**/*",
    "infrastructure/state_bucket.py",
    "rollout/policies/*.json",
)
_NOT_READ = (".terraform", "__pycache__")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """`infrastructure_sha256` is of the tree it was made from; `outputs` are plain values, with placeholders."""

    infrastructure_sha256: str
    moto: str
    outputs: Mapping[str, Any]
    requests: Sequence[Request]

    def outputs_with(self, values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """The outputs in the shape of `terraform output -json`. Raises SandboxError for a placeholder without value."""
        return {name: {"value": filled(value, values)} for name, value in self.outputs.items()}

    def text(self) -> str:
        """As it is written: what it is, its outputs, a line for each request."""
        about = {
            "recording": _FORMAT,
            "infrastructure_sha256": self.infrastructure_sha256,
            "moto": self.moto,
            "requests": len(self.requests),
        }
        lines = [json.dumps(about), json.dumps({"outputs": dict(sorted(self.outputs.items()))})]
        return "".join(f"{line}\n" for line in (*lines, *(one.line() for one in self.requests)))


def read_recording(path: Path = RECORDING) -> Recording:
    """Raises SandboxError for a file that is missing, cut or of another format."""
    try:
        first, second, *rest = path.read_text(encoding="utf-8").splitlines()
        about, outputs = json.loads(first), json.loads(second)["outputs"]
        known = (about["recording"], about["requests"]) == (_FORMAT, len(rest))
        stated = {name: str(about[name]) for name in ("infrastructure_sha256", "moto")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(f"{path.name} cannot be read: {error}", REMEDY) from error
    if not known:
        raise SandboxError(f"{path.name} is cut, or of another format than {_FORMAT}", REMEDY)
    return Recording(**stated, outputs=outputs, requests=tuple(read_line(line) for line in rest))


def staleness(recording: Recording, root: Path = REPOSITORY) -> list[str]:
    """In a sentence, that the tree has changed since: what is seen of the account then is not what is declared."""
    if recording.infrastructure_sha256 == tree_digest(root):
        return []
    return [f"the account is that of another infrastructure/ than this one. {REMEDY}"]


def tree_digest(root: Path = REPOSITORY) -> str:
    """SHA-256 over names and contents of what production's apply is made from."""
    digest = hashlib.sha256()
    for path in _made_from(root):
        digest.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _made_from(root: Path) -> Iterator[Path]:
    found = {path for pattern in _MADE_FROM for path in root.glob(pattern) if path.is_file()}
    yield from sorted(path for path in found if not set(_NOT_READ) & set(path.relative_to(root).parts))
