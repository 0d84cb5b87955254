"""Fetches the files that a channel has left with its platform, inside the turn and never inside a webhook."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec
import structlog

from frontdesk.core.attachments import Attachments
from frontdesk.core.channel import Channel
from frontdesk.core.errors import InvalidInput, TransientError, Unavailable
from frontdesk.core.messages import Attachment, AudioPart, FilePart, ImagePart, Message, Part

log = structlog.get_logger(__name__)

SECONDS = 120.0
REMEMBERED = 1000
NOT_FETCHED = "the file could not be fetched"
WITH_FILE = (FilePart, ImagePart, AudioPart)


class Files:
    """Remembers what it has fetched for turns that did not come to their end, so that a retry fetches nothing twice."""

    def __init__(self, attachments: Attachments, channels: Mapping[str, Channel]) -> None:
        self._attachments = attachments
        self._channels = channels
        self._fetched: OrderedDict[tuple[str, str], Attachment] = OrderedDict()

    async def fetched(self, messages: Sequence[Message], *, last: bool) -> Sequence[Message]:
        """The messages with their files in the attachment store.

        A file that will never be had keeps its `problem`. Raises `TransientError` where it may be had later, but not at the
        `last` try: what was written with it must be answered.
        """
        if not any(map(_has_remote, messages)):
            return messages
        return [await self._message(message, last) if _has_remote(message) else message for message in messages]

    async def drop(self, attachments: Sequence[Attachment]) -> None:
        """Removes the files of messages that were deleted or have other files now."""
        for attachment in attachments:
            await self._attachments.remove(attachment.id)

    async def _message(self, message: Message, last: bool) -> Message:
        parts = [await self._part(message, part, last) for part in message.parts]
        return msgspec.structs.replace(message, parts=tuple(parts))

    async def _part(self, message: Message, part: Part, last: bool) -> Part:
        if not isinstance(part, WITH_FILE) or not _is_remote(part.attachment):
            return part
        return msgspec.structs.replace(part, attachment=await self._attachment(message, part.attachment, last))

    async def _attachment(self, message: Message, wanted: Attachment, last: bool) -> Attachment:
        key = (message.id, wanted.remote or "")
        if (known := self._fetched.get(key)) is not None:
            return known
        try:
            channel = self._channels[message.channel]
            async with asyncio.timeout(SECONDS):
                saved = await self._attachments.save(
                    channel.fetch(message, wanted),
                    name=wanted.name,
                    media_type=wanted.media_type,
                    max_size=channel.capabilities.max_attachment,
                )
        except InvalidInput as error:
            return msgspec.structs.replace(wanted, problem=str(error))
        except Exception as error:
            log.warning("a file could not be fetched", message=message.id, error=type(error).__name__, last=last)
            if last:
                return msgspec.structs.replace(wanted, problem=NOT_FETCHED)
            after = error.retry_after if isinstance(error, TransientError | Unavailable) else None
            raise TransientError(NOT_FETCHED, retry_after=after) from error
        saved = msgspec.structs.replace(saved, remote=wanted.remote)
        self._fetched[key] = saved
        if len(self._fetched) > REMEMBERED:
            self._fetched.popitem(last=False)
        return saved


def attachments_of(message: Message) -> list[Attachment]:
    return [part.attachment for part in message.parts if isinstance(part, WITH_FILE)]


def _has_remote(message: Message) -> bool:
    for part in message.parts:  # noqa: SIM110 - on the path of every message, where a generator costs more than its work
        if isinstance(part, WITH_FILE) and _is_remote(part.attachment):
            return True
    return False


def _is_remote(attachment: Attachment) -> bool:
    return not attachment.id and attachment.remote is not None and attachment.problem is None
