"""What must outlive the process: which thread is whose conversation, what was shown there, and what agents did that is not done.

What Slack sends is kept here before it is acknowledged, and carried out afterwards, in order. Every act has an id of its own, so
that one that is carried out again after a crash does no harm.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from uuid import uuid4

from frontdesk.core.database import Database

FILE = "slack-agents.db"
KEPT_DAYS = 30
"""For so long a repetition of an event is known as one."""

Settled = Literal["pending", "sent", "dead", "internal"]
_THREAD = "key, conversation, root, open, seen, opened, taker, taker_name, taken, shown"


@dataclass(frozen=True, kw_only=True)
class Thread:
    """`root` is the timestamp of its first message, None until it is posted; `seen` the number of the last entry shown.

    `taker` is the user who took the conversation here, `taker_name` the name under which, and `taken` Slack's time of it. `shown`
    is what the first message looks like now, empty until the thread is complete. Only one thread of a conversation is open.
    """

    key: str
    conversation: str
    root: str | None
    open: bool
    seen: int
    opened: float
    taker: str | None
    taker_name: str | None
    taken: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an agent wrote in a thread: `reply` is the id of the newest version that went to the customer.

    `mixed`: a version of it had an internal part as well. `note` is the id of the newest version of what stayed internal, None
    until it was edited.
    """

    thread: str
    ts: str
    user: str
    reply: str | None
    settled: Settled
    mixed: bool = False
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that an agent did in Slack. Acts of one lane are carried out in order."""

    seq: int
    lane: str
    kind: str
    payload: dict[str, Any]


def _create(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE threads (key TEXT PRIMARY KEY, channel TEXT NOT NULL, conversation TEXT NOT NULL, root TEXT,"
        " open INTEGER NOT NULL, seen INTEGER NOT NULL, opened REAL NOT NULL, taker TEXT, taker_name TEXT,"
        " taken TEXT NOT NULL DEFAULT '', shown TEXT NOT NULL DEFAULT '')"
    )
    db.execute("CREATE UNIQUE INDEX one_open ON threads (channel, conversation) WHERE open")
    db.execute("CREATE UNIQUE INDEX by_root ON threads (channel, root)")
    db.execute(
        "CREATE TABLE lines (ts TEXT PRIMARY KEY, thread TEXT NOT NULL, user TEXT NOT NULL, reply TEXT, settled TEXT NOT NULL,"
        " mixed INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX unsettled ON lines (thread) WHERE settled IN ('pending', 'dead')")
    db.execute(
        "CREATE TABLE acts (seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, lane TEXT NOT NULL,"
        " kind TEXT NOT NULL, payload TEXT, at REAL NOT NULL)"
    )
    db.execute("CREATE INDEX undone ON acts (lane) WHERE payload IS NOT NULL")
    db.execute("CREATE TABLE posts (entry TEXT NOT NULL, thread TEXT NOT NULL, ts TEXT NOT NULL, PRIMARY KEY (entry, thread))")


def _remember_notes(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE lines ADD COLUMN note TEXT")


class AgentsDatabase:
    """Knows the threads of one channel. All methods raise `TransientError` while the file cannot be used."""

    def __init__(self, database: Database, channel: str) -> None:
        self._db = database
        self._channel = channel

    @classmethod
    async def open(cls, folder: Path, channel: str) -> Self:
        database = cls(await Database.open(folder / FILE, _create, _remember_notes), channel)
        before = time.time() - KEPT_DAYS * 86400
        await database._db.run(lambda db: db.execute("DELETE FROM acts WHERE payload IS NULL AND at < ?", (before,)))
        return database

    async def close(self) -> None:
        await self._db.close()

    # Acts

    async def keep(self, key: str, lane: str, kind: str, payload: Mapping[str, Any]) -> bool:
        """Durable on return. False for a repetition."""
        row = (key, lane, kind, json.dumps(payload), time.time())

        def insert(db: sqlite3.Connection) -> bool:
            sql = "INSERT OR IGNORE INTO acts (key, lane, kind, payload, at) VALUES (?, ?, ?, ?, ?)"
            return db.execute(sql, row).rowcount == 1

        return await self._db.run(insert)

    async def undone_lanes(self) -> list[str]:
        sql = "SELECT DISTINCT lane FROM acts WHERE payload IS NOT NULL"
        return await self._db.run(lambda db: [lane for (lane,) in db.execute(sql)])

    async def next_act(self, lane: str) -> Act | None:
        sql = "SELECT seq, lane, kind, payload FROM acts WHERE lane = ? AND payload IS NOT NULL ORDER BY seq LIMIT 1"

        def read(db: sqlite3.Connection) -> Act | None:
            row = db.execute(sql, (lane,)).fetchone()
            return Act(seq=row["seq"], lane=row["lane"], kind=row["kind"], payload=json.loads(row["payload"])) if row else None

        return await self._db.run(read)

    async def done(self, act: Act) -> None:
        """Forgets what it was, not that it was."""
        await self._db.run(lambda db: db.execute("UPDATE acts SET payload = NULL WHERE seq = ?", (act.seq,)))

    # Threads

    async def begin(self, conversation: str) -> Thread:
        """The open thread of a conversation, a new one if there is none."""
        row = (uuid4().hex, self._channel, conversation, time.time())
        place = (self._channel, conversation)

        def insert(db: sqlite3.Connection) -> Thread:
            db.execute(
                "INSERT OR IGNORE INTO threads (key, channel, conversation, opened, open, seen) VALUES (?, ?, ?, ?, 1, 0)", row
            )
            found = f"SELECT {_THREAD} FROM threads WHERE channel = ? AND conversation = ? AND open"
            return _thread(db.execute(found, place).fetchone())

        return await self._db.run(insert)

    async def thread_of(self, conversation: str) -> Thread | None:
        """The open one, else the newest."""
        sql = f"SELECT {_THREAD} FROM threads WHERE channel = ? AND conversation = ? ORDER BY open DESC, opened DESC LIMIT 1"
        return await self._one_thread(sql, conversation)

    async def thread_at(self, root: str) -> Thread | None:
        return await self._one_thread(f"SELECT {_THREAD} FROM threads WHERE channel = ? AND root = ?", root)

    async def thread(self, key: str) -> Thread | None:
        return await self._one_thread(f"SELECT {_THREAD} FROM threads WHERE channel = ? AND key = ?", key)

    async def change(self, thread: Thread, **values: Any) -> Thread | None:
        """Sets columns, and returns the thread as it is then; None if another thread of the conversation is open already."""
        sets = ", ".join(f"{name} = ?" for name in values)

        def update(db: sqlite3.Connection) -> Thread | None:
            done = db.execute(f"UPDATE OR IGNORE threads SET {sets} WHERE key = ?", (*values.values(), thread.key)).rowcount
            row = db.execute(f"SELECT {_THREAD} FROM threads WHERE key = ?", (thread.key,)).fetchone()
            return _thread(row) if done else None

        return await self._db.run(update)

    async def watched(self) -> list[str]:
        """The conversations that have an open thread, or replies whose delivery is not settled."""
        sql = (
            "SELECT conversation FROM threads WHERE channel = ? AND open UNION SELECT conversation FROM threads"
            " JOIN lines ON thread = key WHERE channel = ? AND settled = 'pending'"
        )
        return await self._db.run(lambda db: [conversation for (conversation,) in db.execute(sql, (self._channel,) * 2)])

    async def _one_thread(self, sql: str, value: str) -> Thread | None:
        def read(db: sqlite3.Connection) -> Thread | None:
            row = db.execute(sql, (self._channel, value)).fetchone()
            return _thread(row) if row else None

        return await self._db.run(read)

    # Lines and posts

    async def write(self, line: Line) -> None:
        row = (line.ts, line.thread, line.user, line.reply, line.settled, line.mixed, line.note)
        await self._db.run(lambda db: db.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)", row))

    async def line(self, ts: str) -> Line | None:
        def read(db: sqlite3.Connection) -> Line | None:
            row = db.execute("SELECT * FROM lines WHERE ts = ?", (ts,)).fetchone()
            return _line(row) if row else None

        return await self._db.run(read)

    async def unsettled(self, thread: Thread) -> list[Line]:
        """Those that are on their way, and those that were given up, which may be sent again."""
        sql = "SELECT * FROM lines WHERE thread = ? AND settled IN ('pending', 'dead') ORDER BY ts"
        return await self._db.run(lambda db: [_line(row) for row in db.execute(sql, (thread.key,))])

    async def posted(self, thread: Thread, entry: str, ts: str, seq: int) -> None:
        """An entry of the transcript is shown in the thread."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO posts VALUES (?, ?, ?)", (entry, thread.key, ts))
            db.execute("UPDATE threads SET seen = max(seen, ?) WHERE key = ?", (seq, thread.key))

        await self._db.run(write)

    async def seen(self, thread: Thread, seq: int) -> None:
        await self._db.run(lambda db: db.execute("UPDATE threads SET seen = max(seen, ?) WHERE key = ?", (seq, thread.key)))

    async def post_of(self, thread: Thread, entry: str) -> str | None:
        def read(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT ts FROM posts WHERE entry = ? AND thread = ?", (entry, thread.key)).fetchone()
            return row["ts"] if row else None

        return await self._db.run(read)


def _line(row: sqlite3.Row) -> Line:
    return Line(**{**dict(row), "mixed": bool(row["mixed"])})


def _thread(row: sqlite3.Row) -> Thread:
    return Thread(**{**dict(row), "open": bool(row["open"])})
