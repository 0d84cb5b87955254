"""The schema of the SQLite store, one step per version. A step that was released is never changed."""

import sqlite3
from collections.abc import Sequence

from frontdesk.core.errors import ConfigurationError

STEPS: Sequence[str] = (
    # 1: the transcript, whose pending rows are the inbox and the outbox, and the state of each conversation.
    """
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        platform_id TEXT,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX entries_by_conversation ON entries (conversation, seq);
    CREATE INDEX entries_open ON entries (status, seq) WHERE status IN ('pending', 'replayed', 'dead');
    CREATE VIEW inbox AS SELECT * FROM entries WHERE kind = 'message' AND status = 'pending';
    CREATE VIEW outbox AS SELECT * FROM entries WHERE kind = 'outgoing' AND status = 'pending';
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        owner TEXT NOT NULL,
        updated REAL NOT NULL,
        body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX conversations_by_update ON conversations (updated);
    CREATE INDEX conversations_by_owner ON conversations (owner, updated) WHERE owner <> 'bot';
    """,
    # 2: who began a conversation, as channel:contact; replies that may be on their way.
    """
    ALTER TABLE conversations ADD COLUMN contact TEXT NOT NULL DEFAULT '';
    UPDATE conversations SET contact =
        json_extract(CAST(body AS TEXT), '$.channel') || ':' || json_extract(CAST(body AS TEXT), '$.contact.id');
    CREATE INDEX conversations_by_contact ON conversations (contact);
    DROP INDEX entries_open;
    CREATE INDEX entries_open ON entries (status, seq) WHERE status IN ('pending', 'sending', 'replayed', 'dead');
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the schema to the newest version, each step in a transaction of its own.

    Raises `ConfigurationError` if the database was made by a newer Frontdesk.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        raise ConfigurationError(
            f"the database has schema version {version}, this Frontdesk knows {len(STEPS)}: "
            "run the newer Frontdesk, or point `store.path` (FRONTDESK_STORE__PATH) to another file"
        )
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
