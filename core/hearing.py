"""Writes voice notes down, inside the turn and never inside a webhook. The recording itself is kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import InvalidInput, ModelError, ModelUnavailable
from frontdesk.core.messages import AudioPart, Message, Part, Unheard, without_surrogates
from frontdesk.core.models import Transcriber
from frontdesk.core.tasks import FAILURES, being_cancelled, cancelled

log = structlog.get_logger(__name__)

SIGN_SECONDS = 4.0
"""So often the customer is shown that somebody listens: what platforms show of it is gone after five seconds."""
TOO_LARGE = 413
"""The status of `InvalidInput` for a recording that is longer than it may be."""
REMEMBERED = 1000
AT_ONCE = 100
"""So many recordings at most are with the model; the others wait here, where a line of any length costs nothing."""
MAX_CHARACTERS = 100_000
"""What is said beyond that is left out: nobody speaks so much, but a model may."""

Sign = Callable[[str, str, float], None]
"""Tells the customer of a channel and a conversation how much has been heard: a share, 0 while it is not known."""


@dataclass(frozen=True, kw_only=True)
class ListeningLimits:
    """`seconds` is how long a customer waits for a note to be heard, its place in the line and the model's loading included."""

    seconds: float = 180.0
    ask_below: float = 0.55


class Hearing:
    """Remembers what it has heard for turns that did not come to their end, so that a retry hears nothing twice."""

    def __init__(
        self,
        transcriber: Transcriber | None,
        attachments: Attachments,
        *,
        languages: Sequence[str],
        limits: ListeningLimits,
        sign: Sign,
    ) -> None:
        self._transcriber = transcriber
        self._attachments = attachments
        self._languages = languages
        self._limits = limits
        self._sign = sign
        self._heard: OrderedDict[str, AudioPart] = OrderedDict()
        self._free = asyncio.Semaphore(AT_ONCE)

    def has_work(self, messages: Sequence[Message]) -> bool:
        """Whether there is a recording among them that nobody has listened to."""
        for message in messages:
            for part in message.parts:  # on the path of every message, where a generator costs more than its work
                if isinstance(part, AudioPart) and _is_new(part):
                    return True
        return False

    def is_sure(self, message: Message) -> bool:
        """Whether what was said in it, if anything, was heard well enough to act on."""
        for part in message.parts:
            if isinstance(part, AudioPart) and part.confidence is not None and part.confidence < self._limits.ask_below:
                return False
        return True

    async def heard(self, messages: Sequence[Message], language: str | None, *, shown: bool = True) -> Sequence[Message]:
        """The messages with what is said in their recordings, or why it is not known.

        `language` is the conversation's so far. The customer sees that somebody listens, unless `shown` is False.
        """
        if not self.has_work(messages):
            return messages
        return [await self._message(message, language or message.language, shown) for message in messages]

    async def _message(self, message: Message, language: str | None, shown: bool) -> Message:
        if not self.has_work((message,)):
            return message
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, AudioPart) and _is_new(part):
                heard = await self._remembered(message, part, language, shown)
                language = heard.language or language
                parts.append(heard)
            else:
                parts.append(part)
        return msgspec.structs.replace(message, parts=tuple(parts))

    async def _remembered(self, message: Message, part: AudioPart, language: str | None, shown: bool) -> AudioPart:
        key = part.attachment.id
        if (known := self._heard.get(key)) is None:
            known = self._heard[key] = await self._part(message, part, language, shown)
            if len(self._heard) > REMEMBERED:
                self._heard.popitem(last=False)
        return known

    async def _part(self, message: Message, part: AudioPart, language: str | None, shown: bool) -> AudioPart:
        """Never raises: what a recording does to those who listen must not cost the message its answer."""
        if self._transcriber is None:
            return msgspec.structs.replace(part, unheard="no_model")
        try:
            return await self._transcribed(self._transcriber, message, part, language, shown)
        except InvalidInput as error:
            attachment = msgspec.structs.replace(part.attachment, problem=str(error))
            reason: Unheard = "too_long" if error.status == TOO_LARGE else "unreadable"
            return msgspec.structs.replace(part, attachment=attachment, unheard=reason)
        except ModelUnavailable as error:
            log.warning("nobody can listen", message=message.id, reason=str(error))
            return msgspec.structs.replace(part, unheard="no_model")
        except FAILURES as error:
            if being_cancelled():
                raise
            why = f"{type(error).__name__}: {error}" if isinstance(error, ModelError) else type(error).__name__
            log.error("a recording could not be heard", message=message.id, error=why)
            return msgspec.structs.replace(part, unheard="failed")

    async def _transcribed(
        self, transcriber: Transcriber, message: Message, part: AudioPart, language: str | None, shown: bool
    ) -> AudioPart:
        recording = self._attachments.path(part.attachment.id)
        share = [0.0]
        signs = asyncio.create_task(self._show(message, share)) if shown else None
        try:
            async with asyncio.timeout(self._limits.seconds), self._free:
                heard = await transcriber.transcribe(
                    recording, language=language, languages=self._languages, progress=lambda done: share.__setitem__(0, done)
                )
        finally:
            await cancelled(signs)
        part = msgspec.structs.replace(part, seconds=heard.seconds, peaks=heard.peaks)
        text = str(without_surrogates(heard.text)).strip()[:MAX_CHARACTERS]
        if not text:
            return msgspec.structs.replace(part, unheard="silence")
        return msgspec.structs.replace(part, transcript=text, language=heard.language, confidence=round(heard.confidence, 3))

    async def _show(self, message: Message, share: Sequence[float]) -> None:
        while True:
            self._sign(message.channel, message.conversation, share[0])
            await asyncio.sleep(SIGN_SECONDS)


def _is_new(part: AudioPart) -> bool:
    return bool(part.attachment.id) and part.transcript is None and part.unheard is None
