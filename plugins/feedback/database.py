"""The ratings, in an SQLite file of their own."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from frontdesk.core.database import Database

_SCHEMA = """
CREATE TABLE ratings (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    comment TEXT,
    language TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, kw_only=True)
class Rating:
    """`id` comes from the resolution that was rated; `rating` is from 1, bad, to 5, very good."""

    id: str
    conversation: str
    rating: int
    language: str
    at: datetime
    comment: str | None = None


class Ratings:
    """Raises `TransientError` while the file cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> "Ratings":
        return cls(await Database.open(path, _create))

    async def close(self) -> None:
        await self._database.close()

    async def keep(self, rating: Rating) -> None:
        """Keeps a rating; of one resolution the first stays, so that a repeated turn changes nothing."""
        values = (rating.id, rating.conversation, rating.rating, rating.comment, rating.language, rating.at.isoformat())

        def work(db: sqlite3.Connection) -> None:
            sql = "INSERT INTO ratings (id, conversation, rating, comment, language, at) VALUES (?, ?, ?, ?, ?, ?)"
            db.execute(f"{sql} ON CONFLICT DO NOTHING", values)

        await self._database.run(work)

    async def comment(self, id: str, text: str) -> None:
        """Adds the customer's words to a rating."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE ratings SET comment = ? WHERE id = ?", (text, id))

        await self._database.run(work)

    async def newest(self, limit: int = 100) -> list[Rating]:
        def work(db: sqlite3.Connection) -> list[Rating]:
            rows = db.execute("SELECT * FROM ratings ORDER BY at DESC, id LIMIT ?", (limit,))
            return [Rating(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in rows]

        return await self._database.run(work)


def _create(db: sqlite3.Connection) -> None:
    db.execute(_SCHEMA)
