"""Slows down who guesses."""

import time
from collections import deque
from collections.abc import Callable


class Throttle:
    """At most `limit` attempts per key within `window` seconds. An attempt counts when it begins, so parallel ones count too."""

    def __init__(self, limit: int, window: float, *, keys: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._keys = keys
        self._clock = clock
        self._attempts: dict[str, deque[float]] = {}

    def attempt(self, key: str) -> float:
        """0 if the attempt may go on (it is counted), else the seconds to wait."""
        now = self._clock()
        attempts = self._attempts.pop(key, None) or deque()
        while attempts and attempts[0] <= now - self._window:
            attempts.popleft()
        # Re-inserted at the end: the keys stay ordered by use, and the longest unused goes first.
        self._attempts[key] = attempts
        if len(attempts) >= self._limit:
            return attempts[0] + self._window - now
        attempts.append(now)
        while len(self._attempts) > self._keys:
            self._attempts.pop(next(iter(self._attempts)))
        return 0.0

    def forgive(self, key: str) -> None:
        """The latest attempt was right: it does not count. A whole office may log in from one address in the morning."""
        if attempts := self._attempts.get(key):
            attempts.pop()

    def clear(self, key: str) -> None:
        self._attempts.pop(key, None)
