"""Customers with mailboxes, for the contract of all channels: on the server in memory, and on Dovecot with aiosmtpd."""

import asyncio
import re
import tempfile
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult
from pydantic import BaseModel
from selectolax.lexbor import LexborHTMLParser

from frontdesk.channels.email import EmailChannel, EmailSettings
from frontdesk.core.testing.platform import Platform, Problem, Seen
from frontdesk.testing.mail import MailServer

from .servers import RealMail

BOT, PASSWORD = "support@shop.example", "correct horse"
REFUSALS: dict[Problem, str] = {"later": "451 4.7.1 try again later", "down": "421 4.3.0 broken", "no": "550 5.7.1 not wanted"}


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


class MailPlatform(Platform):
    """Each customer has one thread: whatever they write answers the last mail of it."""

    channel = EmailChannel
    longest = 100_000

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}
        self._threads: defaultdict[str, list[str]] = defaultdict(list)
        self._read: dict[bytes, Seen] = {}
        self._number = 0

    async def wrong_settings(self) -> BaseModel:
        return self._settings(password="wrong")

    async def write(self, text: str, *, customer: str = "ann", files: Mapping[str, bytes] | None = None) -> str:
        self._number += 1
        mail = EmailMessage(policy=policy.SMTPUTF8)
        mail["From"] = f"{customer.title()} <{customer}@home.example>"
        mail["To"] = BOT
        mail["Message-ID"] = f"<{self._number}@home.example>"
        thread = self._thread(customer)
        if thread:
            mail["In-Reply-To"] = thread[-1]
            mail["References"] = " ".join(thread)
        self._threads[customer].append(str(mail["Message-ID"]))
        mail.set_content(text)
        for name, data in (files or {}).items():
            mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        self._written[str(mail["Message-ID"])] = mail.as_bytes()
        await self.deliver(mail.as_bytes())
        return str(mail["Message-ID"])

    async def repeat(self, reference: str) -> None:
        await self.deliver(self._written[reference])

    async def echo(self, text: str) -> None:
        """The bot's own answer comes back by a copy, and as what another bot makes of it."""
        answer = self.answers("ann")[-1]
        await self.deliver(answer)
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = "ann@home.example", BOT, "Automatic reply"
        mail["Auto-Submitted"] = "auto-replied"
        mail["In-Reply-To"] = str(parsed(answer)["Message-ID"])
        mail.set_content(text)
        await self.deliver(mail.as_bytes())

    def seen(self, customer: str = "ann") -> list[Seen]:
        return [self._seen(data) for data in self.answers(customer)]

    @abstractmethod
    async def deliver(self, data: bytes) -> None:
        """Puts a mail into the bot's mailbox."""

    @abstractmethod
    def answers(self, customer: str) -> list[bytes]:
        """The mails that the customer has got, in order."""

    @abstractmethod
    def _ports(self) -> tuple[int, int]:
        """Of IMAP and of SMTP."""

    def _settings(self, **changed: object) -> EmailSettings:
        imap, smtp = self._ports()
        settings = {"address": BOT, "password": PASSWORD, "imap_host": "127.0.0.1", "smtp_host": "127.0.0.1", "timeout": 5}
        ports = {"imap_port": imap, "imap_tls": "none", "smtp_port": smtp, "smtp_tls": "none"}
        return EmailSettings.model_validate({**settings, **ports, "poll_seconds": 0.2, **changed})

    def _thread(self, customer: str) -> list[str]:
        """The Message-IDs of the customer's own mails and of the answers to them."""
        known = self._threads[customer]
        for data in self.answers(customer):
            if (id := str(parsed(data)["Message-ID"])) not in known:
                known.append(id)
        return known

    def _seen(self, data: bytes) -> Seen:
        if data not in self._read:
            mail = parsed(data)
            page = mail.get_body(("html",))
            assert page is not None
            files = {str(part.get_filename()): part.get_payload(decode=True) for part in mail.iter_attachments()}
            self._read[data] = Seen(text=visible(page.get_content()), files=files)
        return self._read[data]


class InMemory(MailPlatform):
    async def start(self, port: int, folder: Path) -> BaseModel:
        self.server = MailServer({BOT: PASSWORD}, everybody=True)
        await self.server.__aenter__()
        return self._settings()

    async def stop(self) -> None:
        await self.server.__aexit__()

    async def deliver(self, data: bytes) -> None:
        self.server.deliver(data, BOT)

    def answers(self, customer: str) -> list[bytes]:
        return [mail.data for mail in self.server.inbox(f"{customer}@home.example").mails]

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        if problem is not None:
            self.server.smtp.refuse(REFUSALS[problem], at="rcpt", times=times)

    def _ports(self) -> tuple[int, int]:
        return self.server.imap.port, self.server.smtp.port


class Real(MailPlatform):
    """Dovecot for reading; aiosmtpd takes the answers, and refuses them when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: defaultdict[str, list[bytes]] = defaultdict(list)
        self._refusals: list[str] = []

    async def start(self, port: int, folder: Path) -> BaseModel:
        self._folder = tempfile.TemporaryDirectory(prefix="fd", ignore_cleanup_errors=True)
        self._dovecot = RealMail(Path(self._folder.name), {BOT: PASSWORD}, smtp=False)
        await self._dovecot.__aenter__()
        controller = UnthreadedController(
            self, "127.0.0.1", 0, loop=asyncio.get_running_loop(), authenticator=self._log_in, auth_require_tls=False
        )
        self._smtp = await controller._create_server()
        return self._settings()

    async def stop(self) -> None:
        self._smtp.close()
        await self._dovecot.__aexit__()
        self._folder.cleanup()

    async def deliver(self, data: bytes) -> None:
        await asyncio.to_thread(self._dovecot.append, BOT, data)

    def answers(self, customer: str) -> list[bytes]:
        return self._taken[f"{customer}@home.example"]

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        if problem is not None:
            self._refusals += [REFUSALS[problem]] * times

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self._refusals:
            return self._refusals.pop(0)
        for address in envelope.rcpt_tos:
            self._taken[address].append(envelope.content)
        return "250 2.0.0 taken"

    def _log_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (BOT.encode(), PASSWORD.encode()))

    def _ports(self) -> tuple[int, int]:
        port: int = self._smtp.sockets[0].getsockname()[1]
        return self._dovecot.imap_port, port


def visible(page: str) -> str:
    """What a mail program shows of an answer, without the mail that is quoted below it."""
    tree = LexborHTMLParser(page)
    for node in tree.css(".gmail_quote"):
        node.decompose()
    body = tree.body
    assert body is not None
    return re.sub(r"[ \t\u00a0]*\n\s*", "\n", body.text(separator="", strip=False)).strip()
