"""Takes traffic back when every controller is gone: the function behind the heartbeat alarm.

The alarm fires when no controller has reported for ten minutes. Without a rollout nobody reports either, so this looks
first, and acts only where customers are on a candidate that has not proven itself. It is the engine that acts: one that
reads an abort in every record, so it can lead nowhere but back, and that leads, as any engine does, only after it saw
the record stand still for a whole lease. While a controller lives nothing is written; a second call finds the customers
back and changes nothing. After the stability time no trigger is armed any more (decide.py), and neither is this: the
stable side may be gone by then, so people are told and nothing is moved.

Without a state table the load balancer alone is enough, as long as its tags say who is stable.

As a function: `rollout.deadman.handler`, with DEADMAN_TARGET in its environment (see `target_of`). As a process:
`python -m rollout.deadman < event.json`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NoReturn

from rollout.compose import connect, settings_for
from rollout.engine import Engine, EngineSettings, Ports, Tick
from rollout.errors import BadInput, InvariantBroken, RolloutError, SourceError
from rollout.ports import Store
from rollout.record import TERMINAL_STATES, Record, State
from rollout.seen import MetricQuery, Metrics, OperatorRequest, PublicReading
from rollout.target import Target

BY = "dead-man"
REASON = "no controller has reported for ten minutes"
# Customers are on a candidate that is not proven yet, or a return has begun and was not seen to end.
_TAKEN_FROM = frozenset({State.SHIFTING, State.BAKING, State.STABILIZING, State.HOLDING, State.ROLLING_BACK})
_PROVEN = frozenset({State.RETIRING, State.SETTLING})
_WORK_SECONDS = 100.0  # a whole lease is watched first; the function's own limit in infrastructure/ is 120
_RESERVE_SECONDS = 10.0  # of what Lambda says is left: for the last alerts
_TICK_SECONDS = 1.0
_NEEDED = frozenset(
    {
        "environment", "region", "rule_arn", "listener_arn", "target_group_arns", "cluster_name", "service_names",
        "container_name", "state_table", "alert_topic_arn",
    }
)  # fmt: skip
_OPTIONAL = frozenset({"aws_endpoint_url", "clock_file"})


class NotTakenBack(RolloutError):
    """Traffic could not be taken back, or was not seen back, in the time there was: call again, and look by hand."""

    exit_code = 12


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the dead-man did. `outcome`: NO_ROLLOUT, CONTROLLER_LIVES, NOTHING_TO_TAKE, PROVEN or TAKEN_BACK."""

    outcome: str
    detail: str
    rollout_id: str = ""
    alert: str = ""  # empty: nobody had to be told; "sent"; or why it was not


class DeadMan:
    """One look at one environment. `real_seconds` is a monotonic clock, `work_seconds` the time there is in all."""

    def __init__(
        self,
        ports: Ports,
        settings: EngineSettings,
        *,
        key: str,
        real_seconds: Callable[[], float],
        work_seconds: float = _WORK_SECONDS,
    ) -> None:
        self._ports, self._key, self._real_seconds = ports, key, real_seconds
        self._settings = replace(settings, tick_seconds=min(settings.tick_seconds, _TICK_SECONDS))
        self._deadline = real_seconds() + work_seconds
        self._watched: tuple[int, int, int] | None = None
        self._last: Tick | None = None

    def act(self) -> Outcome:
        """Look, and take traffic back if nobody else can. Raises NotTakenBack, or SourceError with a cause of AWS's."""
        try:
            record = self._ports.store.load(self._key)
        except SourceError as silent:
            return self._without_record(silent)
        if record is None or record.state in TERMINAL_STATES:
            return Outcome(outcome="NO_ROLLOUT", detail="no rollout is active")
        if record.state in _TAKEN_FROM:
            return self._lead_back(record)
        if record.state in _PROVEN:
            detail = f"{record.candidate} has proven itself and the old side is going: nothing is moved, nobody watches"
            return self._told(record.rollout_id, "NO CONTROLLER", Outcome(outcome="PROVEN", detail=detail))
        return self._keep_back(record)

    # ------------------------------------------------------------------------------------------- with a record

    def _lead_back(self, record: Record) -> Outcome:
        try:
            last = self._engine().run(self._key, until=self._enough, stop=threading.Event())
        except (SourceError, InvariantBroken) as error:
            # Not the store, nor a plan that somebody changed, may keep customers where nobody watches them.
            return self._switch(record.stable, record.candidate, why=str(error), rollout_id=record.rollout_id)
        seen = self._last
        assert seen is not None, "an engine that ended without a tick"
        if not seen.leading and seen.error:
            return self._switch(record.stable, record.candidate, why=seen.error, rollout_id=record.rollout_id)
        if not seen.leading and (self._moved_by_another(last) or last.state in TERMINAL_STATES):
            detail = f"{last.owner or 'somebody'} leads {last.rollout_id}, in state {last.state}"
            return Outcome(outcome="CONTROLLER_LIVES", detail=detail, rollout_id=last.rollout_id)
        if last.state in _TAKEN_FROM:
            self._fail(f"{last.rollout_id} is still in state {last.state}: {last.reason}")
        detail = f"all customers are back on {last.stable}, read back; its health was NOT verified"
        return self._told(last.rollout_id, "TAKEN BACK", Outcome(outcome="TAKEN_BACK", detail=detail))

    def _engine(self) -> Engine:
        clock = self._ports.clock
        asked = OperatorRequest(kind="abort", by=BY, reason=REASON, at=clock.wall())
        blind = replace(self._ports.sources, metrics=_Unasked(), public=_Unasked(), dns=None)
        ports = replace(
            self._ports, sources=blind, store=_Aborting(self._ports.store, asked), heartbeat=_NoSignOfLife()
        )
        return Engine(ports, self._settings, real_seconds=self._real_seconds)

    def _enough(self, tick: Tick) -> bool:
        """The customers are back, somebody else leads, or the time is over."""
        self._last = tick
        if self._real_seconds() >= self._deadline:
            return True
        if tick.leading:
            return tick.record.state not in _TAKEN_FROM
        return self._moved_by_another(tick.record)

    def _moved_by_another(self, record: Record) -> bool:
        """Since the first look, and not by us: our own writes carry our name, or none after the last."""
        version = (record.epoch, record.revision, record.lease_revision)
        self._watched = self._watched or version
        return version != self._watched and record.owner not in ("", self._settings.owner)

    def _keep_back(self, record: Record) -> Outcome:
        """A state in which the candidate must have no customers: they are taken back if somebody gave it some."""
        seen = self._ports.sources.router.read(stable=record.stable, candidate=record.candidate)
        if seen.candidate_share == 0:
            detail = f"in state {record.state} no customer is on {record.candidate}"
            return Outcome(outcome="NOTHING_TO_TAKE", detail=detail, rollout_id=record.rollout_id)
        why = f"in state {record.state} the rule gave {record.candidate} customers"
        return self._switch(record.stable, record.candidate, why=why, rollout_id=record.rollout_id)

    # ------------------------------------------------------------------------------------------- the balancer alone

    def _without_record(self, silent: SourceError) -> Outcome:
        """Who has all of the weight is left alone: whether a release put it there cannot be known."""
        try:
            stable, candidate = self._ports.sources.router.roles()
        except BadInput as unknown:
            raise NotTakenBack(f"{silent.what}; {unknown.what}", target=self._key, hint=unknown.hint) from silent
        seen = self._ports.sources.router.read(stable=stable, candidate=candidate)
        if seen.candidate_share == 0:
            self._fail(f"all customers are on {stable}, and whether they belong there is not known: {silent}")
        return self._switch(stable, candidate, why=f"by its tags {stable} is stable; {silent}", rollout_id="")

    def _switch(self, stable: str, candidate: str, *, why: str, rollout_id: str) -> Outcome:
        """Absolute, and safe beside a live engine, which takes a share of 0 for an abort."""
        self._ports.hands.router.set_share(stable=stable, candidate=candidate, share_percent=0)
        seen = self._ports.sources.router.read(stable=stable, candidate=candidate)
        if seen.candidate_share != 0:
            self._fail(f"the rule still gives {candidate} {seen.candidate_share} %: {seen.error}")
        detail = f"all customers are back on {stable}, read back; nothing is on record ({why})"
        return self._told(rollout_id, "TAKEN BACK", Outcome(outcome="TAKEN_BACK", detail=detail))

    # ------------------------------------------------------------------------------------------- people

    def _told(self, rollout_id: str, subject: str, outcome: Outcome) -> Outcome:
        """The outcome, with what became of telling it: customers are back whether or not people hear of it."""
        hint = "No controller lives: start one, or look at the public health and the weights by hand."
        identity = f"{rollout_id or self._key}/{BY}/{outcome.outcome}"
        told = replace(outcome, rollout_id=rollout_id, alert="sent")
        try:
            self._ports.alerts.send(
                identity=identity,
                subject=f"DEAD-MAN: {subject} ({rollout_id or 'no record'})",
                text=f"{outcome.detail}. {REASON}. {hint}",
            )
        except SourceError as error:
            return replace(told, alert=f"not sent: {error}")
        return told

    def _fail(self, what: str) -> NoReturn:
        raise NotTakenBack(what, target=self._key, hint="Use scripts/emergency-rollback.sh now.")


class _Aborting:
    """A store that reads an abort in every record, and writes what was there. Satisfies `ports.Store`.

    The abort is nowhere stored: it is in force only for who leads, and whoever wrote since the record was read fences
    it off."""

    def __init__(self, store: Store, asked: OperatorRequest) -> None:
        self._store, self._asked = store, asked
        self._present: OperatorRequest | None = None
        self.create, self.request = store.create, store.request
        self.plan, self.journal, self.history = store.plan, store.journal, store.history

    def load(self, rule_arn: str) -> Record | None:
        record = self._store.load(rule_arn)
        if record is None:
            return None
        self._present = record.request
        waiting = record.request is not None and record.request.kind == "abort"
        return record if waiting else replace(record, request=self._asked)

    def write(self, before: Record, after: Record, entry: Mapping[str, Any]) -> Record:
        stored = self._store.write(self._as_stored(before), self._as_stored(after), entry)
        return replace(stored, request=after.request)

    def renew(self, record: Record) -> Record:
        return replace(self._store.renew(self._as_stored(record)), request=record.request)

    def _as_stored(self, record: Record) -> Record:
        return replace(record, request=self._present) if record.request == self._asked else record


class _NoSignOfLife:
    """Satisfies `ports.Heartbeat`: a dead-man is no controller, and must not silence the alarm that calls it."""

    def beat(self, rollout_id: str) -> None:
        return


class _Unasked:
    """Satisfies `ports.MetricSource` and `ports.PublicHealth`: neither can change that traffic goes back."""

    def read(self, query: MetricQuery) -> Metrics:
        raise SourceError("the dead-man asks for no metrics")

    def current(self) -> tuple[str, str]:
        raise SourceError("the dead-man does not ask the public endpoint")

    def in_a_row(self, *, slot: str, version: str, wanted: int) -> PublicReading:
        raise SourceError("the dead-man does not ask the public endpoint")


def target_of(variables: Mapping[str, str]) -> Target:
    """The target in DEADMAN_TARGET: a JSON object with the names of `rollout.target.Target` that traffic needs.

    Raises BadInput that names what is missing or unknown."""
    hint = "infrastructure/modules/release sets it; see rollout/deadman.py."
    try:
        given = json.loads(variables["DEADMAN_TARGET"])
    except (KeyError, ValueError) as error:
        raise BadInput("DEADMAN_TARGET is not set, or no JSON", hint=hint) from error
    names = frozenset(given) if isinstance(given, Mapping) else frozenset()
    wrong = sorted(_NEEDED - names) + sorted(names - _NEEDED - _OPTIONAL)
    if wrong:
        raise BadInput(f"DEADMAN_TARGET lacks or does not know: {', '.join(wrong)}", hint=hint)
    texts = {one.name: "" for one in fields(Target) if one.type == "str"}
    return Target(**{**texts, **given})


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls when the heartbeat alarm fires; answers an `Outcome` as a document.

    `event` is what CloudWatch sends to a function (user guide, "Invoke a Lambda function from an alarm"). Raises
    BadInput for any other, NotTakenBack for what has to be tried again: Lambda does so, and people are told."""
    state = ((event.get("alarmData") or {}).get("state") or {}).get("value")
    if event.get("source") != "aws.cloudwatch" or state != "ALARM":
        raise BadInput("this is no alarm that fired", hint="Only the heartbeat alarm calls the dead-man.")
    target = target_of(os.environ)
    ports, own = connect(target).ports, settings_for(target)
    left = getattr(context, "get_remaining_time_in_millis", None)
    seconds = _WORK_SECONDS if left is None else max(left() / 1000 - _RESERVE_SECONDS, 0.0)
    settings = replace(own, owner=f"{BY}/{own.owner}")
    one = DeadMan(ports, settings, key=target.key, real_seconds=time.monotonic, work_seconds=seconds)
    return dict(vars(one.act()))


def main() -> int:
    """The handler as a process: event on standard input, outcome on standard output; 0, or the error's code."""
    try:
        print(json.dumps(handler(json.load(sys.stdin), None)))  # noqa: T201  # the process's answer
    except RolloutError as error:
        print(str(error), file=sys.stderr)  # noqa: T201  # likewise
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
