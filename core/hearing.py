"""Writes voice notes down, inside the turn and never inside a webhook. The recording itself is kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import InvalidInput, ModelError, ModelUnavailable
from frontdesk.core.messages import AudioPart, Message, Part
from frontdesk.core.models import Transcriber
from frontdesk.core.tasks import cancelled

log = structlog.get_logger(__name__)

SIGN_SECONDS = 4.0
"""So often the customer is shown that somebody listens: what platforms show of it is gone after five seconds."""
REMEMBERED = 1000

Sign = Callable[[str, str, float | None], None]
"""Tells the customer of a channel and a conversation how much has been heard, as a share where it is known."""


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

    async def heard(self, messages: Sequence[Message], language: str | None) -> Sequence[Message]:
        """The messages with what is said in their recordings, or why it is not known. `language` is the conversation's so far."""
        if not any(map(_has_sound, messages)):
            return messages
        return [await self._message(message, language) if _has_sound(message) else message for message in messages]

    async def _message(self, message: Message, language: str | None) -> Message:
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, AudioPart) and _is_new(part):
                heard = await self._remembered(message, part, language)
                language = heard.language or language
                parts.append(heard)
            else:
                parts.append(part)
        return msgspec.structs.replace(message, parts=tuple(parts))

    async def _remembered(self, message: Message, part: AudioPart, language: str | None) -> AudioPart:
        key = part.attachment.id
        if (known := self._heard.get(key)) is None:
            known = self._heard[key] = await self._part(message, part, language)
            if len(self._heard) > REMEMBERED:
                self._heard.popitem(last=False)
        return known

    async def _part(self, message: Message, part: AudioPart, language: str | None) -> AudioPart:
        if self._transcriber is None:
            return msgspec.structs.replace(part, unheard="no_model")
        try:
            recording = self._attachments.path(part.attachment.id)
            return await self._transcribed(self._transcriber, message, part, recording, language)
        except InvalidInput as error:
            attachment = msgspec.structs.replace(part.attachment, problem=str(error))
            return msgspec.structs.replace(part, attachment=attachment, unheard="unreadable")
        except ModelUnavailable as error:
            log.warning("nobody can listen", message=message.id, reason=str(error))
            return msgspec.structs.replace(part, unheard="no_model")
        except (ModelError, TimeoutError, KeyError) as error:
            log.error("a recording could not be heard", message=message.id, error=f"{type(error).__name__}: {error}")
            return msgspec.structs.replace(part, unheard="failed")

    async def _transcribed(
        self, transcriber: Transcriber, message: Message, part: AudioPart, recording: Path, language: str | None
    ) -> AudioPart:
        share: list[float | None] = [None]
        signs = asyncio.create_task(self._show(message, share))
        try:
            async with asyncio.timeout(self._limits.seconds):
                heard = await transcriber.transcribe(
                    recording, language=language, languages=self._languages, progress=lambda done: share.__setitem__(0, done)
                )
        finally:
            await cancelled(signs)
        part = msgspec.structs.replace(part, seconds=heard.seconds, peaks=heard.peaks)
        if not heard.text:
            return msgspec.structs.replace(part, unheard="silence")
        return msgspec.structs.replace(
            part, transcript=heard.text, language=heard.language, confidence=round(heard.confidence, 3)
        )

    async def _show(self, message: Message, share: Sequence[float | None]) -> None:
        while True:
            self._sign(message.channel, message.conversation, share[0])
            await asyncio.sleep(SIGN_SECONDS)


def _is_new(part: AudioPart) -> bool:
    return bool(part.attachment.id) and part.transcript is None and part.unheard is None


def _has_sound(message: Message) -> bool:
    return any(isinstance(part, AudioPart) and _is_new(part) for part in message.parts)
