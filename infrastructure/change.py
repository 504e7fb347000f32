"""One change of an environment: planned, saved, approved by somebody, applied as it was saved, planned again.

What the apply saw and did is written to `apply.json` step by step, so that a run that dies leaves what it knew: probes/
change_applied reads and judges it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from infrastructure.backend_file import Backend
from infrastructure.declaration import declaration
from infrastructure.rollouts import NotKnown
from infrastructure.terraform import Finished, Terraform, TerraformFailed
from probes.account.asking import Unread
from probes.account.census import inventory, views
from probes.account.inventory import write_inventory
from probes.account.session import Account
from probes.account.state import locks_of, operation_of
from probes.change_applied import Applied, write_applied
from probes.change_files import APPLIED, INVENTORY, SAVED, SHOWN
from probes.strict_json import Unparsable
from probes.terraform_plan import NO_STATE, SavedPlan, lock_digest, read_saved_plan, read_state
from probes.terraform_plan import State as StateNumber

LOCK_FILE = ".terraform.lock.hcl"
PARALLELISM = "20"
# Limits in seconds, ten times what an idle machine needs. RDS in the provider waits over a minute for each instance.
INIT_SECONDS, PLAN_SECONDS, APPLY_SECONDS = 120.0, 600.0, 2_700.0
ANY_CODE = tuple(range(256))  # whatever Terraform ends with is a fact for the record
CHANGES, NO_CHANGES = 2, 0  # of plan -detailed-exitcode
_APPLYING = "OperationTypeApply"  # Terraform's internal/backend/operation_type.go, as its lock file spells it
_COUNTS = re.compile(r"(?:Plan|Apply complete!|Resources): .*\d+.*|No changes\..*")
_LOCK_ID = re.compile(r"[0-9A-Za-z-]{1,100}")


class Refused(Exception):
    """What was asked for is not what was approved, or must not be done now; nothing was changed."""


class Active(Protocol):
    """Who knows of rollouts (`rollouts.Rollouts`, or a double of it in a test)."""

    def active(self, outputs: str) -> int:
        """How many are active. Raises NotKnown."""


@dataclass(frozen=True)
class State:
    """The state's bucket: who has locked it is read from the locks that Terraform leaves there."""

    account: Account
    backend: Backend

    def locks(self) -> frozenset[str] | Unread:
        """Versions of the lock that there are: each lock that was ever held is one, in a versioned bucket."""
        return locks_of(self.account, bucket=self.backend.bucket, key=self.backend.key)

    def held_since(self, before: frozenset[str] | Unread) -> str | None:
        """Id of the lock that an apply has held since then; "" for none, None where that could not be read."""
        after = self.locks()
        if isinstance(before, Unread) or isinstance(after, Unread):
            return None
        for version in sorted(after - before):
            lock = operation_of(self.account, bucket=self.backend.bucket, key=self.backend.key, version=version)
            if isinstance(lock, Unread):
                return None
            if lock.operation == _APPLYING:
                return lock.id if _LOCK_ID.fullmatch(lock.id) else None
        return ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one environment. `place` holds its files; `options` go to every plan; `commit` is "" if unknown."""

    terraform: Terraform
    environment: str
    place: Path
    state: State
    options: tuple[str, ...] = ()
    commit: str = ""
    init_options: tuple[str, ...] = field(default=())

    def init(self) -> str:
        """State in its bucket, providers exactly as locked. Raises TerraformFailed."""
        where = ["-backend-config=backend.hcl", *self.init_options, "-reconfigure"]
        self.terraform.run("init", *where, "-input=false", "-lockfile=readonly", timeout_seconds=INIT_SECONDS)
        return "state in the bucket, provider as locked"

    def plan(self) -> str:
        """Save a plan and what it shows; returns its counts. Raises TerraformFailed."""
        finished = self.plan_to(self.place / SAVED, *self.options)
        shown = self.terraform.run("show", "-json", str(self.place / SAVED), timeout_seconds=PLAN_SECONDS)
        (self.place / SHOWN).write_text(shown.output, encoding="utf-8")
        return counts(finished.output)

    def plan_to(self, path: Path | None, *more: str) -> Finished:
        """A plan, saved where a path says; its code is NO_CHANGES or CHANGES. Raises TerraformFailed."""
        options = ["-input=false", "-no-color", "-detailed-exitcode", f"-parallelism={PARALLELISM}", *more]
        options += [f"-out={path}"] if path else []
        return self.terraform.run("plan", *options, timeout_seconds=PLAN_SECONDS, allowed=(NO_CHANGES, CHANGES))

    def apply(self, approved_sha256: str, rollouts: Active) -> str:
        """Apply the saved plan if it is the approved one, plan again, and leave the record; returns the counts.

        Raises Refused before anything is changed, TerraformFailed for an apply that failed (the record holds its exit
        code) or did not end (then the record has no end), and for changes that are left afterwards.
        """
        content = (self.place / SAVED).read_bytes()
        saved = _approved(content, approved_sha256)
        before = self._before(saved)
        self._write(before)
        _demand_same(before, saved)
        before = replace(before, rollouts_active=self._rollouts(rollouts))
        self._write(before)
        if before.rollouts_active:
            raise Refused("a rollout is active. Wait for its end: infrastructure must not change below it.")
        # What was hashed is what is applied: the file in the place may be another one by now.
        frozen = self.terraform.scratch / SAVED
        frozen.write_bytes(content)
        locks = self.state.locks()
        finished = self.terraform.run(
            "apply", "-input=false", "-no-color", f"-parallelism={PARALLELISM}", str(frozen),
            timeout_seconds=APPLY_SECONDS, allowed=ANY_CODE,
        )  # fmt: skip
        ended = replace(
            before,
            exit_code=finished.code,
            ended=_now(),
            lock_id=self.state.held_since(locks),
            state_after=self._state(),
        )
        self._write(ended)
        if finished.code:
            raise TerraformFailed(f"terraform apply ended with {finished.code}, half-way:\n{finished.output[-3000:]}")
        return self._settle(ended, finished)

    def inventory(self) -> str:
        """Write down what there is in the account now, for PRE-01. Raises DeclarationError, or TerraformFailed."""
        outputs = json.loads(self.terraform.run("output", "-json", timeout_seconds=INIT_SECONDS).output)
        declared = declaration(self.environment, {name: one["value"] for name, one in outputs.items()})
        kinds = inventory(views(self.state.account, declared))
        (self.place / INVENTORY).write_bytes(write_inventory(self.environment, kinds, taken=_now()))
        unread = sorted(kind for kind, names in kinds.items() if names is None)
        found = sum(len(names or ()) for names in kinds.values())
        told = f"; could not be listed: {', '.join(unread)}" if unread else ""
        return f"{found} resources of {len(kinds)} kinds{told}"

    def _rollouts(self, rollouts: Active) -> int:
        outputs = self.terraform.run("output", "-json", timeout_seconds=INIT_SECONDS).output
        try:
            return rollouts.active(outputs)
        except NotKnown as error:
            raise Refused(f"whether a rollout is active is not known: {error}") from error

    def _before(self, saved: SavedPlan) -> Applied:
        """What there is at the moment before: lock file and state."""
        return Applied(
            environment=self.environment,
            commit=self.commit or None,
            started=_now(),
            plan_sha256=saved.sha256,
            lock_sha256=lock_digest((self.terraform.directory / LOCK_FILE).read_bytes()),
            state_before=self._state(),
        )

    def _state(self) -> StateNumber | None:
        """Which state there is now; None where it cannot be read."""
        pulled = self.terraform.run("state", "pull", timeout_seconds=INIT_SECONDS).output.strip()
        try:
            return read_state(pulled.encode()) if pulled else NO_STATE
        except Unparsable:
            return None

    def _settle(self, ended: Applied, finished: Finished) -> str:
        try:
            again = self.plan_to(None, *self.options)
        except TerraformFailed:
            self._write(replace(ended, replan_exit_code=1))
            raise
        self._write(replace(ended, replan_exit_code=again.code))
        if again.code != NO_CHANGES:
            raise TerraformFailed(f"a plan made after the apply would change something again:\n{actions(again.output)}")
        return counts(finished.output)

    def _write(self, applied: Applied) -> None:
        """Whole or not at all: a run that dies while it writes must not leave half a record."""
        unfinished = self.place / f"{APPLIED}.unfinished"
        unfinished.write_bytes(write_applied(applied))
        unfinished.replace(self.place / APPLIED)


def _approved(content: bytes, approved_sha256: str) -> SavedPlan:
    try:
        saved = read_saved_plan(content)
    except Unparsable as error:
        raise Refused(f"{SAVED}: {error}. Make it with: python -m infrastructure.apply plan") from None
    if saved.sha256 != approved_sha256:
        raise Refused(f"the saved plan is {saved.sha256}, approved is {approved_sha256}. Have this one approved.")
    return saved


def _demand_same(before: Applied, saved: SavedPlan) -> None:
    """Terraform refuses a plan of an older state too, under its lock; said here it costs nothing and has a reason."""
    if before.lock_sha256 != saved.lock_sha256:
        raise Refused(f"{LOCK_FILE} is not the one that the plan was made with. Plan again, and have that approved.")
    if before.state_before != saved.state:
        seen = before.state_before or "not readable"
        raise Refused(f"the state is {seen}, the plan was made on {saved.state}. Plan again, and have that approved.")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def sha256_of(path: Path) -> str:
    """Of a file's bytes, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def counts(output: str) -> str:
    """The line in which Terraform counts what it did or would do."""
    found = _COUNTS.findall(output)
    return str(found[-1]).rstrip(".") if found else "no counts printed"


def actions(output: str) -> str:
    """What a plan would do, without what it looked at."""
    _, found, rest = output.partition("Terraform will perform the following actions:")
    return rest.strip() if found else output
