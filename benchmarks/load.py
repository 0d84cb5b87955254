"""Customers and platform in one cheap process: sends updates, receives the replies, measures both.

Spoken at the level of `asyncio.Protocol` with prepared bytes, so that the process under test, not this one, is the bottleneck.
Customers are numbered from 1. Each has written so many messages `ahead` of the replies, one by default, and writes again when a
reply has come. As platforms do, the next update of a chat is posted when the one before was acknowledged.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.paths import PATHS, MessagePath

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
SLOW = 1
"""The customer whose chat is slow, in runs that have one."""


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
    """Takes each call after a while and tells the customer."""

    def __init__(self, load: "Load") -> None:
        super().__init__()
        self._load = load

    def received(self, head: bytes, body: bytes) -> None:
        path = self._load.path
        answer = path.answer(head.partition(b"\r\n")[0], body)
        found = path.reply.search(body)
        delay = self._load.delay
        if found:
            customer, number = int(found[1]), int(found[2])
            self._load.replied(customer, number)
            delay = self._load.delay_of(customer)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, answer: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(_OK % (len(answer), answer))


class _Connection(_Messages):
    """A platform's webhook connection: one update at a time, as real platforms keep them alive."""

    def __init__(self, load: "Load") -> None:
        super().__init__()
        self._load = load
        self.customer = 0

    def received(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200"):
            self._load.outcome.refused += 1
        self._load.acknowledged(self)


class Load:
    """`customers` write `messages` in all to `port`; the replies are expected at the platform's own port.

    The platform takes `delay` seconds a call, and `slow` seconds in the chat of the customer `SLOW`, who is not measured then.
    """

    def __init__(
        self, *, customers: int, messages: int, delay: float = 0.0, path: str = "webhook", ahead: int = 1, slow: float = 0.0
    ) -> None:
        self.delay = delay
        self.path: MessagePath = PATHS[path]
        self.outcome = Outcome()
        self._customers = range(1, customers + 1)
        self._messages = messages
        self._ahead = ahead
        self._slow = slow
        self._started = 0
        self._written: dict[int, deque[tuple[int, float]]] = {customer: deque() for customer in self._customers}
        self._unposted: dict[int, deque[int]] = {customer: deque() for customer in self._customers}
        self._posting: set[int] = set()
        self._idle: list[_Connection] = []
        self._waiting: deque[int] = deque()
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
        opened = list(self._idle)
        started = time.perf_counter()
        for _ in range(self._ahead):
            for customer in self._customers:
                self._write(customer)
        seen = -1
        while not self._done.is_set() and seen != self.outcome.messages:
            seen = self.outcome.messages
            try:
                await asyncio.wait_for(self._done.wait(), idle_limit)
            except TimeoutError:
                continue
        self.outcome.seconds = time.perf_counter() - started
        if not self._slow:
            self.outcome.lost = self._started - self.outcome.messages
        for connection in opened:
            if connection.transport is not None:
                connection.transport.close()
        return self.outcome

    def delay_of(self, customer: int) -> float:
        return self._slow if self._slow and customer == SLOW else self.delay

    def replied(self, customer: int, number: int) -> None:
        waiting = self._written[customer]
        if not waiting or waiting[0][0] != number:
            self.outcome.disordered += 1
            return
        _, at = waiting.popleft()
        if not (self._slow and customer == SLOW):
            self.outcome.messages += 1
            self.outcome.latencies.append(time.perf_counter() - at)
        if self.outcome.messages >= self._messages:
            self._done.set()
        else:
            self._write(customer)

    def acknowledged(self, connection: _Connection) -> None:
        self._idle.append(connection)
        self._posting.discard(connection.customer)
        if self._unposted[connection.customer]:
            self._post(connection.customer)
        while self._waiting and self._idle:
            self._post(self._waiting.popleft())

    def _write(self, customer: int) -> None:
        if self._started >= self._messages and not self._slow:
            return
        self._started += 1
        self._written[customer].append((self._started, time.perf_counter()))
        self._unposted[customer].append(self._started)
        self._post(customer)

    def _post(self, customer: int) -> None:
        """Posts the customer's next update, as soon as a connection is free and the one before is acknowledged."""
        if customer in self._posting or not self._unposted[customer]:
            return
        if not self._idle:
            self._waiting.append(customer)
            return
        body = self.path.update(customer, self._unposted[customer].popleft())
        self._posting.add(customer)
        connection = self._idle.pop()
        connection.customer = customer
        assert connection.transport is not None
        connection.transport.write(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
            % (self.path.url.encode(), self.path.headers(body), len(body), body)
        )


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
