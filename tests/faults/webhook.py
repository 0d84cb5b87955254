"""The small platform of `frontdesk.core.testing.webhook`, with customers."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from .harness import Platform


class WebhookPlatform(Platform):
    channel: ClassVar[str] = "frontdesk.core.testing.webhook:WebhookChannel"

    def __init__(self) -> None:
        super().__init__()
        self._acknowledged: set[tuple[int, str]] = set()
        self._update = 0

    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession()
        self._url = f"http://127.0.0.1:{port}/webhook"
        return {"platform": f"http://127.0.0.1:{self._runner.addresses[0][1]}/send"}

    async def stop(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def write(self, customer: int, text: str) -> None:
        self._update += 1
        update = self._update
        while not await self.deliver(customer, text, update):  # noqa: ASYNC110 - a restart is waited for
            await asyncio.sleep(0.02)

    def acknowledged(self) -> set[tuple[int, str]]:
        return self._acknowledged

    async def deliver(self, customer: int, text: str, update: int) -> bool:
        """Once; whether it was acknowledged."""
        message = {"from": {"id": customer, "first_name": "Ann"}, "chat": {"id": customer}, "text": text}
        try:
            async with self._session.post(self._url, json={"update_id": update, "message": message}) as response:
                if response.status != 200:
                    return False
        except aiohttp.ClientError:
            return False
        self._acknowledged.add((customer, text))
        return True

    async def _send(self, request: web.Request) -> web.Response:
        reply = await request.json()
        self.take(reply["chat_id"], reply["text"], request.headers["Idempotency-Key"])
        return web.json_response({"ok": True})
