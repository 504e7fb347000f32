"""The files of one change of the infrastructure, as `infrastructure/apply.py` leaves them, for PRE-16 and PROC-01.

    saved.tfplan plan.json      the plan that is to be applied, and what it shows
    authors.txt                 who wrote the change, one identity a line
    approvals/*.dsse.json       what people attested about it
    apply.json                  the record of the apply
    inventory.json              what there was in the account when it had ended

A file that is not there is NO_DATA, one that cannot be read or understood SOURCE_ERROR; neither is ever taken for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from probes.account.inventory import Inventory, read_inventory
from probes.attestation.approvers import read_approvers
from probes.attestation.documents import Document, read_documents
from probes.change_applied import judge_applied, read_applied
from probes.change_review import Proposal, judge_code, judge_review
from probes.question import Question
from probes.strict_json import Unparsable
from probes.terraform_plan import SAVED_BYTES_MAX, SavedPlan, read_saved_plan, read_shown_plan
from rollout.model import Basis, Observation

SAVED, SHOWN, AUTHORS, APPROVALS = "saved.tfplan", "plan.json", "authors.txt", "approvals"
APPLIED, INVENTORY, APPROVERS = "apply.json", "inventory.json", "approvers.toml"
# Under version control, where plans of real environments must never be: a saved plan is a ZIP file, its JSON is long.
KEPT_PLAN, KEPT_SHOWN = "plan.zip", "plan.json.gz"
Read = TypeVar("Read")


class Absent(Exception):
    """A file that is not there, or not what it should be; `broken` tells the two apart."""

    def __init__(self, sentence: str, *, broken: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.broken = broken


@dataclass(frozen=True, kw_only=True)
class ChangeFiles:
    """Where the files of a change are, and the list of those who may approve it."""

    place: Path
    approvers: Path

    def review(self, *, now: datetime) -> tuple[Observation, ...]:
        """PRE-16: `change.approval`, `change.whole`, `change.losses`; or `change.files`, which says what is missing."""
        try:
            proposal = Proposal(
                saved=self._saved(), shown=self._read(SHOWN, read_shown_plan), authors=self._read(AUTHORS, _identities)
            )
            approvers = _understood(self.approvers, read_approvers)
            documents = _documents(self.place / APPROVALS)
        except Absent as absent:
            return (_missing("change.files", absent),)
        return judge_review(proposal, documents, approvers, now=now, source=self._source(SAVED))

    def code(self, root: Path) -> tuple[Observation, ...]:
        """`change.code`: the plan was made of the code below `root`, the root module, and of nothing else."""
        try:
            saved = self._saved()
            present = code_of(root, saved)
        except Absent as absent:
            return (_missing("change.code", absent),)
        return (judge_code(saved, present, source=self._source(SAVED)),)

    def applied(self) -> tuple[Observation, ...]:
        """PROC-01: what the apply left behind, against the saved plan; or `apply.files`, which says what is missing."""
        try:
            saved, applied = self._saved(), self._read(APPLIED, read_applied)
        except Absent as absent:
            return (_missing("apply.files", absent),)
        return judge_applied(applied, saved, source=self._source(APPLIED))

    def inventory(self) -> Inventory | Observation:
        """PRE-01: what the apply left, or `inventory.file`, which says what is missing."""
        try:
            return self._read(INVENTORY, read_inventory)
        except Absent as absent:
            return _missing("inventory.file", absent)

    def _saved(self) -> SavedPlan:
        return self._read(SAVED, read_saved_plan)

    def _read(self, name: str, reader: Callable[[bytes], Read]) -> Read:
        return _understood(self.place / name, reader)

    def _source(self, name: str) -> str:
        return f"{self.place.name}/{name}"


def _understood(path: Path, reader: Callable[[bytes], Read]) -> Read:
    try:
        with path.open("rb") as stream:
            content = stream.read(SAVED_BYTES_MAX + 1)
    except FileNotFoundError:
        raise Absent(f"there is no {path.name}") from None
    except OSError as error:
        raise Absent(f"{path.name} cannot be read: {error.strerror}", broken=True) from None
    try:
        return reader(content)
    except Unparsable as error:
        raise Absent(f"{path.name}: {error}", broken=True) from None


def _documents(directory: Path) -> tuple[Document, ...]:
    try:
        return read_documents(directory)
    except OSError as error:
        raise Absent(f"{directory.name} cannot be read: {error.strerror}", broken=True) from None
    except Unparsable as error:
        raise Absent(f"{directory.name}: {error}", broken=True) from None


def _identities(raw: bytes) -> frozenset[str]:
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise Unparsable("not UTF-8") from None
    return frozenset(line.strip() for line in lines if line.strip())


def code_of(root: Path, saved: SavedPlan) -> Mapping[str, str]:
    """SHA-256 of the Terraform files that there are now in the directories the plan was made of, by path from `root`.

    A plan that names places outside of the infrastructure's tree is not followed there."""
    tree = root.resolve().parents[1]
    places = {Path(name).parent for name in saved.code}
    found: dict[str, str] = {}
    for place in sorted(places):
        directory = (root / place).resolve()
        if not directory.is_relative_to(tree):
            raise Absent(f"the plan was made of {place}, which lies outside of the infrastructure", broken=True)
        for path in sorted(directory.glob("*.tf")):
            found[(place / path.name).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _missing(name: str, absent: Absent) -> Observation:
    question = Question(
        name=name, rule="the change's files are there", source="the change's files", basis=Basis.ARTEFACT
    )
    return question.source_error(absent.sentence) if absent.broken else question.no_data(absent.sentence)
