"""Customers and platform in one cheap process: sends updates, receives the replies, measures both.

Spoken at the level of `asyncio.Protocol` with prepared bytes, so that the process under test, not this one, is the bottleneck.
Each customer writes again when the reply to the last message has come.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_REPLY = re.compile(rb'"chat_id": ?(\d+).*?"text": ?"(?:echo )?(\d+)"')
_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{"ok":true,"result":{"id":100001}}'[:-1]


@dataclass
class Outcome:
    """`latencies` are seconds from sending a message to its reply; `seconds` is the time of the whole run."""

    messages: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    disordered: int = 0
    refused: int = 0


class _Messages(asyncio.Protocol):
    """Cuts a stream into HTTP messages by their Content-Length."""

    def __init__(self) -> None:
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            stop = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < stop:
                return
            message, self._buffer = self._buffer[:stop], self._buffer[stop:]
            self.received(message[:end], message[end + 4 :])

    def received(self, head: bytes, body: bytes) -> None:
        raise NotImplementedError


class _Platform(_Messages):
    """Takes each call after `delay` seconds and tells the customer."""

    def __init__(self, load: "Load") -> None:
        super().__init__()
        self._load = load

    def received(self, head: bytes, body: bytes) -> None:
        found = _REPLY.search(body)
        if found:
            self._load.replied(int(found[1]), int(found[2]))
        if self._load.delay:
            asyncio.get_running_loop().call_later(self._load.delay, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(_OK)


class _Connection(_Messages):
    """A platform's webhook connection: one update at a time, as real platforms keep them alive."""

    def __init__(self, load: "Load") -> None:
        super().__init__()
        self._load = load

    def received(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200"):
            self._load.outcome.refused += 1
        self._load.free(self)


class Load:
    """`customers` write `messages` in all to `port`; the replies are expected at the platform's own port."""

    def __init__(self, *, customers: int, messages: int, delay: float = 0.0, path: str = "/webhook") -> None:
        self.delay = delay
        self.outcome = Outcome()
        self._customers = customers
        self._messages = messages
        self._path = path
        self._started = 0
        self._sent_at: dict[int, float] = {}
        self._expected: dict[int, int] = {}
        self._idle: list[_Connection] = []
        self._waiting: list[int] = []
        self._done = asyncio.Event()

    async def listen(self) -> int:
        """Opens the platform and returns its port."""
        server = await asyncio.get_running_loop().create_server(lambda: _Platform(self), "127.0.0.1", 0, backlog=1024)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def run(self, port: int, *, connections: int = 64, idle_limit: float = 10.0) -> Outcome:
        """Ends when all replies are there, or when none has come for `idle_limit` seconds."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
            self._idle.append(connection)
        started = time.perf_counter()
        for customer in range(self._customers):
            self._write(customer)
        seen = -1
        while not self._done.is_set() and seen != self.outcome.messages:
            seen = self.outcome.messages
            try:
                await asyncio.wait_for(self._done.wait(), idle_limit)
            except TimeoutError:
                continue
        self.outcome.seconds = time.perf_counter() - started
        self.outcome.lost = self._started - self.outcome.messages
        for connection in self._idle:
            if connection.transport is not None:
                connection.transport.close()
        return self.outcome

    def replied(self, customer: int, number: int) -> None:
        if self._expected.get(customer) != number:
            self.outcome.disordered += 1
            return
        self.outcome.messages += 1
        self.outcome.latencies.append(time.perf_counter() - self._sent_at[customer])
        self._expected[customer] = -1
        if self.outcome.messages >= self._messages:
            self._done.set()
        else:
            self._write(customer)

    def free(self, connection: _Connection) -> None:
        self._idle.append(connection)
        if self._waiting:
            self._send(self._waiting.pop(0))

    def _write(self, customer: int) -> None:
        if self._started >= self._messages:
            return
        self._started += 1
        self._expected[customer] = self._started
        self._sent_at[customer] = time.perf_counter()
        if self._idle:
            self._send(customer)
        else:
            self._waiting.append(customer)

    def _send(self, customer: int) -> None:
        number = self._expected[customer]
        body = (
            b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ann"},'
            b'"chat":{"id":%d,"type":"private"},"date":1732384000,"text":"%d"}}' % (number, number, customer, customer, number)
        )
        connection = self._idle.pop()
        assert connection.transport is not None
        connection.transport.write(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (self._path.encode(), len(body), body)
        )


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
