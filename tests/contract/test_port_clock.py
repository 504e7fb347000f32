"""Clock: the machine's, the sandbox's file, and the fake keep the same promises."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path

import pytest

from rollout.adapters.clock import SharedClock, SystemClock
from rollout.errors import SourceError
from rollout.ports import Clock
from sandbox.clock import ClockWriter
from tests.fakes.clock import FakeClock


@pytest.fixture(params=["fake", "system", "shared"])
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Clock:
    if request.param == "shared":
        ClockWriter(tmp_path / "clock", factor=60.0)
        return SharedClock(tmp_path / "clock")
    return FakeClock() if request.param == "fake" else SystemClock()


def test_both_times_move_at_the_same_pace(clock: Clock) -> None:
    wall, monotonic = clock.wall(), clock.monotonic()
    clock.wait(0.02)

    passed = clock.monotonic() - monotonic
    assert passed >= 0.02
    assert clock.wall() - wall == pytest.approx(passed, abs=1.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_waiting_for_nothing_returns(seconds: float) -> None:
    SystemClock().wait(seconds)


@pytest.mark.parametrize("kind", ["system", "shared"])
def test_a_signal_ends_a_wait_once(kind: str, tmp_path: Path) -> None:
    ClockWriter(tmp_path / "clock")
    clock = SystemClock() if kind == "system" else SharedClock(tmp_path / "clock")
    threading.Timer(0.02, clock.wake).start()
    began = time.monotonic()

    clock.wait(30)
    woken = time.monotonic() - began
    clock.wait(0.05)

    assert woken < 10
    assert time.monotonic() - began >= woken + 0.05


def test_virtual_time_neither_jumps_nor_runs_back_when_the_factor_changes(tmp_path: Path) -> None:
    writer = ClockWriter(tmp_path / "clock")
    clock = SharedClock(tmp_path / "clock")
    before = clock.monotonic()

    writer.set_factor(3600.0)
    after = clock.monotonic()

    assert 0 <= after - before < 3600
    assert clock.factor() == 3600.0
    assert clock.wall() == pytest.approx(writer.now(), abs=3600 * 0.5)
    clock.close()


@pytest.mark.parametrize("content", [None, b"short"], ids=["missing", "short"])
def test_a_clock_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "clock").write_bytes(content)

    with pytest.raises(SourceError, match="clock") as caught:
        SharedClock(tmp_path / "clock")

    assert "sandbox" in caught.value.hint


def test_a_writer_that_died_is_told(tmp_path: Path) -> None:
    (tmp_path / "clock").write_bytes(struct.pack("<Qddd", 7, 0.0, 0.0, 1.0))

    with pytest.raises(SourceError, match="locked"):
        SharedClock(tmp_path / "clock").wall()
