"""The mailboxes of a bot: mail that comes is read by IMAP, and answers go out by SMTP.

A mail is marked as read when `accept` has returned, and not before. An answer has the same Message-ID at every try, so that a
second copy, which a crash between the server's yes and our mark can make, is known as such.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import structlog

from frontdesk.channels.email.imap import Connection, ImapError, LoginRefused, Refused
from frontdesk.channels.email.mailbox import Mailbox, Watching
from frontdesk.channels.email.oauth import TokenError
from frontdesk.channels.email.parse import whole
from frontdesk.channels.email.receive import Receiver
from frontdesk.channels.email.render import Sender, Written, render
from frontdesk.channels.email.settings import MB, Account, EmailSettings
from frontdesk.channels.email.smtp import LOGIN_FIX, OAUTH_FIX, Envelope, Mailer
from frontdesk.channels.email.state import State
from frontdesk.channels.email.threads import Threads
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import ConfigurationError, DeliveryDeferred, DeliveryRejected, TransientError
from frontdesk.core.messages import Message, Outgoing

log = structlog.get_logger(__name__)

NOBODY_PROVED = (
    "nobody is proved by e-mail, so links to other channels do not count here: set trusted_servers of channels.email "
    "(FRONTDESK_CHANNELS__EMAIL__TRUSTED_SERVERS) to the name with which your mail server begins Authentication-Results"
)
LONGEST_PAUSE = 1800.0
"""Seconds between two tries at most, and after a while: as RFC 5321 asks for."""


class EmailChannel(Channel):
    name: ClassVar[str] = "email"
    Settings: ClassVar[type[EmailSettings]] = EmailSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="html",
        threads=True,
        attachments=True,
        max_text=100_000,
        max_attachment=20 * MB,
    )
    patience: ClassVar[timedelta] = timedelta(days=2)
    send_seconds: ClassVar[float] = 300.0

    def __init__(self, settings: EmailSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        self._accounts = {account.address: account for account in settings.accounts}
        self._mailers = {address: self._mailer(account) for address, account in self._accounts.items()}
        self._state: State

    async def start(self) -> None:
        self._state = await State.open(self.services.folder / "email.db")
        self._threads = Threads(await self._state.key(), list(self._accounts))

    async def run(self) -> None:
        receiver = Receiver(self.settings, self.services, self._state, self._threads)
        watching = Watching(
            idle=self.settings.idle,
            poll_seconds=self.settings.poll_seconds,
            timeout=self.settings.timeout,
            max_age=timedelta(days=self.settings.max_age_days),
            max_mail=self.settings.max_mail,
        )
        async with asyncio.TaskGroup() as group:
            for account in self._accounts.values():
                group.create_task(Mailbox(account, self._state, receiver.take, watching).run())

    async def stop(self) -> None:
        for mailer in self._mailers.values():
            await mailer.close()
        await self._state.close()

    async def check(self) -> str:
        for address, account in self._accounts.items():
            await _check_imap(account, self.settings.timeout)
            mailer = self._mailers[address]
            await mailer.check()
        addresses = ", ".join(self._accounts)
        return addresses if self.settings.trusted_servers else f"{addresses}; {NOBODY_PROVED}"

    def whole(self, message: Message) -> str | None:
        return whole(message)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Returns the Message-ID."""
        mailbox = outgoing.conversation.split(":")[1]
        account = self._accounts.get(mailbox)
        if account is None:
            raise DeliveryRejected("the mailbox of this conversation is not among those of channels.email any more")
        if outgoing.author == "bot":
            await self._within_limit(mailbox, outgoing)
        answered, files = await self._answered(outgoing), self._files(outgoing)

        def written() -> Written:
            return render(outgoing, sender=self._sender(account), threads=self._threads, answered=answered, files=files)

        mail = await asyncio.to_thread(written)
        envelope = Envelope(
            id=outgoing.id,
            sender=account.address,  # bounces come to the mailbox, where they are matched to what bounced
            recipients=[mail.recipient],
            size=mail.size,
            chunks=mail.chunks,
            utf8=mail.utf8,
        )
        try:
            await self._mailers[mailbox].send(envelope)
        except DeliveryDeferred as error:
            raise DeliveryDeferred(str(error), retry_after=self._pause(outgoing)) from error
        return mail.message_id

    async def _within_limit(self, mailbox: str, outgoing: Outgoing) -> None:
        """Raises `DeliveryDeferred`: whatever makes the bot write so much must not make it write without end."""
        try:
            seconds = await self._state.admit(f"of {mailbox}", outgoing.id, self.settings.answers_per_hour)
        except TransientError as error:
            raise DeliveryDeferred(str(error)) from error
        if seconds:
            log.error("the bot writes more mail than is allowed in an hour: what follows waits", id=outgoing.id)
            raise DeliveryDeferred("more than `answers_per_hour` of the e-mail channel", retry_after=seconds)

    def _pause(self, outgoing: Outgoing) -> float | None:
        """Longer, the longer it has waited; None, which lets it be given up, when it has waited for too long."""
        age = datetime.now(UTC) - outgoing.at
        return min(max(age.total_seconds() / 3, 1.0), LONGEST_PAUSE) if age < self.patience else None

    async def _answered(self, outgoing: Outgoing) -> Message | None:
        """The customer's mail that is answered, or the last one that they wrote themselves."""
        store = self.services.store
        if outgoing.reply_to and (entry := await store.entry(outgoing.reply_to)) and isinstance(entry.body, Message):
            return entry.body
        mails = [entry.body for entry in await store.transcript(outgoing.conversation) if isinstance(entry.body, Message)]
        return next((mail for mail in reversed(mails) if mail.kind == "new"), mails[-1] if mails else None)

    def _files(self, outgoing: Outgoing) -> Mapping[str, Path]:
        try:
            return {file.id: self.services.attachments.path(file.id) for file in outgoing.attachments}
        except KeyError:
            raise DeliveryRejected("an attachment of this reply is not in the attachment store") from None

    def _sender(self, account: Account) -> Sender:
        domain = self.settings.domain or account.address.partition("@")[2]
        return Sender(address=account.address, name=account.name, domain=domain, plus=account.plus_addressing)

    def _mailer(self, account: Account) -> Mailer:
        return Mailer(account.smtp, connections=self.settings.smtp_connections, timeout=self.settings.timeout)


async def _check_imap(account: Account, seconds: float) -> None:
    server = account.imap
    try:
        if server.tokens is not None:
            await server.tokens.get()
        connection = await Connection.open(server, seconds=seconds)
        try:
            await connection.select(account.folder, read_only=True)
        finally:
            await connection.close()
    except TokenError as error:
        raise ConfigurationError(f"{error}: {OAUTH_FIX}") from None
    except LoginRefused:
        raise ConfigurationError(
            f"{server.host}:{server.port} refuses the login for reading: {OAUTH_FIX if server.tokens else LOGIN_FIX}"
        ) from None
    except Refused:
        raise ConfigurationError(
            f"{server.host}:{server.port} has no folder {account.folder!r}: correct folder of channels.email "
            "(FRONTDESK_CHANNELS__EMAIL__FOLDER)"
        ) from None
    except ImapError as error:
        raise ConfigurationError(
            f"mail cannot be read from {server.host}:{server.port} with TLS {server.tls} ({error}): correct imap_host, imap_port "
            "and imap_tls of channels.email (FRONTDESK_CHANNELS__EMAIL__IMAP_HOST)"
        ) from None
