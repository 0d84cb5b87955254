"""The desk's own small database: accounts, sessions, one-time links and what each agent has read."""

import sqlite3
from pathlib import Path

from frontdesk.core.database import Database as AnyDatabase
from frontdesk.core.errors import ConfigurationError

_TABLES = (
    """CREATE TABLE accounts (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        display TEXT NOT NULL UNIQUE COLLATE NOCASE,
        hash TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
        disabled INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL
    ) STRICT""",
    """CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL COLLATE NOCASE REFERENCES accounts (name) ON DELETE CASCADE,
        data TEXT NOT NULL,
        created REAL NOT NULL,
        seen REAL NOT NULL
    ) STRICT""",
    "CREATE INDEX sessions_account ON sessions (account)",
    """CREATE TABLE links (
        key TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('agent', 'admin')),
        invited_by TEXT,
        expires REAL NOT NULL
    ) STRICT""",
    """CREATE TABLE seen (
        agent TEXT NOT NULL,
        conversation TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (agent, conversation)
    ) STRICT, WITHOUT ROWID""",
)


def _create(db: sqlite3.Connection) -> None:
    for table in _TABLES:
        db.execute(table)


class Database(AnyDatabase):
    def __init__(self, path: Path) -> None:
        super().__init__(path, _create)

    async def start(self) -> None:
        """Raises `ConfigurationError` if the file cannot be used."""
        try:
            await super().start()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"channels.desk.database (FRONTDESK_CHANNELS__DESK__DATABASE) = {self._path}: {error}: name a file in a folder "
                "that can be written"
            ) from error
