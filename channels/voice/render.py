"""What a caller gets: what was heard, and the replies in Markdown, in plain words and as files."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from frontdesk.core.messages import Attachment, AudioPart, Choice, Entry, Message, Outgoing, Source
from frontdesk.core.plaintext import plain

encode = msgspec.json.Encoder().encode


class Heard(Struct, frozen=True, kw_only=True):
    """`unheard` says why there is no transcript: `silence`, `unreadable`, `too_long`, `failed` or `no_model`."""

    transcript: str | None
    language: str | None
    confidence: float | None
    unheard: str | None
    problem: str | None
    seconds: float | None


class File(Struct, frozen=True, kw_only=True):
    name: str
    media_type: str
    size: int
    url: str


class Reply(Struct, frozen=True, kw_only=True):
    """`text` is Markdown, `plain` the same to be read out; `audio` is the file in which it is."""

    id: str
    seq: int
    text: str
    plain: str
    agent: str | None
    question: str | None
    choices: tuple[Choice, ...]
    sources: tuple[Source, ...]
    audio: File | None
    files: tuple[File, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """`pending`: the turn is not over; ask for the replies after `seq` later. There may be none while a person answers."""

    conversation: str
    id: str
    seq: int | None
    duplicate: bool
    pending: bool
    heard: Heard | None
    replies: Sequence[Reply]


def answer(message: Message, entry: Entry | None, following: Sequence[Entry], *, duplicate: bool, base: str) -> Answer:
    """`entry` is the message's own, and `following` what came after it."""
    shown = entry.body if entry is not None and isinstance(entry.body, Message) else message
    done = entry is not None and entry.status != "pending"
    return Answer(
        conversation=message.conversation.partition(":")[2],
        id=message.id.rpartition(":")[2],
        seq=entry.seq if entry is not None else None,
        duplicate=duplicate,
        pending=not done,
        heard=heard(shown) if done else None,
        replies=replies(_replies_to(message.id, following), base) if done else (),
    )


def heard(message: Message) -> Heard | None:
    """None where nothing was spoken."""
    part = next((part for part in message.parts if isinstance(part, AudioPart)), None)
    if part is None:
        return None
    return Heard(
        transcript=part.transcript,
        language=part.language,
        confidence=part.confidence,
        unheard=part.unheard,
        problem=part.attachment.problem,
        seconds=part.seconds,
    )


def replies(entries: Sequence[Entry], base: str) -> list[Reply]:
    return [_reply(entry.seq, entry.body, base) for entry in entries if isinstance(entry.body, Outgoing)]


def _reply(seq: int, outgoing: Outgoing, base: str) -> Reply:
    files = tuple(_file(attachment, outgoing.conversation, base) for attachment in outgoing.attachments)
    kind, _, name = outgoing.author.partition(":")
    return Reply(
        id=outgoing.id,
        seq=seq,
        text=outgoing.text,
        plain=plain(outgoing.text),
        agent=name if kind == "agent" else None,
        question=outgoing.question,
        choices=outgoing.choices,
        sources=outgoing.sources,
        audio=next((file for file in files if file.media_type.startswith("audio/")), None),
        files=files,
    )


def _file(attachment: Attachment, conversation: str, base: str) -> File:
    url = f"{base}/{conversation.partition(':')[2]}/files/{attachment.id}"
    return File(name=attachment.name, media_type=attachment.media_type, size=attachment.size, url=url)


def _replies_to(id: str, following: Sequence[Entry]) -> list[Entry]:
    """What the turn of a message has said. A turn may have taken several messages: it answers the last, by an id of the first."""
    later = {entry.body.id for entry in following if isinstance(entry.body, Message)}
    return [
        entry
        for entry in following
        if isinstance(entry.body, Outgoing)
        and (entry.body.reply_to == id or entry.body.reply_to in later)
        and not any(entry.body.id.startswith(f"{other}/") for other in later)
    ]


def problem(reason: str) -> dict[str, Any]:
    return {"error": reason}
