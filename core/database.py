"""An SQLite file of a plugin's own. The store's database belongs to the core; a plugin keeps its tables beside it."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from frontdesk.core.errors import TransientError

T = TypeVar("T")

BUSY_SECONDS = 10


def owner_only(path: Path) -> Path:
    """Makes the file, if it is not there, so that nobody but its owner can read it. SQLite's side files get the same mode.

    A file that is there is never opened: closing it would take away the locks of every connection that this process has on
    it, and whoever looks into the database from outside would remove its log. https://sqlite.org/howtocorrupt.html#posix_close
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    return path


class Database:
    """Runs functions on a connection, one at a time, in a thread of its own, each in a transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection

    @classmethod
    async def open(cls, path: Path, create: Callable[[sqlite3.Connection], None]) -> Self:
        """Opens the file. `create` makes the tables if there is none: not by `executescript`, which commits."""
        database = cls(path)
        try:
            await database._call(lambda: database._open(create))
        except BaseException:
            database._thread.shutdown()
            raise
        return database

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, once it is committed. Raises what it raises, and `TransientError` if the file cannot be used."""
        try:
            return await self._call(lambda: self._transact(work))
        except sqlite3.OperationalError as error:
            raise TransientError(f"{self._path.name} cannot be used: {error}") from error

    async def close(self) -> None:
        await self._call(self._connection.close)
        self._thread.shutdown()

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _open(self, create: Callable[[sqlite3.Connection], None]) -> None:
        self._connection = sqlite3.connect(owner_only(self._path), isolation_level=None, timeout=BUSY_SECONDS)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")

        def create_once(connection: sqlite3.Connection) -> None:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                create(connection)

        self._transact(create_once)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result
