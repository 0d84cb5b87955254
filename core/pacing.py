"""Keeps within a platform's rate limits ahead of time, so that it seldom has to say no."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

REMEMBERED = 10_000
"""So many keys are remembered, the last used ones; a forgotten one starts with a full allowance."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`count` may come at once, and as many are regained over `seconds`: twice the count at most in any time of that length."""

    count: float
    seconds: float = 1.0

    def limiter(self) -> AsyncLimiter:
        return AsyncLimiter(self.count, self.seconds)


class Pace:
    """A limit for everything together and one for each key, a chat for example; either may be None.

    What the platform itself has told (`hold`) counts before both.
    """

    def __init__(self, *, overall: Rate | None = None, each: Rate | None = None) -> None:
        self._overall = overall.limiter() if overall else None
        self._each = each
        self._by_key: OrderedDict[str, AsyncLimiter] = OrderedDict()
        self._held: dict[str, float] = {}

    async def wait(self, key: str) -> None:
        """Returns when one more may be sent under this key, and counts it."""
        while (left := self._left(key)) > 0:  # noqa: ASYNC110 - a pause may be made longer meanwhile
            await asyncio.sleep(left)
        if self._each is not None:
            await self._limiter(key, self._each).acquire()
        if self._overall is not None:
            await self._overall.acquire()

    def hold(self, seconds: float, key: str = "") -> None:
        """The platform has asked for a pause: of this key, or of everything."""
        until = asyncio.get_running_loop().time() + seconds
        self._held[key] = max(until, self._held.get(key, until))

    def _left(self, key: str) -> float:
        """Seconds until the pauses that were asked for are over."""
        if not self._held:
            return 0
        now = asyncio.get_running_loop().time()
        for done in [held for held, until in self._held.items() if until <= now]:
            del self._held[done]
        return max(self._held.get(key, now), self._held.get("", now)) - now

    def _limiter(self, key: str, rate: Rate) -> AsyncLimiter:
        limiter = self._by_key.get(key)
        if limiter is None:
            limiter = self._by_key[key] = rate.limiter()
            if len(self._by_key) > REMEMBERED:
                self._by_key.popitem(last=False)
        self._by_key.move_to_end(key)
        return limiter
