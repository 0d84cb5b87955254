"""Customers who write, a platform between them and the bot, and a process that is killed.

The checker is Jepsen's for queues: what was acknowledged must be answered, in order, and an answer may come twice only with the
same key, and only if it was on its way when the process died.

A channel's kill test gives the harness a `Platform`, and calls `killed_under_load` and `stopped_under_load`.
"""

import asyncio
import json
import os
import random
import signal
import sys
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from frontdesk.core.messages import Outgoing
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing.platform import free_port

SEED = int(os.environ.get("FAULT_SEED", "1"))
CUSTOMERS = 16
VICTIM = Path(__file__).with_name("victim.py")


def kills(few: int = 6) -> int:
    """How often a test kills: `few` times, or what FAULT_KILLS says."""
    return int(os.environ.get("FAULT_KILLS", few))


def patience(number: int) -> int:
    """Seconds that a test with so many kills may take."""
    return max(120, number * 10)


@dataclass(frozen=True)
class Received:
    """A reply as the platform took it, after so many kills. `key` is the idempotency key, where the platform takes one."""

    customer: int
    text: str
    key: str | None
    kills: int


class Platform(ABC):
    """Delivers what customers write until the bot has acknowledged it, as the platform does, and takes the bot's replies.

    `channel` names the channel under test as `module:attribute`. `ahead` is the number of messages that a customer writes at most
    without seeing an answer, so that the backlog stays one that a restart works off.
    """

    channel: ClassVar[str]
    ahead: ClassVar[int] = 50

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answered: Counter[int] = Counter()
        self.kills = 0

    @abstractmethod
    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        """Starts it and returns the channel's settings, as JSON. The bot will listen on 127.0.0.1:port; `folder` is for files."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def write(self, customer: int, text: str) -> None:
        """Returns when the customer can write the next message. This one is delivered for as long as that takes."""

    @abstractmethod
    def acknowledged(self) -> set[tuple[int, str]]:
        """What the bot has acknowledged: customers and texts. None of it is delivered again on the platform's own account."""

    def take(self, customer: int, text: str, key: str | None = None) -> None:
        """To be called for each reply that the platform takes. `text` is what the bot wrote, without quotations and the like."""
        self.received.append(Received(customer, text, key, self.kills))
        self.answered[customer] += 1


class Victim:
    """A process with one channel that is started again after each kill."""

    def __init__(self, folder: Path, channel: str, settings: Mapping[str, Any], port: int, *, never_twice: bool = False) -> None:
        self._port = port
        what = {
            "folder": str(folder),
            "port": port,
            "channel": channel,
            "settings": dict(settings),
            "never_twice": never_twice,
        }
        # -P: the modules here have the names of the packages that channels import.
        self._arguments = (sys.executable, "-P", str(VICTIM), json.dumps(what))
        self._process: asyncio.subprocess.Process

    async def start(self, seconds: float = 20) -> bool:
        """Returns when the process is ready; False if it died before."""
        self._process = await asyncio.create_subprocess_exec(*self._arguments)
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
            while self._process.returncode is None:
                try:
                    async with session.get(f"http://127.0.0.1:{self._port}/readyz") as response:
                        if response.status == 200:
                            return True
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)
        return False

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def stop(self, seconds: float = 20) -> int:
        """Ends the process as an operator would, and returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def ended(self, seconds: float = 20) -> int:
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def discard(self) -> None:
        """Leaves no process behind, whatever has happened to the test."""
        if getattr(self, "_process", None) is not None and self._process.returncode is None:
            await self.kill()


class Customers:
    """Each writes numbers, one after the other, until told to stop."""

    def __init__(self, platform: Platform, count: int = CUSTOMERS) -> None:
        self._platform = platform
        self._number = 0
        self.count = count
        self.attempted: dict[int, list[int]] = defaultdict(list)
        self.stop = asyncio.Event()

    async def write(self) -> None:
        await asyncio.gather(*(self._write(customer) for customer in range(self.count)))

    async def _write(self, customer: int) -> None:
        while not self.stop.is_set():
            if len(self.attempted[customer]) - self._platform.answered[customer] > self._platform.ahead:
                await asyncio.sleep(0.01)
                continue
            self._number += 1
            self.attempted[customer].append(self._number)
            await self._platform.write(customer, str(self._number))


@dataclass
class Report:
    """Counts of messages and of replies, over the whole run."""

    kills: int
    attempted: int = 0
    acknowledged: int = 0
    answered: int = 0
    left: int = 0
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    too_often: list[str] = field(default_factory=list)
    wrong_key: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    wrong_state: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {SEED}, {self.kills} kills: {self.attempted} attempted, {self.acknowledged} acknowledged, "
            f"{self.answered} answered, {self.left} left to people, {len(self.lost)} lost, {len(self.unexpected)} unexpected, "
            f"{len(self.twice)} delivered twice, {len(self.too_often)} of them outside the window, {len(self.wrong_key)} with a "
            f"changed key, {len(self.disordered)} out of order, {len(self.wrong_state)} with a wrong state"
        )

    def assert_sound(self) -> None:
        """`twice` may have something: one reply of each conversation may be on its way at a kill."""
        print(f"\n{self}")
        faults = ("lost", "unexpected", "too_often", "wrong_key", "disordered", "wrong_state")
        assert not {fault: found for fault in faults if (found := getattr(self, fault))}


async def killed_under_load(
    platform: Platform,
    folder: Path,
    number: int,
    *,
    customers: int = CUSTOMERS,
    seconds: tuple[float, float] = (0.02, 0.6),
    never_twice: bool = False,
) -> Report:
    """Kills the bot that many times, each time so many seconds after it was ready.

    With `never_twice`, what may or may not have been sent is left to people: it counts as lost only if it is no dead letter.
    """
    dice = random.Random(SEED)
    writers = Customers(platform, customers)
    victim, writing = await _started(platform, folder, writers, never_twice=never_twice)
    try:
        for _ in range(number):
            await asyncio.sleep(dice.uniform(*seconds))
            await victim.kill()
            platform.kills += 1
            await victim.start()
        await asyncio.sleep(0.3)
        await _finish(writers, writing, platform, victim, quiet=3 if never_twice else 10)
    finally:
        await _end(platform, victim, writing)
    return check(writers, platform, left=await _dead(folder / "data") if never_twice else frozenset())


async def stopped_under_load(
    platform: Platform, folder: Path, *, times: int = 3, customers: int = CUSTOMERS, seconds: float = 0.5
) -> Report:
    """Stops the bot that many times as an operator would: nothing may come twice."""
    writers = Customers(platform, customers)
    victim, writing = await _started(platform, folder, writers)
    try:
        for _ in range(times):
            await asyncio.sleep(seconds)
            assert await victim.stop() == 0
            await victim.start()
        await asyncio.sleep(0.3)
        await _finish(writers, writing, platform, victim)
    finally:
        await _end(platform, victim, writing)
    return check(writers, platform)


async def _started(
    platform: Platform, folder: Path, customers: Customers, *, never_twice: bool = False
) -> tuple[Victim, asyncio.Task[None]]:
    port = free_port()
    settings = await platform.start(port, folder)
    victim = Victim(folder / "data", platform.channel, settings, port, never_twice=never_twice)
    if not await victim.start():
        await platform.stop()
        raise AssertionError("the bot does not start")
    return victim, asyncio.create_task(customers.write())


async def _finish(
    customers: Customers, writing: asyncio.Task[None], platform: Platform, victim: Victim, *, quiet: float = 10
) -> None:
    customers.stop.set()
    await asyncio.wait_for(writing, 30)
    await _answered(customers, platform, quiet)
    assert await victim.stop() == 0


async def _end(platform: Platform, victim: Victim, writing: asyncio.Task[None]) -> None:
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await victim.discard()
    await platform.stop()


async def _dead(folder: Path) -> frozenset[str]:
    """The numbers in the replies that are dead letters."""
    store = SqliteStore(folder / "frontdesk.db")
    await store.open()
    try:
        dead = [entry.body for entry in await store.dead(limit=1_000_000)]
    finally:
        await store.close()
    return frozenset(body.text.split()[0] for body in dead if isinstance(body, Outgoing))


async def _answered(customers: Customers, platform: Platform, patience: float) -> None:
    """Waits until all that was written is answered, or nothing more comes for so many seconds."""
    seen, quiet = -1, 0.0
    while quiet < patience:
        answered = {(reply.customer, reply.text.split()[0]) for reply in platform.received}
        if all((customer, str(number)) in answered for customer, numbers in customers.attempted.items() for number in numbers):
            await asyncio.sleep(0.3)  # whatever comes twice, comes now
            return
        quiet = quiet + 0.2 if len(platform.received) == seen else 0
        seen = len(platform.received)
        await asyncio.sleep(0.2)


def check(customers: Customers, platform: Platform, *, left: frozenset[str] = frozenset()) -> Report:
    """`left` are the numbers in the replies that were left to people."""
    report = Report(kills=platform.kills, left=len(left))
    acknowledged = platform.acknowledged()
    by_customer: dict[int, list[Received]] = defaultdict(list)
    for reply in platform.received:
        by_customer[reply.customer].append(reply)
    report.unexpected += [f"customer {customer}" for customer in by_customer if customer not in range(customers.count)]
    for customer in range(customers.count):
        attempted, replies = customers.attempted[customer], by_customer[customer]
        kept = [number for number in attempted if (customer, str(number)) in acknowledged]
        numbers = [int(reply.text.split()[0]) for reply in replies]
        first_times = list(dict.fromkeys(numbers))
        report.attempted += len(attempted)
        report.acknowledged += len(kept)
        report.answered += len(first_times)
        report.lost += [f"{customer}:{number}" for number in kept if number not in set(numbers) and str(number) not in left]
        report.unexpected += [f"{customer}:{number}" for number in set(numbers) - set(attempted)]
        report.twice += [f"{customer}:{number}" for number, times in Counter(numbers).items() if times > 1]
        report.too_often += _outside_the_window(customer, replies)
        keys = Counter(number for number, _ in {(int(reply.text.split()[0]), reply.key) for reply in replies})
        report.wrong_key += [f"{customer}:{number}" for number, times in keys.items() if times > 1]
        if first_times != sorted(first_times):
            report.disordered.append(f"{customer}:{first_times}")
        said = {int(reply.text.split()[0]): int(reply.text.split()[1]) for reply in replies}
        total = 0
        for number in sorted({*said, *(number for number in attempted if str(number) in left)}):
            total += number
            if said.get(number, total) != total:
                report.wrong_state.append(f"{customer}:{number}")
    return report


def _outside_the_window(customer: int, replies: list[Received]) -> list[str]:
    """The repetitions that are more than one for each kill that was before them."""
    seen: set[str] = set()
    repeated, found = 0, []
    for reply in replies:
        if reply.text in seen:
            repeated += 1
            if repeated > reply.kills:
                found.append(f"{customer}:{reply.text}")
        seen.add(reply.text)
    return found
