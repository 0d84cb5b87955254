"""Queues by key: first in, first out, one holder at a time, keys side by side. An empty lane costs nothing."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Hands out keys that have something waiting; whoever got a key holds it until `release`."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[T]] = {}
        self._ready: asyncio.Queue[str | None] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """How many items wait in all lanes together, those of held keys included."""
        return self._waiting

    def __contains__(self, key: str) -> bool:
        return key in self._lanes

    def __getitem__(self, key: str) -> deque[T]:
        """What waits in a lane, the oldest first. Only its holder may look."""
        return self._lanes[key]

    def put(self, key: str, item: T) -> None:
        self._waiting += 1
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = deque((item,))
            self._ready.put_nowait(key)
        else:
            lane.append(item)

    def drop(self, key: str, count: int) -> None:
        """Takes the first `count` items out of a held lane."""
        lane = self._lanes[key]
        for _ in range(count):
            lane.popleft()
        self._waiting -= count

    def release(self, key: str, delay: float = 0) -> None:
        """Gives a key back. If something waits in its lane, it is handed out again after `delay` seconds, behind the others."""
        if not self._lanes[key]:
            del self._lanes[key]
        elif delay > 0:
            self._timers[key] = asyncio.get_running_loop().call_later(delay, self._due, key)
        else:
            self._ready.put_nowait(key)

    def close(self) -> None:
        """Ends the iteration. What waits stays where it is."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ready.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (key := await self._ready.get()) is not None:
            yield key
        self._ready.put_nowait(None)

    def _due(self, key: str) -> None:
        del self._timers[key]
        self._ready.put_nowait(key)
