"""Telegram for the channel's tests: the fake, with customers by name and a bot that is set up for it."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp

from frontdesk.channels.telegram import channel
from frontdesk.channels.telegram.settings import TelegramSettings
from frontdesk.core.app import App, Options
from frontdesk.core.messages import Message
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import Platform, Problem, Seen, a_plugin, free_port
from frontdesk.testing.telegram import Chat, FakeTelegram, Posted, User, broken, refused, too_many_requests

SECRET = "s3cret_of-the-tests"
FAST = {"messages_per_second": 1000, "chat_messages_per_second": 1000, "group_messages_per_minute": 60_000}
"""Rates that do not slow a test down."""

PAYLOADS = {path.stem: path for path in sorted(Path(__file__).with_name("payloads").glob("*.json"))}

Mode = Literal["polling", "webhook"]
Bot = Callable[..., AbstractAsyncContextManager[App]]
Texts = Callable[[App, Chat, int], Awaitable[list[str]]]


def settings_for(telegram: FakeTelegram, mode: Mode = "webhook", **changed: Any) -> TelegramSettings:
    return TelegramSettings.model_validate(
        {"token": telegram.token, "api_url": telegram.url, "mode": mode, "secret": SECRET, **FAST, **changed}
    )


@asynccontextmanager
async def a_bot(
    telegram: FakeTelegram,
    folder: Path,
    *,
    mode: Mode = "webhook",
    plugin: Plugin | None = None,
    limits: TurnLimits | None = None,
    languages: tuple[str, ...] = ("en",),
    never_twice: bool = False,
    **changed: Any,
) -> AsyncIterator[App]:
    """A bot that repeats what it is told, listening on loopback."""
    app = App(
        Options(
            data_folder=folder / "data",
            port=free_port(),
            shutdown_seconds=1,
            turns=limits or TurnLimits(),
            languages=languages,
            never_twice=[channel.name] if never_twice else [],
        ),
        store=MemoryStore(),
        plugins=[plugin or a_plugin()],
        transports=[(channel, settings_for(telegram, mode, **changed))],
    )
    async with app:
        yield app


@dataclass
class Hook:
    """The bot's webhook, and what came of the last update."""

    app: App
    session: aiohttp.ClientSession
    accepted: list[Message] = field(default_factory=list)

    async def post(self, body: bytes) -> int:
        self.accepted.clear()
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET}
        url = f"http://127.0.0.1:{self.app.options.port}/telegram/webhook"
        async with self.session.post(url, data=body, headers=headers) as response:
            await response.read()
            return response.status


class TelegramPlatform(Platform):
    channel = channel
    longest = 4096

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self.telegram = FakeTelegram()
        self._users: dict[str, User] = {}
        self._written: dict[str, tuple[Posted, dict[str, Any]]] = {}

    async def start(self, port: int, folder: Path) -> TelegramSettings:
        await self.telegram.__aenter__()
        return settings_for(self.telegram, self._mode)

    async def stop(self) -> None:
        await self.telegram.__aexit__(None, None, None)

    async def wrong_settings(self) -> TelegramSettings:
        return settings_for(self.telegram, self._mode, token="123456789:AAF-not-this-one")

    async def write(self, text: str, *, customer: str = "ann", files: Mapping[str, bytes] | None = None) -> str:
        user = self._user(customer)
        if files:
            ((name, data),) = files.items()
            posted = await user.send_file(data, name=name, media_type="application/octet-stream", caption=text)
        else:
            posted = await user.write(text)
        reference = str(posted.update)
        self._written[reference] = posted, copy.deepcopy(posted.data)
        return reference

    async def repeat(self, reference: str) -> None:
        self.telegram.deliver({"update_id": int(reference), "message": self._written[reference][1]})

    async def echo(self, text: str) -> None:
        ann = self._user("ann")
        for bot in (self.telegram.bot, {"id": 42, "is_bot": True, "first_name": "Weather", "username": "weather_bot"}):
            message = {"message_id": self.telegram.next_message_id(), "from": bot, "chat": ann.chat.data, "date": 1763895600}
            self.telegram.tell({"message": {**message, "text": text}}, ann.chat)

    def seen(self, customer: str = "ann") -> list[Seen]:
        return [
            Seen(text=reply.text, choices=tuple(label for label, _ in reply.buttons), files=reply.files)
            for reply in self._user(customer).chat.replies
        ]

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        match problem:
            case None:
                self.telegram.heal()
            case "later":
                self.telegram.fail(too_many_requests(1), times=times)
            case "down":
                self.telegram.fail(broken(502), times=times)
            case "no":
                self.telegram.fail(refused(), times=times)

    async def press(self, label: str, *, customer: str = "ann") -> None:
        await self._user(customer).press(label)

    async def edit(self, reference: str, text: str) -> None:
        await self._user("ann").edit(self._written[reference][0], text)

    async def react(self, reference: str, emoji: str) -> None:
        await self._user("ann").react(self._written[reference][0], emoji)

    def typed(self, customer: str = "ann") -> bool:
        return "typing" in self._user(customer).chat.actions

    def _user(self, name: str) -> User:
        if name not in self._users:
            self._users[name] = self.telegram.user(name.title())
        return self._users[name]
