"""Tasks that run side by side and are waited for at the end."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """Keeps a reference to each task, as asyncio itself does not."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, seconds: float) -> int:
        """Waits at most so long for what runs, then cancels the rest. Returns how many were cancelled."""
        if not self._running:
            return 0
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=5)
        return len(late)


async def cancelled(task: "asyncio.Task[None] | None") -> None:
    """Cancels a task and waits for its end, whatever it is."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def backoff(attempt: int, *, base: float = 0.5, most: float = 60.0) -> float:
    """Seconds before the next try: doubled each time, from `base` for attempt 0 up to `most`."""
    return float(min(most, base * 2 ** min(attempt, 30)))
