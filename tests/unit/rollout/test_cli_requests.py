"""What people ask of a running rollout: pause, resume, extend, confirm."""

from __future__ import annotations

import getpass
import signal
from pathlib import Path

import pytest
from cli_world import Desk

from rollout.cli.exits import Exit
from rollout.cli.people import who
from rollout.record import State


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def paused(desk: Desk) -> None:
    """Held by a person while baking, and left."""
    desk.when(State.BAKING, lambda: desk("pause", "--reason", "lunch"))
    first = desk.connection.on_tick

    def look() -> None:
        first()
        if desk.record.state is State.HOLDING:
            signal.raise_signal(signal.SIGINT)

    desk.connection.on_tick = look
    desk("run")
    desk.connection.on_tick = lambda: None
    assert desk.record.state is State.HOLDING


def test_a_pause_holds_and_a_resume_goes_on(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    paused(desk)
    out = capsys.readouterr().out
    assert "Asked 1800000000-blue-cccccccccccc to pause: lunch; host/1/abc answers it at its next tick." in out
    assert "Hold shop-api: ada: lunch" in out

    assert desk("resume", "--reason", "back") == Exit.DONE
    assert "nobody leads: `rollout run` answers it" in capsys.readouterr().out
    assert desk("run") == Exit.DONE
    assert "Resume shop-api: ada: back" in capsys.readouterr().out


def test_a_hold_ends_in_a_rollback_unless_it_is_extended(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    paused(desk)

    assert desk("extend", "--seconds", "600", "--reason", "waiting for a person") == Exit.DONE
    began = desk.world.now
    assert desk("run") == Exit.ROLLED_BACK

    out = capsys.readouterr().out
    assert "Extend shop-api: the hold, ada: waiting for a person" in out
    assert "Roll back shop-api: held for 1500 s without an answer" in out
    assert desk.world.now - began > 1500


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resume", "--reason", "x"), "It answers `resume` in HOLDING"),
        (("extend", "--seconds", "60", "--reason", "x"), "It answers `extend` in HOLDING"),
        (("pause", "--reason", "x"), "It answers `pause` in BAKING, SHIFTING, STABILIZING"),
    ],
    ids=["resume", "extend", "pause"],
)
def test_a_state_that_cannot_answer_refuses(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    desk.submit_and_leave()

    assert desk(*arguments) == Exit.BAD_INPUT
    assert f"1800000000-blue-cccccccccccc is PREPARING. {words}" in capsys.readouterr().err


def test_nothing_is_active(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk("confirm") == Exit.BAD_INPUT
    assert "no rollout is active in sandbox. Start one with `rollout run`." in capsys.readouterr().err


class TestWhoAsks:
    """The name in the journal is a claim of the environment, without characters that could hide in a log."""

    def test_the_forge_knows(self) -> None:
        assert who({"GITHUB_ACTOR": "ada[bot]"}) == "ada[bot]"
        assert who({"GITLAB_USER_LOGIN": "ada\nroot"}) == "ada_root"

    def test_a_person_at_a_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(getpass, "getuser", lambda: "ada")
        monkeypatch.setattr("rollout.cli.people.socket.gethostname", lambda: "desk")

        assert who({}) == "ada@desk"

    def test_a_container_without_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown() -> str:
            raise KeyError("uid not found")

        monkeypatch.setattr(getpass, "getuser", unknown)

        assert who({}).startswith("uid-")
