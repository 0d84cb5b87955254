"""Watches one mailbox: takes each new mail once, in order, and marks it as read only after it was kept.

New is what is unread, and what came after the last one that was taken, read or not: people may read along. Whether a mail was
taken before is not decided here: the store knows it by its id.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from frontdesk.channels.email.imap import Connection, ImapError, LoginRefused, Refused, Selected
from frontdesk.channels.email.settings import Account
from frontdesk.channels.email.state import Cursor, State
from frontdesk.core.errors import InvalidInput, TransientError, Unavailable
from frontdesk.core.tasks import backoff

log = structlog.get_logger(__name__)

BATCH = 20
"""So many mails are marked as read by one command; after a crash as many are looked at again."""
BEGINNING = 256 * 1024
"""So much is fetched of a mail that is too large: its headers and, mostly, its text."""
MOST_BREAKS = 10
"""A mail at which the connection has broken so often is left to people: some servers break down at damaged mail, every time."""
MISSED = 2
"""A server that has so often not told of new mail while it should have is asked for it instead."""
REMEMBERED = 100_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as it lies in its mailbox; not `whole` if it is larger than was allowed, then `data` is its beginning."""

    account: Account
    data: bytes
    whole: bool = True


Take = Callable[[Letter], Awaitable[None]]
"""Keeps a mail, durably. Raises `Unavailable` or `TransientError` if it cannot now, and `InvalidInput` if it never will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Times are in seconds, sizes in bytes. `idle_seconds` is how long an IDLE is trusted, far below RFC 2177's 29 minutes."""

    idle: bool = True
    idle_seconds: float = 300
    poll_seconds: float = 60
    timeout: float = 30
    max_age: timedelta = timedelta(days=14)
    max_mail: int = 25 * 1024 * 1024


class Mailbox:
    def __init__(self, account: Account, state: State, take: Take, watching: Watching) -> None:
        self._account = account
        self._state = state
        self._take = take
        self._watching = watching
        self._cursor: Cursor | None = None
        self._done: set[int] = set()
        self._broke: Counter[tuple[int, int]] = Counter()  # by UIDVALIDITY and UID
        self._missed = 0
        self._log = log.bind(host=account.imap.host, folder=account.folder)

    async def run(self) -> None:
        """Watches until it is cancelled, connecting again whenever it must."""
        attempt = 0
        while True:
            try:
                connection = await Connection.open(self._account.imap, seconds=self._watching.timeout)
                try:
                    selected = await connection.select(self._account.folder)
                    self._log.info("watching a mailbox", idle=self._idles(connection))
                    attempt = 0
                    await self._watch(connection, selected)
                finally:
                    connection.abort()
            except LoginRefused as error:
                self._log.error("the mailbox cannot be read: correct its user, and its password or token", error=str(error))
                attempt = max(attempt, 6)
            except (ImapError, TransientError) as error:
                self._log.warning("the mailbox is out of reach", error=str(error))
            await asyncio.sleep(backoff(attempt, base=1, most=300))
            attempt += 1

    async def _watch(self, connection: Connection, selected: Selected) -> None:
        await self._begin(selected)
        told = True
        while True:
            if pause := await self._work(connection, told=told):
                await connection.wait(pause)
                told = True
            elif self._idles(connection):
                told = connection.told or await self._idle(connection)
            else:
                await connection.wait(self._watching.poll_seconds)
                told = True

    async def _begin(self, selected: Selected) -> None:
        account = self._account
        known = self._cursor or await self._state.cursor(account.address, account.folder)
        if known is None or known.uidvalidity != selected.uidvalidity or not selected.uidvalidity:
            if known is not None:
                self._log.info("the folder was made anew: starting over", uidvalidity=selected.uidvalidity)
            known = None
            self._done.clear()
        self._cursor = known
        self._selected = selected

    async def _idle(self, connection: Connection) -> bool:
        try:
            told = await connection.idle(self._watching.idle_seconds)
        except Refused:
            self._log.warning("the server does not let us idle: asking for new mail instead")
            self._missed = MISSED
            return True
        if told:
            self._missed = 0
        return told

    def _idles(self, connection: Connection) -> bool:
        return self._watching.idle and connection.can_idle and self._missed < MISSED

    async def _work(self, connection: Connection, *, told: bool) -> float | None:
        """Takes what is new. Returns the seconds to wait if something could not be kept."""
        uids = await self._new(connection)
        if uids and not told:
            self._missed += 1
            if self._missed == MISSED:
                self._log.warning("the server does not tell of new mail: asking for it instead")
        for start in range(0, len(uids), BATCH):
            pause = await self._take_batch(connection, uids[start : start + BATCH])
            if pause is not None:
                return pause
        if self._cursor is None:
            await self._advance([self._selected.uidnext - 1])
        return None

    async def _take_batch(self, connection: Connection, uids: Sequence[int]) -> float | None:
        taken: list[int] = []
        unreadable: list[int] = []
        pause = None
        sizes = await connection.sizes(uids)
        for uid in uids:
            try:
                if self._broke[self._selected.uidvalidity, uid] >= MOST_BREAKS:
                    raise InvalidInput("the connection breaks at it")
                if uid in sizes:
                    await self._fetch(connection, uid, sizes[uid])
                taken.append(uid)
            except (Unavailable, TransientError) as error:
                self._log.error("mail cannot be kept now: it stays unread", error=str(error), uid=uid)
                pause = error.retry_after or 1.0
                break
            except (InvalidInput, Refused) as error:
                self._log.warning("a mail cannot be read: it stays, flagged", error=str(error), uid=uid, size=sizes.get(uid))
                unreadable.append(uid)
            except ImapError:
                self._broke[self._selected.uidvalidity, uid] += 1
                raise
            except Exception as error:
                self._log.exception("a mail cannot be read: it stays, flagged", error=type(error).__name__, uid=uid)
                unreadable.append(uid)
        await self._mark(connection, taken, unreadable)
        await self._advance([*taken, *unreadable])
        return pause

    async def _new(self, connection: Connection) -> Sequence[int]:
        """The UIDs to look at, in order. On the first look, mail that somebody has read already is left alone."""
        oldest = datetime.now(UTC) - self._watching.max_age
        since = ("UNDELETED", "SINCE", f"{oldest.day}-{MONTHS[oldest.month - 1]}-{oldest.year}")
        uids = {uid for uid in await connection.search("UNSEEN", *since) if uid not in self._done}
        if self._cursor is not None:
            after = self._cursor.uid
            # "5:*" has the last mail even if its UID is below 5.
            uids |= {uid for uid in await connection.search("UID", f"{after + 1}:*", *since) if uid > after}
        return sorted(uids)

    async def _fetch(self, connection: Connection, uid: int, size: int) -> None:
        whole = size <= self._watching.max_mail
        data = await connection.fetch(uid, size, limit=self._watching.max_mail if whole else BEGINNING)
        if data is not None:
            await self._take(Letter(account=self._account, data=data, whole=whole))

    async def _mark(self, connection: Connection, taken: Sequence[int], unreadable: Sequence[int]) -> None:
        try:
            if unreadable:
                await connection.flag(unreadable, r"\Seen", r"\Flagged")
            if taken and self._account.processed is not None:
                await connection.move(taken, self._account.processed)
            elif taken:
                await connection.flag(taken, r"\Seen")
        except Refused as error:
            self._log.error("read mail cannot be marked", error=str(error), uids=[*taken, *unreadable])
        if len(self._done) > REMEMBERED:
            self._done.clear()
        self._done.update(taken, unreadable)

    async def _advance(self, uids: Sequence[int]) -> None:
        after = max(uids, default=0)
        if self._selected.uidvalidity and after > (self._cursor.uid if self._cursor else 0):
            self._cursor = Cursor(self._selected.uidvalidity, after)
            await self._state.set_cursor(self._account.address, self._account.folder, self._cursor)
