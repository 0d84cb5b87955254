"""What remote models have cost: a small database in the data folder, so that a day's budget survives a restart."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection

from msgspec import Struct

from frontdesk.core.chat import Usage
from frontdesk.core.database import Database

FILE = "models.db"
KEPT_DAYS = 100


class DayUsage(Struct, frozen=True, kw_only=True):
    """What one model was used for in one day. `reserved` is the part of `cost` whose calls are not settled."""

    model: str
    calls: int
    conversations: int
    prompt: int
    completion: int
    cost: float
    reserved: float


class BudgetSpent(Exception):
    """The call could exceed the day's budget."""


def _make(db: Connection) -> None:
    db.execute(
        "CREATE TABLE spent (day TEXT NOT NULL, model TEXT NOT NULL, conversation TEXT NOT NULL, calls INTEGER NOT NULL, "
        "prompt INTEGER NOT NULL, completion INTEGER NOT NULL, cost REAL NOT NULL, "
        "PRIMARY KEY (day, model, conversation)) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE reserved (id INTEGER PRIMARY KEY, day TEXT NOT NULL, model TEXT NOT NULL, cost REAL NOT NULL)")
    db.execute("CREATE TABLE dimensions (model TEXT PRIMARY KEY, dimensions INTEGER NOT NULL)")


def today() -> date:
    """Days end at midnight UTC, as with most providers."""
    return datetime.now(UTC).date()


class Ledger:
    """Opened on first use. Several processes may use the same file."""

    def __init__(self, folder: Path, *, today: Callable[[], date] = today) -> None:
        self.path = folder / FILE
        self._today = today
        self._opening = asyncio.Lock()
        self._database: Database | None = None

    async def reserve(self, model: str, cost: float, *, budget: float | None) -> int:
        """Sets `cost` aside until `settle`. What a crash leaves unsettled counts as spent for the rest of the day.

        Raises `BudgetSpent`, and `TransientError` if the file cannot be used.
        """
        day = self._today().isoformat()

        def work(db: Connection) -> int:
            if budget is not None:
                (spent,) = db.execute("SELECT total(cost) FROM spent WHERE day = ? AND model = ?", (day, model)).fetchone()
                (held,) = db.execute("SELECT total(cost) FROM reserved WHERE day = ? AND model = ?", (day, model)).fetchone()
                if spent + held + cost > budget:
                    raise BudgetSpent
            row = db.execute(
                "INSERT INTO reserved (day, model, cost) VALUES (?, ?, ?) RETURNING id", (day, model, cost)
            ).fetchone()
            return int(row[0])

        return await (await self._opened()).run(work)

    async def settle(self, reservation: int, conversation: str, usage: Usage) -> bool:
        """Books what the call took, on the day it was reserved. Returns whether the conversation is new to the model that day."""

        def work(db: Connection) -> bool:
            held = db.execute("DELETE FROM reserved WHERE id = ? RETURNING day, model", (reservation,)).fetchone()
            if held is None or usage == Usage():
                return False
            key = (held["day"], held["model"], conversation)
            known = db.execute("SELECT 1 FROM spent WHERE (day, model, conversation) = (?, ?, ?)", key).fetchone()
            db.execute(
                "INSERT INTO spent VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + 1, "
                "prompt = prompt + excluded.prompt, completion = completion + excluded.completion, cost = cost + excluded.cost",
                (*key, usage.prompt, usage.completion, usage.cost),
            )
            return known is None

        return await (await self._opened()).run(work)

    async def usage(self, day: date | None = None) -> list[DayUsage]:
        """Each model's, of today if no day is given."""
        chosen = (day or self._today()).isoformat()

        def work(db: Connection) -> list[DayUsage]:
            held = dict(db.execute("SELECT model, total(cost) FROM reserved WHERE day = ? GROUP BY model", (chosen,)).fetchall())
            rows = db.execute(
                "SELECT model, sum(calls) calls, sum(conversation <> '') conversations, sum(prompt) prompt, "
                "sum(completion) completion, total(cost) cost FROM spent WHERE day = ? GROUP BY model",
                (chosen,),
            ).fetchall()
            nothing = dict.fromkeys(("calls", "conversations", "prompt", "completion", "cost"), 0)
            found = {model: {"model": model, **nothing} for model in held} | {row["model"]: dict(row) for row in rows}
            return [
                DayUsage(**{**found[model], "cost": found[model]["cost"] + held.get(model, 0.0)}, reserved=held.get(model, 0.0))
                for model in sorted(found)
            ]

        return await (await self._opened()).run(work)

    async def remember_dimensions(self, model: str, dimensions: int) -> None:
        def work(db: Connection) -> None:
            db.execute("INSERT OR REPLACE INTO dimensions VALUES (?, ?)", (model, dimensions))

        await (await self._opened()).run(work)

    def dimensions(self, model: str) -> int | None:
        """The length of the model's vectors, if one was ever seen. Blocks, shortly."""
        if not self.path.exists():
            return None
        try:
            db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
            try:
                row = db.execute("SELECT dimensions FROM dimensions WHERE model = ?", (model,)).fetchone()
            finally:
                db.close()
        except sqlite3.Error:
            return None
        return int(row[0]) if row else None

    async def close(self) -> None:
        async with self._opening:
            database, self._database = self._database, None
        if database is not None:
            await database.close()

    async def _opened(self) -> Database:
        async with self._opening:
            if self._database is None:
                database = await Database.open(self.path, _make)
                old = (self._today() - timedelta(days=KEPT_DAYS)).isoformat()
                yesterday = (self._today() - timedelta(days=1)).isoformat()

                def tidy(db: Connection) -> None:
                    db.execute("DELETE FROM spent WHERE day < ?", (old,))
                    db.execute("DELETE FROM reserved WHERE day < ?", (yesterday,))

                await database.run(tidy)
                self._database = database
            return self._database
