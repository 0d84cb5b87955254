"""Work that goes on until it is done, in order for each key, and with backoff where it fails."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from frontdesk.core.errors import DeliveryDeferred, FrontdeskError, TransientError, Unavailable
from frontdesk.core.tasks import backoff

log = structlog.get_logger(__name__)

AT_ONCE = 16


class Work:
    """`work` is called with a key that was woken, and again if it was woken meanwhile. It must not mind to be called in vain."""

    def __init__(self, name: str, work: Callable[[str], Awaitable[None]]) -> None:
        self._name = name
        self._work = work
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def wake(self, key: str) -> None:
        if key in self._running:
            self._again.add(key)
        else:
            self._running[key] = asyncio.create_task(self._until_done(key), name=f"{self._name}-{key}")

    async def stop(self) -> None:
        """What is not done is found again at the next start."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _until_done(self, key: str) -> None:
        attempt = 0
        try:
            while True:
                self._again.discard(key)
                try:
                    async with self._slots:
                        await self._work(key)
                except FrontdeskError as error:
                    log.warning("work for agents in Slack is tried again", work=self._name, error=str(error))
                    asked = error.retry_after if isinstance(error, DeliveryDeferred | TransientError | Unavailable) else None
                except Exception:
                    log.exception("work for agents in Slack has failed and is tried again", work=self._name)
                    asked = None
                else:
                    asked = 0.0
                    attempt = 0
                if asked != 0.0:
                    await asyncio.sleep(asked or backoff(attempt))
                    attempt += 1
                    continue
                if key not in self._again:
                    return
        finally:
            self._running.pop(key, None)
