"""Dials are read from a file that others write; what they mean must be checked there and then."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.service.dials import CHOICES, DialError, DialFile, Dials, dials_from


def test_values_written_by_a_command_line_are_understood() -> None:
    """Numbers and truth values may arrive as text."""
    dials = dials_from({"error_rate": "0.25", "refuse_connections": "true", "unhealthy_tasks": "1", "health": "lie"})

    expected = Dials(error_rate=0.25, refuse_connections=True, unhealthy_tasks=1, health="lie")
    assert expected == dials


def test_a_dial_of_somebody_else_is_ignored() -> None:
    """one_zone is read by the supervisor, from the same file."""
    assert Dials() == dials_from({"one_zone": True})


@pytest.mark.parametrize(
    ("name", "value"),
    [("error_rate", 1.5), ("cpu_percent", -1), ("health", "fine"), ("latency_ms", "soon"), ("crash_on_start", "maybe")],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: object) -> None:
    """The message names the dial."""
    with pytest.raises(DialError, match=name):
        dials_from({name: value})


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_choice_is_at_rest_by_its_first_word(name: str) -> None:
    """So the table of choices and the defaults cannot drift apart."""
    assert CHOICES[name][0] == getattr(Dials(), name)


def test_a_file_is_read_once_for_each_change(tmp_path: Path) -> None:
    """Unchanged means None; a file that is gone means rest."""
    path = tmp_path / "blue.json"
    dial_file = DialFile(path)
    absent = dial_file.changed()
    path.write_text('{"latency_ms": 250}')
    written = dial_file.changed()
    unchanged = dial_file.changed()
    path.unlink()
    gone = dial_file.changed()

    assert (Dials(), Dials(latency_ms=250.0), None, Dials()) == (absent, written, unchanged, gone)


@pytest.mark.parametrize(("dials", "holds"), [({}, False), ({"error_rate": 0.1}, True), ({"stall_ms": 5}, False)])
def test_the_fast_path_is_left_only_for_dials_that_hold_answers(dials: dict[str, object], holds: bool) -> None:
    """A stall needs both its length and its period."""
    assert holds is dials_from(dials).holds_answers
