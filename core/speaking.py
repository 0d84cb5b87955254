"""Reads replies aloud to customers who speak and want to be answered in the same way. What is written is sent all the same."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import ModelError, PromptRejected, Unavailable
from frontdesk.core.messages import Attachment, AudioPart, Body, Outgoing
from frontdesk.core.models import Speaker
from frontdesk.core.plaintext import spoken
from frontdesk.core.turn import Turn

log = structlog.get_logger(__name__)

SECONDS = 15.0
"""A reply that takes longer to be spoken goes out in writing only."""


class Speaking:
    def __init__(self, speaker: Speaker | None, attachments: Attachments) -> None:
        self._speaker = speaker
        self._attachments = attachments

    async def add(self, turn: Turn, entries: list[Body]) -> None:
        """Puts a voice note beside each reply of the turn, where one is wanted and can be had."""
        if self._speaker is None or not _wanted(turn):
            return
        for index, entry in enumerate(entries):
            if isinstance(entry, Outgoing) and (note := await self._note(self._speaker, entry, turn.language)):
                entries[index] = msgspec.structs.replace(entry, attachments=(*entry.attachments, note))

    async def _note(self, speaker: Speaker, outgoing: Outgoing, language: str) -> Attachment | None:
        text = "\n".join([spoken(outgoing.text), *(choice.label for choice in outgoing.choices)])
        try:
            async with asyncio.timeout(SECONDS):
                speech = await speaker.speak(text, language=language or "en")
            name = f"reply.{speech.media_type.partition('/')[2]}"
            return await self._attachments.save(_chunks(speech.data), name=name, media_type=speech.media_type)
        except PromptRejected as error:
            log.info("a reply is not read aloud", reason=str(error))
        except (ModelError, Unavailable, TimeoutError) as error:
            log.warning("a reply could not be read aloud", error=f"{type(error).__name__}: {error}")
        return None


def _wanted(turn: Turn) -> bool:
    """This once, or whenever the customer speaks."""
    speaks = any(isinstance(part, AudioPart) for message in turn.messages for part in message.parts)
    return any(message.aloud for message in turn.messages) or (turn.state.aloud and speaks)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
