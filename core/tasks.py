"""Tasks that run side by side and are waited for at the end."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from frontdesk.core.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

FAILURES = (Exception, asyncio.CancelledError, SystemExit)
"""What code of others may end with. Ask `being_cancelled` too: a handler that waits for a task that somebody cancelled raises
`CancelledError` though nobody has cancelled the turn, and `sys.exit` would take the process along."""


def being_cancelled() -> bool:
    """Whether somebody wants the current task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Tasks:
    """Keeps a reference to each task, as asyncio itself does not."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, seconds: float) -> int:
        """Waits at most so long for what runs, and what that starts, then cancels the rest. Returns how many were cancelled."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._running and (left := end - loop.time()) > 0:
            await asyncio.wait(self._running, timeout=left)
        late = set(self._running)
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


async def when_writable(write: Callable[[], Awaitable[T]], **about: str) -> T:
    """Writes to the store, as soon as it can be written to: what has happened must be kept, and must not happen again."""
    attempt = 0
    while True:
        try:
            return await write()
        except Unavailable as failure:
            log.error("the store cannot be written to: waiting", error=str(failure), **about)
            await asyncio.sleep(backoff(attempt, most=5))
            attempt += 1


async def in_daemon(work: Callable[[], T]) -> T:
    """Runs what takes long and keeps nothing in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as failure:
            error = failure
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await ended


def backoff(attempt: int, *, base: float = 0.5, most: float = 60.0) -> float:
    """Seconds before the next try: doubled each time, from `base` for attempt 0 up to `most`."""
    return float(min(most, base * 2 ** min(attempt, 30)))
