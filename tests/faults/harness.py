"""Customers who write, a platform that takes replies, and a process between them that is killed.

The checker is Jepsen's for queues: what was acknowledged must be answered, in order, and an answer may come twice only with the
same key, and only if it was on its way when the process died.
"""

import asyncio
import signal
import socket
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

AHEAD = 50
VICTIM = Path(__file__).with_name("victim.py")


@dataclass
class Report:
    """Counts of messages and of replies, over the whole run."""

    attempted: int = 0
    acknowledged: int = 0
    answered: int = 0
    kills: int = 0
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong_key: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    wrong_state: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.attempted} attempted, {self.acknowledged} acknowledged, {self.answered} answered, "
            f"{len(self.lost)} lost, {len(self.unexpected)} unexpected, {len(self.twice)} delivered twice, "
            f"{len(self.wrong_key)} with a changed key, {len(self.disordered)} out of order, "
            f"{len(self.wrong_state)} with a wrong state"
        )


class Platform:
    """Takes replies, and remembers them with their keys in the order of arrival."""

    def __init__(self) -> None:
        self.received: list[tuple[int, str, str]] = []
        self.answered: Counter[int] = Counter()
        self._runner: web.AppRunner

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/send"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _send(self, request: web.Request) -> web.Response:
        reply = await request.json()
        self.received.append((reply["chat_id"], reply["text"], request.headers["Idempotency-Key"]))
        self.answered[reply["chat_id"]] += 1
        return web.json_response({"ok": True})


class Victim:
    """A process that is started again after each kill."""

    def __init__(self, folder: Path, platform: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._arguments = (sys.executable, str(VICTIM), str(self.port), platform, str(folder))
        self._process: asyncio.subprocess.Process

    async def start(self, seconds: float = 20) -> bool:
        """Returns when the process is ready; False if it died before."""
        self._process = await asyncio.create_subprocess_exec(*self._arguments)
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
            while self._process.returncode is None:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
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


class Customers:
    """Each writes numbers, one after the other, and again what was not acknowledged, as a platform would.

    Nobody is more than `AHEAD` messages ahead of the answers, so that the backlog stays one that a restart works off.
    """

    def __init__(self, count: int, port: int, platform: Platform) -> None:
        self._platform = platform
        self.count = count
        self.attempted: dict[int, list[int]] = defaultdict(list)
        self.acknowledged: dict[int, list[int]] = defaultdict(list)
        self._url = f"http://127.0.0.1:{port}/webhook"
        self._number = 0

    async def write(self, stop: asyncio.Event) -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._write(session, customer, stop) for customer in range(self.count)))

    async def send(self, session: aiohttp.ClientSession, customer: int, text: str, update: int) -> bool:
        """Whether the update was acknowledged."""
        message = {"from": {"id": customer, "first_name": "Ann"}, "chat": {"id": customer}, "text": text}
        try:
            async with session.post(self._url, json={"update_id": update, "message": message}) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def _write(self, session: aiohttp.ClientSession, customer: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if len(self.acknowledged[customer]) - self._platform.answered[customer] > AHEAD:
                await asyncio.sleep(0.01)
                continue
            self._number += 1
            number = self._number
            self.attempted[customer].append(number)
            while not await self.send(session, customer, str(number), number):
                if stop.is_set():
                    return
                await asyncio.sleep(0.02)
            self.acknowledged[customer].append(number)


def check(customers: Customers, platform: Platform, kills: int) -> Report:
    report = Report(kills=kills)
    by_customer: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for customer, text, key in platform.received:
        number, total = map(int, text.split())
        by_customer[customer].append((number, total, key))
    for customer in range(customers.count):
        attempted, acknowledged = customers.attempted[customer], customers.acknowledged[customer]
        replies = by_customer[customer]
        numbers = [number for number, _, _ in replies]
        report.attempted += len(attempted)
        report.acknowledged += len(acknowledged)
        report.answered += len(set(numbers))
        report.lost += [f"{customer}:{number}" for number in acknowledged if number not in set(numbers)]
        report.unexpected += [f"{customer}:{number}" for number in set(numbers) - set(attempted)]
        report.twice += [f"{customer}:{number}" for number, times in Counter(numbers).items() if times > 1]
        keys = {(number, key) for number, _, key in replies}
        report.wrong_key += [f"{customer}:{number}" for number, times in Counter(n for n, _ in keys).items() if times > 1]
        first_times = list(dict.fromkeys(numbers))
        if first_times != sorted(first_times):
            report.disordered.append(f"{customer}:{first_times}")
        total = 0
        for number, said in {number: said for number, said, _ in replies}.items():
            total += number
            if said != total:
                report.wrong_state.append(f"{customer}:{number}")
    return report
