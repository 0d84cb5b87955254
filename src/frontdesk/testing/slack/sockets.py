"""Socket Mode: envelopes over WebSockets (https://docs.slack.dev/apis/events-api/using-socket-mode)."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from frontdesk.testing.slack.delivery import Answer, Delivery, Reason

MOST_CONNECTIONS = 10
APPROXIMATE_SECONDS = 3600
PATIENCE = 10.0
"""Seconds after which a connection that was told to refresh is closed."""


class _Connection:
    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
        self.socket = socket
        self.transport = transport
        self.leaving = False
        self.waiting: dict[str, asyncio.Future[Any]] = {}

    def end(self) -> None:
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ConnectionError())


class Sockets:
    """The app's connections. Each envelope goes to one of them, and must be acknowledged there in time."""

    def __init__(self, app_id: str, seconds: float) -> None:
        self._app_id = app_id
        self._seconds = seconds
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._next = 0
        self._changed = asyncio.Condition()
        self.opened = 0
        """How many connections there have been."""
        self.enabled = True

    def ticket(self) -> str:
        """Opens the door once."""
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return ticket

    @property
    def connections(self) -> int:
        return len(self._usable())

    async def connected(self, number: int = 1, *, opened: int = 0, seconds: float = 20) -> None:
        """Waits for so many connections now, and for so many altogether. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self._usable()) >= number and self.opened >= opened)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or not self.enabled:
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "fake"}})
            await socket.close()
            return socket
        connection = _Connection(socket, request.transport)
        self._connections.append(connection)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._connections),
                "debug_info": {"host": "fake", "build_number": 1, "approximate_connection_time": APPROXIMATE_SECONDS},
                "connection_info": {"app_id": self._app_id},
            }
        )
        self.opened += 1
        await self._tell()
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._take(connection, message.data)
        finally:
            self._connections.remove(connection)
            connection.end()
            await self._tell()
        return socket

    async def attempt(self, delivery: Delivery, number: int, reason: Reason | None) -> Answer:
        usable = self._usable()
        if not usable:
            return Answer(reason="connection_failed")
        self._next += 1
        connection = usable[self._next % len(usable)]
        envelope = {
            "envelope_id": str(uuid4()),
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": number, "retry_reason": reason or ""}
        future = asyncio.get_running_loop().create_future()
        connection.waiting[str(envelope["envelope_id"])] = future
        try:
            await connection.socket.send_str(json.dumps(envelope))
            async with asyncio.timeout(self._seconds):
                return Answer(status=200, body=await future)
        except TimeoutError:
            return Answer(reason="http_timeout")
        except ConnectionError:
            return Answer(reason="connection_failed")
        finally:
            connection.waiting.pop(str(envelope["envelope_id"]), None)
            future.cancel()

    async def send(self, text: str) -> None:
        """Anything at all, on every connection."""
        for connection in self._usable():
            await connection.socket.send_str(text)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks every connection to make room for a new one; closes it when it is not gone after a while."""
        for connection in self._usable():
            connection.leaving = reason != "warning"
            with suppress(ConnectionError):
                await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
            if connection.leaving:
                asyncio.get_running_loop().call_later(PATIENCE, self._cut, connection)

    def drop(self) -> None:
        """Cuts every connection, as a failing network does."""
        for connection in list(self._connections):
            connection.leaving = True
            self._cut(connection)

    @staticmethod
    def _cut(connection: _Connection) -> None:
        connection.end()
        if isinstance(connection.transport, asyncio.Transport):
            connection.transport.abort()

    def _take(self, connection: _Connection, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            return
        if isinstance(answer, dict) and (future := connection.waiting.get(str(answer.get("envelope_id")))) and not future.done():
            future.set_result(answer.get("payload"))

    def _usable(self) -> list[_Connection]:
        return [connection for connection in self._connections if not connection.leaving and not connection.socket.closed]

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
