"""A rate limit with one number per key (the generic cell rate algorithm)."""

import time
from collections.abc import Callable

WINDOW = 60.0


class RateLimit:
    """Lets `per_minute` events of one key pass at once, and as many in every minute."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = WINDOW / per_minute
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._prune_at = 1024

    def wait(self, key: str) -> float:
        """Counts one event and returns 0, or returns the seconds to wait and counts nothing."""
        now = self._clock()
        free_at = max(self._free_at.get(key, now), now)
        wait = free_at + self._interval - now - WINDOW
        if wait > 1e-6:
            return wait
        self._free_at[key] = free_at + self._interval
        if len(self._free_at) > self._prune_at:
            self._free_at = {key: at for key, at in self._free_at.items() if at > now}
            self._prune_at = max(1024, 2 * len(self._free_at))
        return 0.0
