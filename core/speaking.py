"""Reads replies aloud to customers who speak and want to be answered in the same way. What is written is sent all the same."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.effects import Effects
from frontdesk.core.errors import ModelError, PromptRejected, Unavailable
from frontdesk.core.messages import Attachment, AudioPart, Message, Outgoing
from frontdesk.core.models import Speaker
from frontdesk.core.plaintext import spoken
from frontdesk.core.tasks import FAILURES, being_cancelled
from frontdesk.core.turn import Turn

log = structlog.get_logger(__name__)

SECONDS = 15.0
"""What takes longer to be spoken in a turn goes out in writing only."""


class Speaking:
    def __init__(self, speaker: Speaker | None, attachments: Attachments) -> None:
        self._speaker = speaker
        self._attachments = attachments

    async def add(self, turn: Turn, messages: Sequence[Message], effects: Effects) -> None:
        """Puts a voice note beside each reply to these messages, where one is wanted and can be had.

        Never raises: the turn has been taken, and what it did must not be done again for want of a voice.
        """
        if self._speaker is None or not _wanted(turn, messages):
            return
        try:
            async with asyncio.timeout(SECONDS):
                for index, entry in enumerate(effects.entries):
                    if isinstance(entry, Outgoing) and (note := await self._note(self._speaker, entry, turn.language)):
                        effects.spoken.append(note)
                        effects.entries[index] = msgspec.structs.replace(entry, attachments=(*entry.attachments, note))
        except TimeoutError:
            log.warning("a reply could not be read aloud", error=f"it took longer than {SECONDS:g} s")

    async def _note(self, speaker: Speaker, outgoing: Outgoing, language: str) -> Attachment | None:
        try:
            text = "\n".join([spoken(outgoing.text), *(choice.label for choice in outgoing.choices)])
            speech = await speaker.speak(text, language=language or "en")
            name = f"reply.{speech.media_type.partition('/')[2].replace('mpeg', 'mp3')}"
            return await self._attachments.save(_chunks(speech.data), name=name, media_type=speech.media_type)
        except PromptRejected as error:
            log.info("a reply is not read aloud", reason=str(error))
        except FAILURES as error:
            if being_cancelled():
                raise
            words = f": {error}" if isinstance(error, ModelError | Unavailable) else ""
            log.warning("a reply could not be read aloud", error=f"{type(error).__name__}{words}")
        return None


def _wanted(turn: Turn, messages: Sequence[Message]) -> bool:
    """This once, or whenever the customer speaks."""
    speaks = any(isinstance(part, AudioPart) for message in messages for part in message.parts)
    return any(message.aloud for message in messages) or (turn.state.aloud and speaks)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
