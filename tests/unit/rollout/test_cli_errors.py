"""Every error is one sentence with cause and remedy, exit code 2, nothing changed, nothing left running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_world import RELEASE, Desk

from rollout.cli import application
from rollout.cli.application import Application
from rollout.cli.exits import Exit, exit_of
from rollout.cli.main import main
from rollout.cli.words import duration, many, moment, percent
from rollout.errors import AccessDenied, InvariantBroken
from rollout.record import Return, State
from tests.unit.rollout import worlds

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestErrors:
    """What can be wrong before anything was changed."""

    def test_no_outputs_file(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        (desk.directory / "outputs.json").unlink()

        assert desk("run") == Exit.BAD_INPUT
        assert "Start the sandbox with `python -m sandbox up`." in capsys.readouterr().err

    def test_an_outputs_file_of_ones_own(self, desk: Desk) -> None:
        (desk.directory / "outputs.json").rename(desk.directory / "other.json")

        assert desk("status", "--outputs", str(desk.directory / "other.json")) == Exit.DONE

    def test_an_unknown_environment(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert desk("run", "--environment", "moon") == Exit.BAD_INPUT
        assert "environment 'moon' is not declared" in capsys.readouterr().err

    def test_ci_has_to_name_it(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.variables["CI"] = "true"

        assert desk("run") == Exit.BAD_INPUT
        assert desk("run", "--environment", "sandbox", "--wait-seconds", "0") == Exit.RUNNING
        assert "`rollout status --environment sandbox`" in capsys.readouterr().err

    def test_a_wrong_file_names_all_mistakes(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.release(RELEASE + "settle_second = 1\nhold_seconds_max = 1")

        assert desk("run") == Exit.BAD_INPUT
        err = capsys.readouterr().err
        assert "has 2 errors:" in err
        assert "plan.settle_second: is not known here" in err

    @pytest.mark.parametrize("command", ["run", "status", "history", "explain", "pause"])
    def test_an_endpoint_that_does_not_answer(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        desk.world.down |= {"store", "elb"}
        reason = ("--reason", "x") if command == "pause" else ()

        assert desk(command, *reason) == Exit.BAD_INPUT
        assert capsys.readouterr().err.startswith("rollout: the store does not answer. Is it reachable? Ask `python -m")

    def test_expired_credentials(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def expired(key: str) -> None:
            raise AccessDenied("the security token has expired", hint="Log in again.")

        monkeypatch.setattr(desk.connection.store, "load", expired)

        assert desk("run") == Exit.BAD_INPUT
        assert capsys.readouterr().err == "rollout: the security token has expired. Log in again.\n"
        assert desk.world.calls == []

    @pytest.mark.parametrize(
        "arguments",
        [["run", "--bogus"], ["bogus"], ["rollback"], ["run", "--wait-seconds", "-1"], ["extend", "--seconds", "9999"]],
        ids=["option", "command", "no-reason", "negative", "range"],
    )
    def test_wrong_usage(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(arguments, Application()) == Exit.BAD_INPUT
        assert "Error:" in capsys.readouterr().err

    def test_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"]) == Exit.DONE
        assert "Exit codes: 0 done, 2 bad input" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (InvariantBroken("I1: broken", hint="Page."), Exit.BUG, "rollout: I1: broken. Page."),
            (ZeroDivisionError("oh"), Exit.BUG, "a bug; please report it with these lines"),
            (KeyboardInterrupt(), Exit.BAD_INPUT, "rollout: interrupted"),
        ],
        ids=["invariant", "bug", "interrupt"],
    )
    def test_what_must_not_happen(
        self,
        desk: Desk,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        error: BaseException,
        code: Exit,
        words: str,
    ) -> None:
        def broken(*_: Any) -> None:
            raise error

        monkeypatch.setattr(desk.connection.store, "load", broken)

        assert desk("status") == code
        assert words in capsys.readouterr().err


def test_the_program_itself(tmp_path: Path) -> None:
    """`python -m rollout` in a process of its own: a plan of the shipped file, and an error with its code."""
    plan = subprocess.run(
        [sys.executable, "-m", "rollout", "plan", "--offline", "--environment", "sandbox"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    wrong = subprocess.run(
        [sys.executable, "-m", "rollout", "status", "--release-file", str(tmp_path / "none.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (plan.returncode, plan.stderr) == (0, "")
    assert "= 28 min at worst" in plan.stdout
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "does not exist" in wrong.stderr


def test_a_real_connection_is_wired_without_asking_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """compose.connect is what the commands use when nobody hands them another one."""
    connection = application._connect(worlds.TARGET)

    assert connection.target is worlds.TARGET


class TestExitCodes:
    """Contracts, 3."""

    BACK = Return(cause="c", rule="TRIG-01", by="engine", decided_at=0.0, decided_monotonic=0.0, epoch=1)

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.COMPLETED, Exit.DONE),
            (State.FAILED, Exit.GATE_FAILED),
            (State.HOLDING, Exit.HOLDING),
            (State.ROLLED_BACK, Exit.NOT_VERIFIED),
            (State.ABORTED_EXTERNALLY, Exit.NOT_VERIFIED),
            (State.ROLLING_BACK, Exit.RUNNING),
            (State.BAKING, Exit.RUNNING),
        ],
    )
    def test_without_a_verified_way_back(self, state: State, expected: Exit) -> None:
        assert exit_of(worlds.record(state)) is expected
        assert exit_of(worlds.record(state, back=self.BACK)) is expected

    @pytest.mark.parametrize("state", [State.ROLLED_BACK, State.ABORTED_EXTERNALLY, State.SETTLING_BACK])
    def test_with_one(self, state: State) -> None:
        trigger = Return(**{**self.BACK.__dict__, "verified_at": 1.0})
        gate = Return(**{**trigger.__dict__, "rule": "gates"})

        assert exit_of(worlds.record(state, back=trigger)) is Exit.ROLLED_BACK
        assert exit_of(worlds.record(state, back=gate)) is Exit.GATE_FAILED

    def test_escalated(self) -> None:
        back = Return(**{**self.BACK.__dict__, "escalated": True})

        assert exit_of(worlds.record(State.VERIFYING, back=back)) is Exit.NOT_VERIFIED


class TestWords:
    """How numbers are said."""

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (-3, "0 s"),
            (5, "5 s"),
            (59.6, "1 min"),
            (120, "2 min"),
            (125, "2 min 5 s"),
            (3600, "1 h"),
            (3659, "1 h"),
            (3840, "1 h 4 min"),
        ],
    )
    def test_durations(self, seconds: float, text: str) -> None:
        assert duration(seconds) == text

    def test_others(self) -> None:
        assert (moment(None), moment(0)) == ("-", "1970-01-01 00:00:00Z")
        assert (percent(None), percent(12.5), many(1, "task"), many(0, "task")) == (
            "unknown",
            "12.5 %",
            "1 task",
            "0 tasks",
        )
