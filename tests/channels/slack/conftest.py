import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from frontdesk.channels.slack import SlackChannel
from frontdesk.core.app import App, Options
from frontdesk.core.outcomes import Escalate, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.store import Store
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.testing.channel import NoSettings
from frontdesk.core.testing.platform import free_port, until
from frontdesk.core.turn import Turn
from frontdesk.testing.slack import FakeSlack, Person, Place, Shown, View

from .platform import PATHS, RETRIES, settings_for


def a_bot() -> Plugin:
    plugin = Plugin("bot")

    @plugin.pattern(r"(?i)^(human|/human)\b.*")
    async def human(turn: Turn) -> Escalate:
        return Escalate("the customer asks for a person", summary="Order LL-1 is late.\nSays: *urgent* <!channel>")

    @plugin.answer
    async def echo(turn: Turn) -> Reply:
        return Reply(f"You said: {turn.text}")

    return plugin


class Office:
    """A bot with customers on another channel, and agents in a Slack channel."""

    def __init__(self, slack: FakeSlack, folder: Path) -> None:
        self.slack = slack
        self.folder = folder
        self.ann = slack.user("Ann Agent")
        self.bob = slack.user("Bob Agent")
        self.guest = slack.user("Gus Guest", guest=True)
        self.stranger = slack.user("Eve External", external=True)
        self.place: Place = slack.channel("support", self.ann, self.bob, self.guest, self.stranger, private=True)
        self.store: Store
        self.app: App

    @asynccontextmanager
    async def open(self, **agents: Any) -> AsyncIterator[App]:
        """The bot, from its start to its end."""
        port = free_port()
        self.slack.serve(**{kind: f"http://127.0.0.1:{port}{path}" for kind, path in PATHS.items()})
        self.store = SqliteStore(self.folder / "frontdesk.db")
        settings = settings_for(self.slack, agents={"channel": self.place.id, **agents})
        self.app = App(
            Options(data_folder=self.folder / "data", port=port, shutdown_seconds=1),
            store=self.store,
            plugins=[a_bot()],
            transports=[(SlackChannel, settings), (RecordingChannel, NoSettings())],
        )
        async with self.app:
            yield self.app

    @property
    def channel(self) -> RecordingChannel:
        channel = self.app.channels["test"]
        assert isinstance(channel, RecordingChannel)
        return channel

    def view(self, person: Person | None = None) -> View:
        return (person or self.ann).at(self.place)

    def as_seen_by(self, root: Shown, person: Person) -> Shown:
        return next(message for message in self.view(person).messages if message.ts == root.ts)

    def roots(self) -> list[Shown]:
        return [message for message in self.view().messages if message.thread_ts is None and message.by_bot]

    def thread(self, person: Person | None = None, number: int = -1) -> list[Shown]:
        """What a person sees in a thread behind its first message."""
        return self.view(person).thread(self.roots()[number])[1:]

    def read(self, person: Person | None = None) -> str:
        return "\n".join(message.text for message in self.thread(person))

    def whispers(self, person: Person) -> list[str]:
        return [message.text for message in self.view(person).messages if message.only_you]

    async def says(self, text: str, *, conversation: str = "test:1", **fields: Any) -> None:
        await self.app.intake.accept(a_message(text, conversation=conversation, **fields))

    async def escalate(self, conversation: str = "test:1") -> Shown:
        """A customer asks for a person. Returns the thread's first message when it is complete."""
        number = len(self.roots())
        await self.says("human please", conversation=conversation)
        await until(lambda: len(self.roots()) > number and "The last messages" in self.read())
        return self.roots()[-1]

    async def take(self, person: Person | None = None) -> None:
        name = (person or self.ann).name
        root = Shown(self.view(person), self.roots()[-1].post)
        label = next(label for label in root.buttons if label.startswith("Take"))
        await root.press(label)
        await until(lambda: f"Taken by {name}" in self.roots()[-1].text)

    async def write(self, text: str, person: Person | None = None, **fields: Any) -> Shown:
        return await self.view(person).write(text, thread=self.roots()[-1], **fields)

    def received(self) -> list[str]:
        """What agents have sent to customers, as it arrived."""
        return [outgoing.text for outgoing in self.channel.sent if outgoing.author.startswith("agent:")]

    async def arrives(self, count: int = 1) -> list[str]:
        await until(lambda: len(self.received()) >= count)
        return self.received()

    async def is_settled(self) -> None:
        """Returns when all that agents did is carried out."""
        agents = self.app.channels["slack"]._agents  # type: ignore[attr-defined]

        async def idle() -> bool:
            return not agents._acting._running and not agents._following._running

        await until(idle)
        await asyncio.sleep(0)

    async def notes(self, conversation: str = "test:1") -> list[str]:
        return [entry.body.text for entry in await self.store.transcript(conversation) if type(entry.body).__name__ == "Note"]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retries=RETRIES) as slack:
        yield slack


@pytest.fixture
def office(slack: FakeSlack, tmp_path: Path) -> Office:
    return Office(slack, tmp_path)


@pytest.fixture
async def app(office: Office) -> AsyncIterator[App]:
    """The office's bot, while it runs; files whose bot is another one have a fixture of their own."""
    async with office.open() as app:
        yield app
