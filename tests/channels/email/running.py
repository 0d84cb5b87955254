"""A running bot with a mailbox."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from frontdesk.channels.email import EmailChannel, EmailSettings
from frontdesk.core.app import App, Options
from frontdesk.core.messages import Entry, Message
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import a_plugin, messages, until
from frontdesk.testing.mail import MailServer

from .platforms import parsed

BOT, ANN, BOB = "support@shop.example", "ann@home.example", "bob@home.example"
PASSWORDS = {BOT: "correct horse", ANN: "a", BOB: "b"}

Start = Callable[..., Any]


class Bot:
    """A running bot and its mail server."""

    def __init__(self, app: App, server: MailServer) -> None:
        self.app = app
        self.server = server
        self.store = app.store
        self.number = 0

    @property
    def channel(self) -> EmailChannel:
        channel = self.app.channels["email"]
        assert isinstance(channel, EmailChannel)
        return channel

    def write(self, text: str = "hello", *, sender: str = ANN, to: str = BOT, **headers: str) -> None:
        """`message_id` stands for Message-ID, and so on."""
        self.number += 1
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = sender, to, f"<{self.number}@home.example>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.server.deliver(mail.as_bytes(), to)

    def answers(self, customer: str = ANN) -> list[EmailMessage]:
        return [parsed(mail.data) for mail in self.server.inbox(customer).mails] if customer in self.server.accounts else []

    async def answered(self, count: int, customer: str = ANN) -> list[EmailMessage]:
        await until(lambda: len(self.answers(customer)) >= count)
        await self.settled()
        assert len(self.answers(customer)) == count
        return self.answers(customer)

    async def settled(self, mailbox: str = BOT) -> None:
        """All mail is read, and all that was kept is worked on."""

        async def done() -> bool:
            health = await self.store.health()
            read = all(r"\Seen" in mail.flags for mail in self.server.inbox(mailbox).mails)
            return read and not health.inbox and not health.outbox

        await until(done)

    async def kept(self) -> list[Message]:
        return await messages(self.app)

    async def dead(self) -> Sequence[Entry]:
        return await self.store.dead()


@asynccontextmanager
async def an_app(folder: Path, **settings: Any) -> AsyncIterator[App]:
    section = EmailSettings.model_validate({"address": BOT, "password": PASSWORDS[BOT], "name": "Shop support", **settings})
    app = App(
        Options(data_folder=folder / "data", shutdown_seconds=2),
        store=MemoryStore(),
        plugins=[a_plugin()],
        transports=[(EmailChannel, section)],
        serve=False,
    )
    async with app:
        yield app


def local(server: MailServer) -> dict[str, Any]:
    hosts = {"imap_host": "127.0.0.1", "imap_port": server.imap.port, "imap_tls": "none"}
    return hosts | {"smtp_host": "127.0.0.1", "smtp_port": server.smtp.port, "smtp_tls": "none"}
