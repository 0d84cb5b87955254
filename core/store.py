"""What every engine must offer: keep what was accepted, hand out turns and deliveries, and commit each atomically.

One protocol serves the embedded engines (memory, SQLite) and the scaled-out one; `frontdesk.testing.StoreContract` holds
the tests that each must pass. The promises:

* `accept` returns only when the message is durable. What was accepted is never lost.
* Turns of one conversation are handed out one at a time, in the order of arrival; conversations go side by side.
* `commit` is atomic: messages done, new state and new entries together, or nothing.
* Replies of one conversation are handed out in order, the next only when the one before is sent or dead.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from frontdesk.core.conversations import Conversation, Owner
from frontdesk.core.messages import Body, Entry, Message, Outgoing


@dataclass(frozen=True, slots=True)
class Receipt:
    """`duplicate` is True if a message of the same id had been accepted before; the first one counts."""

    id: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Depths are numbers of entries; `ok` is False while nothing can be accepted."""

    ok: bool
    inbox: int
    outbox: int
    dead: int
    detail: str = ""


class Claim(Protocol):
    """The right to take the next turn of one conversation. Exactly one of `commit`, `retry` and `bury` ends it."""

    def waiting(self, limit: int) -> Sequence[Message]:
        """At most `limit` of the messages that wait now, the oldest first, never empty. More may come while the claim is held."""

    @property
    def attempts(self) -> int:
        """How often the first message has been tried before."""

    async def load(self) -> Conversation | None:
        """The state as it is now; None if this is the first message.

        The first call counts an attempt, durably, if a process died that may have been working on these messages.
        """

    async def commit(self, taken: int, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        """Marks the first `taken` messages done, with the new state and entries, and returns the state with its new version.

        Raises `Stale`: then the claim goes on; load again and decide again.
        """

    async def bury(self, taken: int, reason: str, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        """As `commit`, but the messages become dead letters."""

    async def retry(self, delay: float, reason: str) -> None:
        """Gives the claim back; the conversation waits `delay` seconds."""


class Delivery(Protocol):
    """The oldest unsent reply of one conversation. Exactly one of `sent`, `retry` and `bury` ends it."""

    @property
    def outgoing(self) -> Outgoing: ...

    @property
    def attempts(self) -> int:
        """How often it has been tried before."""

    async def begin(self) -> None:
        """Notes, durably, that it may be on its way: should the process die, it becomes a dead letter and is not sent again."""

    async def sent(self, platform_id: str | None) -> None: ...

    async def retry(self, delay: float, reason: str) -> None:
        """Tries again in `delay` seconds; the conversation's later replies wait behind it."""

    async def bury(self, reason: str) -> None: ...


class Store(Protocol):
    """An engine. Every method but the iterators may raise `Unavailable`: then nothing has happened."""

    async def open(self, *, work: bool = True) -> None:
        """Migrates the schema if it must, and takes up what an earlier process left unfinished.

        With `work` False it only looks, and replays, beside a process that works: no turns and no deliveries.
        """

    async def close(self) -> None:
        """Ends `turns` and `deliveries`, flushes and closes. Idempotent."""

    async def accept(self, message: Message) -> Receipt: ...

    def turns(self) -> AsyncIterator[Claim]: ...

    def deliveries(self) -> AsyncIterator[Delivery]: ...

    async def conversation(self, id: str) -> Conversation | None: ...

    async def commit(self, conversation: Conversation, entries: Sequence[Body]) -> Conversation:
        """Changes a conversation outside a turn (an agent acts) and returns it with its new version. Raises `Stale`.

        Entries whose id is known are left out, so that a repeated act does no harm; but a `Message` takes the place of the one
        with its id: so the record of what a customer wrote is changed, here and in a claim's `commit` and `bury`.
        """

    async def transcript(
        self, conversation: str, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[Entry]:
        """The last `limit` entries with `after` < seq < `before`, in order."""

    async def entry(self, id: str) -> Entry | None:
        """The entry whose body has this id."""

    async def conversations(
        self,
        *,
        owner: Owner | None = None,
        contact: tuple[str, str] | None = None,
        before: datetime | None = None,
        limit: int = 100,
    ) -> list[Conversation]:
        """Newest first by `updated`, those updated before `before`.

        `contact` is a channel and the id of the contact there: those conversations that this contact began.
        """

    async def dead(self, *, limit: int = 100) -> list[Entry]:
        """The dead letters, newest first."""

    async def bounced(self, id: str, reason: str) -> Entry | None:
        """Makes a reply that was sent a dead letter: it did not arrive after all. None if no such reply was sent."""

    async def replay(self, seq: int) -> Entry:
        """Makes a dead letter pending again. Raises `KeyError` if there is none of that number."""

    async def health(self) -> Health: ...
