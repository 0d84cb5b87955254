"""How events, interactions and commands reach the app: signed requests, or envelopes on a WebSocket.

Events are sent again until they are acknowledged, as https://docs.slack.dev/apis/events-api describes; what a person waits for
(interactions, commands) is sent once.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

DeliveryKind = Literal["events_api", "interactive", "slash_commands"]
Reason = Literal["http_timeout", "http_error", "connection_failed", "too_many_redirects", "unknown_error"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the app said to one attempt. `reason` says why it counts as no acknowledgement."""

    reason: Reason | None = None
    status: int | None = None
    body: Any = None
    no_retry: bool = False


@dataclass(eq=False, kw_only=True)
class Delivery:
    kind: DeliveryKind
    payload: dict[str, Any]
    answers: list[Answer] = field(default_factory=list)
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after the first attempt."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it was acknowledged or given up."""

    @property
    def acknowledged(self) -> bool:
        return bool(self.answers) and self.answers[-1].reason is None

    @property
    def status(self) -> int | None:
        """The HTTP status of the last attempt; 200 for an acknowledged envelope."""
        return self.answers[-1].status if self.answers else None

    @property
    def body(self) -> Any:
        return self.answers[-1].body if self.answers else None


class Way(Protocol):
    """One attempt, numbered from 0, with the reason why the one before failed."""

    async def attempt(self, delivery: Delivery, number: int, reason: Reason | None) -> Answer: ...


class Http:
    """Signed requests to the app's addresses. A kind without an address cannot be delivered."""

    def __init__(self, secret: str, seconds: float) -> None:
        self.addresses: dict[DeliveryKind, str] = {}
        self._secret = secret
        self._seconds = seconds
        self.session: aiohttp.ClientSession

    async def attempt(self, delivery: Delivery, number: int, reason: Reason | None) -> Answer:
        url = self.addresses.get(delivery.kind)
        if url is None:
            return Answer(reason="connection_failed", no_retry=True)
        body, content_type = _encoded(delivery)
        headers = {"Content-Type": content_type} | signed(body, self._secret)
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason or "unknown_error"}
        timeout = aiohttp.ClientTimeout(total=self._seconds)
        try:
            async with self.session.post(url, data=body, headers=headers, timeout=timeout, max_redirects=2) as response:
                text = await response.text()
        except TimeoutError:
            return Answer(reason="http_timeout")
        except aiohttp.TooManyRedirects:
            return Answer(reason="too_many_redirects")
        except aiohttp.ClientError:
            return Answer(reason="connection_failed")
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text
        return Answer(
            reason=None if 200 <= response.status < 300 else "http_error",
            status=response.status,
            body=answer,
            no_retry=response.headers.get("X-Slack-No-Retry") == "1",
        )


def signed(body: bytes, secret: str, *, timestamp: float | None = None) -> dict[str, str]:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    at = str(int(time.time() if timestamp is None else timestamp))
    digest = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}


def _encoded(delivery: Delivery) -> tuple[bytes, str]:
    form = "application/x-www-form-urlencoded"
    match delivery.kind:
        case "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), form
        case "slash_commands":
            return urlencode(delivery.payload).encode(), form


class Courier:
    """Delivers in order within a lane (a place where people write), as far as the first attempts go; repetitions are late."""

    def __init__(self, way: Way, retries: Sequence[float]) -> None:
        self._way = way
        self._retries = retries
        self._lanes: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self.deliveries: list[Delivery] = []

    def send(self, kind: DeliveryKind, payload: dict[str, Any], *, lane: str, number: int = 0) -> Delivery:
        """Starts to deliver. `number` is that of a repetition that is sent out of turn."""
        delivery = Delivery(kind=kind, payload=payload)
        self.deliveries.append(delivery)
        task = asyncio.create_task(self._deliver(delivery, lane, number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, delivery: Delivery, lane: str, number: int) -> None:
        async with self._lanes[lane]:
            answer = await self._way.attempt(delivery, number, "http_timeout" if number else None)
            delivery.answers.append(answer)
            delivery.tried.set()
        retries = self._retries if delivery.kind == "events_api" else ()
        for pause in retries:
            if answer.reason is None or answer.no_retry:
                break
            await asyncio.sleep(pause)
            number += 1
            answer = await self._way.attempt(delivery, number, answer.reason)
            delivery.answers.append(answer)
        delivery.ended.set()
