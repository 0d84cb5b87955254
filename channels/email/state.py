"""What this channel remembers in a file of its own: a key, how far each mailbox was read, and how much was answered lately.

None of it is needed to lose nothing: with a forgotten cursor unread mail is looked at again, and the store drops what it has.
With a forgotten key, answers to what was sent before begin new conversations.
"""

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Self

from frontdesk.core.database import Database

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Cursor:
    """All mail up to `uid` was taken, as long as the folder has this `uidvalidity`."""

    uidvalidity: int
    uid: int


class State:
    """All methods raise `TransientError` if the file cannot be used."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    async def open(cls, path: Path, *, clock: Callable[[], float] = time) -> Self:
        return cls(await Database.open(path, _create), clock)

    async def close(self) -> None:
        await self._database.close()

    async def key(self) -> bytes:
        """32 random bytes, always the same."""

        def read(connection: sqlite3.Connection) -> bytes:
            key: bytes = connection.execute("SELECT key FROM secret").fetchone()[0]
            return key

        return await self._database.run(read)

    async def cursor(self, address: str, folder: str) -> Cursor | None:
        def read(connection: sqlite3.Connection) -> Cursor | None:
            found = connection.execute(
                "SELECT uidvalidity, uid FROM cursors WHERE address = ? AND folder = ?", (address, folder)
            ).fetchone()
            return Cursor(*found) if found else None

        return await self._database.run(read)

    async def set_cursor(self, address: str, folder: str, cursor: Cursor) -> None:
        await self._database.run(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)", (address, folder, cursor.uidvalidity, cursor.uid)
            )
        )

    async def admit(self, key: str, id: str, most: int, *, within: float = HOUR) -> float:
        """Counts `id` under `key`, once, unless `most` others were counted `within` the last seconds, a day at most.

        Returns 0 if it is counted, and else the seconds until it could be.
        """
        now = self._clock()

        def write(connection: sqlite3.Connection) -> float:
            connection.execute("DELETE FROM counted WHERE at <= ?", (now - DAY,))
            others, oldest = connection.execute(
                "SELECT count(*), min(at) FROM counted WHERE key = ? AND id != ? AND at > ?", (key, id, now - within)
            ).fetchone()
            if others >= most:
                return float(oldest + within - now)
            connection.execute("INSERT OR IGNORE INTO counted VALUES (?, ?, ?)", (key, id, now))
            return 0.0

        return await self._database.run(write)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE cursors (address TEXT, folder TEXT, uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL, "
        "PRIMARY KEY (address, folder)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE secret (key BLOB NOT NULL)")
    connection.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))
    connection.execute("CREATE TABLE counted (key TEXT, id TEXT, at REAL NOT NULL, PRIMARY KEY (key, id)) WITHOUT ROWID")
    connection.execute("CREATE INDEX counted_at ON counted (at)")
