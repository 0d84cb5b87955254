"""One person, several channels: which identities belong to the same person, how that was proved, and when it was undone.

A link joins two identities after a proof: a code that was shown to one and written by the other, or the word of an agent. A
person is what links join, directly or through one another. So undoing a link takes away just what rested on it. Nothing is
ever deleted: the links, with who made and who undid them, are the record.
"""

import hashlib
import hmac
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from msgspec import Struct

from frontdesk.core.database import Database
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Contact, Message

log = structlog.get_logger(__name__)

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, and no U, which is heard as V."""
CODE_LENGTH = 8
CODE_MINUTES = 15
TRIES_PER_HOUR = 5

How = Literal["code", "agent"]
Why = Literal["unverified", "unknown", "same", "linked", "too_many"]


class Identity(Struct, frozen=True, kw_only=True):
    """A contact of one channel, with the name and the conversation that it had when this was proved."""

    channel: str
    contact: str
    name: str | None = None
    conversation: str | None = None

    def is_same(self, other: "Identity") -> bool:
        return (self.channel, self.contact) == (other.channel, other.contact)


class Person(Struct, frozen=True, kw_only=True):
    """Two or more identities, the first proved first."""

    identities: tuple[Identity, ...]

    def __contains__(self, identity: Identity) -> bool:
        return any(one.is_same(identity) for one in self.identities)

    def besides(self, identity: Identity) -> tuple[Identity, ...]:
        return tuple(one for one in self.identities if not one.is_same(identity))


class Link(Struct, frozen=True, kw_only=True):
    """Two identities that were joined. `by` is `agent:` and a name, or the channel of the identity that wrote the code."""

    id: int
    identities: tuple[Identity, Identity]
    how: How
    by: str
    at: datetime
    undone_at: datetime | None = None
    undone_by: str | None = None


class Offer(Struct, frozen=True, kw_only=True):
    """A code that was written. `identity` is the one it was shown to; only the one that wrote it can go on with it."""

    id: int
    identity: Identity


class Refused(InvalidInput):
    """A link cannot be made. `too_many`: another try can be made in `minutes`."""

    def __init__(self, why: Why, minutes: int = 0) -> None:
        super().__init__(f"the contacts are not linked: {why}", status=429 if why == "too_many" else 400)
        self.why = why
        self.minutes = minutes


def proved(messages: Sequence[Message]) -> Identity | None:
    """Who wrote all of these messages, if that is proved."""
    writers = {(message.channel, message.contact.id) for message in messages}
    if len(writers) != 1 or not all(is_proved(message.contact, message.conversation) for message in messages):
        return None
    last = messages[-1]
    return identity(last.channel, last.contact, last.conversation)


def is_proved(contact: Contact, conversation: str) -> bool:
    """Whether the contact is who it says it is: of an e-mail that fails DMARC nobody can tell.

    A visitor of the web chat has no other identity than the conversation itself, whose token only that visitor has.
    """
    return contact.verified or contact.id == conversation


def identity(channel: str, contact: Contact, conversation: str | None = None) -> Identity:
    return Identity(channel=channel, contact=contact.id, name=contact.name or contact.email, conversation=conversation)


def normal(code: str) -> str:
    """A code as it was issued, whatever case and hyphens it was written with."""
    return "".join(unicodedata.normalize("NFKC", code).upper().replace("-", "").split())


class Contacts:
    """Raises `TransientError` while the file cannot be used."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._clock = clock
        self._database: Database

    async def open(self) -> None:
        self._database = await Database.open(self._path, _create)

    async def close(self) -> None:
        await self._database.close()

    async def person(self, channel: str, contact: Contact, conversation: str) -> Person | None:
        """The person who writes in a conversation; None if there are no links, or if it is not proved who the contact is."""
        if not is_proved(contact, conversation):
            return None
        return await self._database.run(lambda db: _person(db, channel, contact.id))

    async def history(self, channel: str, contact_id: str) -> list[Link]:
        """All links that the identity was ever part of, the newest first."""
        return await self._database.run(lambda db: _links(db, channel, contact_id))

    async def issue_code(self, identity: Identity) -> str:
        """A code that proves, where it is written, that the writer reads what is sent to this identity. It replaces the last one.

        Raises `Refused`.
        """
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))

        def work(db: sqlite3.Connection) -> None:
            now = self._clock()
            self._count(db, identity, "issue", now)
            db.execute("DELETE FROM codes WHERE (channel, contact) = (?, ?)", (identity.channel, identity.contact))
            db.execute(
                "INSERT INTO codes (hash, channel, contact, name, conversation, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (_hash(db, code), *_fields(identity), _stamp(now + timedelta(minutes=CODE_MINUTES))),
            )

        await self._database.run(work)
        return code

    async def offer(self, code: str, identity: Identity) -> Offer:
        """Whose code this is. From now on only `identity` can redeem it, and nobody can write it again. Raises `Refused`.

        The same identity gets the same offer again, so that a repeated turn changes nothing.
        """
        wanted = normal(code)

        def work(db: sqlite3.Connection) -> Offer | Why:
            now = self._clock()
            # A wrong try has to stay counted, so what is refused is returned, not raised out of the transaction.
            self._count(db, identity, "redeem", now)
            found = _live_code(db, wanted, now)
            if found is None or found["used"] or found["taken_by"] not in (None, _key(identity)):
                return "unknown"
            offered = _identity(found)
            if offered.is_same(identity):
                return "same"
            if (person := _person(db, identity.channel, identity.contact)) and offered in person:
                return "linked"
            db.execute("UPDATE codes SET taken_by = ? WHERE id = ?", (_key(identity), found["id"]))
            return Offer(id=found["id"], identity=offered)

        result = await self._database.run(work)
        if isinstance(result, str):
            raise Refused(result)
        return result

    async def redeem(self, offer: int, identity: Identity) -> Person:
        """Links the identity that wrote a code with the one that it was shown to. Raises `Refused`.

        Once: a repeated turn finds the link made, and one that was undone since then is not made again.
        """

        def work(db: sqlite3.Connection) -> Person:
            now = self._clock()
            row = db.execute("SELECT * FROM codes WHERE id = ? AND expires > ?", (offer, _stamp(now))).fetchone()
            if row is None or row["taken_by"] != _key(identity):
                raise Refused("unknown")
            shown_to = _identity(row)
            if row["used"]:
                person = _person(db, identity.channel, identity.contact)
                if person is None or shown_to not in person:
                    raise Refused("unknown")
                return person
            db.execute("UPDATE codes SET used = 1 WHERE id = ?", (offer,))
            return _join(db, shown_to, identity, how="code", by=identity.channel, at=now)

        return await self._database.run(work)

    async def link(self, one: Identity, other: Identity, *, by: str) -> Person:
        """Links by the word of an agent (`by` is `agent:` and the name). Persons that have several identities become one.

        Raises `Refused` for an identity and itself.
        """
        if one.is_same(other):
            raise Refused("same")
        return await self._database.run(lambda db: _join(db, one, other, how="agent", by=by, at=self._clock()))

    async def unlink(self, identity: Identity, *, by: str) -> int:
        """Undoes the links of one identity, and with them what rested on them; returns how many there were."""
        sql = """UPDATE links SET undone_at = ?, undone_by = ? WHERE undone_at IS NULL
                 AND id IN (SELECT link FROM ends WHERE (channel, contact) = (?, ?))"""

        def work(db: sqlite3.Connection) -> int:
            return db.execute(sql, (_stamp(self._clock()), by, identity.channel, identity.contact)).rowcount

        undone = await self._database.run(work)
        if undone:
            log.info("contacts unlinked", channel=identity.channel, links=undone)
        return undone

    async def undo(self, link: int, *, by: str) -> None:
        """Undoes one link. Raises `KeyError` if there is none of that number, or if it was undone."""
        sql = "UPDATE links SET undone_at = ?, undone_by = ? WHERE id = ? AND undone_at IS NULL"
        if not await self._database.run(lambda db: db.execute(sql, (_stamp(self._clock()), by, link)).rowcount):
            raise KeyError(link)
        log.info("contacts unlinked", link=link)

    @staticmethod
    def _count(db: sqlite3.Connection, identity: Identity, act: str, now: datetime) -> None:
        """Raises `Refused` if the identity has made as many tries as it may. Those that are refused do not count."""
        begin = now - timedelta(hours=1)
        db.execute("DELETE FROM tries WHERE at <= ?", (_stamp(begin),))
        db.execute("DELETE FROM codes WHERE expires <= ?", (_stamp(now),))
        count, first = db.execute(
            "SELECT count(*), min(at) FROM tries WHERE (channel, contact, act) = (?, ?, ?)",
            (identity.channel, identity.contact, act),
        ).fetchone()
        if count >= TRIES_PER_HOUR:
            raise Refused("too_many", minutes=int((datetime.fromisoformat(first) - begin).total_seconds() // 60) + 1)
        db.execute(
            "INSERT INTO tries (channel, contact, act, at) VALUES (?, ?, ?, ?)",
            (identity.channel, identity.contact, act, _stamp(now)),
        )


_SCHEMA = (
    """CREATE TABLE links (
        id INTEGER PRIMARY KEY,
        how TEXT NOT NULL CHECK (how IN ('code', 'agent')),
        by TEXT NOT NULL,
        at TEXT NOT NULL,
        undone_at TEXT,
        undone_by TEXT
    ) STRICT""",
    """CREATE TABLE ends (
        link INTEGER NOT NULL REFERENCES links (id),
        channel TEXT NOT NULL,
        contact TEXT NOT NULL,
        name TEXT,
        conversation TEXT,
        PRIMARY KEY (channel, contact, link)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX ends_of_link ON ends (link)",
    """CREATE TABLE codes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL,
        channel TEXT NOT NULL,
        contact TEXT NOT NULL,
        name TEXT,
        conversation TEXT,
        expires TEXT NOT NULL,
        taken_by TEXT,
        used INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE TABLE tries (channel TEXT NOT NULL, contact TEXT NOT NULL, act TEXT NOT NULL, at TEXT NOT NULL) STRICT",
    "CREATE TABLE salt (value BLOB NOT NULL) STRICT",
)

_PERSON = """
    WITH RECURSIVE person (channel, contact) AS (
        VALUES (?, ?)
        UNION
        SELECT other.channel, other.contact FROM person
        JOIN ends AS own ON own.channel = person.channel AND own.contact = person.contact
        JOIN links ON links.id = own.link AND links.undone_at IS NULL
        JOIN ends AS other ON other.link = own.link
    )
    SELECT ends.* FROM person JOIN ends USING (channel, contact)
    JOIN links ON links.id = ends.link AND links.undone_at IS NULL
    ORDER BY ends.link, channel, contact
"""


def _create(db: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        db.execute(statement)
    db.execute("INSERT INTO salt VALUES (?)", (secrets.token_bytes(16),))


def _person(db: sqlite3.Connection, channel: str, contact: str) -> Person | None:
    found: dict[tuple[str, str], Identity] = {}
    for row in db.execute(_PERSON, (channel, contact)):
        # The place of the first proof, with the name and conversation of the latest.
        found[row["channel"], row["contact"]] = _identity(row)
    return Person(identities=tuple(found.values())) if found else None


def _join(db: sqlite3.Connection, one: Identity, other: Identity, *, how: How, by: str, at: datetime) -> Person:
    """Two that are linked keep their link; a second way from one to the other is kept, and holds if the first is undone."""
    known = """SELECT 1 FROM ends AS own JOIN ends AS other USING (link) JOIN links ON links.id = own.link
               WHERE links.undone_at IS NULL AND (own.channel, own.contact, other.channel, other.contact) = (?, ?, ?, ?)"""
    if not db.execute(known, (one.channel, one.contact, other.channel, other.contact)).fetchone():
        link = db.execute("INSERT INTO links (how, by, at) VALUES (?, ?, ?)", (how, by, _stamp(at))).lastrowid
        for end in (one, other):
            db.execute(
                "INSERT INTO ends (link, channel, contact, name, conversation) VALUES (?, ?, ?, ?, ?)", (link, *_fields(end))
            )
        log.info("contacts linked", link=link, how=how, channels=[one.channel, other.channel])
    person = _person(db, one.channel, one.contact)
    assert person is not None
    return person


def _links(db: sqlite3.Connection, channel: str, contact: str) -> list[Link]:
    rows = db.execute(
        """SELECT links.* FROM links JOIN ends ON ends.link = links.id AND (ends.channel, ends.contact) = (?, ?)
           ORDER BY links.id DESC""",
        (channel, contact),
    ).fetchall()
    return [
        Link(
            id=row["id"],
            identities=_ends(db, row["id"]),
            how=row["how"],
            by=row["by"],
            at=datetime.fromisoformat(row["at"]),
            undone_at=datetime.fromisoformat(row["undone_at"]) if row["undone_at"] else None,
            undone_by=row["undone_by"],
        )
        for row in rows
    ]


def _ends(db: sqlite3.Connection, link: int) -> tuple[Identity, Identity]:
    one, other = map(_identity, db.execute("SELECT * FROM ends WHERE link = ? ORDER BY channel, contact", (link,)))
    return one, other


def _live_code(db: sqlite3.Connection, code: str, now: datetime) -> sqlite3.Row | None:
    """Compares with every code that is valid now, so that the time tells nothing of how near a guess was."""
    hashed = _hash(db, code)
    found: sqlite3.Row | None = None
    for row in db.execute("SELECT * FROM codes WHERE expires > ?", (_stamp(now),)):
        if hmac.compare_digest(row["hash"], hashed):
            found = row
    return found


def _hash(db: sqlite3.Connection, code: str) -> bytes:
    """About 10 ms: guessing all codes of a stolen file takes longer than a code lives."""
    (salt,) = db.execute("SELECT value FROM salt").fetchone()
    return hashlib.scrypt(code.encode("utf-8", "replace")[:64], salt=salt, n=2**12, r=8, p=1, dklen=32)


def _identity(row: sqlite3.Row) -> Identity:
    return Identity(channel=row["channel"], contact=row["contact"], name=row["name"], conversation=row["conversation"])


def _fields(identity: Identity) -> tuple[str, str, str | None, str | None]:
    return identity.channel, identity.contact, identity.name, identity.conversation


def _key(identity: Identity) -> str:
    return f"{identity.channel}:{identity.contact}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
