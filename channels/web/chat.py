"""What a browser can do in its conversation, whatever it is connected by."""

from datetime import UTC, datetime, timedelta
from functools import cached_property

import structlog

from frontdesk.channels.web import parse, render
from frontdesk.channels.web.connections import Connections, Listener
from frontdesk.channels.web.limits import RateLimit
from frontdesk.channels.web.settings import WebSettings
from frontdesk.channels.web.tokens import Session, Signer, derive_key, new_conversation, stored_key
from frontdesk.core.channel import Services
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment

PAGE = 50
CATCH_UP = 200
SEARCHED_PAGES = 100
FRAMES_PER_MINUTE = 240

log = structlog.get_logger(__name__)


class TooMany(InvalidInput):
    """The session has used up its rate. `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("too many messages; please wait a moment", status=429)
        self.retry_after = retry_after


class Chat:
    """Sessions, messages, history and files. Its methods raise `InvalidInput` and `Unavailable`."""

    def __init__(self, settings: WebSettings, services: Services) -> None:
        self.settings = settings
        self.services = services
        self.connections = Connections(settings.sockets_per_session)
        self._messages = RateLimit(settings.messages_per_minute)
        self._frames = RateLimit(FRAMES_PER_MINUTE + settings.messages_per_minute)

    @cached_property
    def signer(self) -> Signer:
        """Made at the start, not before: without a secret in the settings it makes a key file. Raises `ConfigurationError`."""
        secret = self.settings.secret
        return Signer(derive_key(secret.get_secret_value()) if secret else stored_key(self.services.folder / "web.key"))

    @property
    def max_frame(self) -> int:
        """Bytes of a message, files and all. A character takes at most 12 bytes of JSON: two escapes like \\ud83d."""
        return 12 * self.settings.max_text + 32 * 1024

    def session(self, token: str) -> Session:
        return self.signer.open_session(token, datetime.now(UTC))

    def token(self, conversation: str | None = None) -> str:
        """A fresh token of the conversation, or of a new one."""
        expires = datetime.now(UTC) + timedelta(days=self.settings.session_days)
        return self.signer.session(conversation or new_conversation(), expires)

    def count_message(self, conversation: str) -> None:
        if wait := self._messages.wait(conversation):
            raise TooMany(wait)

    def count_frame(self, conversation: str) -> None:
        if wait := self._frames.wait(conversation):
            raise TooMany(wait)

    async def take(self, conversation: str, send: parse.Send, sender: Listener | None = None) -> render.Acknowledged:
        """Returns when the message is durable."""
        self.count_message(conversation)
        attachments = tuple(self.signer.open_ticket(conversation, ticket) for ticket in send.files)
        now = datetime.now(UTC)
        message = parse.message(send, conversation, now, attachments=attachments, max_text=self.settings.max_text)
        receipt = await self.services.accept(message)
        if not receipt.duplicate and (own := render.view(message)):
            self.connections.push(conversation, render.Arrived(own), but=sender)
        return render.Acknowledged(id=str(send.id), at=now, duplicate=receipt.duplicate)

    async def history(self, conversation: str, *, before: int | None = None, after: int | None = None) -> render.History:
        limit = PAGE if after is None else CATCH_UP
        entries = await self.services.store.transcript(conversation, before=before, after=after, limit=limit)
        return render.history(entries, limit=limit, back=before is not None)

    def ticket(self, conversation: str, attachment: Attachment) -> str:
        return self.signer.ticket(conversation, attachment)

    async def attachment(self, conversation: str, id: str) -> render.File:
        """Looks for the file in the conversation's own transcript, the newest entries first."""
        before: int | None = None
        for _ in range(SEARCHED_PAGES):
            entries = await self.services.store.transcript(conversation, before=before, limit=100)
            for entry in reversed(entries):
                view = render.view(entry.body)
                if isinstance(view, render.Own | render.Reply):
                    for file in view.files:
                        if file.id == id:
                            return file
            if len(entries) < 100:
                break
            before = entries[0].seq
        raise InvalidInput("there is no such file", status=404)
