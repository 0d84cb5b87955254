"""Who may work at the desk: accounts, and the one-time links that create them."""

import hashlib
import re
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from frontdesk.channels.desk.database import Database
from frontdesk.channels.desk.passwords import Passwords, check_policy
from frontdesk.channels.desk.strings import Refusal

Role = Literal["agent", "admin"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}\Z")


def digest(token: str) -> str:
    """What is stored instead of a token. The tokens are random, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Account:
    """`name` is for the log-in. `display` is what customers see and what owns conversations: unique, and never changed."""

    name: str
    display: str
    role: Role
    disabled: bool = False

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class Accounts:
    def __init__(
        self, database: Database, passwords: Passwords, *, link_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._link_seconds = link_seconds
        self._clock = clock

    async def get(self, name: str) -> Account | None:
        row = await self._database.run(lambda db: _row(db, name))
        return _account(row) if row else None

    async def all(self) -> list[Account]:
        rows = await self._database.run(lambda db: db.execute("SELECT * FROM accounts ORDER BY display").fetchall())
        return [_account(row) for row in rows]

    async def verify(self, name: str, password: str) -> Account | None:
        """The account, or None for a wrong password, an unknown name or a disabled account; all take the same time."""
        row = await self._database.run(lambda db: _row(db, name))
        if not await self._passwords.verify(row["hash"] if row else None, password) or row["disabled"]:
            return None
        if self._passwords.outdated(row["hash"]):
            await self._store_hash(row["name"], await self._passwords.hash(password))
        return _account(row)

    async def change_password(self, account: Account, current: str, new: str) -> None:
        """Raises `Refusal`."""
        row = await self._database.run(lambda db: _row(db, account.name))
        if not await self._passwords.verify(row["hash"] if row else None, current):
            raise Refusal("password_wrong", 403)
        check_policy(new, account.name, account.display)
        await self._store_hash(account.name, await self._passwords.hash(new))

    async def set_disabled(self, name: str, disabled: bool) -> None:
        """Ends the account's sessions too. Raises `KeyError`, and `Refusal` for the last administrator."""

        def change(db: sqlite3.Connection) -> None:
            row = _row(db, name)
            if row is None:
                raise KeyError(name)
            (others,) = db.execute(
                "SELECT count(*) FROM accounts WHERE role = 'admin' AND NOT disabled AND name <> ?", (row["name"],)
            ).fetchone()
            if disabled and row["role"] == "admin" and not others:
                raise Refusal("last_admin", 409)
            db.execute("UPDATE accounts SET disabled = ? WHERE name = ?", (disabled, row["name"]))
            if disabled:
                db.execute("DELETE FROM sessions WHERE account = ?", (row["name"],))

        await self._database.run(change)

    async def first_link(self) -> str | None:
        """A token for the first administrator, or None if there is an account. An earlier first token stops working."""

        def create(db: sqlite3.Connection) -> str | None:
            if db.execute("SELECT 1 FROM accounts").fetchone():
                return None
            db.execute("DELETE FROM links")
            return self._create_link(db, "admin", None)

        return await self._database.run(create)

    async def invite(self, role: Role, by: Account) -> str:
        """A token for one new account."""
        return await self._database.run(lambda db: self._create_link(db, role, by.name))

    async def invited(self, token: str) -> Role | None:
        """The role that the token gives, or None if it was used, has expired or never was."""
        return await self._database.run(lambda db: self._role(db, token))

    async def join(self, token: str, *, name: str, display: str, password: str) -> Account:
        """Uses the token up and creates the account. Raises `Refusal`; the token can then be tried again."""
        name = name.strip().lower()
        display = " ".join(unicodedata.normalize("NFC", display).split())
        if not _NAME.match(name):
            raise Refusal("name_invalid")
        # The author of an agent's reply is written `agent:` and this name.
        if not 1 <= len(display) <= 60 or ":" in display or not display.isprintable():
            raise Refusal("display_invalid")
        check_policy(password, name, display)
        if await self.invited(token) is None:
            raise Refusal("link_invalid", 403)
        hash = await self._passwords.hash(password)

        def create(db: sqlite3.Connection) -> Account:
            role = self._role(db, token)
            if role is None:
                raise Refusal("link_invalid", 403)
            # SQLite folds only ASCII, and two agents who look the same must not share conversations.
            taken = {row["display"].casefold() for row in db.execute("SELECT display FROM accounts")}
            if _row(db, name) or display.casefold() in taken:
                raise Refusal("name_taken", 409)
            db.execute(
                "INSERT INTO accounts (name, display, hash, role, created) VALUES (?, ?, ?, ?, ?)",
                (name, display, hash, role, self._clock()),
            )
            db.execute("DELETE FROM links WHERE key = ?", (digest(token),))
            return Account(name=name, display=display, role=role)

        return await self._database.run(create)

    async def _store_hash(self, name: str, hash: str) -> None:
        await self._database.run(lambda db: db.execute("UPDATE accounts SET hash = ? WHERE name = ?", (hash, name)))

    def _create_link(self, db: sqlite3.Connection, role: Role, by: str | None) -> str:
        token = secrets.token_urlsafe(32)
        db.execute("DELETE FROM links WHERE expires < ?", (self._clock(),))
        db.execute(
            "INSERT INTO links (key, role, invited_by, expires) VALUES (?, ?, ?, ?)",
            (digest(token), role, by, self._clock() + self._link_seconds),
        )
        return token

    def _role(self, db: sqlite3.Connection, token: str) -> Role | None:
        row = db.execute(
            """SELECT links.role FROM links LEFT JOIN accounts ON accounts.name = links.invited_by
               WHERE key = ? AND expires >= ? AND (invited_by IS NULL OR NOT disabled)""",
            (digest(token), self._clock()),
        ).fetchone()
        return cast(Role, row["role"]) if row else None


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    """The account's row. sqlite3 has no type for "or None": test it."""
    return cast(sqlite3.Row, db.execute("SELECT * FROM accounts WHERE name = ?", (name.strip(),)).fetchone())


def _account(row: sqlite3.Row) -> Account:
    return Account(name=row["name"], display=row["display"], role=row["role"], disabled=bool(row["disabled"]))
