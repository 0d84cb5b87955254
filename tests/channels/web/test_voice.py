"""Voice messages in the web chat, through whole turns."""

from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import aiohttp
from pydantic import BaseModel
from tests.channels.speaking import NOTE, SPOKEN, a_listener, heard

from frontdesk.channels.web import WebChannel, WebSettings
from frontdesk.core.channel import Channel
from frontdesk.core.testing import Platform, Seen
from frontdesk.core.testing.platform import Problem, until


class Visitor(Platform):
    """A browser without a socket."""

    channel: ClassVar[type[Channel]] = WebChannel

    async def start(self, port: int, folder: Path) -> BaseModel:
        self.session = aiohttp.ClientSession(f"http://127.0.0.1:{port}")
        return WebSettings()

    async def stop(self) -> None:
        await self.session.close()

    async def arrive(self) -> None:
        async with self.session.post("/chat/sessions") as response:
            self.session.headers["Authorization"] = f"Bearer {(await response.json())['token']}"

    async def write(self, text: str, **_: Any) -> str:
        await self.send(text, [])
        return ""

    async def speak(self) -> None:
        form = aiohttp.FormData()
        form.add_field("file", NOTE, filename="Voice message.ogg", content_type="audio/ogg")
        async with self.session.post("/chat/files", data=form) as response:
            await self.send("", [(await response.json())["ticket"]])

    async def send(self, text: str, files: list[str]) -> None:
        message = {"type": "message", "id": str(uuid4()), "text": text, "files": files}
        async with self.session.post("/chat/messages", json=message) as response:
            assert response.status == 200, await response.text()

    async def entries(self, kind: str) -> list[Any]:
        async with self.session.get("/chat/messages") as response:
            return [entry for entry in (await response.json())["entries"] if entry["kind"] == kind]

    async def replies(self, count: int) -> list[Any]:
        async def there() -> bool:
            return len(await self.entries("reply")) >= count

        await until(there)
        return await self.entries("reply")

    async def wrong_settings(self) -> BaseModel:
        raise NotImplementedError

    async def repeat(self, reference: str) -> None:
        raise NotImplementedError

    async def echo(self, text: str) -> None:
        raise NotImplementedError

    def seen(self, customer: str = "ann") -> list[Seen]:
        raise NotImplementedError

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        raise NotImplementedError

    async def press(self, label: str, *, customer: str = "ann") -> None:
        raise NotImplementedError


async def test_what_is_spoken_is_answered_and_if_wanted_aloud(tmp_path: Path) -> None:
    visitor = Visitor()
    async with a_listener(visitor, tmp_path, "hello there", "good bye") as app:
        await visitor.arrive()
        await visitor.speak()
        assert (await visitor.replies(1))[0]["text"].startswith("You said: hello there")
        await visitor.write("/voice on")
        await visitor.replies(2)
        await visitor.speak()
        reply = (await visitor.replies(3))[2]
        assert reply["text"].startswith("You said: good bye")
        (file,) = reply["files"]
        assert (file["name"], file["media_type"]) == ("reply.ogg", "audio/ogg")
        async with visitor.session.get(f"/chat/files/{file['id']}") as response:
            assert await response.read() == SPOKEN
        assert [entry.get("heard") for entry in await visitor.entries("message")] == ["hello there", None, "good bye"]
        assert await heard(app) == [("audio/ogg", "hello there"), ("audio/ogg", "good bye")]
