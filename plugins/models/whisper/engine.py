"""The line in which windows of all notes wait for the model, and the thread in which it hears them."""

import asyncio
import heapq
import itertools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from frontdesk.plugins.models.whisper.decoder import Ask, Decoder, Heard


@dataclass(order=True, kw_only=True)
class _Job:
    """First windows come before second ones, so that a short note waits for one window of a long one at the most."""

    position: int
    arrival: int
    ask: Ask = field(compare=False)
    future: Future[list[Heard]] = field(compare=False, default_factory=Future)


class Engine:
    """Takes any number of windows at once."""

    def __init__(self, decoder: Decoder, *, batch: int) -> None:
        """`batch` windows that wait are heard together."""
        self._decoder = decoder
        self._batch = batch
        self._waiting: list[_Job] = []
        self._arrivals = itertools.count()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    async def hear(self, ask: Ask, *, position: int) -> list[Heard]:
        """What is said in it. `position` counts the windows of its note. Cancelling it takes it out of the line."""
        job = _Job(position=position, arrival=next(self._arrivals), ask=ask)
        with self._lock:
            heapq.heappush(self._waiting, job)
        self._thread.submit(self._work)
        return await asyncio.wrap_future(job.future)

    def close(self) -> None:
        """Windows that wait are given up; one that is being heard ends by its `stop`."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _work(self) -> None:
        with self._lock:
            waiting = [heapq.heappop(self._waiting) for _ in range(min(self._batch, len(self._waiting)))]
        for job in waiting:
            if job.ask.stop.is_set():
                job.future.cancel()
        jobs = [job for job in waiting if job.future.set_running_or_notify_cancel()]
        if not jobs:
            return
        try:
            heard = self._decoder.hear([job.ask for job in jobs])
        except BaseException as error:
            for job in jobs:
                job.future.set_exception(error)
            return
        for job, found in zip(jobs, heard, strict=True):
            job.future.set_result(found)
