"""An SQLite file of a plugin's own. The store's database belongs to the core; a plugin keeps its tables beside it."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from frontdesk.core.errors import ConfigurationError, TransientError

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], object]

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
    """Runs functions on a connection, one at a time, in a thread of its own, each in a transaction.

    The first of the `steps` makes the tables, each later one changes them, once: not by `executescript`, which commits. A step
    that was released is never changed.
    """

    def __init__(self, path: Path, *steps: Step) -> None:
        self._path = path
        self._steps = steps
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection

    @classmethod
    async def open(cls, path: Path, *steps: Step) -> Self:
        database = cls(path, *steps)
        await database.start()
        return database

    async def start(self) -> None:
        """Raises `ConfigurationError` if the file was made with more steps, by a newer version, and what SQLite raises."""
        try:
            await self._call(self._open)
        except BaseException:
            self._thread.shutdown()
            raise

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

    def _open(self) -> None:
        self._connection = sqlite3.connect(owner_only(self._path), isolation_level=None, timeout=BUSY_SECONDS)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")

        steps = self._steps

        def migrate(connection: sqlite3.Connection) -> None:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if not version and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                version = 1  # made before versions were kept
            if version > len(steps):
                raise ConfigurationError(
                    f"{self._path} has schema version {version}, and this program knows {len(steps)}: run the newer version that "
                    "made it, or move the file away to begin anew"
                )
            for step in steps[version:]:
                step(connection)
            connection.execute(f"PRAGMA user_version = {len(steps)}")

        try:
            self._transact(migrate)
        except BaseException:
            self._connection.close()
            raise

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
