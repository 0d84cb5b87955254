"""What the SQLite store writes, so that a whole group of requests becomes a handful of statements.

The sqlite3 module hands the interpreter's lock over at every statement; under load that costs far more than the statement.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from typing import Any

from frontdesk.core.errors import Stale

ENTRIES = "INSERT OR IGNORE INTO entries (seq, id, conversation, kind, status, body) VALUES {rows}"
STATES = (
    "INSERT INTO conversations (id, version, owner, updated, body, contact) VALUES {rows} ON CONFLICT (id) DO UPDATE"
    " SET version = excluded.version, owner = excluded.owner, updated = excluded.updated, body = excluded.body"
    " WHERE conversations.version = excluded.version - 1"
)
DONE = "UPDATE entries SET status = 'done', error = NULL WHERE seq IN (VALUES {rows})"
SENT = (
    "UPDATE entries SET status = 'sent', error = NULL, platform_id = new.column2"
    " FROM (VALUES {rows}) AS new WHERE seq = new.column1"
)
DEAD = "UPDATE entries SET status = 'dead', error = ? WHERE seq = ?"
REVISED = "UPDATE entries SET body = ? WHERE id = ?"

MOST_ROWS = 128
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, MOST_ROWS)

Row = Sequence[Any]


@dataclass(slots=True)
class Insert:
    """A message that was accepted. The result is its seq, or None if its id is known."""

    entry: Row

    def __call__(self, db: sqlite3.Connection) -> int | None:
        return self.entry[0] if _written(db, ENTRIES, [self.entry]) else None


@dataclass(slots=True)
class Apply:
    """A committed turn or act. The result has the seqs of the entries that are new. Raises `Stale`."""

    state: Row
    entries: Sequence[Row]
    revised: Sequence[Row]
    settled: Sequence[int]
    error: str | None

    def __call__(self, db: sqlite3.Connection) -> set[int]:
        if not _written(db, STATES, [self.state]):
            raise Stale(self.state[0])
        if self.error is None:
            _written(db, DONE, [(seq,) for seq in self.settled])
        else:
            db.executemany(DEAD, [(self.error, seq) for seq in self.settled])
        db.executemany(REVISED, self.revised)
        return {entry[0] for entry in self.entries if _written(db, ENTRIES, [entry])}


@dataclass(slots=True)
class Sent:
    """A reply that the platform has taken."""

    seq: int
    platform_id: str | None

    def __call__(self, db: sqlite3.Connection) -> None:
        _written(db, SENT, [(self.seq, self.platform_id)])


def merge(db: sqlite3.Connection, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> list[Any] | None:
    """Does the ordinary work of a group, in few statements.

    Returns None if anything is not ordinary (a repeated message, a stale state, a dead letter, a changed record, other work):
    then the caller rolls back and lets the requests run one by one. The kinds may be reordered because no request depends on
    another of its group.
    """
    entries: list[Row] = []
    states: list[Row] = []
    settled: list[Row] = []
    sent: list[Row] = []
    results: list[Any] = []
    for work in works:
        match work:
            case Insert():
                entries.append(work.entry)
                results.append(work.entry[0])
            case Apply() if work.error is None and not work.revised:
                states.append(work.state)
                entries.extend(work.entries)
                settled.extend((seq,) for seq in work.settled)
                results.append({entry[0] for entry in work.entries})
            case Sent():
                sent.append((work.seq, work.platform_id))
                results.append(None)
            case _:
                return None
    if _written(db, ENTRIES, entries) != len(entries) or _written(db, STATES, states) != len(states):
        return None
    _written(db, DONE, settled)
    _written(db, SENT, sent)
    return results


def _written(db: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> int:
    """Executes `sql` for all rows and returns how many were changed.

    The statements are few, so that they stay prepared: the last row fills one up, which is no change to any of these statements.
    """
    changed = 0
    for start in range(0, len(rows), MOST_ROWS):
        chunk = rows[start : start + MOST_ROWS]
        size = SIZES[bisect_left(SIZES, len(chunk))]
        filled = chain(chunk, repeat(chunk[-1], size - len(chunk)))
        changed += db.execute(_statement(sql, len(chunk[0]), size), list(chain.from_iterable(filled))).rowcount
    return changed


@cache
def _statement(sql: str, width: int, rows: int) -> str:
    return sql.format(rows=", ".join([f"({', '.join('?' * width)})"] * rows))
