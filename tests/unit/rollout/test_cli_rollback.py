"""`rollout rollback`: whoever leads, and whatever else is down."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from cli_world import Desk

from rollout.cli.exits import Exit
from rollout.errors import AccessDenied
from rollout.record import State


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def baking(desk: Desk, *, vanish: bool = False) -> None:
    """A rollout at 5 percent; its leader has left, or is gone without having said so."""

    def leave() -> None:
        if vanish:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    desk.when(State.BAKING, leave)
    desk("run")
    desk.connection.on_tick = lambda: None
    assert desk.record.state is State.BAKING


def test_it_does_the_work_when_nobody_leads(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    baking(desk)
    capsys.readouterr()

    assert desk("rollback", "--reason", "support calls") == Exit.ROLLED_BACK

    out, err = capsys.readouterr()
    assert "Asked to take 1800000000-blue-cccccccccccc back to green: support calls" in err
    assert "Roll back shop-api: ada: support calls" in out
    assert "Verify shop-api: green is healthy with all customers, 5 public answers in a row" in out
    assert "Rolled back, green has all customers: ada: support calls." in err
    assert desk.world.share == 0
    back = desk.record.back
    assert back is not None
    assert (back.by, back.rule) == ("ada", "operator")


def test_it_waits_for_a_lease_that_lapses(desk: Desk) -> None:
    baking(desk, vanish=True)
    desk.connection.owner = "other/2/def"

    assert desk("rollback", "--reason", "its laptop was closed") == Exit.ROLLED_BACK


def test_nothing_to_take_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk("rollback", "--reason", "why not") == Exit.BAD_INPUT
    desk("run")
    assert desk("rollback", "--reason", "why not") == Exit.BAD_INPUT

    assert capsys.readouterr().err.count("no rollout is active in sandbox: there is nothing to take back") == 2


def test_before_any_customer_was_moved(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.submit_and_leave()

    assert desk("rollback", "--reason", "wrong version") == Exit.ROLLED_BACK
    assert "Ended before any customer was moved: ada: wrong version" in capsys.readouterr().err


def test_asked_again_it_is_followed_up(desk: Desk) -> None:
    """The second command changes nothing and waits for the end of what the first one began."""
    baking(desk)
    desk("rollback", "--reason", "first", "--wait-seconds", "0")
    state = desk.record.state

    assert state is State.ROLLING_BACK
    assert desk("rollback", "--reason", "second") == Exit.ROLLED_BACK
    assert desk.record.back is not None
    assert desk.record.back.cause == "ada: first"


def test_another_controller_does_the_cleaning(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """With the customers back and healthy there is nothing to wait for when somebody else leads."""
    baking(desk)
    leader = desk.connection.engine()
    desk.connection.owner = "other/2/def"
    desk.connection.clock.on_wait = lambda: leader.tick("arn:rule")
    leader.tick("arn:rule")
    capsys.readouterr()

    assert desk("rollback", "--reason", "support calls") == Exit.ROLLED_BACK

    assert desk.record.state in (State.CLEANING, State.SETTLING_BACK)
    assert "green has all customers again and its health was verified" in capsys.readouterr().err
    leader._outbox.close(1.0)


def test_health_that_is_never_verified_has_its_own_code(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """RB-03: alarmed after five minutes, left to people after as long again; it never claims success."""
    baking(desk)
    desk.world.down.add("public")

    assert desk("rollback", "--reason", "support calls") == Exit.NOT_VERIFIED

    out, err = capsys.readouterr()
    assert "Alarm shop-api: not verified within 300 s" in out
    assert "is VERIFYING. Taking traffic back to green" in err
    assert desk.world.share == 0

    desk.world.down.discard("public")
    assert desk("rollback", "--reason", "again") == Exit.ROLLED_BACK


class TestWithoutTheStateTable:
    """The load balancer alone is enough, when a person names the side."""

    def test_the_side_has_to_be_named(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        """Weights of 0/100 would name the new version as the stable one: nobody guesses here."""
        baking(desk)
        desk.world.down.add("store")

        assert desk("rollback", "--reason", "support calls") == Exit.BAD_INPUT

        err = capsys.readouterr().err
        assert "the state table does not say which side is stable: the store does not answer" in err
        assert "scripts/emergency-rollback.sh" in err
        assert desk.world.share == 5

    def test_it_switches_and_does_not_claim_verified_health(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        baking(desk)
        desk.world.down.add("store")

        assert desk("rollback", "--to", "green", "--reason", "support calls") == Exit.NOT_VERIFIED

        err = capsys.readouterr().err
        assert "All customers are on green, read back from the load balancer" in err
        assert "health was NOT verified" in err
        assert desk.world.share == 0

    def test_it_tries_for_a_minute(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        baking(desk)
        desk.world.down |= {"store", "elb"}
        desk.connection.clock.on_wait = lambda: desk.world.down.discard("elb")

        assert desk("rollback", "--to", "green", "--reason", "support calls") == Exit.NOT_VERIFIED
        assert "All customers are on green" in capsys.readouterr().err

    def test_it_says_when_it_did_not_succeed(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        baking(desk)
        desk.world.down |= {"store", "elb"}
        monkeypatch.setattr("rollout.cli.rollback._TRIES_SECONDS", 0.0)

        assert desk("rollback", "--to", "green", "--reason", "support calls") == Exit.NOT_VERIFIED
        assert "NOT rolled back: elb does not answer" in capsys.readouterr().err

    def test_a_refusal_is_not_repeated(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def denied(**_: object) -> None:
            raise AccessDenied("not authorized to ModifyRule", hint="Assume the controller's role.")

        baking(desk)
        desk.world.down.add("store")
        monkeypatch.setattr(desk.connection.router, "set_share", denied)

        assert desk("rollback", "--to", "green", "--reason", "support calls") == Exit.NOT_VERIFIED
        assert "NOT rolled back: not authorized to ModifyRule" in capsys.readouterr().err

    def test_the_named_side_must_be_the_recorded_one(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        baking(desk)

        assert desk("rollback", "--to", "blue", "--reason", "support calls") == Exit.BAD_INPUT
        assert "cannot go back to blue. Its stable side is green" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "bell \x07"])
def test_a_reason_says_something(desk: Desk, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    assert desk("rollback", "--reason", reason) == Exit.BAD_INPUT
    assert "the reason is empty, too long or not printable" in capsys.readouterr().err
