"""What customers change afterwards: edits and deletions of what they wrote, and reactions.

A change that comes before the turn is folded into it. Its own turn, in the order of arrival, changes the record and is silent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from frontdesk.core.files import attachments_of
from frontdesk.core.messages import NO_PAYLOAD, Attachment, Message
from frontdesk.core.store import Store


def folded(messages: Sequence[Message], waiting: Iterable[Message]) -> Sequence[Message]:
    """The messages in their newest version, as far as it is waiting already, without the deleted ones."""
    changes = {message.target: message for message in waiting if message.kind in ("edited", "deleted")}
    if not changes:
        return messages
    newest = [changed(message, changes[message.id]) if message.id in changes else message for message in messages]
    return [message for message in newest if message.revision != "deleted"]


def changed(message: Message, change: Message) -> Message:
    """The message after it was edited or deleted. Nothing is kept of one that was deleted, nor of the version before an edit."""
    if change.kind == "deleted":
        return msgspec.structs.replace(message, parts=(), revision="deleted", raw=NO_PAYLOAD)
    return msgspec.structs.replace(message, parts=change.parts, revision="edited", raw=change.raw)


@dataclass(frozen=True, slots=True)
class Revisions:
    """`record` has the messages of the transcript that change, `dropped` the files that they had and have no more."""

    record: Sequence[Message] = ()
    dropped: Sequence[Attachment] = ()


async def revisions(store: Store, messages: Sequence[Message]) -> Revisions:
    """What these messages make of the record: their targets in the new version, and themselves without it."""
    record: list[Message] = []
    dropped: list[Attachment] = []
    for change in messages:
        if change.kind in ("edited", "deleted") and change.target:
            entry = await store.entry(change.target)
            if entry and isinstance(entry.body, Message) and entry.body.conversation == change.conversation:
                newest = changed(entry.body, change)
                record += [newest, msgspec.structs.replace(change, parts=(), raw=NO_PAYLOAD)]
                kept = {attachment.id for attachment in attachments_of(newest)}
                dropped += [attachment for attachment in attachments_of(entry.body) if attachment.id not in kept]
    return Revisions(record, dropped)
