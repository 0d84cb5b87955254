"""Telegram with customers, by webhook or by long polling. It takes no idempotency key."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from frontdesk.testing.telegram import FakeTelegram, Posted, User

from .harness import Platform


class TelegramPlatform(Platform):
    """A message counts as acknowledged when its webhook was answered with 200, or a later offset has confirmed its update."""

    channel: ClassVar[str] = "frontdesk.channels.telegram:channel"

    def __init__(self, mode: Literal["polling", "webhook"]) -> None:
        super().__init__()
        self._mode = mode
        self._telegram = FakeTelegram(retry_seconds=0.02)
        self._users: dict[int, User] = {}
        self._numbers: dict[int, int] = {}
        self._written: list[tuple[int, Posted]] = []

    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        await self._telegram.__aenter__()
        self._telegram.on_reply = self._replied
        return {
            "token": self._telegram.token,
            "api_url": self._telegram.url,
            "mode": self._mode,
            "messages_per_second": 100_000,
            "chat_messages_per_second": 100_000,
        }

    async def stop(self) -> None:
        await self._telegram.__aexit__(None, None, None)

    async def write(self, customer: int, text: str) -> None:
        user = self._users.get(customer)
        if user is None:
            user = self._users[customer] = self._telegram.user(f"Customer {customer}")
            self._numbers[user.chat.id] = customer
        posted = await user.write(text)
        self._written.append((customer, posted))
        await asyncio.sleep(0.005)

    def acknowledged(self) -> set[tuple[int, str]]:
        return {(customer, posted.text) for customer, posted in self._written if self._telegram.acknowledged(posted)}

    def _replied(self, reply: Posted) -> None:
        self.take(self._numbers[reply.chat.id], reply.text)
