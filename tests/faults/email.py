"""A mailbox with customers who write to it. The idempotency key is the Message-ID."""

import asyncio
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar

from frontdesk.testing.mail import MailServer, StoredMail
from frontdesk.testing.mail_smtp import Received

from .harness import Platform

BOT = "support@shop.example"


class EmailPlatform(Platform):
    """A mail counts as acknowledged when it is marked as read. Each customer has one thread."""

    channel: ClassVar[str] = "frontdesk.channels.email:channel"
    ahead: ClassVar[int] = 10

    def __init__(self) -> None:
        super().__init__()
        self._server = MailServer({BOT: "secret"}, everybody=True)
        self._written: list[tuple[int, str, StoredMail]] = []

    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        await self._server.__aenter__()
        self._server.smtp.on_received = self._replied
        return {
            "address": BOT,
            "password": "secret",
            "imap_host": "127.0.0.1",
            "imap_port": self._server.imap.port,
            "imap_tls": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": self._server.smtp.port,
            "smtp_tls": "none",
            "answers_per_sender": 1_000_000,
            "answers_per_hour": 1_000_000,
        }

    async def stop(self) -> None:
        await self._server.__aexit__()

    async def write(self, customer: int, text: str) -> None:
        mail = (
            f"From: {customer}@home.example\r\nTo: {BOT}\r\nMessage-ID: <{customer}.{text}@home.example>\r\n"
            f"References: <{customer}.first@home.example>\r\n\r\n{text}\r\n"
        )
        self._written.append((customer, text, self._server.deliver(mail.encode(), BOT)))
        await asyncio.sleep(0.01)

    def acknowledged(self) -> set[tuple[int, str]]:
        return {(customer, text) for customer, text, mail in self._written if r"\Seen" in mail.flags}

    def _replied(self, received: Received) -> None:
        mail = message_from_bytes(received.data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        assert body is not None
        customer = int(received.recipients[0].partition("@")[0])
        self.take(customer, body.get_content().splitlines()[0], str(mail["Message-ID"]))
