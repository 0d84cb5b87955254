import asyncio
import sqlite3
from pathlib import Path

import pytest

from frontdesk.core.database import Database
from frontdesk.core.errors import ConfigurationError, TransientError


def create(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE counts (n INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO counts VALUES (0)")


def count(db: sqlite3.Connection) -> int:
    db.execute("UPDATE counts SET n = n + 1")
    return int(db.execute("SELECT n FROM counts").fetchone()[0])


async def test_the_tables_are_made_once_and_kept(tmp_path: Path) -> None:
    for expected in (1, 2):
        database = await Database.open(tmp_path / "new" / "counts.sqlite3", create)
        assert await database.run(count) == expected
        await database.close()


async def test_what_fails_is_undone(tmp_path: Path) -> None:
    def fails(db: sqlite3.Connection) -> None:
        count(db)
        raise LookupError

    database = await Database.open(tmp_path / "counts.sqlite3", create)
    with pytest.raises(LookupError):
        await database.run(fails)
    assert await database.run(count) == 1
    await database.close()


async def test_many_at_once_are_counted_each(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "counts.sqlite3", create)
    assert sorted(await asyncio.gather(*(database.run(count) for _ in range(50)))) == list(range(1, 51))
    await database.close()


async def test_an_unusable_file_is_a_transient_error(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "counts.sqlite3", create)
    await database.run(lambda db: db.execute("DROP TABLE counts"))
    with pytest.raises(TransientError, match="counts"):
        await database.run(count)
    await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite3"
    path.write_text("these are no tables" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        await Database.open(path, create)


async def test_later_steps_change_what_earlier_versions_made(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite3"

    def twice(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE counts ADD COLUMN twice INTEGER NOT NULL DEFAULT 0")
        db.execute("UPDATE counts SET n = n + 10, twice = 2 * n")

    with sqlite3.connect(path) as before_versions:
        create(before_versions)
    for expected in (11, 12):
        database = await Database.open(path, create, twice)
        assert await database.run(count) == expected
        await database.close()


async def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite3"

    def broken(db: sqlite3.Connection) -> None:
        count(db)
        raise LookupError

    await (await Database.open(path, create)).close()
    with pytest.raises(LookupError):
        await Database.open(path, create, broken)
    database = await Database.open(path, create)
    assert await database.run(count) == 1
    await database.close()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.sqlite3"
    await (await Database.open(path, create, lambda db: None)).close()
    with pytest.raises(ConfigurationError, match="schema version 2"):
        await Database.open(path, create)


async def test_nobody_but_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "counts.sqlite3"
    database = await Database.open(path, create)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    await database.close()
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}
