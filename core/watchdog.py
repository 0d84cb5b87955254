"""Time limits for very many short tasks, without a timer for each."""

import asyncio
from collections.abc import Callable
from time import monotonic

TICK = 0.05


class Watchdog:
    """Cancels what runs longer than `seconds` and raises `TimeoutError` in its place; calls `slow` for what takes `slow_after`.

    What takes no notice of it is cancelled again after as many seconds more.
    Looks every `TICK` seconds, so that a limit is kept to that precision, and only while something runs. A timer for each task
    costs more than many a turn takes.
    """

    def __init__(self, seconds: float, *, slow_after: float | None = None) -> None:
        self.seconds = seconds
        self._slow_after = slow_after
        self._running: dict[_Watch, None] = {}
        self._fast: dict[_Watch, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, slow: Callable[[], None] | None = None) -> "_Watch":
        """An async context manager around what is limited; it must run in a task."""
        return _Watch(self, slow)

    def _enter(self, watch: "_Watch") -> None:
        self._running[watch] = None
        if watch.slow is not None:
            self._fast[watch] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def _leave(self, watch: "_Watch") -> None:
        self._running.pop(watch, None)
        self._fast.pop(watch, None)

    def _look(self) -> None:
        """The dictionaries are in the order of entering: the oldest come first, and the first young one ends the search."""
        now = monotonic()
        try:
            if self._slow_after is not None:
                for watch in self._older(self._fast, now - self._slow_after):
                    del self._fast[watch]
                    if watch.slow is not None:
                        watch.slow()
            for watch in self._older(self._running, now - self.seconds):
                del self._running[watch]
                watch.expire(now)
                self._running[watch] = None
        finally:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look) if self._running else None

    @staticmethod
    def _older(watches: "dict[_Watch, None]", than: float) -> "list[_Watch]":
        old = []
        for watch in watches:
            if watch.started > than:
                break
            old.append(watch)
        return old


class _Watch:
    __slots__ = ("_dog", "_expired", "_task", "slow", "started")

    def __init__(self, dog: Watchdog, slow: Callable[[], None] | None) -> None:
        self._dog = dog
        self._expired = 0
        self.slow = slow

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self.started = monotonic()
        self._dog._enter(self)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._dog._leave(self)
        others = self._task.cancelling() - self._expired
        for _ in range(self._expired):
            self._task.uncancel()
        if self._expired and others == 0 and kind is asyncio.CancelledError:
            raise TimeoutError(f"it took longer than {self._dog.seconds:g} s") from error

    def expire(self, now: float) -> None:
        self._expired += 1
        self.started = now
        self._task.cancel()
