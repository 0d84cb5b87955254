"""What can go wrong with a call: the platform's refusals, its failures, and the network's."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a call ends. `dropped` cuts the connection instead of an answer: before the call takes effect, or after.

    With no status and no cut the call is only late, by `seconds`.
    """

    status: int = 0
    description: str = ""
    parameters: dict[str, int] = field(default_factory=dict)
    dropped: Literal["before", "after"] | None = None
    seconds: float = 0


def too_many_requests(retry_after: int = 1) -> Fault:
    return Fault(status=429, description=f"Too Many Requests: retry after {retry_after}", parameters={"retry_after": retry_after})


def refused(description: str = "Bad Request: not enough rights to send text messages to the chat", status: int = 400) -> Fault:
    return Fault(status=status, description=description)


def broken(status: int = 502) -> Fault:
    """A failure of the platform itself. As there, some of them come as a page of HTML."""
    return Fault(status=status)


def cut(when: Literal["before", "after"] = "before") -> Fault:
    """The connection ends without an answer."""
    return Fault(dropped=when)


def slow(seconds: float) -> Fault:
    return Fault(seconds=seconds)


@dataclass
class _Planned:
    fault: Fault
    method: str
    chat: int | None
    times: int

    def meets(self, method: str, chat: int | None) -> bool:
        named = method.lower() == self.method.lower() or (self.method == "send" and method.lower().startswith("send"))
        if self.method == "send" and method.lower() == "sendchataction":
            named = False
        return self.times > 0 and named and self.chat in (None, chat)


class Faults:
    """Planned faults, the oldest first. The method `send` stands for all that send a message."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def plan(self, fault: Fault, method: str, chat: int | None, times: int) -> None:
        self._planned.append(_Planned(fault, method, chat, times))

    def clear(self) -> None:
        self._planned.clear()

    def next(self, method: str, chat: int | None) -> Fault | None:
        for planned in self._planned:
            if planned.meets(method, chat):
                planned.times -= 1
                if not planned.times:
                    self._planned.remove(planned)
                return planned.fault
        return None


@dataclass(frozen=True, kw_only=True)
class FloodLimits:
    """The limits that Telegram names: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this

    `burst` is how many messages to one chat may come at once before its limit counts; the real number is not documented.
    """

    per_second: int = 30
    chat_per_second: float = 1
    burst: int = 5
    group_per_minute: int = 20


class Flood:
    """Counts the messages that were sent, and says how long to wait where there were too many."""

    def __init__(self, limits: FloodLimits) -> None:
        self._limits = limits
        self._all: deque[float] = deque()
        self._groups: dict[int, deque[float]] = {}
        self._chats: dict[int, tuple[float, float]] = {}

    def count(self, chat: int) -> int:
        """Seconds to wait; 0 if the message may pass, which then counts."""
        now = asyncio.get_running_loop().time()
        limits = self._limits
        wait = max(
            _wait(self._all, now, limits.per_second, 1.0),
            _wait(self._groups.setdefault(chat, deque()), now, limits.group_per_minute, 60.0) if chat < 0 else 0,
            self._wait_for_chat(chat, now) if chat > 0 else 0,
        )
        if wait > 0:
            return max(1, round(wait + 0.5))
        self._all.append(now)
        if chat < 0:
            self._groups[chat].append(now)
        else:
            level, _ = self._level(chat, now)
            self._chats[chat] = (level + 1, now)
        return 0

    def _level(self, chat: int, now: float) -> tuple[float, float]:
        level, at = self._chats.get(chat, (0.0, now))
        return max(0.0, level - (now - at) * self._limits.chat_per_second), now

    def _wait_for_chat(self, chat: int, now: float) -> float:
        level, _ = self._level(chat, now)
        return (level + 1 - self._limits.burst) / self._limits.chat_per_second if level + 1 > self._limits.burst else 0


def _wait(times: deque[float], now: float, count: int, seconds: float) -> float:
    while times and times[0] <= now - seconds:
        times.popleft()
    return times[0] + seconds - now if len(times) >= count else 0
