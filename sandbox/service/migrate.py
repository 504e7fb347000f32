"""Applies the numbered migrations, each in one transaction, under an advisory lock, with checksums on record.

`python -m sandbox.service.migrate up|down|status [--version V] [--to ID]`, the database in DATABASE_URL.
Exit codes: 0 done; 1 the database or a migration file stands in the way (the message says what to do); 2 usage.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

DIRECTORY = Path(__file__).parent / "migrations"
LATEST = "1.1.0"
LOCK_KEY = 7_305_001
LOCK_SECONDS = 10.0
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.up\.sql")
_HEADER = re.compile(r"^-- (since|requires|kind|irreversible): (.+)$", re.MULTILINE)
_TABLE = """CREATE TABLE IF NOT EXISTS schema_migrations (
    id text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""


class MigrationError(Exception):
    """The migrations cannot be applied as asked; the message names the file or the row, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One numbered step. `down` is None when it is declared irreversible; `requires` is None for the first."""

    id: str
    name: str
    since: str
    requires: str | None
    kind: str
    up: str
    down: str | None

    @property
    def checksum(self) -> str:
        """SHA-256 of the statements that go up."""
        return hashlib.sha256(self.up.encode()).hexdigest()


def load(directory: Path = DIRECTORY) -> list[Migration]:
    """All migrations in order. Raises MigrationError on a bad name, header, gap, second head or missing way back."""
    found = [_read(path) for path in sorted(directory.glob("*.up.sql"))]
    for previous, following in zip([None, *found], found, strict=False):
        wanted = previous.id if previous else None
        if following.requires != wanted:
            raise MigrationError(
                f"migration {following.id} requires {following.requires}, but follows {wanted}: two heads or a gap; "
                "renumber it and set its `-- requires:` line"
            )
    return found


def of_version(version: str, directory: Path = DIRECTORY) -> list[Migration]:
    """The migrations that `version` needs."""
    return [step for step in load(directory) if _number(step.since) <= _number(version)]


@cache
def required_ids(version: str) -> tuple[str, ...]:
    """Ids of the migrations that `version` needs."""
    return tuple(step.id for step in of_version(version))


async def up(url: str, version: str = LATEST, *, directory: Path = DIRECTORY) -> list[str]:
    """Apply what is pending for `version`; returns the ids that were applied, in order. Raises MigrationError."""
    done: list[str] = []
    async with _Locked(url) as connection:
        applied = await _applied(connection, directory)
        for step in of_version(version, directory):
            if step.id in applied:
                continue
            async with connection.transaction():
                await connection.execute(step.up)
                await connection.execute(
                    "INSERT INTO schema_migrations (id, name, checksum) VALUES ($1, $2, $3)",
                    step.id,
                    step.name,
                    step.checksum,
                )
            done.append(step.id)
    return done


async def down(url: str, to: str | None, *, directory: Path = DIRECTORY) -> list[str]:
    """Take back everything after `to` (None: everything), newest first; for tests, never for a rollback in production.
    Returns the ids. Raises MigrationError."""
    done: list[str] = []
    async with _Locked(url) as connection:
        applied = await _applied(connection, directory)
        for step in reversed(load(directory)):
            if step.id not in applied or (to is not None and step.id <= to):
                continue
            if step.down is None:
                raise MigrationError(f"migration {step.id} is declared irreversible; restore a backup instead")
            async with connection.transaction():
                await connection.execute(step.down)
                await connection.execute("DELETE FROM schema_migrations WHERE id = $1", step.id)
            done.append(step.id)
    return done


async def status(url: str, version: str = LATEST, *, directory: Path = DIRECTORY) -> dict[str, list[str]]:
    """{"applied": [ids], "pending": [ids that `version` needs]}."""
    async with _Locked(url) as connection:
        applied = await _applied(connection, directory)
    pending = [step.id for step in of_version(version, directory) if step.id not in applied]
    return {"applied": sorted(applied), "pending": pending}


class _Locked:
    """A connection that holds the advisory lock, so that two runners never work at once."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Any:
        try:
            self._connection = await asyncpg.connect(self._url, timeout=5.0)
        except (OSError, asyncpg.PostgresError) as error:
            raise MigrationError(f"the database cannot be reached ({type(error).__name__}); is it running?") from error
        await self._connection.execute(f"SET lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'")
        try:
            await self._connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        except asyncpg.LockNotAvailableError as error:
            await self._connection.close()
            raise MigrationError(
                f"another migration run has held the lock for {LOCK_SECONDS:g} s; wait for it"
            ) from error
        await self._connection.execute(_TABLE)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


async def _applied(connection: Any, directory: Path) -> Mapping[str, str]:
    rows = {row["id"]: row["checksum"] for row in await connection.fetch("SELECT id, checksum FROM schema_migrations")}
    for step in load(directory):
        if step.id in rows and rows[step.id] != step.checksum:
            raise MigrationError(
                f"migration {step.id} was changed after it was applied; restore the file and write a new migration"
            )
    return rows


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise MigrationError(f"{path.name}: a migration is named NNNN_words.up.sql")
    text = path.read_text(encoding="utf-8")
    headers = dict(_HEADER.findall(text))
    missing = [name for name in ("since", "requires", "kind") if name not in headers]
    if missing:
        raise MigrationError(f"{path.name} lacks the line `-- {missing[0]}: ...`")
    back = path.with_name(path.name.replace(".up.sql", ".down.sql"))
    if not back.exists() and "irreversible" not in headers:
        raise MigrationError(f"{path.name} has no {back.name}; write it, or declare `-- irreversible: reason`")
    return Migration(
        id=match[1],
        name=match[2],
        since=headers["since"],
        requires=None if headers["requires"] == "none" else headers["requires"],
        kind=headers["kind"],
        up=text,
        down=back.read_text(encoding="utf-8") if back.exists() else None,
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.service.migrate", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--version", default=LATEST, help="the version whose migrations are wanted")
    parser.add_argument("--to", default=None, help="down: the last migration that stays")
    asked = parser.parse_args(arguments)
    url = os.environ.get("DATABASE_URL")
    if not url:
        parser.error("set DATABASE_URL to the database to be migrated")
    try:
        if asked.command == "status":
            result: object = asyncio.run(status(url, asked.version))
        else:
            result = asyncio.run(up(url, asked.version) if asked.command == "up" else down(url, asked.to))
    except (MigrationError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{asked.command}: {result}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
