"""A program that sends its customers' words and recordings to the end point, and reads the answers."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from pydantic import BaseModel

from frontdesk.channels.voice import VoiceChannel, VoiceChannelSettings
from frontdesk.core.channel import Channel
from frontdesk.core.testing import Platform, Seen
from frontdesk.core.testing.platform import Problem

KEY = "a-key-for-the-tests"


class Caller(Platform):
    channel: ClassVar[type[Channel]] = VoiceChannel
    longest = 100_000

    def __init__(self) -> None:
        self._sent: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, list[Seen]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, dict[str, Any]] = {}

    async def start(self, port: int, folder: Path) -> BaseModel:
        self.address = f"http://127.0.0.1:{port}"
        self.session = aiohttp.ClientSession(self.address, headers={"Authorization": f"Bearer {KEY}"})
        return VoiceChannelSettings.model_validate({"keys": [KEY]})

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()

    async def wrong_settings(self) -> BaseModel:
        raise NotImplementedError

    async def write(self, text: str, *, customer: str = "ann", files: Mapping[str, bytes] | None = None) -> str:
        reference = f"{customer}-{len(self._sent)}"
        self._sent[reference] = {"conversation": customer, "id": reference, "text": text, "files": dict(files or {})}
        await self._send(reference)
        return reference

    async def repeat(self, reference: str) -> None:
        await self._send(reference)

    async def echo(self, text: str) -> None:
        """Nothing of the bot's own ever comes this way."""

    def seen(self, customer: str = "ann") -> list[Seen]:
        return list(self._seen.get(customer, []))

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        raise NotImplementedError

    async def press(self, label: str, *, customer: str = "ann") -> None:
        reply = self._last[customer]
        value = next(choice["value"] for choice in reply["choices"] if choice["label"] == label)
        reference = f"{customer}-{len(self._sent)}"
        choice = {"choice": value, "question": reply["question"]}
        self._sent[reference] = {"conversation": customer, "id": reference, "text": "", **choice, "files": {}}
        await self._send(reference)

    async def _send(self, reference: str) -> None:
        """Returns when it is taken: what is slow is answered later."""
        fields = dict(self._sent[reference])
        if (customer := fields["conversation"]) not in self._seen:
            self._seen[customer] = []
            self._start(self._read(customer))
        await asyncio.wait((self._start(self._exchange(**fields)),), timeout=0.5)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def _exchange(self, files: Mapping[str, bytes], **fields: Any) -> None:
        """Sends until it is taken, as a program would that loses nothing."""
        while True:
            body: dict[str, Any] = {"json": fields}
            if files:
                form = aiohttp.FormData({name: value for name, value in fields.items() if value})
                for name, data in files.items():
                    form.add_field("audio", data, filename=name)
                body = {"data": form}
            async with self.session.post("/voice", **body) as response:
                if response.status != 503:
                    return
            await asyncio.sleep(0.1)

    async def _read(self, customer: str) -> None:
        after = 0
        while True:
            async with self.session.get(f"/voice/{customer}?after={after}") as response:
                replies = (await response.json())["replies"]
            for reply in replies:
                after = reply["seq"]
                await self._show(customer, reply)
            await asyncio.sleep(0.05)

    async def _show(self, customer: str, reply: Any) -> None:
        files = {}
        for file in reply["files"]:
            async with self.session.get(file["url"].removeprefix(self.address)) as response:
                files[file["name"]] = await response.read()
        self._last[customer] = reply
        shown = Seen(text=reply["plain"], choices=tuple(choice["label"] for choice in reply["choices"]), files=files)
        self._seen[customer].append(shown)
