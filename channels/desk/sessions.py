"""Sessions kept on the server, so that they can be ended. The cookie holds a random token, the database only its hash."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable

from aiohttp import web
from aiohttp_session import AbstractStorage, Session

from frontdesk.channels.desk.accounts import digest
from frontdesk.channels.desk.database import Database

BACKGROUND = frozenset({"inbox", "live", "events"})
"""Names of the routes that a page asks for by itself: they do not keep a session alive."""


class Sessions(AbstractStorage):
    """A session ends `idle` seconds after the last act and `lifetime` seconds after the log-in, whichever is first."""

    def __init__(
        self, database: Database, *, idle: float, lifetime: float, secure: bool, clock: Callable[[], float] = time.time
    ) -> None:
        # Lax and not Strict: a link to a conversation in a mail or chat must find the agent logged in.
        super().__init__(cookie_name="frontdesk_desk", path="/desk", httponly=True, samesite="Lax", secure=secure)
        self._database = database
        self._idle = idle
        self._lifetime = lifetime
        self._clock = clock

    async def load_session(self, request: web.Request) -> Session:
        token = self.load_cookie(request)
        if not token:
            return await self.new_session()
        route = request.match_info.route.name
        row = await self._database.run(lambda db: self._load(db, digest(token), touch=route not in BACKGROUND))
        if row is None:
            return await self.new_session()
        return Session(token, data={"created": int(row["created"]), "session": json.loads(row["data"])}, new=False)

    async def save_session(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:
        old = self.load_cookie(request)
        if session.empty:
            if old:
                await self._database.run(lambda db: db.execute("DELETE FROM sessions WHERE key = ?", (digest(old),)))
            self.save_cookie(response, "")
            return
        token = session.identity
        if token is None:
            token = secrets.token_urlsafe(32)
            self.save_cookie(response, token)
        now, data, account = self._clock(), json.dumps(dict(session)), session["account"]

        def save(db: sqlite3.Connection) -> None:
            if old and old != token:
                db.execute("DELETE FROM sessions WHERE key = ?", (digest(old),))
            db.execute("DELETE FROM sessions WHERE created < ? OR seen < ?", (now - self._lifetime, now - self._idle))
            db.execute(
                """INSERT INTO sessions (key, account, data, created, seen) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT (key) DO UPDATE SET data = excluded.data, seen = excluded.seen""",
                (digest(token), account, data, now, now),
            )

        await self._database.run(save)

    async def valid(self, session: Session) -> bool:
        """Whether the session still goes on; asked by long responses now and then."""
        key = digest(str(session.identity))
        return await self._database.run(lambda db: self._load(db, key, touch=False)) is not None

    async def end_others(self, session: Session) -> None:
        """Ends all sessions of the account but this one."""
        key = digest(str(session.identity))
        await self._database.run(
            lambda db: db.execute("DELETE FROM sessions WHERE account = ? AND key <> ?", (session["account"], key))
        )

    def _load(self, db: sqlite3.Connection, key: str, *, touch: bool) -> sqlite3.Row | None:
        now = self._clock()
        row: sqlite3.Row | None = db.execute(
            "SELECT data, created, seen FROM sessions WHERE key = ? AND created >= ? AND seen >= ?",
            (key, now - self._lifetime, now - self._idle),
        ).fetchone()
        if row is not None and touch and now - row["seen"] > min(60, self._idle / 10):
            db.execute("UPDATE sessions SET seen = ? WHERE key = ?", (now, key))
        return row
