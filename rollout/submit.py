"""Starts a rollout: looks at what is live, refuses what cannot be moved safely, and stores the record once.

The same submission twice is one rollout. Nothing in the account changes here; the first effect is the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollout.codec import plan_document, plan_sha256
from rollout.errors import BadInput, ConflictError
from rollout.model import Plan
from rollout.observe import Sources
from rollout.ports import Clock, Store
from rollout.record import TERMINAL_STATES, Record, State
from rollout.target import Target

RECORD_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What shall be released: an image by digest, the version it calls itself, and how the rollout begins."""

    plan: Plan
    image: str
    version: str
    confirm: bool = False  # wait in READY, with no customer on the candidate, until `rollout confirm`
    drill: bool = False


def submit(submission: Submission, *, target: Target, sources: Sources, store: Store, clock: Clock) -> Record:
    """Store a new rollout, or answer the active one if it is the same. Raises BadInput or ConflictError, each naming
    what stands in the way; nothing was changed then."""
    digest = plan_sha256(submission.plan)
    active = store.load(target.key)
    if active is not None and active.state not in TERMINAL_STATES:
        return _same_or_refuse(active, submission, digest)
    record = _new_record(submission, digest, target=target, sources=sources, clock=clock)
    if active is not None:
        record = replace(record, revision=active.revision, epoch=active.epoch)
    guards = [f"{target.cluster_name}/{target.service_names[slot]}" for slot in sorted(target.service_names)]
    try:
        return store.create(record, plan_document(submission.plan), guards=guards)
    except ConflictError:
        # Somebody was faster since the look above; the same submission is still one rollout.
        winner = store.load(target.key)
        if winner is None or winner.state in TERMINAL_STATES:
            raise
        return _same_or_refuse(winner, submission, digest)


def _same_or_refuse(active: Record, submission: Submission, digest: str) -> Record:
    if (active.image, active.plan_sha256) == (submission.image, digest):
        return active
    raise ConflictError(
        f"{active.rollout_id} is active in state {active.state}",
        target=active.rule_arn,
        hint="Watch it with `rollout status`, or end it with `rollout rollback --reason ...`.",
    )


def _new_record(submission: Submission, digest: str, *, target: Target, sources: Sources, clock: Clock) -> Record:
    stable, candidate = sources.router.roles()
    slot, version = sources.public.current()
    if slot != stable:
        raise BadInput(
            f"the listener gives all customers to {stable}, but the public address is answered by {slot}",
            target=target.public_host,
            hint="Find the other rule or record that leads there before releasing.",
        )
    live, next_up = sources.services.read(stable), sources.services.read(candidate)
    if live.running == 0:
        raise BadInput(f"the stable side {stable} has no running task", hint="Bring it back before releasing.")
    if live.image == submission.image:
        raise BadInput(
            f"{stable} already runs {submission.image}", hint="Name the image that shall replace it with --image."
        )
    now = clock.wall()
    return Record(
        schema=RECORD_SCHEMA,
        rollout_id=f"{int(now)}-{candidate}-{submission.image.rsplit(':', 1)[-1][:12]}",
        environment=target.environment,
        rule_arn=target.key,
        plan_sha256=digest,
        stable=stable,
        candidate=candidate,
        image=submission.image,
        version_name=submission.version,
        state=State.PREPARING,
        created_at=now,
        entered_at=now,
        entered_monotonic=clock.monotonic(),
        stable_size=live.desired,
        stable_task_definition=live.task_definition,
        stable_version=version,
        candidate_task_definition=next_up.task_definition,
        confirm=submission.confirm,
        drill=submission.drill,
    )
