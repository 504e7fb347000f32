"""Whether the machine was there: what the watch notes, and which rehearsals are void because of it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.stream_record import Record
from probes.waiting import Tries
from rehearsal import run
from rehearsal.catalogue import LOAD, RELEASE
from rehearsal.planted import NOTHING, Plant
from rehearsal.result import LOG_FILE, VOID_DIRECTORY, Result
from rehearsal.warm import Fork
from rehearsal.watch import (
    STALL_SECONDS,
    Disturbance,
    disturbances,
    in_words,
    keep_watch,
    slow_without_change,
    stolen_seconds,
    taken_away,
    watched,
)

DRILL = "candidate answers errors"
PAUSE = Disturbance(monotonic=5.0, seconds=0.31, what="the machine stood still for 0.31 s")
THEFT = Disturbance(monotonic=7.0, seconds=0.5, what="the host took 0.50 s of cpu1 within 1.00 s")


# ------------------------------------------------------------------------------------------------ the watch


@pytest.mark.parametrize(
    ("after", "window", "expected"),
    [
        ({"cpu0": 3.0, "cpu1": 1.0}, 1.0, []),
        ({"cpu0": 3.24, "cpu1": 1.0}, 1.0, []),
        ({"cpu0": 3.25, "cpu1": 1.0}, 1.0, ["cpu0"]),
        ({"cpu0": 3.9, "cpu1": 1.9}, 1.0, ["cpu0", "cpu1"]),
        ({"cpu0": 3.3, "cpu1": 1.0}, 2.0, []),  # the same in twice the time
        ({"cpu0": 3.0, "cpu7": 9.0}, 1.0, []),  # came up meanwhile: nothing to compare with
    ],
)
def test_processors_that_the_host_took(after: dict[str, float], window: float, expected: list[str]) -> None:
    found = taken_away({"cpu0": 3.0, "cpu1": 1.0}, after, began=10.0, ended=10.0 + window)

    assert [one.what.split(" of ")[1] for one in found] == [f"{name} within {window:.2f} s" for name in expected]
    assert all(one.monotonic == 10.0 for one in found)


def test_the_kernels_account_of_stolen_time() -> None:
    text = "cpu  1 2 3 4 5 6 7 300 0 0\ncpu0 1 2 3 4 5 6 7 120 0 0\ncpu1 1 2 3 4 5 6 7 180 0 0\nintr 5\ncpu2 1 2\n"

    assert stolen_seconds(text) == {"cpu0": 1.2, "cpu1": 1.8}
    assert stolen_seconds("") == {}


def test_a_watch_notes_its_own_absence(tmp_path: Path) -> None:
    """Stopped as a whole machine would be, then let go on: what it missed is what it was stopped for, at least."""
    path = tmp_path / "watch.jsonl"
    watch = Fork(lambda: keep_watch(path), tmp_path / "log")
    try:
        assert any(path.exists() and path.read_text() for _ in Tries(deadline_seconds=10, interval_seconds=0.01))
        os.kill(watch.pid, signal.SIGSTOP)
        threading.Event().wait(2 * STALL_SECONDS)
        os.kill(watch.pid, signal.SIGCONT)
        assert any(disturbances(path) for _ in Tries(deadline_seconds=10, interval_seconds=0.01))
    finally:
        watch.end()

    seen = disturbances(path) or ()
    assert any(one.what.startswith("the machine stood still") and one.seconds >= STALL_SECONDS for one in seen)


def test_a_watch_ends_with_its_block(tmp_path: Path) -> None:
    path = tmp_path / "watch.jsonl"
    with watched(path):
        assert any(path.exists() and path.read_text() for _ in Tries(deadline_seconds=10, interval_seconds=0.01))
    size = path.stat().st_size
    with pytest.raises(ChildProcessError):  # it was waited for: this process has no child any more
        os.waitpid(-1, os.WNOHANG)
    assert path.stat().st_size == size


@pytest.mark.parametrize("text", [None, "", '{"watching_si', '{"monotonic": 5.0}\n'])
def test_nobody_watched_is_not_nothing_happened(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "watch.jsonl"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    assert disturbances(path) is None


def test_a_line_cut_off_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "watch.jsonl"
    line = json.dumps(asdict(PAUSE))
    path.write_text('{"watching_since": 1.0}\n' + line + "\n" + line[:20], encoding="utf-8")

    assert disturbances(path) == (PAUSE,)


@given(st.permutations([PAUSE, THEFT]))
def test_the_worst_is_named_first(seen: list[Disturbance]) -> None:
    assert in_words(seen) == f"{THEFT.what}, and 1 more"


def test_words_for_nothing() -> None:
    assert in_words(None) == in_words(()) == ""


def _requests(slot: str, latency: float, *, second: int = 10, number: int = 100, lag: float = 0.0) -> list[Record]:
    return [
        Record(sequence=n, monotonic=second + n / 1_000, epoch=0.0, kind="get", outcome="ok", status=200, slot=slot,
               version="1", latency=latency, lag=lag)
        for n in range(number)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("requests", "seconds"),
    [
        (_requests("green", 20.0) + _requests("blue", 800.0), []),  # the candidate alone is slow: that is the release
        (_requests("green", 180.0) + _requests("blue", 180.0), [10]),
        (_requests("green", 149.9), []),
        (_requests("green", 150.0), [10]),
        (_requests("green", 150.0, number=49), []),
        (_requests("green", 400.0, lag=390.0), []),  # it waited to leave; its answer came at once
        (_requests("green", 3.0, number=96) + _requests("green", 900.0, number=4), []),
        (_requests("green", 3.0, number=94) + _requests("green", 900.0, number=6), [10]),
        (_requests("green", 200.0, second=12) + _requests("green", 200.0, second=11), [11, 12]),
        ([], []),
    ],
)
def test_the_unchanged_side_shows_what_both_share(requests: list[Record], seconds: list[int]) -> None:
    assert [int(one.monotonic) for one in slow_without_change(requests, "green")] == seconds


# ------------------------------------------------------------------------------------------------ what is void


def _document(name: str, *seen: Disturbance, state: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    record = {"state": state, "rollout_id": f"r-{state}", "stable_version": "1", "version_name": "2"}
    return {"name": name, "record": record, "disturbances": [asdict(one) for one in seen], **more}


def _timed(seconds: float, *seen: Disturbance) -> dict[str, Any]:
    document = _document(RELEASE, *seen)
    return {**document, "record": {**document["record"], "submitted_at": 60.0, "reached_full_at": 60.0 + seconds}}


@pytest.mark.parametrize(
    ("document", "void"),
    [
        (_document(RELEASE, PAUSE), False),  # a pause makes nothing faster: good all the same
        (_timed(1799.9, PAUSE), False),
        (_timed(1800.0, PAUSE), True),
        (_timed(1800.0), False),
        (_document(RELEASE, PAUSE, facts={"load": {"exit_code": 5}}), True),
        (_document(RELEASE, PAUSE, facts={"load": {"exit_code": 4}}), True),
        (_document(RELEASE, PAUSE, facts={"load": {"exit_code": 0}}), False),
        (_document(RELEASE, facts={"load": {"exit_code": 3}}), False),
        (_document(LOAD, PAUSE, facts={"load": {"exit_code": 3}}), True),
        (_document(LOAD, facts={"load": {"exit_code": 3}}), False),
        (_document(RELEASE, state="ROLLED_BACK"), False),
        (_document(RELEASE, PAUSE, state="ROLLED_BACK"), True),
        (_document(RELEASE, PAUSE, error="RehearsalError"), True),
        (_document(DRILL, PAUSE, state="ROLLED_BACK"), False),
        (_document(DRILL, PAUSE, state="ROLLING_BACK", facts={"overdue": "waited"}), True),
        (_document(DRILL, error="RehearsalError"), False),
        ({"name": RELEASE, "disturbances": None, "error": "nobody watched"}, False),
    ],
)
def test_void_is_what_went_wrong_while_the_machine_was_not_there(document: dict[str, Any], void: bool) -> None:
    assert bool(run.void_because(document)) is void


@pytest.mark.parametrize(
    ("document", "planted", "may"),
    [
        (_document(RELEASE, PAUSE, state="ROLLED_BACK"), NOTHING, True),
        (_document(RELEASE, PAUSE, state="ROLLED_BACK"), Plant(rate=5.0), False),
        (_document(RELEASE, PAUSE, state="BAKING"), NOTHING, False),
        (_document(RELEASE, PAUSE, state="ROLLED_BACK", error="broke"), NOTHING, False),
        ({"name": RELEASE, "record": None}, NOTHING, False),
        (_document(DRILL, PAUSE, error="broke"), Plant(rate=5.0), True),
    ],
)
def test_only_what_begins_as_it_began_is_repeated(document: dict[str, Any], planted: Plant, may: bool) -> None:
    assert run.may_be_repeated(document, planted) is may


class Attempts:
    """Stands for carrying a rehearsal out: what each try answers, and what disturbed it."""

    def __init__(self, *answers: tuple[str, tuple[Disturbance, ...]]) -> None:
        self.answers = list(answers)
        self._seen: tuple[Disturbance, ...] = ()

    def carry_out(self, name: str, output: Path, **_: object) -> Mapping[str, Any]:
        state, self._seen = self.answers.pop(0)
        (output / "rollout.log").write_text(state, encoding="utf-8")
        document = _document(name, state=state, seconds=3.0)
        document["record"] |= {"created_at": 1.0, "finished_at": 2.0, "reason": "said so"}
        return {key: value for key, value in document.items() if key not in ("name", "disturbances")}

    @contextmanager
    def watched(self, path: Path) -> Iterator[None]:
        yield
        lines = [json.dumps(asdict(one)) for one in self._seen]
        path.write_text("\n".join(['{"watching_since": 1.0}', *lines, ""]), encoding="utf-8")


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Attempts, Result]]:
    def carry_out(*answers: tuple[str, tuple[Disturbance, ...]]) -> tuple[Attempts, Result]:
        attempts = Attempts(*answers)
        monkeypatch.setattr(run, "_carry_out", attempts.carry_out)
        monkeypatch.setattr(run, "watched", attempts.watched)
        (tmp_path / LOG_FILE).write_text("still being written", encoding="utf-8")
        run.rehearse(RELEASE, tmp_path, directory=None, factor=60.0)
        return attempts, Result(tmp_path)

    return carry_out


def test_a_void_release_is_repeated_and_kept(rehearsed: Callable[..., tuple[Attempts, Result]]) -> None:
    attempts, result = rehearsed(("ROLLED_BACK", (PAUSE,)), ("COMPLETED", ()))

    assert (result.record["state"], result.void_because, result.disturbed) == ("COMPLETED", "", "")
    assert not attempts.answers
    void = result.void
    assert void is not None
    assert void.void_because == PAUSE.what
    assert void.rollout is not None
    assert (void.rollout["outcome"], void.rollout["void"]) == ("ROLLED_BACK", void.void_because)
    assert (void.directory / "rollout.log").read_text() == "ROLLED_BACK"
    assert (result.directory / "rollout.log").read_text() == "COMPLETED"
    assert (result.directory / LOG_FILE).exists()
    assert not (void.directory / VOID_DIRECTORY).exists()


def test_once_only(rehearsed: Callable[..., tuple[Attempts, Result]]) -> None:
    """The second is taken as it is, and says what disturbed it."""
    _, result = rehearsed(("ROLLED_BACK", (PAUSE,)), ("ROLLED_BACK", (THEFT,)))

    ended = "the rollout ended in ROLLED_BACK: said so"
    assert result.ending == f"{ended} (while it ran, {THEFT.what})"
    assert result.rollout is not None
    assert result.rollout["void"] is None


@pytest.mark.parametrize("answer", [("ROLLED_BACK", ()), ("COMPLETED", (PAUSE, THEFT))])
def test_what_counts_is_not_repeated(
    rehearsed: Callable[..., tuple[Attempts, Result]], answer: tuple[str, tuple[Disturbance, ...]]
) -> None:
    attempts, result = rehearsed(answer, ("never", ()))

    assert len(attempts.answers) == 1
    assert (result.record["state"], result.void) == (answer[0], None)
