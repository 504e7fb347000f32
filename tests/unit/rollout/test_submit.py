"""A submission looks first, stores once, and is one rollout however often it comes (I4, I14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from worlds import PLAN, TARGET, Loop, loop

from rollout.codec import plan_sha256
from rollout.errors import BadInput, ConflictError
from rollout.record import Record, State
from rollout.submit import Submission, submit
from tests.fakes.sim_ports import SimClock, SimPublic
from tests.fakes.sim_world import IMAGES, NEW_IMAGE


@pytest.fixture
def run() -> Iterator[Loop]:
    with loop() as made:
        yield made


def again(run: Loop, **more: Any) -> Record:
    submission = replace(Submission(plan=PLAN, image=NEW_IMAGE, version="1.1.0"), **more)
    return submit(submission, target=TARGET, sources=run._sources(), store=run.store, clock=SimClock(run.world))


def cleared(run: Loop) -> Loop:
    run.store.records.clear()
    run.store.guards.clear()
    return run


def test_roles_size_and_version_are_what_is_live(run: Loop) -> None:
    rec = run.record

    assert (rec.stable, rec.candidate, rec.stable_size, rec.stable_version) == ("green", "blue", 2, "1.0.0")
    assert (rec.state, rec.plan_sha256, rec.rule_arn) == (State.PREPARING, plan_sha256(PLAN), "rule")
    assert sorted(run.store.guards) == ["cluster/shop-api-blue", "cluster/shop-api-green"]
    assert run.world.calls == [], "a submission changes nothing in the account"


def test_the_same_submission_twice_is_one_rollout(run: Loop) -> None:
    assert again(run).rollout_id == run.record.rollout_id
    assert len(run.store.plans) == 1


@pytest.mark.parametrize("other", [{"image": NEW_IMAGE[:-1] + "d"}, {"plan": replace(PLAN, settle_seconds=180.0)}])
def test_another_submission_is_refused_while_one_is_active(run: Loop, other: dict[str, Any]) -> None:
    with pytest.raises(ConflictError, match="is active in state PREPARING"):
        again(run, **other)


def test_two_at_the_same_instant_are_one_rollout_too(run: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look found nothing, the store found the winner."""
    looks = iter([None, run.record])
    monkeypatch.setattr(run.store, "load", lambda key: next(looks))

    assert again(run).rollout_id == run.record.rollout_id


def test_a_guard_that_another_rule_holds_is_a_conflict(run: Loop) -> None:
    run.store.records.clear()
    run.store.guards = dict.fromkeys(run.store.guards, "another rollout")

    with pytest.raises(ConflictError):
        again(run)


def test_a_new_rollout_follows_an_ended_one(run: Loop) -> None:
    ended = replace(run.record, state=State.COMPLETED, epoch=6)
    run.store.records["rule"] = ended
    run.store.guards.clear()
    run.world.advance(60)
    rec = again(run)

    assert (rec.revision, rec.epoch) == (ended.revision + 1, 6)
    assert rec.rollout_id != ended.rollout_id


def test_an_address_that_another_slot_answers_is_refused(run: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name may lead to another load balancer than the rule's."""
    monkeypatch.setattr(SimPublic, "current", lambda public: ("blue", "1.1.0"))
    cleared(run)

    with pytest.raises(BadInput, match="answered by blue"):
        again(run)


def test_a_stable_side_without_tasks_is_refused(run: Loop) -> None:
    cleared(run).world.slots["green"].running = 0

    with pytest.raises(BadInput, match="no running task"):
        again(run)


def test_the_image_that_is_live_already_is_refused(run: Loop) -> None:
    with pytest.raises(BadInput, match="already runs"):
        again(cleared(run), image=IMAGES["green"])


def test_weights_that_tell_no_roles_are_refused(run: Loop) -> None:
    cleared(run).world.set_share(40, "somebody")

    with pytest.raises(BadInput, match="do not tell"):
        again(run)
