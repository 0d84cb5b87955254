from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from frontdesk.channels.desk import Desk, adapter
from frontdesk.channels.desk.passwords import Passwords
from frontdesk.channels.desk.settings import DeskSettings
from frontdesk.core.attachments import Attachments
from frontdesk.core.channel import Services
from frontdesk.core.contacts import Contacts
from frontdesk.core.conversations import Conversation
from frontdesk.core.events import Events
from frontdesk.core.messages import Attachment, Body, Contact, Message, TextPart
from frontdesk.core.storage.memory import MemoryStore

PASSWORD = "teapot-harbor-77"
START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@dataclass
class Browser:
    """A client with its own cookies that sends what the desk's pages send."""

    client: TestClient[web.Request, web.Application]
    csrf: str = ""

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.client.get(path, allow_redirects=False, **more)

    async def post(self, path: str, data: Any = None, *, headers: dict[str, str] | None = None) -> ClientResponse:
        return await self.client.post(
            path, data=data, allow_redirects=False, headers={"X-CSRF-Token": self.csrf, "HX-Request": "true", **(headers or {})}
        )

    async def part(self, path: str, page: str = "/desk", **headers: str) -> ClientResponse:
        """Asks for a part of the page at `page`, as htmx does."""
        return await self.get(path, headers={"HX-Request": "true", "HX-Current-URL": f"http://desk.example{page}", **headers})

    async def submit(self, path: str, **fields: str) -> ClientResponse:
        """Opens the page of a plain form and submits it."""
        page = await self.get(path)
        token = value_of(await page.text(), "csrf")
        return await self.client.post(page.url.path, data={"csrf": token, **fields}, allow_redirects=False)

    async def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> ClientResponse:
        answer = await self.submit("/desk/login", name=name, password=password, **fields)
        if answer.status == 303:
            self.csrf = value_of(await (await self.get("/desk/account")).text(), "csrf")
        return answer


def value_of(html: str, name: str) -> str:
    return html.split(f'name="{name}"', 1)[1].split('value="', 1)[1].split('"', 1)[0]


@dataclass
class World:
    desk: Desk
    store: MemoryStore
    events: Events
    attachments: Attachments
    contacts: Contacts
    browser: Callable[[], Browser]
    wholes: dict[str, str]

    async def member(self, name: str, display: str, role: str = "agent") -> None:
        token = await self.desk.accounts.first_link()
        if token is None:
            admin = next(account for account in await self.desk.accounts.all() if account.is_admin)
            token = await self.desk.accounts.invite(role, admin)  # type: ignore[arg-type]
        await self.desk.accounts.join(token, name=name, display=display, password=PASSWORD)

    async def agent(self, name: str = "ana", display: str = "Ana") -> Browser:
        if await self.desk.accounts.get(name) is None:
            await self.member(name, display)
        browser = self.browser()
        assert (await browser.log_in(name)).status == 303
        return browser

    async def conversation(self, id: str = "web:1", *entries: Body, **state: Any) -> Conversation:
        minutes = state.pop("minutes", 0)
        at = START + timedelta(minutes=minutes)
        contact = state.pop("contact", Contact(id="c1", name="Kim"))
        channel = id.partition(":")[0]
        new = Conversation(id=id, channel=channel, contact=contact, created=at, updated=at, **state)
        await self.store.commit(new, ())
        return await self.add(id, *(entries or [message(id, "Hello?", contact=contact)]))

    async def add(self, id: str, *entries: Body) -> Conversation:
        """Messages come in as a channel brings them, everything else as the core commits it."""
        state = await self.store.conversation(id)
        assert state is not None
        for entry in entries:
            if isinstance(entry, Message):
                await self.store.accept(entry)
            else:
                state = await self.store.commit(state, [entry])
        return state

    async def bodies(self, id: str = "web:1") -> list[Body]:
        return [entry.body for entry in await self.store.transcript(id)]

    async def save(self, data: bytes, name: str, media_type: str) -> Attachment:
        async def chunks() -> AsyncIterator[bytes]:
            yield data

        return await self.attachments.save(chunks(), name=name, media_type=media_type)


_count = iter(range(1_000_000))


def message(conversation: str, text: str, *parts: Any, contact: Contact | None = None) -> Message:
    words = (TextPart(text),) if text else ()
    return Message(
        id=f"web:m{next(_count)}",
        channel="web",
        conversation=conversation,
        contact=contact or Contact(id="c1", name="Kim"),
        parts=words + parts,
        at=START,
    )


@pytest.fixture
def settings() -> DeskSettings:
    return DeskSettings()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: DeskSettings) -> AsyncIterator[World]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(adapter, "Passwords", lambda: Passwords(quick))
    store, events = MemoryStore(), Events()
    wholes: dict[str, str] = {}
    services = Services.in_folder(
        tmp_path,
        store=store,
        events=events,
        accept=store.accept,
        base_url="http://desk.example",
        whole=lambda message: wholes.get(message.id),
    )
    await services.contacts.open()
    desk = Desk(settings, services)
    await desk.start()
    app = web.Application()
    desk.mount(app)
    server = TestServer(app)
    await server.start_server()
    clients: list[TestClient[web.Request, web.Application]] = []

    def browser() -> Browser:
        clients.append(TestClient(server))
        return Browser(clients[-1])

    yield World(desk, store, events, services.attachments, services.contacts, browser, wholes)
    for client in clients:
        await client.close()
    await server.close()
    await desk.stop()
    await services.contacts.close()
