"""`rollout run`: submits once, drives to the end, can be left and taken up again."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from cli_world import NEW, RELEASE, REPOSITORY, Desk, outputs_text

from rollout.cli.exits import Exit
from rollout.record import State

PASSED = ["Read shop-api: gates PASS, read once more before it counts", "Pass shop-api: the gates hold; on to"]
STORY = [
    "Lead shop-api: 1800000000-blue-cccccccccccc is PREPARING with 0 % on blue",
    "Ready shop-api: blue has 1.1.0, 2 tasks of shop-api:2, 2 healthy targets",
    "Start shop-api: 5 % to blue, no confirmation asked for",
    "Advance shop-api: 5 % to blue, read back; baking 15 min",
    PASSED[0],
    f"{PASSED[1]} 25 %",
    "Advance shop-api: 25 % to blue, read back; baking 2 min",
    PASSED[0],
    f"{PASSED[1]} 50 %",
    "Advance shop-api: 50 % to blue, read back; baking 2 min",
    PASSED[0],
    f"{PASSED[1]} 100 %",
    "Advance shop-api: 100 % to blue, read back; watching for 30 min",
    "Retire shop-api: 30 verified minutes at 100 %, no trigger tripped; green may go",
    "Retire shop-api: green has no task left and keeps shop-api:1",
    "Complete shop-api: blue has all customers, still so after 300 s",
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_good_release_is_a_sentence_an_event(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Golden: the whole log of a release without incident."""
    assert desk("run") == Exit.DONE

    out, err = capsys.readouterr()
    assert out.splitlines() == STORY
    assert err.splitlines() == [
        "Submitted 1800000000-blue-cccccccccccc.",
        "Completed: blue runs 1.1.0 and has all customers.",
    ]
    assert desk.world.share == 100


def test_the_log_for_machines_is_a_json_object_an_event(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.world.slots["blue"].error_percent = 5.0

    assert desk("run", "--log-format", "json") == Exit.ROLLED_BACK

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events[3:]] == [
        "SHARE_VERIFIED",
        "TRIGGER_TRIPPED",
        "SWITCHED",
        "HEALTH_VERIFIED",
        "CLEANED",
        "SETTLED",
    ]
    tripped = events[4]
    assert (tripped["verdict"], tripped["state"], tripped["share_wanted"]) == ("FAIL", "ROLLING_BACK", 0)
    assert tripped["sentence"].startswith("Roll back shop-api: FAIL TRIG-01 5 %, error rate > 1 %")
    assert tripped["leading"]


def test_a_failed_gate_has_its_own_code(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """0.5 % is under the trigger of 1 % and over the gate of 0.1 %."""
    desk.world.slots["blue"].error_percent = 0.5

    assert desk("run") == Exit.GATE_FAILED

    out, err = capsys.readouterr()
    assert "Fail shop-api: FAIL GATE-01 0.5 %, error rate < 0.1 %" in out
    assert "Rolled back, green has all customers: FAIL GATE-01" in err


def test_a_candidate_that_never_gets_ready_moves_nobody(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.world.slots["blue"].crashes = True

    assert desk("run") == Exit.GATE_FAILED

    out, err = capsys.readouterr()
    assert "Give up shop-api: 3 tasks of the candidate died while it was prepared; no customer was moved" in out
    assert "Ended before any customer was moved: 3 tasks" in err
    assert desk.world.shares == []


class TestLeaving:
    """Somebody wants to leave, and the rollout goes on."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_leaves_after_the_tick(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], number: signal.Signals
    ) -> None:
        """The record stays, the lease is released, the next controller goes on at once."""
        before = signal.getsignal(number)
        desk.when(State.BAKING, lambda: signal.raise_signal(number))

        assert desk("run") == Exit.RUNNING

        err = capsys.readouterr().err
        assert "Interrupted; 1800000000-blue-cccccccccccc is BAKING. 5 % of the customers are on blue" in err
        assert "`rollout run`" in err
        assert "`rollout rollback --reason ...`" in err
        assert "`rollout status`" in err
        assert (desk.record.state, desk.record.owner) == (State.BAKING, "")
        assert signal.getsignal(number) is before

    def test_a_second_ctrl_c_leaves_at_once(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        def twice() -> None:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
                # Two signals that are pending at once are one: let the interpreter see each.
                assert not any(False for _ in range(100))

        desk.when(State.BAKING, twice)
        # A shell starts its background jobs with SIGINT ignored, and then the second one would be.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            assert desk("run") == Exit.RUNNING
        finally:
            signal.signal(signal.SIGINT, before)
        assert "Stopped at once; the lease lapses by itself." in capsys.readouterr().err
        assert desk.record.state is State.BAKING

    def test_another_thread_is_not_asked_for_signals(self, desk: Desk) -> None:
        """Python delivers signals to the main thread only; elsewhere the command works without them."""
        desk.world.slots["blue"].error_percent = 5.0
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(desk("run")))
        thread.start()
        thread.join(30)

        assert codes == [Exit.ROLLED_BACK]

    def test_the_same_submission_attaches(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        """I14: the same submission twice is one rollout."""
        assert desk("run", "--wait-seconds", "0") == Exit.RUNNING
        assert desk("run") == Exit.DONE

        err = capsys.readouterr().err
        assert "Attached to 1800000000-blue-cccccccccccc, PREPARING." in err
        assert len(desk.connection.store.plans) == 1

    def test_patience_ends(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert desk("run", "--wait-seconds", "0") == Exit.RUNNING

        err = capsys.readouterr().err
        assert "is PREPARING. Preparing blue; no customer was moved; next: when blue is healthy, 5 %" in err
        assert "Interrupted" not in err

    def test_patience_ends_while_it_holds(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.when(State.BAKING, lambda: desk("pause", "--reason", "lunch"))
        asked = desk.connection.on_tick

        def look() -> None:
            asked()
            if desk.record.state is State.HOLDING:
                raise KeyboardInterrupt

        desk.connection.on_tick = look
        assert desk("run") == Exit.RUNNING
        desk.connection.on_tick = lambda: None
        capsys.readouterr()

        assert desk("run", "--wait-seconds", "0") == Exit.HOLDING
        assert "is HOLDING. Holding with 5 % of the customers on blue: ada: lunch" in capsys.readouterr().err

    def test_a_held_start_waits_for_a_person(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.when(State.READY, lambda: desk("confirm", "--reason", "looks good"))

        assert desk("run", "--hold-before-traffic") == Exit.DONE
        assert "Start shop-api: 5 % to blue, confirmed by ada" in capsys.readouterr().out


class TestAnotherController:
    """This process only watches, until it has to lead."""

    def test_it_follows_and_takes_over_when_the_leader_is_gone(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def vanish() -> None:
            raise KeyboardInterrupt

        desk.when(State.BAKING, vanish)
        desk("run")
        desk.connection.on_tick = lambda: None
        desk.connection.owner = "other/2/def"
        capsys.readouterr()

        assert desk("run") == Exit.DONE

        out = capsys.readouterr().out.splitlines()
        assert out[0] == "Follow shop-api: host/1/abc leads; 1800000000-blue-cccccccccccc is BAKING with 5 % on blue"
        assert out[1] == "Lead shop-api: 1800000000-blue-cccccccccccc is BAKING with 5 % on blue"
        assert out[2] == "Bake again shop-api: another controller took over: the bake starts anew"

    def test_a_store_that_goes_away_is_told_once(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        waits: list[int] = []

        def flicker() -> None:
            waits.append(1)
            if len(waits) == 10:
                desk.world.down.add("store")
            if len(waits) == 13:
                desk.world.down.discard("store")

        desk.connection.clock.on_wait = flicker

        assert desk("run") == Exit.DONE
        assert capsys.readouterr().out.count("Wait shop-api: the store does not answer") == 1

    def test_a_store_that_is_gone_from_the_first_tick_on_is_not_decidable(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = desk.connection.engine

        def late(*arguments: Any) -> Any:
            desk.world.down.add("store")
            return engine(*arguments)

        monkeypatch.setattr(desk.connection, "engine", late)

        assert desk("run") == Exit.HOLDING
        assert "Not decidable: the store does not answer" in capsys.readouterr().err

    def test_a_command_that_fails_is_told_once(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.when(State.READY, lambda: desk.world.down.add("ecs"))
        desk.connection.clock.world.at(200, lambda world: world.down.discard("ecs"))

        assert desk("run") == Exit.DONE
        assert capsys.readouterr().out.count("Retry shop-api: HoldStableCapacity(minimum=2): ecs does not answer") == 1


class TestWhatIsReleased:
    """Image and version come from the options, else from the file."""

    def test_another_active_rollout_is_named(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.submit_and_leave()

        assert desk("run", "--image", "sha256:" + "d" * 64) == Exit.BAD_INPUT
        assert "1800000000-blue-cccccccccccc is active in state PREPARING" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "version"),
        [
            ((), "1.1.0"),
            (("--version", "1.1.0"), "1.1.0"),
            (("--image", NEW), "1.1.0"),
            (("--image", f"{REPOSITORY}@{NEW}", "--version", "other"), "other"),
        ],
        ids=["file", "version", "image", "both"],
    )
    def test_how_it_is_named(self, desk: Desk, arguments: tuple[str, ...], version: str) -> None:
        desk("run", "--wait-seconds", "0", *arguments)

        assert (desk.record.version_name, desk.record.image) == (version, f"{REPOSITORY}@{NEW}")

    def test_an_image_that_nobody_lists_is_called_by_its_digest(self, desk: Desk) -> None:
        desk("run", "--wait-seconds", "0", "--image", "sha256:" + "d" * 64)

        assert desk.record.version_name == "d" * 12

    def test_the_image_of_the_file(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "outputs.json").write_text(outputs_text(images=None))
        desk.release(RELEASE.replace('"1.1.0"', f'"3.0.0"\nimage = "{NEW}"'))

        desk("run", "--wait-seconds", "0")
        assert desk.record.version_name == "3.0.0"
        desk("run", "--wait-seconds", "0", "--image", NEW)
        assert len(desk.connection.store.plans) == 1

    def test_a_drill_needs_an_environment_that_takes_it(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run", "--drill", "--wait-seconds", "0")
        assert desk.record.drill

        desk.release(RELEASE.replace('"outputs.json"', '"outputs.json"\ndrills = false'))
        assert desk("run", "--drill") == Exit.BAD_INPUT
        assert "environment sandbox takes no drills" in capsys.readouterr().err

    def test_a_plan_that_cannot_start_is_not_started(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        """MET-02: bakes of 31 minutes; nothing is stored and nothing is moved."""
        stages = "[{ share_percent = 5, bake_minutes = 31 }, { share_percent = 100 }]"
        desk.release(f"{RELEASE}\nstages = {stages}")

        assert desk("run") == Exit.BAD_INPUT
        assert "error deployment-time: 1 stages before 100 % take 34 min" in capsys.readouterr().err
        assert desk.connection.store.records == {}
