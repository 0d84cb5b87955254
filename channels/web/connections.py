"""Who listens to which conversation: open sockets, and requests that wait for news."""

import asyncio
import sys
from contextlib import suppress
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from frontdesk.channels.web import render

BACKLOG = 1024 * 1024
"""Bytes that may wait for a slow browser before it is disconnected; it comes back and reads the history."""

NEVER = sys.maxsize
"""As `writer_limit`: sending puts a frame into the buffer and never waits, so that one slow browser delays nobody."""


class Listener(Protocol):
    async def push(self, frame: render.Frame, data: bytes) -> None:
        """Never raises and never waits for the network. `data` is the encoded frame."""

    async def close(self, code: int) -> None: ...


class Socket:
    """A browser's WebSocket."""

    __slots__ = ("_transport", "_ws")

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._ws = ws
        self._transport = transport

    async def send(self, frame: render.Frame) -> None:
        await self.push(frame, render.encode(frame))

    async def push(self, frame: render.Frame, data: bytes) -> None:
        if self._transport.get_write_buffer_size() > BACKLOG:
            self._transport.abort()
            return
        with suppress(ConnectionError):  # its own handler sees the end, and takes it off the list
            await self._ws.send_frame(data, WSMsgType.TEXT)

    async def close(self, code: int) -> None:
        await self._ws.close(code=code)


class Poll:
    """A request that is answered at the first news."""

    __slots__ = ("news",)

    def __init__(self) -> None:
        self.news: asyncio.Future[render.Frame] = asyncio.get_running_loop().create_future()

    async def push(self, frame: render.Frame, data: bytes) -> None:
        if not self.news.done():
            self.news.set_result(frame)

    async def close(self, code: int) -> None:
        await self.push(render.Reread(), b"")


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

    async def push(self, conversation: str, frame: render.Frame, *, but: Listener | None = None) -> None:
        listeners = self._listeners.get(conversation)
        if listeners is None or listeners == (but,):
            return
        data = render.encode(frame)
        for listener in listeners:
            if listener is not but:
                await listener.push(frame, data)

    async def push_all(self, frame: render.Frame) -> None:
        for conversation in list(self._listeners):
            await self.push(conversation, frame)

    async def close(self) -> None:
        """Closes all, side by side."""
        everybody = [listener for listeners in self._listeners.values() for listener in listeners]
        await asyncio.gather(*(listener.close(WSCloseCode.GOING_AWAY) for listener in everybody), return_exceptions=True)
