"""Requests for rehearsals and the names they have: what scenarios ask for is what is carried out."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from probes.waiting import Tries
from rehearsal import schedule
from rehearsal.catalogue import COMPONENTS, DRILLS, EMERGENCY, LOAD, NAMES, RELEASE, Drill
from rehearsal.planted import NOTHING, Plant, read_plant
from rehearsal.result import RESULT_FILE
from rehearsal.schedule import finished, prepared_results, request, result_directory, slug
from rehearsal.warm import Fork
from sandbox.faults import read_fault
from sandbox.launch import await_exit

ROOT = Path(__file__).resolve().parents[3]


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("release", "release"),
        ("candidate answers errors", "candidate-answers-errors"),
        ("candidate's targets fail", "candidate-s-targets-fail"),
        ("  Ends with: dots...", "ends-with-dots"),
        ("../../etc", "etc"),
    ],
)
def test_a_name_as_a_directory(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_no_two_rehearsals_share_a_directory() -> None:
    assert len({slug(name) for name in NAMES}) == len(NAMES) == len(DRILLS) + 3


def test_a_result_lies_in_the_works_directory(tmp_path: Path) -> None:
    assert result_directory(tmp_path, EMERGENCY) == tmp_path / "rehearsals" / slug(EMERGENCY)
    assert not finished(tmp_path, EMERGENCY)
    result_directory(tmp_path, EMERGENCY).mkdir(parents=True)
    assert not finished(tmp_path, EMERGENCY)
    (result_directory(tmp_path, EMERGENCY) / RESULT_FILE).touch()
    assert finished(tmp_path, EMERGENCY)


# ------------------------------------------------------------------------------------------------ requests


def test_asking_twice_is_one_request(tmp_path: Path) -> None:
    for name in (COMPONENTS, RELEASE, COMPONENTS):
        request(tmp_path, name)

    assert schedule._wanted(tmp_path, set()) == [RELEASE, COMPONENTS]


def test_what_was_done_is_not_wanted_again(tmp_path: Path) -> None:
    request(tmp_path, RELEASE)
    request(tmp_path, COMPONENTS)

    assert schedule._wanted(tmp_path, {RELEASE}) == [COMPONENTS]
    assert schedule._wanted(tmp_path, set(NAMES)) == []


def test_nobody_asked_yet(tmp_path: Path) -> None:
    assert schedule._wanted(tmp_path, set()) == []


def test_a_request_that_is_being_written_is_read_later(tmp_path: Path) -> None:
    request(tmp_path, RELEASE)
    (tmp_path / "requests" / "02").write_text("components fail")

    assert schedule._wanted(tmp_path, set()) == [RELEASE]


def test_a_name_that_nobody_knows_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rehearsal is called 'a dril'; known are: release, ") as told:
        request(tmp_path, "a dril")

    assert all(name in str(told.value) for name in NAMES)
    assert not (tmp_path / "requests").exists()


# ------------------------------------------------------------------------------------------------ prepared results


def test_results_are_prepared_only_where_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(schedule.RESULTS_VARIABLE, raising=False)
    assert prepared_results() is None
    assert not schedule._take_prepared(tmp_path, RELEASE)
    monkeypatch.setenv(schedule.RESULTS_VARIABLE, "")
    assert prepared_results() is None


def test_a_prepared_result_is_taken_whole_and_its_document_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, work = tmp_path / "prepared", tmp_path / "run"
    (source / "release" / "stream").mkdir(parents=True)
    (source / "release" / "stream" / "requests.csv").write_text("lines")
    (source / "release" / RESULT_FILE).write_text("{}")
    monkeypatch.setenv(schedule.RESULTS_VARIABLE, str(source))

    assert schedule._take_prepared(work, RELEASE)
    assert not schedule._take_prepared(work, COMPONENTS), "nothing was prepared for it"
    taken = sorted(str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())
    assert taken == ["rehearsals/release/result.json", "rehearsals/release/stream/requests.csv"]


def test_the_environment_is_told_in_one_piece(tmp_path: Path) -> None:
    schedule._announce(tmp_path, directory=tmp_path, owned=False)

    assert [path.name for path in tmp_path.iterdir()] == [schedule.ENVIRONMENT_FILE]
    told = json.loads((tmp_path / schedule.ENVIRONMENT_FILE).read_text())
    assert told == {"directory": str(tmp_path), "owned": False}


def test_a_named_sandbox_that_does_not_answer_is_told_and_none_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(schedule.SANDBOX_VARIABLE, str(tmp_path / "nowhere"))

    with schedule._environment(tmp_path) as directory:
        assert directory is None
    assert "error" in json.loads((tmp_path / schedule.ENVIRONMENT_FILE).read_text())


class Started:
    """Forks that end when they are told to; remembers which were started, ended, and how many ran at once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.over: set[str] = set()
        self.ended: list[str] = []

    def start(self, work: Path, name: str, *, directory: Path | None, factor: float) -> Started.One:
        self.names.append(name)
        return Started.One(self, name)

    class One:
        def __init__(self, all_of_them: Started, name: str) -> None:
            self._all, self._name = all_of_them, name

        def poll(self) -> int | None:
            return 0 if self._name in self._all.over else None

        def end(self) -> None:
            self._all.ended.append(self._name)


def test_the_release_runs_alone_after_the_drills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third drill waits for a place; asking again for what is done starts nothing; all end with the schedule."""
    started = Started()
    monkeypatch.setenv(schedule.SANDBOX_VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.delenv(schedule.RESULTS_VARIABLE, raising=False)
    monkeypatch.setattr(schedule, "_start", started.start)
    monkeypatch.setattr(schedule, "preload", lambda: None)
    first, second, third, late = NAMES[2:6]
    turns = Turns([
        lambda: [request(tmp_path, name) for name in (RELEASE, first, second, third)],
        lambda: started.over.add(first),
        lambda: started.over.update((second, third)),
        lambda: [request(tmp_path, name) for name in (first, late)],
        lambda: started.over.add(RELEASE),
        lambda: None,
    ])  # fmt: skip

    schedule.serve(tmp_path, jobs=2, factor=60.0, stop=turns)

    two, three = [first, second], [first, second, third]
    released, everything = [*three, RELEASE], [*three, RELEASE, late]
    assert started.names == everything
    assert sorted(started.ended) == sorted(everything)
    assert turns.seen == [[], two, three, released, released, everything, everything]


def test_the_load_runs_alone_before_the_drills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started()
    monkeypatch.setenv(schedule.SANDBOX_VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.delenv(schedule.RESULTS_VARIABLE, raising=False)
    monkeypatch.setattr(schedule, "_start", started.start)
    monkeypatch.setattr(schedule, "preload", lambda: None)
    drills = NAMES[2:4]
    turns = Turns([
        lambda: [request(tmp_path, name) for name in (RELEASE, *drills, LOAD)],
        lambda: None,
        lambda: started.over.add(LOAD),
        lambda: started.over.update(drills),
        lambda: None,
    ])  # fmt: skip

    schedule.serve(tmp_path, jobs=2, factor=60.0, stop=turns)

    both = [LOAD, *drills]
    assert turns.seen == [[], [LOAD], [LOAD], both, [*both, RELEASE], [*both, RELEASE]]


class Turns(threading.Event):
    """Lets the schedule turn once for each act, and stops it then."""

    def __init__(self, acts: list[Callable[[], object]]) -> None:
        super().__init__()
        self._acts, self.seen = acts, list[list[str]]()

    def wait(self, timeout: float | None = None) -> bool:
        started = schedule._start.__self__  # type: ignore[attr-defined]
        self.seen.append(list(started.names))
        if not self._acts:
            return True
        self._acts.pop(0)()
        return False


# ------------------------------------------------------------------------------------------------ the catalogue


def said_in_features() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "features").rglob("*.feature"))]
    drills = {name for text in texts for name in re.findall(r'the drill "([^"]+)"', text)}
    return drills | {LOAD for text in texts if "the load report of the version under release" in text}


def test_every_drill_of_the_features_exists_and_every_drill_is_used() -> None:
    assert said_in_features() == set(NAMES) - {RELEASE}


def test_a_drill_breaks_what_the_sandbox_can_break() -> None:
    """Slots, dials and values as `sandbox.faults` knows them; it raises for any other."""
    sides = {"candidate": "blue", "stable": "green"}
    for drill in DRILLS.values():
        for faults in (drill.before, drill.at_shift, drill.at_return, drill.at_verified):
            for slot, dials in faults.items():
                for name, value in dials.items():
                    read_fault(sides.get(slot, slot), name, value)


def test_the_name_of_a_drill_is_its_key() -> None:
    assert {name: drill.name for name, drill in DRILLS.items()} == {name: name for name in DRILLS}
    assert Drill(name="x") == Drill(name="x")
    assert DRILLS[EMERGENCY].emergency


# ------------------------------------------------------------------------------------------------ plants


def test_a_plant_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "plant.json"
    path.write_text('{"before": {"candidate": {"error_rate": 0.5}}, "rate": 30.0}')

    assert read_plant(path) == Plant(before={"candidate": {"error_rate": 0.5}}, rate=30.0)


def test_a_plant_with_a_wrong_name_lists_the_right_ones(tmp_path: Path) -> None:
    path = tmp_path / "plant.json"
    path.write_text('{"afterwards": {}}')

    with pytest.raises(ValueError, match=r"plant\.json: a plant has no afterwards; it has ") as told:
        read_plant(path)
    assert all(field.name in str(told.value) for field in fields(Plant))


def test_nothing_is_planted_by_itself() -> None:
    assert Plant() == NOTHING


# ------------------------------------------------------------------------------------------------ forks


def ended(fork: Fork) -> int | None:
    """Its exit code once it has ended."""
    assert await_exit(fork.pid, 10.0)
    return fork.poll()


def asleep() -> int:
    """Says that it is up, and ends at a signal only."""
    os.write(1, b"up")
    while True:
        signal.pause()


def await_up(log: Path) -> None:
    """Before a child has set its own, a signal finds the handlers of its parent's code."""
    tries = Tries(deadline_seconds=10.0, interval_seconds=0.01)
    assert any(log.exists() and log.read_text() == "up" for _ in tries)


def test_a_fork_answers_its_exit_code_and_writes_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    fork = Fork(lambda: os.write(1, b"said\n") + 2, log)

    assert ended(fork) == 7
    assert fork.poll() == 7
    fork.end()
    assert log.read_text() == "said\n"


def test_a_fork_that_leaves_or_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)  # pytest's own does not follow the descriptor

    def leave() -> int:
        raise SystemExit(3)

    def say() -> int:
        raise SystemExit("a sentence")

    def break_down() -> int:
        raise ArithmeticError

    codes = [ended(Fork(work, tmp_path / "log")) for work in (leave, say, break_down)]
    assert codes == [3, 1, 70]
    assert "ArithmeticError" in (tmp_path / "log").read_text(), "the log says why it broke"


def test_a_fork_is_asked_to_end(tmp_path: Path) -> None:
    fork = Fork(asleep, tmp_path / "log")
    await_up(tmp_path / "log")
    assert fork.poll() is None

    fork.end()
    assert fork.poll() == 128 + signal.SIGTERM


def test_a_fork_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.warm._END_SECONDS", 0.2)

    def deaf() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return asleep()

    fork = Fork(deaf, tmp_path / "log")
    await_up(tmp_path / "log")

    fork.end()
    assert fork.poll() == -signal.SIGKILL


def test_waiting_for_a_process_has_an_end(tmp_path: Path) -> None:
    fork = Fork(asleep, tmp_path / "log")

    assert not await_exit(fork.pid, 0.05)
    fork.end()
