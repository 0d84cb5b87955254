import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient, TestServer

from frontdesk.channels.web import WebChannel, WebSettings
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.events import Events
from frontdesk.core.messages import Body, Contact, Message, Outgoing
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.store import Receipt


@dataclass
class Chat:
    """A web channel on a real port of the loopback, with a store in memory and nobody who answers."""

    channel: WebChannel
    client: TestClient[web.Request, web.Application]
    store: MemoryStore
    events: Events
    accepted: list[Message] = field(default_factory=list)
    refusal: Exception | None = None

    async def accept(self, message: Message) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        receipt = await self.store.accept(message)
        if not receipt.duplicate:
            self.accepted.append(message)
        return receipt

    async def token(self) -> str:
        async with self.client.post("/chat/sessions") as response:
            assert response.status == 201
            token: str = (await response.json())["token"]
            return token

    @asynccontextmanager
    async def socket(self, token: str | None = None, **hello: Any) -> AsyncIterator["Browser"]:
        async with self.client.ws_connect("/chat/socket") as ws:
            browser = Browser(ws)
            await browser.say(type="hello", token=token or await self.token(), **hello)
            browser.history = await browser.hear()
            yield browser

    async def post(self, token: str, frame: Any = None, **kwargs: Any) -> tuple[int, dict[str, Any]]:
        kwargs.setdefault("headers", {"Authorization": f"Bearer {token}"})
        kwargs |= {"json": frame} if frame is not None else {}
        async with self.client.post("/chat/messages", **kwargs) as response:
            return response.status, await response.json()

    async def get(self, token: str, query: str = "") -> dict[str, Any]:
        async with self.client.get(f"/chat/messages?{query}", headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == 200, await response.text()
            history: dict[str, Any] = await response.json()
            return history

    async def connected(self, number: int) -> None:
        """Waits until so many browsers listen."""
        async with asyncio.timeout(30):
            while len(self.channel._connections) != number:  # noqa: ASYNC110 - production code needs no event here
                await asyncio.sleep(0.01)

    def conversation(self, token: str) -> str:
        return f"web:{token.partition('.')[0]}"

    def reply(self, conversation: str, text: str, **fields: Any) -> Outgoing:
        return Outgoing(
            id=uuid4().hex,
            channel="web",
            conversation=conversation,
            contact=Contact(id=conversation),
            text=text,
            at=datetime.now(UTC),
            **fields,
        )

    async def commit(self, conversation: str, *entries: Body) -> Conversation:
        now = datetime.now(UTC)
        state = await self.store.conversation(conversation) or Conversation(
            id=conversation, channel="web", contact=Contact(id=conversation), created=now, updated=now
        )
        return await self.store.commit(state, entries)


class Browser:
    history: dict[str, Any]

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws

    async def say(self, **frame: Any) -> None:
        await self.ws.send_str(json.dumps(frame))

    async def write(self, text: str, id: str | None = None, **fields: Any) -> str:
        id = id or str(uuid4())
        await self.say(type="message", id=id, text=text, **fields)
        return id

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            frame: dict[str, Any] = json.loads(await self.ws.receive_str())
            return frame

    async def closed(self) -> int | None:
        """Waits until the server has closed the socket, and returns the code."""
        async with asyncio.timeout(60):
            async for _ in self.ws:
                pass
        return self.ws.close_code


@pytest.fixture
def settings() -> dict[str, Any]:
    """Tests change it by overriding this fixture or with `indirect` parameters."""
    return {}


@pytest.fixture
async def chat(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Chat]:
    store, events = MemoryStore(), Events()

    async def accept(message: Message) -> Receipt:
        return await chat.accept(message)

    services = Services.in_folder(tmp_path, store=store, events=events, accept=accept, base_url="https://chat.example")
    channel = WebChannel(WebSettings(**settings), services)
    http = web.Application()
    channel.mount(http)
    await channel.start()
    async with TestClient(TestServer(http)) as client:
        chat = Chat(channel=channel, client=client, store=store, events=events)
        running = asyncio.create_task(channel.run())
        yield chat
        running.cancel()
    await channel.stop()
