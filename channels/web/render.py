"""What a browser gets: the entries of a transcript as the customer may see them, and the frames they travel in."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from frontdesk.core.messages import (
    Attachment,
    AudioPart,
    Body,
    Choice,
    Entry,
    FilePart,
    ImagePart,
    Mark,
    MarkEvent,
    Message,
    Note,
    Outgoing,
    TextPart,
)

EXCERPT = 400


class Cited(Struct, frozen=True, kw_only=True, omit_defaults=True):
    title: str
    url: str | None = None
    text: str = ""


class File(Struct, frozen=True, kw_only=True):
    """What a browser is told of an attachment."""

    id: str
    name: str
    media_type: str
    size: int


class Own(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="message"):
    """The customer's own message. `id` is the browser's; `choice` is the label of a pressed button, `heard` what was spoken."""

    id: str
    at: datetime
    text: str = ""
    choice: str | None = None
    files: tuple[File, ...] = ()
    heard: str = ""


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="reply"):
    """`text` is Markdown. `agent` is the name of the person who wrote it, None for the bot. It takes the place of `replaces`."""

    id: str
    at: datetime
    text: str = ""
    agent: str | None = None
    question: str | None = None
    choices: tuple[Choice, ...] = ()
    files: tuple[File, ...] = ()
    sources: tuple[Cited, ...] = ()
    replaces: str | None = None


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="mark"):
    id: str
    at: datetime
    event: MarkEvent
    agent: str | None = None


View = Own | Reply | Change


class Arrived(Struct, frozen=True, tag_field="type", tag="entry"):
    entry: View


class History(Struct, frozen=True, kw_only=True, tag_field="type", tag="history"):
    """A stretch of the transcript. `first` and `last` are the numbers of its ends, `more` is True if older entries exist.

    `back` is True if it was asked for with `before`.
    """

    entries: Sequence[View]
    first: int | None
    last: int | None
    more: bool
    back: bool = False
    typing: "Typing | None" = None


class Acknowledged(Struct, frozen=True, kw_only=True, tag_field="type", tag="ack"):
    id: str
    at: datetime
    duplicate: bool


class Refused(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="error"):
    """`retry_after`, in seconds, is there if the same message will be taken later."""

    error: str
    status: int
    id: str | None = None
    retry_after: float | None = None


class Typing(Struct, frozen=True, kw_only=True, tag_field="type", tag="typing"):
    """`heard` is how much of a voice message the bot has heard, between 0 and 1, None while it does not listen."""

    active: bool
    agent: str | None = None
    heard: float | None = None


class Reread(Struct, frozen=True, tag_field="type", tag="sync"):
    """The browser may have missed something: it reads the history again."""


class Pong(Struct, frozen=True, tag_field="type", tag="pong"):
    pass


Frame = Arrived | History | Acknowledged | Refused | Typing | Reread | Pong

encode = msgspec.json.Encoder().encode


def view(body: Body) -> View | None:
    """None for what is not the customer's to see."""
    match body:
        case Message(kind="edited" | "deleted" | "reaction") | Message(revision="deleted"):
            return None
        case Message():
            choice = body.choice
            return Own(
                id=body.id.rpartition(":")[2],
                at=body.at,
                text="\n".join(part.text for part in body.parts if isinstance(part, TextPart)),
                choice=(choice.label or choice.value) if choice else None,
                files=tuple(file(part.attachment) for part in body.parts if isinstance(part, ImagePart | AudioPart | FilePart)),
                heard="\n".join(part.transcript for part in body.parts if isinstance(part, AudioPart) and part.transcript),
            )
        case Outgoing():
            return Reply(
                id=body.id,
                at=body.at,
                text=body.text,
                agent=agent(body.author),
                question=body.question,
                choices=body.choices,
                files=tuple(map(file, body.attachments)),
                sources=tuple(Cited(title=source.title, url=source.url, text=source.text[:EXCERPT]) for source in body.sources),
                replaces=body.replaces,
            )
        case Mark():
            return Change(id=body.id, at=body.at, event=body.event, agent=agent(body.by))
        case Note():
            return None


def file(attachment: Attachment) -> File:
    return File(id=attachment.id, name=attachment.name, media_type=attachment.media_type, size=attachment.size)


def agent(author: str) -> str | None:
    """The name behind `agent:`."""
    kind, _, name = author.partition(":")
    return name if kind == "agent" else None


def history(entries: Sequence[Entry], *, limit: int, back: bool = False) -> History:
    return History(
        entries=[shown for entry in entries if (shown := view(entry.body)) is not None],
        first=entries[0].seq if entries else None,
        last=entries[-1].seq if entries else None,
        more=len(entries) >= limit,
        back=back,
    )
