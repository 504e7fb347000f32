"""The rehearsed release: one whole rollout on the sandbox under release, with 1,000 requests a second from its start
to its end, the candidate probed on its own address before it meets a customer, both sides probed at each stage, and the
expected traffic on top of the stream while the candidate carries all customers and the way back is still warm."""

from __future__ import annotations

import subprocess
import time
from typing import Any

from probes import health, openapi, rate_limit, routes, session
from probes.failures import Cause
from probes.http import ask, client
from probes.identity import Identity
from rehearsal.account_view import look_at_account
from rehearsal.drill import plant
from rehearsal.loads import LiveLoad, LoadRun, note_use
from rehearsal.planted import NOTHING, Plant
from rehearsal.scene import RehearsalError, Scene, await_condition, end_process
from rollout.model import MINUTE_SECONDS
from rollout.record import TERMINAL_STATES, Record, State
from sandbox.faults import at_rest

RATE = 1000.0
COMPONENTS = ("database", "cache", "external")
# Without an external dependency the service still serves, and says that it is degraded.
REQUIRED = ("database", "cache")
LIMIT = rate_limit.Limit(requests=10, window_seconds=2)
_EARLY_IN_MINUTE = (0.1, 0.5)  # wider than the poll of a fifth of a second, a fifth of a virtual minute
_READY_SECONDS = 60.0
_RELEASE_SECONDS = 240.0
_FAREWELL_SECONDS = 30.0


def rehearse_release(scene: Scene, planted: Plant = NOTHING) -> int | None:
    """Release the other version on the scene's sandbox; answers the exit code of `rollout run`. `planted`: faults."""
    facts = scene.notes.facts
    stable, candidate = scene.live_and_next()
    slots = {"stable": stable, "candidate": candidate}
    scene.sandbox.clock(scene.factor)
    try:
        facts["before"] = look_at_account(scene)
        plant(scene, planted.before, slots)
        with scene.stream(planted.rate or RATE, mixed=True) as thin:
            process = scene.start_rollout("--hold-before-traffic")
            try:
                # A candidate that is never ready is an answer about the release; the rollout says it by FAILED.
                ready = scene.await_state("READY", "FAILED", seconds=_READY_SECONDS, process=process)
                if ready.state == State.READY:
                    _while_ready(scene, ready, planted=planted, slots=slots)
                    _await_early_in_a_minute(scene)
                    scene.confirm()
                    with LoadRun(scene) as run:
                        load = LiveLoad(run, planted, slots, thin)
                        _probe_each_stage(scene, process, load)
                        run.finish()
                    note_use(scene, ready)
                process.wait(_FAREWELL_SECONDS)
            finally:
                end_process(process)
        facts["after"] = look_at_account(scene)
        scene.notes.clock = scene.clock_line()
    finally:
        scene.sandbox.clock(1.0)
    return process.returncode


def _await_early_in_a_minute(scene: Scene) -> None:
    """A bake is counted in whole minutes: a shift verified just after one began waits for the next, and the deployment
    takes a minute longer by mere chance."""

    def early() -> bool:
        first, last = _EARLY_IN_MINUTE
        return first <= scene.connection.clock.wall() / MINUTE_SECONDS % 1.0 <= last

    await_condition(early, seconds=_READY_SECONDS, what="the first half of a minute")


def _while_ready(scene: Scene, ready: Record, *, planted: Plant, slots: dict[str, str]) -> None:
    """Probing takes real seconds: meanwhile virtual time runs as real time does."""
    scene.sandbox.clock(1.0)
    plant(scene, planted.at_ready, slots)
    _probe_candidate(scene, ready)
    scene.notes.facts["ready"] = look_at_account(scene)
    rest = {s: {name: at_rest(slots.get(s, s), name) for name in values} for s, values in planted.at_ready.items()}
    plant(scene, rest, slots)
    scene.sandbox.clock(scene.factor)


def _probe_candidate(scene: Scene, record: Record) -> None:
    """Everything that can be known of the candidate while all customers are on the stable side."""
    expected = Identity(slot=record.candidate, version=record.version_name, digest=record.image.rsplit("@", 1)[-1])
    see, asker = scene.notes.see, scene.side(record.candidate)
    see("candidate health", *health.basic(asker, Identity(slot=expected.slot, version=expected.version)))
    for name in COMPONENTS:
        see("candidate health", *health.component(asker, name))
    see("candidate health", *health.detailed(asker, COMPONENTS), *health.honest(asker, REQUIRED))
    see("candidate shape", *openapi.matches(asker, _document(asker), path="/api/v1/status"))
    see("candidate route", *routes.leads_to(asker, expected))
    own = scene.endpoint.named(scene.target.test_hosts[record.candidate])
    strangers = [client(own), client(own, headers={scene.target.test_header_name: "guessed"})]
    see("candidate closed", *routes.closed_to_the_public(strangers, expected))
    see("candidate hidden", *routes.never_answered_by(client(scene.endpoint), expected))
    _probe_sessions(scene, record)
    # The candidate's own limit first: what a version does to a client over it only that version's answers show.
    see("rate limit", *rate_limit.rate_limit([asker, scene.side(record.stable)], LIMIT))


def _document(asker: Any) -> dict[str, Any]:
    answer = ask(asker, "/openapi.json")
    if isinstance(answer, Cause):
        raise RehearsalError(f"the OpenAPI document could not be read: {answer.sentence}")
    return dict(answer.mapping())


def _probe_each_stage(scene: Scene, process: subprocess.Popen[bytes], load: LiveLoad) -> None:
    """Follow the record to its end; at each verified share a signed-in customer is answered by both sides. Faults are
    planted as soon as the share is there: the minutes that its gates judge begin then. The load begins at the last."""
    planted, slots = load.planted, load.slots
    reached: set[int] = set()
    probed: set[int] = set()
    abort_at = float("inf")

    def ended() -> bool:
        nonlocal abort_at
        record = scene.record()
        if record is None:
            raise RehearsalError("the rollout's record vanished")
        share = record.share_verified
        if share and share not in reached:
            plant(scene, planted.at_share.get(str(share), {} if reached else planted.at_shift), slots)
            if not reached and planted.abort_after_seconds is not None:
                abort_at = time.monotonic() + planted.abort_after_seconds
            reached.add(share)
        if share and share not in probed and _may_be_probed(scene, record):
            probed.add(share)
            _probe_sessions(scene, record)
            scene.notes.facts[f"at {share}"] = look_at_account(scene)
        load.follow(record)
        if time.monotonic() > abort_at:
            abort_at = float("inf")
            scene.ask("abort", reason="what was to be seen has been seen")
        return record.state in TERMINAL_STATES or process.poll() is not None

    await_condition(ended, seconds=_RELEASE_SECONDS, what="the end of the rehearsed release")
    scene.notes.facts["shares_probed"] = sorted(probed)


def _may_be_probed(scene: Scene, record: Record) -> bool:
    """In the settle time, when the minutes that the gates judge have closed: probing costs the candidate its CPU."""
    if record.state == State.STABILIZING:
        return True
    if record.state != State.BAKING or record.bake is None:
        return False
    stage = scene.connection.store.plan(record.rollout_id)["stages"][record.stage]
    return scene.connection.clock.wall() >= record.bake.first_minute + float(stage["bake_seconds"])


def _probe_sessions(scene: Scene, record: Record) -> None:
    """A signed-in customer is answered by both sides. Short: whatever probes takes processor time from the release."""
    stable, candidate = scene.side(record.stable), scene.side(record.candidate)
    doors = (session.Door(slot=record.stable, asker=stable), session.Door(slot=record.candidate, asker=candidate))
    for seen in session.outlives_switch(doors, session.SignIn(), authority=scene.authority()):
        topic = "sessions from the stable side" if f", {record.stable} then" in seen.source else "sessions back"
        scene.notes.see(topic, seen)
