"""The index: one SQLite file with the sources, the documents, their passages and the vectors of their keys.

Everything but the sources can be made again from the files, so an index of another version is emptied, not migrated.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np

from frontdesk.core.models import Vectors
from frontdesk.plugins.replies.knowledge.values import Passage

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (path TEXT PRIMARY KEY) WITHOUT ROWID;
DROP TABLE IF EXISTS passages;
DROP TABLE IF EXISTS documents;
DROP TABLE IF EXISTS vectors;
DROP TABLE IF EXISTS generation;
CREATE TABLE documents (path TEXT PRIMARY KEY, source TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
    path TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    passage TEXT NOT NULL,
    PRIMARY KEY (path, ordinal)
) WITHOUT ROWID;
CREATE TABLE vectors (embedder TEXT NOT NULL, key BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, key)) WITHOUT ROWID;
CREATE TABLE generation (number INTEGER NOT NULL);
INSERT INTO generation VALUES (1);
"""


class IndexUnusable(Exception):
    """The file of the index cannot be opened, read or written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file as the index knows it."""

    path: str
    source: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that a search needs, as it was at one commit."""

    generation: int
    passages: tuple[Passage, ...]
    vectors: Vectors
    """One row for each key that has a vector."""
    owners: np.ndarray
    """For each row of `vectors` the place of its passage."""
    rows: Mapping[str, int]
    """Where the vector of a key is."""


def key_digest(text: str) -> bytes:
    """The name under which the vector of a text is kept."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Index:
    """Blocking; safe to use from many threads and processes, since every call opens its own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sources(self) -> list[Path]:
        """The files and folders that were added, in the order of their names."""
        with self._connection() as db:
            return [Path(path) for (path,) in db.execute("SELECT path FROM sources ORDER BY path")]

    def remember(self, sources: Iterable[Path]) -> None:
        with self._connection() as db:
            db.executemany("INSERT OR IGNORE INTO sources VALUES (?)", [(str(source),) for source in sources])

    def forget(self, sources: Iterable[Path]) -> None:
        with self._connection() as db:
            db.executemany("DELETE FROM sources WHERE path = ?", [(str(source),) for source in sources])

    def documents(self) -> dict[str, Document]:
        """The indexed files by their path."""
        with self._connection() as db:
            rows = db.execute("SELECT path, source, digest FROM documents").fetchall()
        return {path: Document(path=path, source=source, digest=digest) for path, source, digest in rows}

    def passages(self) -> list[Passage]:
        with self._connection() as db:
            return _passages(db)

    def known_keys(self, embedder: str) -> set[bytes]:
        """The digests of the texts that have a vector of this embedder."""
        with self._connection() as db:
            return {key for (key,) in db.execute("SELECT key FROM vectors WHERE embedder = ?", (embedder,))}

    def add_vectors(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keeps vectors ahead of the commit that uses them: a sync that was cut off goes on where it was."""
        rows = [
            (embedder, key_digest(text), np.ascontiguousarray(vector, dtype="<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            db.execute("UPDATE generation SET number = number + 1")
            db.execute("COMMIT")

    def commit(self, changed: Sequence[tuple[Document, Sequence[Passage]]], removed: Iterable[str]) -> None:
        """Replaces and removes documents, all or none of them, and drops vectors that no passage uses any more."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "DELETE FROM documents WHERE path = ?",
                [(path,) for path in (*removed, *(document.path for document, _ in changed))],
            )
            for document, passages in changed:
                db.execute("INSERT INTO documents VALUES (?, ?, ?)", (document.path, document.source, document.digest))
                db.executemany(
                    "INSERT INTO passages VALUES (?, ?, ?)",
                    [(document.path, n, msgspec.json.encode(passage).decode()) for n, passage in enumerate(passages)],
                )
            used = {key_digest(key) for passage in _passages(db) for key in passage.keys}
            kept = {key for (key,) in db.execute("SELECT DISTINCT key FROM vectors")}
            db.executemany("DELETE FROM vectors WHERE key = ?", [(key,) for key in kept - used])
            db.execute("UPDATE generation SET number = number + 1")
            db.execute("COMMIT")

    def drop_vectors_except(self, embedder: str) -> None:
        """Forgets the vectors of all other embedders."""
        with self._connection() as db:
            db.execute("DELETE FROM vectors WHERE embedder != ?", (embedder,))

    def generation(self) -> int:
        """Grows with every change that a search could see."""
        with self._connection() as db:
            return _generation(db)

    def snapshot(self, embedder: str | None, dimensions: int) -> Snapshot:
        """Reads everything at one moment; without an embedder there are no vectors."""
        with self._connection() as db:
            db.execute("BEGIN")
            generation, passages = _generation(db), _passages(db)
            rows = db.execute("SELECT key, vector FROM vectors WHERE embedder = ?", (embedder,)).fetchall()
            db.execute("COMMIT")
        vectors = dict(rows)
        owned = [
            (place, key, vector)
            for place, passage in enumerate(passages)
            for key in passage.keys
            if (vector := vectors.get(key_digest(key))) is not None and len(vector) == 4 * dimensions
        ]
        return Snapshot(
            generation=generation,
            passages=tuple(passages),
            vectors=np.frombuffer(b"".join(vector for _, _, vector in owned), dtype="<f4").reshape(-1, max(dimensions, 1)),
            owners=np.array([place for place, _, _ in owned], dtype=np.intp),
            rows={key: row for row, (_, key, _) in enumerate(owned)},
        )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                db.execute("PRAGMA foreign_keys = ON")
                if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                    _create(db)
                yield db
            finally:
                db.close()
        except (sqlite3.Error, OSError) as error:
            raise IndexUnusable(
                f"the knowledge index {self.path} cannot be used ({error}). "
                "If the file is damaged, delete it and run `frontdesk kb sync`."
            ) from error


def _create(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN EXCLUSIVE")
    if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
    db.execute("COMMIT")


def _generation(db: sqlite3.Connection) -> int:
    number: int = db.execute("SELECT number FROM generation").fetchone()[0]
    return number


def _passages(db: sqlite3.Connection) -> list[Passage]:
    rows = db.execute("SELECT passage FROM passages ORDER BY path, ordinal")
    return [msgspec.json.decode(row, type=Passage) for (row,) in rows]
