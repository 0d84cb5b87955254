"""Who listens to which conversation: open sockets, and requests that wait for news."""

import asyncio
from typing import Protocol

from aiohttp import WSCloseCode

from frontdesk.channels.web import render


class Listener(Protocol):
    def push(self, frame: render.Frame, data: bytes) -> None:
        """Never raises and never waits: one slow browser delays nobody. `data` is the encoded frame."""

    def close(self, code: int) -> None: ...


class Poll:
    """A request that is answered at the first news."""

    __slots__ = ("news",)

    def __init__(self) -> None:
        self.news: asyncio.Future[render.Frame] = asyncio.get_running_loop().create_future()

    def push(self, frame: render.Frame, data: bytes) -> None:
        if not self.news.done():
            self.news.set_result(frame)

    def close(self, code: int) -> None:
        self.push(render.Reread(), b"")


class Connections:
    """The listeners of each conversation, the oldest first, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._listeners: dict[str, tuple[Listener, ...]] = {}

    def __contains__(self, conversation: str) -> bool:
        return conversation in self._listeners

    def __len__(self) -> int:
        return sum(map(len, self._listeners.values()))

    def add(self, conversation: str, listener: Listener) -> Listener | None:
        """Returns the listener that had to make room, to be closed."""
        listeners = (*self._listeners.get(conversation, ()), listener)
        oldest = listeners[0] if len(listeners) > self._limit else None
        self._listeners[conversation] = listeners[-self._limit :]
        return oldest

    def remove(self, conversation: str, listener: Listener) -> None:
        rest = tuple(other for other in self._listeners.get(conversation, ()) if other is not listener)
        if rest:
            self._listeners[conversation] = rest
        else:
            self._listeners.pop(conversation, None)

    def push(self, conversation: str, frame: render.Frame, *, but: Listener | None = None) -> None:
        listeners = self._listeners.get(conversation)
        if listeners is None or listeners == (but,):
            return
        data = render.encode(frame)
        for listener in listeners:
            if listener is not but:
                listener.push(frame, data)

    def push_all(self, frame: render.Frame) -> None:
        data = render.encode(frame)
        for listeners in list(self._listeners.values()):
            for listener in listeners:
                listener.push(frame, data)

    def close(self) -> None:
        for listeners in list(self._listeners.values()):
            for listener in listeners:
                listener.close(WSCloseCode.GOING_AWAY)
