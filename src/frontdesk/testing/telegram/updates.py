"""Updates on their way to the bot: kept until it has acknowledged them, by the offset of a later getUpdates or by HTTP 2xx.

https://core.telegram.org/bots/api#getting-updates
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from frontdesk.testing.telegram.parameters import Refused

UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Update types that a bot gets only if it names them in allowed_updates."""
POLLED_TOO_FAR = 10
"""An offset that is further ahead of the newest update is none: the ids have begun anew."""

Execute = Callable[[str, Mapping[str, Any]], Awaitable[object]]


@dataclass(frozen=True)
class Update:
    """`lane` is what updates keep their order in: the chat, where they have one."""

    id: int
    lane: object
    payload: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        return {"update_id": self.id, **self.payload}


@dataclass(frozen=True)
class Attempt:
    """One delivery by webhook: the HTTP status, or None where the connection failed."""

    update: int
    status: int | None


@dataclass
class Webhook:
    url: str
    secret: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None
    free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.free = asyncio.Semaphore(self.max_connections)


class Updates:
    """`retry_seconds` is the pause after a delivery that failed, which doubles up to a minute."""

    def __init__(self, execute: Execute, *, first_id: int, retry_seconds: float, webhook_seconds: float) -> None:
        self.webhook: Webhook | None = None
        self.allowed: Sequence[str] = ()
        self.acknowledged: set[int] = set()
        self.attempts: list[Attempt] = []
        self._execute = execute
        self._next = first_id
        self._last = first_id
        self._retry_seconds = retry_seconds
        self._webhook_seconds = webhook_seconds
        self._pending: list[Update] = []
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._poll: asyncio.Event | None = None
        self._workers: dict[object, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> "Updates":
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._webhook_seconds))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.interrupt()
        await self._end_workers()
        await self._session.close()

    @property
    def pending(self) -> list[Update]:
        return list(self._pending)

    @property
    def polled(self) -> bool:
        return self._poll is not None

    def wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in UNASKED

    def add(self, payload: Mapping[str, Any], *, lane: object = None, id: int | None = None) -> int:
        """The id of the update."""
        if id is None:
            id = self._next
        self._next = id + 1
        self._last = id
        self._pending.append(Update(id, lane, payload))
        self._idle.clear()
        self._arrived.set()
        self._start_worker(lane)
        return id

    async def delivered(self) -> None:
        """Returns when nothing waits for the bot."""
        await self._idle.wait()

    def drop(self) -> None:
        self._remove([update.id for update in self._pending])

    # Long polling

    async def poll(self, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """Raises `Refused` (409) if a webhook is set or another poll begins."""
        if self.webhook is not None:
            raise Refused(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first", 409
            )
        self.interrupt()
        mine = self._poll = asyncio.Event()
        self._confirm(offset)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something_or(mine)
        if mine.is_set():
            raise Refused("terminated by other getUpdates request; make sure that only one bot instance is running", 409)
        self._poll = None
        return [update.body for update in self._pending[: max(1, min(limit, 100))]]

    def interrupt(self) -> None:
        if self._poll is not None:
            self._poll.set()
            self._arrived.set()
            self._poll = None

    async def _something_or(self, interrupted: asyncio.Event) -> None:
        while not self._pending and not interrupted.is_set():
            self._arrived.clear()
            await self._arrived.wait()

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._remove([update.id for update in self._pending[:offset]])
        elif 0 < offset <= self._last + POLLED_TOO_FAR:
            confirmed = [update.id for update in self._pending if update.id < offset]
            self.acknowledged.update(confirmed)
            self._remove(confirmed)

    def _remove(self, ids: Sequence[int]) -> None:
        gone = set(ids)
        self._pending = [update for update in self._pending if update.id not in gone]
        if not self._pending:
            self._idle.set()

    # Webhook

    async def set_webhook(self, webhook: Webhook | None) -> None:
        await self._end_workers()
        self.webhook = webhook
        self.interrupt()
        for lane in {update.lane for update in self._pending}:
            self._start_worker(lane)

    async def _end_workers(self) -> None:
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _start_worker(self, lane: object) -> None:
        if self.webhook is not None and lane not in self._workers:
            self._workers[lane] = asyncio.create_task(self._work(self.webhook, lane))

    async def _work(self, webhook: Webhook, lane: object) -> None:
        """Delivers what waits in a lane, from its head: what was not taken is repeated, and holds what is behind it."""
        failures = 0
        while update := next((update for update in self._pending if update.lane == lane), None):
            async with webhook.free:
                taken = await self._deliver(webhook, update)
            if taken:
                failures = 0
                self._acknowledge(update)
            else:
                await asyncio.sleep(min(60, self._retry_seconds * 2**failures))
                failures = min(failures + 1, 20)
        self._workers.pop(lane, None)

    async def _deliver(self, webhook: Webhook, update: Update) -> bool:
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        try:
            body = json.dumps(update.body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            body = json.dumps(update.body).encode()
        try:
            async with self._session.post(webhook.url, data=body, headers=headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.attempts.append(Attempt(update.id, None))
            self._note(
                webhook, "Connection refused" if isinstance(error, aiohttp.ClientConnectorError) else "Read timeout expired"
            )
            return False
        self.attempts.append(Attempt(update.id, response.status))
        if not 200 <= response.status < 300:
            self._note(webhook, f"Wrong response from the webhook: {response.status} {response.reason}")
            return False
        await self._called(answer)
        return True

    def _acknowledge(self, update: Update) -> None:
        """By identity: a test may deliver the same id twice."""
        self.acknowledged.add(update.id)
        self._pending = [waiting for waiting in self._pending if waiting is not update]
        if not self._pending:
            self._idle.set()

    @staticmethod
    def _note(webhook: Webhook, message: str) -> None:
        webhook.last_error_date = int(time.time())
        webhook.last_error_message = message

    async def _called(self, answer: bytes) -> None:
        """A bot may call a method in its answer. https://core.telegram.org/bots/api#making-requests-when-getting-updates"""
        try:
            call = json.loads(answer)
        except ValueError:
            return
        if isinstance(call, dict) and isinstance(method := call.pop("method", None), str):
            with suppress(Refused):
                await self._execute(method, call)
