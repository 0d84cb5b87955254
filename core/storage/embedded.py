"""What the embedded engines share: lanes in memory over rows that are kept elsewhere.

One process owns all conversations, so that handing out turns and deliveries needs no locks in the store. A subclass keeps
the rows (`_insert`, `_apply`, `_settle`, `_count`) and reads them.

A message that a process may have been working on when it died is a *suspect*: its attempt is counted, durably, before its turn
is taken, and from its third attempt on it runs while no other suspect does. So only the message that kills the process is
given up.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import Unavailable
from frontdesk.core.messages import Body, Entry, Message, Outgoing, Status
from frontdesk.core.storage.lanes import Lanes
from frontdesk.core.store import Claim, Delivery, Health, Receipt, Store

ALONE_FROM = 2
ALONE_RETRY = 0.05


@dataclass(slots=True)
class _Waiting:
    seq: int
    message: Message
    attempts: int = 0
    suspect: bool = False


@dataclass(slots=True)
class _Unsent:
    seq: int
    outgoing: Outgoing
    attempts: int = 0


class EmbeddedStore(Store):
    def __init__(self, *, max_backlog: int) -> None:
        self._inbox: Lanes[_Waiting] = Lanes()
        self._outbox: Lanes[_Unsent] = Lanes()
        self._max_backlog = max_backlog
        self._one_alone = False

    # What a subclass keeps. Each is durable when it returns. `then` runs on the event loop as soon as the rows are durable, even
    # if the caller was cancelled meanwhile: the lanes must never know less than the rows.

    @abstractmethod
    async def _insert(self, message: Message, then: Callable[[int], None]) -> int | None:
        """Keeps a pending message and returns its number, or None if its id is known."""

    @abstractmethod
    async def _apply(
        self,
        conversation: Conversation,
        entries: Sequence[Body],
        settled: Sequence[int],
        error: str | None,
        then: Callable[[Conversation, Sequence[tuple[int, Body]]], None],
    ) -> Conversation:
        """One transaction: the state under its next version, new entries (known ids are left out), `settled` messages done,
        or dead if there is an `error`. Raises `Stale`."""

    @abstractmethod
    async def _settle(self, seq: int, status: Status, *, platform_id: str | None = None, error: str | None = None) -> None: ...

    @abstractmethod
    async def _count(self, seq: int, error: str | None = None) -> None:
        """Adds one to the attempts of a row."""

    @abstractmethod
    async def _dead_count(self) -> int: ...

    def _take_up(self, entry: Entry, *, suspect: bool) -> None:
        """Puts a pending row that was found in the store into its lane."""
        match entry.body:
            case Message() as message:
                first = message.conversation not in self._inbox  # no other of the lane can have been begun
                self._inbox.put(message.conversation, _Waiting(entry.seq, message, entry.attempts, suspect and first))
            case Outgoing() as outgoing:
                self._outbox.put(outgoing.conversation, _Unsent(entry.seq, outgoing, entry.attempts))

    # The protocol.

    async def accept(self, message: Message) -> Receipt:
        if len(self._inbox) >= self._max_backlog:
            raise Unavailable(f"{len(self._inbox)} messages wait already", retry_after=5)

        def kept(seq: int) -> None:
            self._inbox.put(message.conversation, _Waiting(seq, message))

        return Receipt(message.id, duplicate=await self._insert(message, kept) is None)

    async def turns(self) -> AsyncIterator[Claim]:
        async for key in self._inbox:
            head = self._inbox[key][0]
            alone = head.suspect and head.attempts >= ALONE_FROM
            if alone and self._one_alone:
                self._inbox.release(key, ALONE_RETRY)
                continue
            self._one_alone |= alone
            yield _Claim(self, key, alone)

    async def deliveries(self) -> AsyncIterator[Delivery]:
        async for key in self._outbox:
            yield _Delivery(self, key, self._outbox[key][0])

    async def commit(self, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        def kept(_state: Conversation, rows: Sequence[tuple[int, Body]]) -> None:
            self._queue(rows)

        return await self._apply(conversation, entries, (), None, kept)

    async def health(self) -> Health:
        full = len(self._inbox) >= self._max_backlog
        return Health(
            ok=not full,
            inbox=len(self._inbox),
            outbox=len(self._outbox),
            dead=await self._dead_count(),
            detail="the inbox is full" if full else "",
        )

    async def close(self) -> None:
        self._inbox.close()
        self._outbox.close()

    def _queue(self, rows: Sequence[tuple[int, Body]]) -> None:
        for seq, body in rows:
            if isinstance(body, Outgoing):
                self._outbox.put(body.conversation, _Unsent(seq, body))


class _Claim:
    __slots__ = ("_alone", "_counted", "_key", "_lane", "_store")

    def __init__(self, store: EmbeddedStore, key: str, alone: bool) -> None:
        self._store = store
        self._key = key
        self._alone = alone
        self._counted = False
        self._lane = store._inbox[key]

    def waiting(self, limit: int) -> Sequence[Message]:
        return tuple([waiting.message for waiting in islice(self._lane, limit)])

    @property
    def attempts(self) -> int:
        return self._lane[0].attempts

    async def load(self) -> Conversation | None:
        head = self._lane[0]
        if head.suspect and not self._counted:
            await self._store._count(head.seq)
            self._counted = True
        return await self._store.conversation(self._key)

    async def commit(self, taken: int, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        return await self._end(taken, None, conversation, entries)

    async def bury(self, taken: int, reason: str, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        return await self._end(taken, reason, conversation, entries)

    async def retry(self, delay: float, reason: str) -> None:
        head = self._lane[0]
        await self._store._count(head.seq, reason)
        head.attempts += 1
        head.suspect = False
        self._release(delay)

    async def _end(self, taken: int, error: str | None, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        def kept(_state: Conversation, rows: Sequence[tuple[int, Body]]) -> None:
            self._store._queue(rows)
            self._store._inbox.drop(self._key, taken)
            self._release()

        settled = [waiting.seq for waiting in islice(self._lane, taken)]
        return await self._store._apply(conversation, entries, settled, error, kept)

    def _release(self, delay: float = 0) -> None:
        if self._alone:
            self._store._one_alone = False
        self._store._inbox.release(self._key, delay)


class _Delivery:
    __slots__ = ("_key", "_store", "_unsent", "attempts", "outgoing")

    def __init__(self, store: EmbeddedStore, key: str, unsent: _Unsent) -> None:
        self._store = store
        self._key = key
        self._unsent = unsent
        self.outgoing = unsent.outgoing
        self.attempts = unsent.attempts

    async def begin(self) -> None:
        await self._store._settle(self._unsent.seq, "sending")

    async def sent(self, platform_id: str | None) -> None:
        await self._store._settle(self._unsent.seq, "sent", platform_id=platform_id)
        self._done()

    async def bury(self, reason: str) -> None:
        await self._store._settle(self._unsent.seq, "dead", error=reason)
        self._done()

    async def retry(self, delay: float, reason: str) -> None:
        await self._store._count(self._unsent.seq, reason)
        self._unsent.attempts += 1
        self._store._outbox.release(self._key, delay)

    def _done(self) -> None:
        self._store._outbox.drop(self._key, 1)
        self._store._outbox.release(self._key)
