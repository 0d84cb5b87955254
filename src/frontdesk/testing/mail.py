"""A mail server on loopback, in memory: what arrives by SMTP lies in a mailbox that is read by IMAP.

Made for tests and demonstrations, and spoken to by real clients. It keeps nothing and sends nothing anywhere.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self

from frontdesk.testing.mail_imap import ImapServer
from frontdesk.testing.mail_smtp import Received, SmtpServer


@dataclass
class StoredMail:
    uid: int
    data: bytes
    flags: set[str]
    at: datetime


@dataclass
class Folder:
    """`watchers` are called after each change."""

    name: str
    uidvalidity: int = 1
    uidnext: int = 1
    mails: list[StoredMail] = field(default_factory=list)
    watchers: set[Callable[[], None]] = field(default_factory=set)

    def add(self, data: bytes, flags: Iterable[str] = (), at: datetime | None = None) -> StoredMail:
        mail = StoredMail(self.uidnext, data, set(flags), at or datetime.now(UTC))
        self.uidnext += 1
        self.mails.append(mail)
        self.changed()
        return mail

    def remove(self, uids: Iterable[int]) -> None:
        gone = set(uids)
        self.mails = [mail for mail in self.mails if mail.uid not in gone]
        self.changed()

    def renew(self) -> None:
        """Gives every mail another UID, and says so by another UIDVALIDITY, as a server does that was restored from a backup."""
        self.uidvalidity += 1
        for number, mail in enumerate(self.mails, start=1):
            mail.uid = number
        self.uidnext = len(self.mails) + 1

    def changed(self) -> None:
        for watcher in list(self.watchers):
            watcher()


@dataclass
class MailAccount:
    address: str
    password: str
    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder("INBOX")})

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]


class MailServer:
    """`passwords` are the accounts, by address; they count as access tokens too. `tls`, a server's context, allows STARTTLS.

    Used as an async context manager. Mail to anybody else is refused, unless `everybody`: then it lies in a mailbox that is made
    for it. Addresses with a plus sign lead to the mailbox without.
    """

    def __init__(
        self,
        passwords: Mapping[str, str],
        *,
        everybody: bool = False,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.accounts = {address.lower(): MailAccount(address.lower(), password) for address, password in passwords.items()}
        self._everybody = everybody
        self.imap = ImapServer(self.log_in, tls=tls, implicit_tls=implicit_tls)
        self.smtp = SmtpServer(self.log_in, self.known, self._receive, tls=tls, implicit_tls=implicit_tls)

    async def __aenter__(self) -> Self:
        await self.imap.start()
        await self.smtp.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.smtp.stop()
        await self.imap.stop()

    def log_in(self, user: str, password: str) -> MailAccount | None:
        account = self.accounts.get(user.lower())
        return account if account is not None and account.password and account.password == password else None

    def known(self, address: str) -> bool:
        return self._everybody or _plain(address) in self.accounts

    def inbox(self, address: str) -> Folder:
        return self._account(address).inbox

    def deliver(self, data: bytes, to: str, *, at: datetime | None = None) -> StoredMail:
        """Puts a mail into an inbox, as it is."""
        return self.inbox(to).add(data, at=at)

    def _receive(self, received: Received) -> None:
        now = format_datetime(datetime.now(UTC))
        for address in received.recipients:
            head = f"Return-Path: <{received.sender}>\r\nReceived: from {received.helo} by localhost with ESMTP; {now}\r\n"
            self.deliver(head.encode("utf-8", "surrogateescape") + received.data, address)

    def _account(self, address: str) -> MailAccount:
        address = _plain(address)
        if self._everybody and address not in self.accounts:
            self.accounts[address] = MailAccount(address, "")
        return self.accounts[address]


def _plain(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
