"""The state table, in memory."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rollout.errors import BadInput, ConflictError, SourceError
from rollout.record import TERMINAL_STATES, Record
from rollout.seen import OperatorRequest
from tests.fakes.faults import Faulty


class FakeStore(Faulty):
    """Satisfies `ports.Store`; safe to share between threads. `lose_replies` makes the next n writes hold and fail,
    as when the answer gets lost beyond what a store can find out."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, Record] = {}
        self.requests: dict[str, OperatorRequest] = {}
        self.guards: dict[str, str] = {}  # service -> active rollout
        self.plans: dict[str, Mapping[str, Any]] = {}
        self.journals: dict[str, list[Mapping[str, Any]]] = {}
        self.ended: dict[str, Record] = {}
        self.lose_replies = 0
        self._guards_of: dict[str, Sequence[str]] = {}
        self._lock = threading.RLock()

    def load(self, rule_arn: str) -> Record | None:
        with self._lock:
            self._asked("load")
            record = self.records.get(rule_arn)
            return None if record is None else replace(record, request=self.requests.get(rule_arn))

    def create(self, record: Record, plan: Mapping[str, Any], *, guards: Sequence[str]) -> Record:
        with self._lock:
            self._asked("create")
            present = self.records.get(record.rule_arn)
            if present is not None and present.state not in TERMINAL_STATES:
                raise ConflictError(f"{present.rollout_id} is active in state {present.state}", target=record.rule_arn)
            others = [guard for guard in guards if self.guards.get(guard, record.rollout_id) != record.rollout_id]
            if others:
                raise ConflictError(f"{self.guards[others[0]]} is active with this service", target=others[0])
            if (present.revision if present else record.revision) != record.revision:
                raise ConflictError(f"{record.rule_arn} was changed since it was looked at", target=record.rule_arn)
            if record.rollout_id in self.plans:
                raise ConflictError(f"a rollout {record.rollout_id} was stored before", target=record.rule_arn)
            stored = replace(record, revision=record.revision + 1, request=None)
            self.records[record.rule_arn] = stored
            self.requests.pop(record.rule_arn, None)
            self.guards |= dict.fromkeys(guards, record.rollout_id)
            self._guards_of[record.rollout_id] = tuple(guards)
            self.plans[record.rollout_id] = copy.deepcopy(dict(plan))
            return self._reply(stored)

    def write(self, before: Record, after: Record, entry: Mapping[str, Any]) -> Record:
        with self._lock:
            self._asked(f"write {after.state}")
            self._require(before, lambda one: (one.revision, one.epoch, one.rollout_id))
            journal = self.journals.setdefault(before.rollout_id, [])
            if any(one["sequence"] == entry["sequence"] for one in journal):
                raise ConflictError(f"journal entry {entry['sequence']} of {before.rollout_id} exists")
            waiting = self.requests.get(before.rule_arn)
            if before.request is not None and after.request != before.request:
                if waiting not in (None, before.request):
                    raise ConflictError(f"{before.rollout_id} has a newer request", target=before.rule_arn)
                self.requests.pop(before.rule_arn, None)
            stored = replace(after, revision=before.revision + 1)
            self.records[before.rule_arn] = replace(stored, request=None)
            journal.append(copy.deepcopy(dict(entry)))
            if after.state in TERMINAL_STATES:
                self.ended[before.rollout_id] = replace(stored, request=None)
                for guard in self._guards_of.pop(before.rollout_id, ()):
                    self.guards.pop(guard, None)
            return self._reply(stored)

    def renew(self, record: Record) -> Record:
        with self._lock:
            self._asked("renew")
            present = self._require(record, lambda one: (one.epoch, one.rollout_id))
            renewed = replace(present, lease_revision=present.lease_revision + 1)
            self.records[record.rule_arn] = renewed
            return self._reply(replace(record, lease_revision=renewed.lease_revision))

    def request(self, rule_arn: str, request: OperatorRequest) -> Record:
        with self._lock:
            self._asked(f"request {request.kind}")
            record = self.records.get(rule_arn)
            if record is None or record.state in TERMINAL_STATES:
                raise BadInput("no rollout is active here", target=rule_arn)
            waiting = self.requests.get(rule_arn)
            if waiting is not None and waiting.kind == "abort" and request.kind != "abort":
                raise ConflictError("an abort waits for its answer", target=rule_arn)
            self.requests[rule_arn] = request
            return self._reply(replace(record, request=request))

    def plan(self, rollout_id: str) -> Mapping[str, Any]:
        self._asked("plan")
        if rollout_id not in self.plans:
            raise SourceError("no plan is stored for this rollout", target=rollout_id)
        return copy.deepcopy(dict(self.plans[rollout_id]))

    def journal(self, rollout_id: str) -> Sequence[Mapping[str, Any]]:
        self._asked("journal")
        return copy.deepcopy(sorted(self.journals.get(rollout_id, []), key=lambda entry: int(entry["sequence"])))

    def history(self) -> Sequence[Record]:
        self._asked("history")
        return sorted(self.ended.values(), key=lambda record: (record.created_at, record.rollout_id))

    def _require(self, expected: Record, version: Callable[[Record], object]) -> Record:
        present = self.records.get(expected.rule_arn)
        if present is None or version(present) != version(expected):
            raise ConflictError(f"{expected.rollout_id} was changed by somebody else", target=expected.rule_arn)
        return present

    def _reply(self, stored: Record) -> Record:
        if self.lose_replies > 0:
            self.lose_replies -= 1
            raise SourceError("the answer was lost", hint="The next tick looks again.")
        return stored
