"""Virtual time: one file, one writer, many readers."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from sandbox.clock import ClockError, ClockReader, ClockWriter


def test_reader_and_writer_agree(tmp_path: Path) -> None:
    """Two readings a moment apart differ by no more than that moment."""
    writer = ClockWriter(tmp_path / "clock", factor=60)
    with ClockReader(tmp_path / "clock") as reader:
        before, read, after = writer.now(), reader.now(), writer.now()

        assert before <= read <= after
        assert reader.factor() == 60


def test_file_has_the_agreed_layout(tmp_path: Path) -> None:
    """32 bytes: even sequence, monotonic anchor, virtual anchor, factor."""
    ClockWriter(tmp_path / "clock", factor=2)

    sequence, monotonic, virtual, factor = struct.unpack("<Qddd", (tmp_path / "clock").read_bytes())

    assert (sequence % 2, factor) == (0, 2)
    assert abs(monotonic - time.monotonic()) < 5
    assert abs(virtual - time.time()) < 5


def test_factor_change_neither_jumps_nor_turns_back(tmp_path: Path) -> None:
    """The virtual instant stays when the pace changes, in both directions."""
    writer = ClockWriter(tmp_path / "clock")
    reader = ClockReader(tmp_path / "clock")
    seen = []
    for factor in (60.0, 1.0, 3600.0, 1.0):
        seen.append(reader.now())
        writer.set_factor(factor)
        seen.append(reader.now())

    assert seen == sorted(seen)
    assert all(later - earlier < 60 for earlier, later in zip(seen[::2], seen[1::2], strict=True))


def test_past_instants_keep_their_time(tmp_path: Path) -> None:
    """`virtual_at` of an instant before a factor change is what the clock showed then."""
    writer = ClockWriter(tmp_path / "clock", factor=10)
    instant = time.monotonic()
    shown = writer.virtual_at(instant)
    writer.set_factor(1000)

    assert writer.virtual_at(instant) == pytest.approx(shown, abs=1e-6)
    assert writer.monotonic_at(shown) == pytest.approx(instant, abs=1e-5)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_factors_are_refused(tmp_path: Path, factor: float) -> None:
    """Time must go forward at a finite pace."""
    writer = ClockWriter(tmp_path / "clock")

    with pytest.raises(ClockError, match="over 0"):
        writer.set_factor(factor)


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """The error asks whether the sandbox is up."""
    with pytest.raises(ClockError, match="is the sandbox up"):
        ClockReader(tmp_path / "clock")


def test_writer_that_died_in_mid_write_is_noticed(tmp_path: Path) -> None:
    """An odd sequence that never becomes even is an error, not an endless loop."""
    (tmp_path / "clock").write_bytes(struct.pack("<Qddd", 3, 0.0, 0.0, 1.0))

    with pytest.raises(ClockError, match="died"):
        ClockReader(tmp_path / "clock")
