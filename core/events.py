"""What happens, for those who watch: the desk page, the widget's socket, metrics. Nothing here is needed to serve a customer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from frontdesk.core.conversations import Conversation
from frontdesk.core.messages import Body


@dataclass(frozen=True, slots=True)
class Accepted:
    """A customer's message is in the inbox."""

    conversation: str
    body: Body


@dataclass(frozen=True, slots=True)
class Changed:
    """A turn or an agent's act was committed: the new state, and what was added to the transcript."""

    state: Conversation
    entries: tuple[Body, ...]

    @property
    def conversation(self) -> str:
        return self.state.id


@dataclass(frozen=True, slots=True)
class Delivered:
    """A reply was taken by the platform, or given up if `error` says why."""

    conversation: str
    id: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is writing: `bot`, `contact`, or `agent:` and a name. `heard` is the share of a recording that the bot
    has heard so far, None while it does not listen."""

    conversation: str
    author: str
    heard: float | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """This subscriber was too slow and has missed events: it must read the store again."""

    conversation: str = ""


Event = Accepted | Changed | Delivered | Typing | Missed


class Subscription:
    """The events since it was opened, of one conversation or of all. A slow reader loses events and is told so by `Missed`."""

    def __init__(self, wants: Callable[[Event], bool] | None, size: int) -> None:
        self._wants = wants
        self._queue: asyncio.Queue[Event] = asyncio.Queue(size)

    def put(self, event: Event) -> None:
        if self._wants is not None and not isinstance(event, Missed) and not self._wants(event):
            return
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            event = Missed()
        self._queue.put_nowait(event)

    async def get(self) -> Event:
        return await self._queue.get()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self._queue.get()


class Events:
    """Publishes within one process. Publishing never waits."""

    def __init__(self) -> None:
        self._all: set[Subscription] = set()
        self._by_conversation: dict[str, set[Subscription]] = {}

    def publish(self, event: Event) -> None:
        for subscription in (*self._all, *self._by_conversation.get(event.conversation, ())):
            subscription.put(event)

    @contextmanager
    def subscribe(
        self, conversation: str | None = None, *, wants: Callable[[Event], bool] | None = None, size: int = 256
    ) -> Iterator[Subscription]:
        """Without a conversation, the events of all; `wants` leaves out those that would only cost a wake-up."""
        subscription = Subscription(wants, size)
        group = self._all if conversation is None else self._by_conversation.setdefault(conversation, set())
        group.add(subscription)
        try:
            yield subscription
        finally:
            group.discard(subscription)
            if conversation is not None and not group:
                self._by_conversation.pop(conversation, None)
