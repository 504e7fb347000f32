"""The tick: lead, look, decide, store the intent, act, and look again. Level-triggered: nothing is remembered that the
load balancer and the record do not say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from rollout import ledger
from rollout.act import Actor, Outcome
from rollout.codec import plan_from_document, plan_sha256
from rollout.decide import decide
from rollout.errors import ConflictError, InvariantBroken, RolloutError, SourceError
from rollout.invariants import check
from rollout.lease import Lease
from rollout.model import MINUTE_SECONDS, Instant, Plan
from rollout.observe import Observer
from rollout.outbox import Outbox, drained
from rollout.record import CUSTOMER_STATES, TERMINAL_STATES, Decision, Record, State
from rollout.seen import Situation
from rollout.sight import Sight
from rollout.turn import EngineSettings, Ports, Tick

__all__ = ["Engine", "EngineSettings", "Ports", "Tick"]

_HURRIED_MAX = 3  # turns in a row without a wait: a shift is read back at once, a loop is not fed
_FAREWELL_SECONDS = 5.0  # how long an ending engine tries to get its last alerts out
_HOW_STORED = ("revision", "lease_revision", "journal_sequence", "journal_hash")
# States in which taking traffic back goes on without a store that answers.
_UNSTOPPABLE = frozenset({State.ROLLING_BACK, State.VERIFYING})


class Engine:
    """Drives one rollout at a time; any number of engines may run, one leads."""

    def __init__(
        self,
        ports: Ports,
        settings: EngineSettings,
        *,
        real_seconds: Callable[[], float],
        observer: Callable[[Tick], None] = lambda tick: None,
    ) -> None:
        self._ports, self._settings, self._tell = ports, settings, observer
        self._lease = Lease(settings.owner, settings.lease, real_seconds)
        self._eyes = Observer(ports.sources, metric_seconds=settings.metric_seconds, real_seconds=real_seconds)
        self._actor = Actor(ports.hands, self._may_write)
        self._outbox = Outbox(ports.alerts, ports.heartbeat)
        self._plan: tuple[str, Plan] | None = None
        self._last: Record | None = None
        self._owed: Decision | None = None  # a rollback that was begun while the store was silent
        self._taking_back_alone = False
        self._intent: tuple[object, ...] = ()
        self._told_outcomes: tuple[str, ...] = ()
        self._beat_minute = -1.0

    def run(self, key: str, *, until: Callable[[Tick], bool], stop: threading.Event) -> Record:
        """Tick until the rollout has ended, `until` says so, or `stop` is set. Whatever ends it, the lease is released
        and the last alerts are given a moment to leave."""
        hurried = 0
        try:
            while True:
                tick = self.tick(key)
                self._tell(tick)
                if tick.record.state in TERMINAL_STATES or until(tick) or stop.is_set():
                    return self._farewell(tick.record)
                hurried = hurried + 1 if tick.moved else 0
                if not 0 < hurried <= _HURRIED_MAX:
                    self._ports.clock.wait(self._settings.tick_seconds)
        finally:
            self._outbox.close(0.0)

    def tick(self, key: str) -> Tick:
        """One turn of the loop."""
        now = self._now()
        try:
            record = self._lead(self._load(key))
            plan = self._plan_of(record)
        except SourceError as error:
            return self._without_store(now, error)
        self._last = record
        if not self._lease.leads(record):
            return Tick(record=record, plan=plan, now=now)
        record = self._forget_sent(record)
        situation = self._eyes.look(plan, record, now)
        decision = self._owed_to(record) or self._decide(Sight(plan, record, situation, now))
        intended = self._intent
        try:
            stored = self._store(record, decision, now)
        except ConflictError as error:
            self._lease.lost()
            return Tick(record=record, plan=plan, now=now, error=str(error))
        except SourceError as error:
            return self._unstored(record, decision, situation=situation, now=now, error=error)
        self._owed = None
        news = intended != self._intent and bool(decision.commands)
        self._speak(stored, now)
        outcomes = self._actor.carry_out(stored, decision.commands, plan.dns)
        stored = self._note_outcomes(stored, outcomes, now)
        self._last = stored
        return Tick(
            record=stored,
            plan=plan,
            now=now,
            decision=decision,
            situation=situation,
            leading=True,
            outcomes=outcomes,
            moved=stored.state is not record.state or (news and not any(outcome.error for outcome in outcomes)),
        )

    # ------------------------------------------------------------------------------------------- leading

    def _now(self) -> Instant:
        return Instant(self._ports.clock.wall(), self._ports.clock.monotonic())

    def _load(self, key: str) -> Record:
        record = self._ports.store.load(key)
        if record is None:
            raise RolloutError("no rollout is on record here", target=key, hint="Start one with `rollout run`.")
        return record

    def _plan_of(self, record: Record) -> Plan:
        if self._plan is None or self._plan[0] != record.rollout_id:
            plan = plan_from_document(self._ports.store.plan(record.rollout_id))
            if plan_sha256(plan) != record.plan_sha256:
                raise InvariantBroken(
                    "I17: the stored plan is not the one that this rollout was started with",
                    target=record.rollout_id,
                    hint="Somebody changed it in the state table; take traffic back with `rollout rollback`.",
                )
            self._plan = (record.rollout_id, plan)
        return self._plan[1]

    def _lead(self, record: Record) -> Record:
        """Renew our lease, take a free one, or answer the record as it is."""
        if self._lease.leads(record):
            return self._renew(record) if self._lease.needs_renewal else record
        if record.state in TERMINAL_STATES or not self._lease.may_take(record):
            return record
        now = self._now()
        taken = ledger.taken_over(record, owner=self._settings.owner, now=now)
        try:
            stored = ledger.write(self._ports.store, record, taken, payload=ledger.took_over(record, taken), now=now)
        except ConflictError:
            return record
        self._lease.proven()
        return stored

    def _renew(self, record: Record) -> Record:
        try:
            renewed = self._ports.store.renew(record)
        except ConflictError:
            self._lease.lost()
            return record
        self._lease.proven()
        return renewed

    def _may_write(self) -> bool:
        """A call must not outlive the lease. Only a switch back that was decided under one goes on without: nobody else
        can lead while the store is silent, and a share of 0 is safe whoever sets it."""
        return self._lease.guards or self._taking_back_alone

    # ------------------------------------------------------------------------------------------- deciding

    def _decide(self, sight: Sight) -> Decision:
        try:
            decision = decide(sight.plan, sight.record, sight.situation, sight.now)
            check(sight, decision)
        except InvariantBroken as broken:
            return ledger.hold_for(sight, broken)
        return decision

    def _store(self, record: Record, decision: Decision, now: Instant) -> Record:
        """One transaction with its journal entry for every change and every new intent; nothing for a quiet tick."""
        intent = (record.rollout_id, decision.record.state, decision.commands)
        changed = decision.record != record
        fresh = bool(decision.commands) and intent != self._intent
        if not changed and not fresh:
            return record
        stored = ledger.write(
            self._ports.store, record, decision.record, payload=ledger.decided(record, decision), now=now
        )
        self._intent = intent
        self._lease.proven()
        return stored

    def _note_outcomes(self, record: Record, outcomes: tuple[Outcome, ...], now: Instant) -> Record:
        texts = tuple(str(outcome) for outcome in outcomes)
        if not texts or texts == self._told_outcomes:
            return record
        try:
            stored = ledger.write(self._ports.store, record, record, payload=ledger.acted(record, outcomes), now=now)
        except (ConflictError, SourceError):
            return record  # the next tick reads the truth from the load balancer, and tells it again
        self._told_outcomes = texts
        self._lease.proven()
        return stored

    # ------------------------------------------------------------------------------------------- speaking

    def _speak(self, record: Record, now: Instant) -> None:
        self._outbox.offer(record.outbox)
        minute = now.wall // MINUTE_SECONDS
        if minute != self._beat_minute:
            self._beat_minute = minute
            self._outbox.beat(record.rollout_id)

    def _forget_sent(self, record: Record) -> Record:
        sent = self._outbox.sent()
        if not sent:
            return record
        # Not written by itself: it goes with the next change, and a repeated send carries the same identity.
        return replace(record, outbox=tuple(alert for alert in record.outbox if alert.identity not in sent))

    def _farewell(self, record: Record) -> Record:
        if not self._lease.leads(record):
            return record
        left = drained(self._outbox, record.outbox, _FAREWELL_SECONDS)
        now = self._now()
        leaving = replace(record, owner="", outbox=left)
        try:
            return ledger.write(self._ports.store, record, leaving, payload=ledger.left(record, left), now=now)
        except (ConflictError, SourceError):
            return record  # the lease lapses by itself
        finally:
            self._lease.lost()

    # ------------------------------------------------------------------------------------------- without a store

    def _without_store(self, now: Instant, error: SourceError) -> Tick:
        """The store does not answer: nothing advances, but harm is still seen and traffic still taken back."""
        record = self._last
        if record is None:
            raise error
        plan = self._plan_of(record)
        if not self._lease.leads(record):
            return Tick(record=record, plan=plan, now=now, error=str(error))
        situation = self._eyes.look(plan, record, now)
        decision = self._decide(Sight(plan, record, situation, now))
        return self._unstored(record, decision, situation=situation, now=now, error=error)

    def _owed_to(self, record: Record) -> Decision | None:
        """The rollback that was begun while the store was silent, for the record as it is now: its cause must not be
        told as somebody else's abort."""
        owed = self._owed
        if owed is None or record.state not in CUSTOMER_STATES or record.epoch != owed.record.epoch:
            return None
        present = {name: getattr(record, name) for name in _HOW_STORED}
        return replace(owed, record=replace(owed.record, **present))

    def _unstored(
        self, record: Record, decision: Decision, *, situation: Situation, now: Instant, error: SourceError
    ) -> Tick:
        plan = self._plan_of(record)
        outcomes: tuple[Outcome, ...] = ()
        begun = record.state in _UNSTOPPABLE
        if decision.record.state in _UNSTOPPABLE and (begun or self._lease.guards):
            self._taking_back_alone = record.state is State.ROLLING_BACK
            outcomes = self._actor.carry_out(record, decision.commands, plan.dns)
            self._taking_back_alone = False
            self._last = decision.record
            self._owed = self._owed if begun else decision
            self._outbox.offer(decision.record.outbox)
        return Tick(
            record=record,
            plan=plan,
            now=now,
            decision=decision,
            situation=situation,
            leading=True,
            outcomes=outcomes,
            error=str(error),
        )
