"""The migrations on a real database of their own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sandbox.service import migrate
from sandbox.service.tests.inside import InProcess
from sandbox.service.tests.support import World

SCHEMA = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns" + (
    " WHERE table_schema = 'public' ORDER BY 1, 2"
)


def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""

    async def work() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def schema(url: str) -> list[tuple[str, ...]]:
    """All columns."""

    async def work() -> list[tuple[str, ...]]:
        connection = await asyncpg.connect(url)
        rows = [tuple(row) for row in await connection.fetch(SCHEMA)]
        await connection.close()
        return rows

    return asyncio.run(work())


@pytest.fixture
def empty(shop: World) -> Iterator[str]:
    """The URL of an empty schema `public`; the shop's own is put back afterwards."""
    url = shop.database.url
    aside = "ALTER SCHEMA public RENAME TO aside", "CREATE SCHEMA public"
    execute(url, *aside)
    yield url
    execute(url, "DROP SCHEMA public CASCADE", "ALTER SCHEMA aside RENAME TO public")


def test_going_up_and_down_leads_back_to_the_same_schema(empty: str) -> None:
    """Each version's migrations, once, in order; a second run does nothing."""
    first = asyncio.run(migrate.up(empty, "1.0.0"))
    old = schema(empty)
    second = asyncio.run(migrate.up(empty, "1.1.0"))
    again = asyncio.run(migrate.up(empty, "1.1.0"))
    back = asyncio.run(migrate.down(empty, "0002"))

    assert (first, second, again, back) == (["0001", "0002"], ["0003"], [], ["0003"])
    assert old == schema(empty)
    assert asyncio.run(migrate.status(empty)) == {"applied": ["0001", "0002"], "pending": ["0003"]}


def test_a_migration_that_fails_leaves_nothing_half_done(empty: str, tmp_path: Path) -> None:
    """Its statements and its record are one transaction."""
    directory = Path(shutil.copytree(migrate.DIRECTORY, tmp_path / "migrations"))
    up = directory / "0003_item_note.up.sql"
    up.write_text(up.read_text() + "SELECT 1 / 0;\n")
    with pytest.raises(asyncpg.DivisionByZeroError):
        asyncio.run(migrate.up(empty, directory=directory))

    assert "note" not in {column for _, column, *_ in schema(empty)}
    assert asyncio.run(migrate.status(empty))["pending"] == ["0003"]


def test_a_migration_changed_after_it_was_applied_is_refused(empty: str, tmp_path: Path) -> None:
    """By its checksum."""
    asyncio.run(migrate.up(empty))
    directory = Path(shutil.copytree(migrate.DIRECTORY, tmp_path / "migrations"))
    up = directory / "0001_items.up.sql"
    up.write_text(up.read_text() + "-- afterthought\n")

    with pytest.raises(migrate.MigrationError, match="0001 was changed"):
        asyncio.run(migrate.up(empty, directory=directory))


def test_the_command_line_says_what_it_did_and_what_stands_in_the_way(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 with the ids, 1 with a sentence, 2 for wrong use."""
    codes = []
    for url in (empty, "postgresql://x@127.0.0.9:1/x"):
        monkeypatch.setenv("DATABASE_URL", url)
        codes.append(migrate.main(["up", "--version", "1.0.0"]))
    said = capsys.readouterr()
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(SystemExit) as usage:
        migrate.main(["up"])

    assert [*codes, usage.value.code] == [0, 1, 2]
    assert "['0001', '0002']" in said.out
    assert "cannot be reached" in said.err


def test_a_version_whose_migration_is_pending_is_not_healthy(empty: str, shop: World) -> None:
    """It names the migration; the version before it is healthy on the same schema."""
    asyncio.run(migrate.up(empty, "1.0.0"))
    with InProcess(shop, "blue", version="1.1.0") as newer, InProcess(shop, "green") as older:
        answer = newer.get("/health/database")

        assert (answer.status_code, older.get("/health/database").status_code) == (503, 200)
        assert "0003" in answer.json()["checks"]["schema"]
