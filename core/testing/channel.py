"""A channel that remembers what was sent."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from pydantic import BaseModel

from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.messages import Outgoing


class NoSettings(BaseModel):
    """Nothing to set."""


class RecordingChannel(Channel):
    """`sent` has every reply that was taken. `refuse`, if set, is called before and may raise what a platform would."""

    name: ClassVar[str] = "test"
    Settings = NoSettings
    capabilities = Capabilities(dialect="markdown", buttons=True)

    def __init__(self, settings: BaseModel, services: Services) -> None:
        super().__init__(settings, services)
        self.sent: list[Outgoing] = []
        self.typed: list[str] = []
        self.refuse: Callable[[Outgoing], None] | None = None
        self._arrived = asyncio.Condition()

    async def send(self, outgoing: Outgoing) -> str | None:
        if self.refuse is not None:
            self.refuse(outgoing)
        async with self._arrived:
            self.sent.append(outgoing)
            self._arrived.notify_all()
        return f"platform-{len(self.sent)}"

    async def typing(self, conversation: str) -> None:
        self.typed.append(conversation)

    async def wait_for(self, count: int, seconds: float = 60) -> list[Outgoing]:
        """Waits until so many replies were taken. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.sent) >= count)
        return self.sent
