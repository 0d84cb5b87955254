"""What becomes of a mail: it is answered, only recorded, matched to the reply that it says did not arrive, or left alone."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import structlog

from frontdesk.channels.email.automatic import Automatic, automatic
from frontdesk.channels.email.bounces import Bounce
from frontdesk.channels.email.headers import untagged
from frontdesk.channels.email.mailbox import Letter
from frontdesk.channels.email.mime import File, Mail, read
from frontdesk.channels.email.parse import Incoming, original, parse
from frontdesk.channels.email.settings import EmailSettings
from frontdesk.channels.email.smtp import without_addresses
from frontdesk.channels.email.state import DAY, State
from frontdesk.channels.email.threads import Threads
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import InvalidInput
from frontdesk.core.events import Delivered
from frontdesk.core.messages import Attachment, Kind, Message, Outgoing

log = structlog.get_logger(__name__)

DIGITS = re.compile(r"[\d\s]+")
"""Robots number what they say."""
SHORTEST_REPETITION = 20
"""In characters: people do say "yes" all the time."""
MOST_REPETITIONS = 3
"""In a day. Nobody writes the same mail more often and reads what is answered."""
HOURLY_LIMITS_A_DAY = 3
"""In a day so many times as much is answered as in an hour, so that even a slow exchange of two robots ends."""
HELD_BACK = "this sender writes more than is answered (answers_per_sender): mails since then are only recorded"
LOOKED_THROUGH = 500
"""So many entries of a conversation are looked through for the reply that bounced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """`incoming` is None where nobody wrote it who could be a contact."""

    mail: Mail
    automatic: Automatic | None
    incoming: Incoming | None
    problem: InvalidInput | None = None


class Receiver:
    """Its `take` is for `Mailbox`."""

    def __init__(self, settings: EmailSettings, services: Services, state: State, threads: Threads) -> None:
        self._settings = settings
        self._services = services
        self._state = state
        self._threads = threads
        self._own = frozenset(account.address for account in settings.accounts)

    async def take(self, letter: Letter) -> None:
        """Durable on return. Raises `InvalidInput`, `Unavailable` and `TransientError`."""
        found = await asyncio.to_thread(self._read, letter)
        if self._threads.sent(found.mail.headers.get("message-id")) is not None:
            log.debug("a copy of our own mail is left alone")
        elif found.automatic is not None:
            log.info("automatic mail is not answered", kind=found.automatic.kind, reason=found.automatic.reason)
            if found.automatic.kind == "bounce" and found.automatic.bounce is not None:
                await self._bounced(found.automatic.bounce)
            elif found.incoming is not None:
                await self._record(found.automatic, found.incoming)
            elif found.automatic.keep and found.problem is not None:
                raise found.problem
        elif found.incoming is None:
            raise found.problem or InvalidInput("the mail has no sender")
        elif not (kept := original(found.incoming.message)) or not kept.answer_to:
            log.info("nobody could be answered: recorded only", id=found.incoming.message.id)
            await self._keep(found.incoming, "automatic")
        else:
            await self._accept(found.incoming)

    def _read(self, letter: Letter) -> _Read:
        """Takes the mail apart: up to a second for the worst ones, so in a thread."""
        mail = read(letter.data, whole=letter.whole, max_size=len(letter.data))
        problem = incoming = None
        try:
            incoming = parse(
                mail,
                mailbox=letter.account.address,
                threads=self._threads,
                trusted=self._settings.trusted_servers,
                own=self._own,
                now=datetime.now(UTC),
            )
        except InvalidInput as error:
            problem = error
        return _Read(mail=mail, automatic=automatic(mail, own=self._own), incoming=incoming, problem=problem)

    async def _accept(self, incoming: Incoming) -> None:
        too_many = await self._too_many(incoming.message)
        await self._keep(incoming, "automatic" if too_many else "new")
        if too_many:
            await self._tell_people(incoming.message)

    async def _tell_people(self, message: Message) -> None:
        """Once a day for each sender: who writes so much may be a person in despair."""
        log.warning("a sender writes more than is answered: recorded only", id=message.id)
        if await self._state.admit(f"told of {untagged(message.contact.id)}", message.id, 1, within=DAY):
            return
        begin = Conversation(  # the turn that records the mail may not be over yet
            id=message.conversation,
            channel="email",
            contact=message.contact,
            created=message.at,
            updated=message.at,
            language="",
        )
        await self._services.handoff.escalate(message.conversation, HELD_BACK, begin=begin)

    async def _too_many(self, message: Message) -> bool:
        """Whether this may be a robot that gives no sign of being one.

        Who gets the answer counts as who wrote: else many senders could have answers sent to one victim.
        """
        kept, most = original(message), self._settings.answers_per_sender
        sender = untagged(message.contact.id)  # a robot may write from support+5@, support+6@ and so on
        for address in {sender, untagged(kept.answer_to) if kept else sender}:
            if await self._state.admit(f"from {address}", message.id, most):
                return True
            if await self._state.admit(f"from {address} in a day", message.id, most * HOURLY_LIMITS_A_DAY, within=DAY):
                return True
        said = DIGITS.sub("", message.text)
        if len(said) < SHORTEST_REPETITION:
            return False
        words = sha256(f"{sender} {said}".encode("utf-8", "replace")).hexdigest()
        return await self._state.admit(f"said {words}", message.id, MOST_REPETITIONS, within=DAY) > 0

    async def _record(self, automatic: Automatic, incoming: Incoming) -> None:
        """A notice that belongs to no conversation is only left in the mailbox; what people may want to read begins one."""
        if automatic.keep or await self._services.store.conversation(incoming.message.conversation) is not None:
            await self._keep(incoming, "automatic")

    async def _keep(self, incoming: Incoming, kind: Kind) -> None:
        """A mail that is kept already is not looked through for files again: nobody would ever delete them."""
        if await self._services.store.entry(incoming.message.id) is not None:
            return
        saved: dict[str, Attachment] = {}
        try:
            for key, file in incoming.files.items():
                if attachment := await self._save(file):
                    saved[key] = attachment
            await self._services.accept(msgspec.structs.replace(incoming.with_files(saved), kind=kind))
        except Exception:  # it will be tried again, maybe for long: that must not fill the disk
            for attachment in saved.values():
                await self._services.attachments.remove(attachment.id)
            raise

    async def _save(self, file: File) -> Attachment | None:
        """None for a file that is too large, or is not there to be read."""
        limit = self._settings.max_attachment
        if file.problem is not None or file.size > limit:
            return None
        try:
            return await self._services.attachments.save(
                _in_thread(file.chunks()), name=file.name, media_type=file.media_type, max_size=limit
            )
        except InvalidInput:
            return None

    async def _bounced(self, bounce: Bounce) -> None:
        """Makes the reply that did not arrive a dead letter, for people to see."""
        message_id = (bounce.original_message_id or "").lower()  # some servers change its case
        conversation = self._threads.sent(message_id) if bounce.action == "failed" else None
        if conversation is None:
            return
        entries = await self._services.store.transcript(conversation, limit=LOOKED_THROUGH)
        reply = next((entry.body for entry in reversed(entries) if (entry.platform_id or "").lower() == message_id), None)
        if not isinstance(reply, Outgoing):
            log.warning("a bounce names a reply that is not known", conversation=conversation)
            return
        said = without_addresses(bounce.diagnostic)
        reason = f"it came back: {said if bounce.status in said else f'{bounce.status} {said}'.strip()}"
        if await self._services.store.bounced(reply.id, reason) is not None:
            log.error("a reply came back", id=reply.id, status=bounce.status)
            self._services.events.publish(Delivered(conversation, reply.id, error=reason))


async def _in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Decodes piece by piece beside the event loop."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
