"""The desk's own small database: accounts, sessions, one-time links and what each agent has read."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from frontdesk.core.errors import ConfigurationError

T = TypeVar("T")

_MIGRATIONS = (
    """
    CREATE TABLE accounts (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        display TEXT NOT NULL UNIQUE COLLATE NOCASE,
        hash TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
        disabled INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL COLLATE NOCASE REFERENCES accounts (name) ON DELETE CASCADE,
        data TEXT NOT NULL,
        created REAL NOT NULL,
        seen REAL NOT NULL
    ) STRICT;
    CREATE INDEX sessions_account ON sessions (account);
    CREATE TABLE links (
        key TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
        invited_by TEXT,
        expires REAL NOT NULL
    ) STRICT;
    CREATE TABLE seen (
        agent TEXT NOT NULL,
        conversation TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (agent, conversation)
    ) STRICT, WITHOUT ROWID;
    """,
)


class Database:
    """One connection in one thread. `path` may be `:memory:`."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk-db")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises `ConfigurationError` if the file cannot be used."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except (OSError, sqlite3.Error) as error:
            fix = "name a file in a folder that can be written"
            raise ConfigurationError(f"desk.database = {self._path}: {error}; {fix}") from error

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in one transaction, which is rolled back if it raises."""

        def transaction() -> T:
            assert self._connection is not None
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                return work(self._connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    async def close(self) -> None:
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown(wait=False)

    def _open(self) -> None:
        if self._path != ":memory:":
            path = Path(self._path)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Password hashes lie in it: nobody else on the machine may read it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
        self._connection = connection
