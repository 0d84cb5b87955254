"""The embedded engine: one SQLite file in WAL mode, durable at each commit (synchronous=FULL)."""

import asyncio
import fcntl
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from frontdesk.core.conversations import Conversation, Owner, decode_state, encode_state
from frontdesk.core.database import owner_only
from frontdesk.core.errors import UNCERTAIN, ConfigurationError, Stale, Unavailable
from frontdesk.core.messages import Body, Entry, Mark, Message, Note, Outgoing, Status, decode, encode, without_surrogates
from frontdesk.core.storage.embedded import EmbeddedStore
from frontdesk.core.storage.migrations import migrate
from frontdesk.core.storage.statements import Apply, Insert, Sent, merge
from frontdesk.core.storage.writer import Writer

CACHED_CONVERSATIONS = 1024
WATCH_SECONDS = 1.0
COLUMNS = "seq, status, attempts, error, platform_id, body"

T = TypeVar("T")

_KINDS = {
    Message: ("message", "pending"),
    Outgoing: ("outgoing", "pending"),
    Note: ("note", "done"),
    Mark: ("mark", "done"),
}
"""Each one's `kind` and first `status`."""


class SqliteStore(EmbeddedStore):
    """All writes go through one thread with group commit, reads through another with a connection of its own."""

    def __init__(self, path: Path, *, max_backlog: int = 100_000) -> None:
        super().__init__(max_backlog=max_backlog)
        self.path = path
        self._cache: OrderedDict[str, Conversation] = OrderedDict()
        self._lock: int | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def open(self, *, work: bool = True) -> None:
        """Raises `ConfigurationError` if the file cannot be used, or another process works on it."""
        try:
            await self._open(work=work)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"store.path (FRONTDESK_STORE__PATH) = {self.path}: {error}: name another file, or put this one right"
            ) from error

    async def _open(self, *, work: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if work:
            self._lock = _only_one(self.path)
        self._writer = Writer(self._connect, merge)
        await self._writer.open()
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="frontdesk-sqlite-reader")
        self._reader = await asyncio.get_running_loop().run_in_executor(self._readers, _connection, self.path)
        self._last_seq = await self._read(lambda db: int(db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]))
        if work:
            sql = "UPDATE entries SET status = 'dead', error = ? WHERE status = 'sending'"
            await self._writer.run(lambda db: _execute(db, sql, UNCERTAIN))
            for entry in await self._read(_select("status = 'pending' ORDER BY seq")):
                self._take_up(entry, suspect=True)
            await self._take_up_replayed()
            self._watcher = asyncio.create_task(self._watch(), name="sqlite-watch")

    async def close(self) -> None:
        await super().close()
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        if hasattr(self, "_readers"):
            await self._writer.close()
            await asyncio.get_running_loop().run_in_executor(self._readers, self._reader.close)
            self._readers.shutdown()
            del self._readers
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def conversation(self, id: str) -> Conversation | None:
        if (state := self._cache.get(id)) is not None:
            self._cache.move_to_end(id)
            return state
        found = await self._read(lambda db: db.execute("SELECT body FROM conversations WHERE id = ?", (id,)).fetchone())
        return decode_state(found[0]) if found else None

    async def transcript(
        self, conversation: str, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[Entry]:
        where = "conversation = ? AND seq < ? AND seq > ? ORDER BY seq DESC LIMIT ?"
        upper = before if before is not None else 2**63 - 1
        lower = after if after is not None else -1
        return (await self._read(_select(where, conversation, upper, lower, limit)))[::-1]

    async def entry(self, id: str) -> Entry | None:
        found = await self._read(_select("id = ?", without_surrogates(id)))
        return found[0] if found else None

    async def conversations(
        self,
        *,
        owner: Owner | None = None,
        contact: tuple[str, str] | None = None,
        before: datetime | None = None,
        limit: int = 100,
    ) -> list[Conversation]:
        wanted: dict[str, object] = {"updated < ?": before.timestamp() if before else float("inf")}
        if owner:
            wanted["owner = ?"] = owner
        if contact:
            wanted["contact = ?"] = without_surrogates(":".join(contact))
        sql = f"SELECT body FROM conversations WHERE {' AND '.join(wanted)} ORDER BY updated DESC LIMIT ?"
        return await self._read(lambda db: [decode_state(body) for (body,) in db.execute(sql, (*wanted.values(), limit))])

    async def dead(self, *, limit: int = 100) -> list[Entry]:
        return await self._read(_select("status = 'dead' ORDER BY seq DESC LIMIT ?", limit))

    async def bounced(self, id: str, reason: str) -> Entry | None:
        sql = "UPDATE entries SET status = 'dead', error = ? WHERE id = ? AND status = 'sent'"
        values = without_surrogates([reason, id])
        sent = await self._writer.run(lambda db: db.execute(sql, values).rowcount == 1)
        return await self.entry(id) if sent else None

    async def replay(self, seq: int) -> Entry:
        def work(db: sqlite3.Connection) -> bool:
            sql = "UPDATE entries SET status = 'replayed', attempts = 0, error = NULL WHERE seq = ? AND status = 'dead'"
            return db.execute(sql, (seq,)).rowcount == 1

        found = await self._read(_select("seq = ?", seq))
        if not await self._writer.run(work):
            raise KeyError(seq)
        if self._watcher is not None:
            await self._take_up_replayed()
        return msgspec.structs.replace(found[0], status="pending", attempts=0, error=None)

    async def _insert(self, message: Message, then: Callable[[int], None]) -> int | None:
        def kept(seq: int | None) -> None:
            if seq is not None:
                then(seq)

        return await self._writer.run(Insert(self._row(message)), kept)

    async def _apply(
        self,
        conversation: Conversation,
        entries: Sequence[Body],
        settled: Sequence[int],
        error: str | None,
        then: Callable[[Conversation, Sequence[tuple[int, Body]]], None],
    ) -> Conversation:
        state = msgspec.structs.replace(conversation, version=conversation.version + 1)
        by = f"{state.channel}:{state.contact.id}"
        row = (state.id, state.version, state.owner, state.updated.timestamp(), encode_state(state), by)
        revised = [(encode(body), body.id) for body in entries if isinstance(body, Message)]
        if revised:
            entries = [body for body in entries if not isinstance(body, Message)]
        rows = [self._row(body) for body in entries]

        def kept(new: set[int]) -> None:
            self._remember(state)
            then(state, [(row[0], body) for row, body in zip(rows, entries, strict=True) if row[0] in new])

        try:
            await self._writer.run(Apply(row, rows, revised, settled, without_surrogates(error)), kept)
        except Stale:
            self._cache.pop(conversation.id, None)
            raise
        return state

    async def _settle(self, seq: int, status: Status, *, platform_id: str | None = None, error: str | None = None) -> None:
        if status == "sent":
            await self._writer.run(Sent(seq, platform_id))
        else:
            sql = "UPDATE entries SET status = ?, error = ? WHERE seq = ?"
            await self._writer.run(lambda db: _execute(db, sql, status, without_surrogates(error), seq))

    async def _count(self, seq: int, error: str | None = None) -> None:
        sql = (
            "UPDATE entries SET attempts = attempts + 1, error = ?, status = iif(status = 'sending', 'pending', status)"
            " WHERE seq = ?"
        )
        await self._writer.run(lambda db: _execute(db, sql, without_surrogates(error), seq))

    async def _dead_count(self) -> int:
        sql = "SELECT count(*) FROM entries WHERE status = 'dead'"
        return await self._read(lambda db: int(db.execute(sql).fetchone()[0]))

    def _row(self, body: Body) -> tuple[int, str, str, str, str, bytes]:
        """The one writer numbers the rows; a number whose row was left out stays unused."""
        self._last_seq += 1
        kind, status = _KINDS[type(body)]
        return self._last_seq, body.id, body.conversation, kind, status, encode(body)

    async def _watch(self) -> None:
        """Notices what another process (`frontdesk dead replay`) changed in the file."""
        seen = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            with suppress(Unavailable):  # the next look will see it
                if (version := await self._data_version()) != seen:
                    await self._take_up_replayed()
                    seen = version

    async def _data_version(self) -> int:
        return await self._writer.run(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))

    async def _take_up_replayed(self) -> None:
        def work(db: sqlite3.Connection) -> list[Entry]:
            entries = _select("status = 'replayed' ORDER BY seq")(db)
            db.execute("UPDATE entries SET status = 'pending' WHERE status = 'replayed'")
            return entries

        def kept(entries: list[Entry]) -> None:
            for entry in entries:
                self._take_up(entry, suspect=False)

        await self._writer.run(work, kept)

    def _remember(self, state: Conversation) -> None:
        self._cache[state.id] = state
        self._cache.move_to_end(state.id)
        if len(self._cache) > CACHED_CONVERSATIONS:
            self._cache.popitem(last=False)

    def _connect(self) -> sqlite3.Connection:
        connection = _connection(self.path)
        migrate(connection)
        return connection

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, query, self._reader)
        except sqlite3.Error as error:
            raise Unavailable(f"the database cannot be read: {error}") from error


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(owner_only(path), isolation_level=None, check_same_thread=False, cached_statements=128)
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _only_one(path: Path) -> int:
    """Locks the store for this process. The lock goes with the process, however it ends."""
    file = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise ConfigurationError(
            f"another process works on {path}: stop it, or set `store.path` (FRONTDESK_STORE__PATH) to another file"
        ) from error
    return file


def _select(where: str, *values: object) -> Callable[[sqlite3.Connection], list[Entry]]:
    def query(db: sqlite3.Connection) -> list[Entry]:
        rows = db.execute(f"SELECT {COLUMNS} FROM entries WHERE {where}", values)
        return [
            Entry(
                seq=seq,
                status="pending" if status == "replayed" else status,
                attempts=attempts,
                error=error,
                platform_id=platform_id,
                body=decode(body),
            )
            for seq, status, attempts, error, platform_id, body in rows
        ]

    return query


def _execute(db: sqlite3.Connection, sql: str, *values: object) -> None:
    db.execute(sql, values)
