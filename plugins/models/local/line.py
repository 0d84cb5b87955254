"""A line in front of an engine: requests are let in by the order of their arrival, as many as there is room for."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Line:
    """Promises each request all the tokens that it may come to need, so that none is ever thrown out half-way.

    Of one event loop. A large request at the head is waited for: smaller ones behind it would keep it out for ever.
    """

    def __init__(self, *, places: int, tokens: int) -> None:
        self._places = places
        self._tokens = tokens
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> tuple[int, int]:
        """Places and tokens that nobody has."""
        return self._places, self._tokens

    @property
    def length(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def place(self, tokens: int) -> AsyncGenerator[None]:
        """Waits for a place and so many tokens, which must be no more than there are in all."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (tokens, ticket)
        self._waiting.append(entry)
        self._admit()
        try:
            await ticket
        except BaseException:
            if ticket.done() and not ticket.cancelled() and ticket.exception() is None:
                self._give_back(tokens)
            else:
                self._waiting = deque(other for other in self._waiting if other is not entry)
                self._admit()
            raise
        try:
            yield
        finally:
            self._give_back(tokens)

    def turn_away(self, error: Exception) -> None:
        """Raises `error` for all who wait."""
        waiting, self._waiting = self._waiting, deque()
        for _, ticket in waiting:
            if not ticket.done():
                ticket.set_exception(error)

    def _give_back(self, tokens: int) -> None:
        self._places += 1
        self._tokens += tokens
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            tokens, ticket = self._waiting[0]
            if ticket.done():
                self._waiting.popleft()
                continue
            if not self._places or tokens > self._tokens:
                return
            self._waiting.popleft()
            self._places -= 1
            self._tokens -= tokens
            ticket.set_result(None)
