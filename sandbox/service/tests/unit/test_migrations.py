"""The migrations as files: one line without forks, each with a way back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.service import migrate, queries


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the real migrations."""
    return Path(shutil.copytree(migrate.DIRECTORY, tmp_path / "migrations"))


def test_each_version_needs_its_own_migrations() -> None:
    """1.1.0 adds one, which only expands."""
    steps = migrate.load()

    assert migrate.required_ids("1.0.0") == ("0001", "0002")
    assert migrate.required_ids("1.1.0") == ("0001", "0002", "0003")
    assert {step.kind for step in steps} == {"expand"}


def test_two_heads_are_refused(directory: Path) -> None:
    """Two steps that follow the same one."""
    for way in ("up", "down"):
        shutil.copy(directory / f"0003_item_note.{way}.sql", directory / f"0004_other.{way}.sql")

    with pytest.raises(migrate.MigrationError, match="two heads"):
        migrate.load(directory)


def test_a_step_without_way_back_must_say_so(directory: Path) -> None:
    """Undeclared it is refused; declared it is loaded, and cannot go down."""
    (directory / "0003_item_note.down.sql").unlink()
    with pytest.raises(migrate.MigrationError, match="irreversible"):
        migrate.load(directory)
    up = directory / "0003_item_note.up.sql"
    up.write_text("-- irreversible: it merges rows\n" + up.read_text())

    assert migrate.load(directory)[-1].down is None


@pytest.mark.parametrize(("name", "text"), [("0004_x.up.sql", "SELECT 1"), ("four.up.sql", "")])
def test_a_file_that_does_not_say_what_it_is_is_refused(directory: Path, name: str, text: str) -> None:
    """By its name."""
    (directory / name).write_text(text)
    with pytest.raises(migrate.MigrationError, match=name):
        migrate.load(directory)


def test_the_older_version_never_mentions_the_new_column() -> None:
    """Otherwise it could not survive on the older schema, or break on the newer."""
    old, new = queries.of_version("1.0.0"), queries.of_version("1.1.0")

    assert "note" not in f"{old.insert}{old.read}{old.page}{old.page_after}"
    assert "note" in new.insert
