"""From the transcript's entries to what the templates show. Customers' words stay text; only our own Markdown becomes HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from frontdesk.core.messages import (
    Attachment,
    AudioPart,
    Contact,
    Entry,
    FilePart,
    ImagePart,
    LocationPart,
    Mark,
    Message,
    Note,
    Outgoing,
    ReactionPart,
    Source,
    TextPart,
)

# SVG is left out: it can carry script.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
VIDEOS = frozenset({"video/mp4", "video/webm"})
WAVE = 300
SOUNDS = frozenset({"audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/wav", "audio/x-wav", "audio/webm", "audio/flac"})

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


@lru_cache(maxsize=4096)
def markdown(text: str) -> Markup:
    """Markdown of the bot and of agents as safe HTML: no raw HTML, no images from elsewhere, links in a new tab."""
    html = nh3.clean(
        _markdown.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "p": {"dir": "auto"}, "ul": {"dir": "auto"}, "ol": {"dir": "auto"}},
    )
    return Markup(html)  # noqa: S704 - just sanitised


@dataclass(frozen=True, kw_only=True)
class File:
    """`url` is empty where there is no file to be had: then `problem` says why, or it is still with the platform."""

    name: str
    url: str
    size: str
    kind: Literal["image", "audio", "video", "file"]
    problem: str = ""
    sound: "Sound | None" = None


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What is known of a recording. `wave` is an SVG path of its loudness, `WAVE` wide and 100 high."""

    seconds: float
    length: str
    wave: str
    transcript: str | None
    unheard: str | None
    language: str
    confidence: int | None


@dataclass(frozen=True, kw_only=True)
class Place:
    text: str
    url: str


Label = Literal["", "edited", "deleted", "automatic", "correction", "corrected"]
_LABELS: Mapping[str, Label] = {"edited": "edited", "deleted": "deleted", "automatic": "automatic"}
Side = Literal["customer", "bot", "agent", "note", "mark"]
State = Literal["", "sending", "retrying", "sent", "dead"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry as it is shown. `text` is plain; `html` stands in its place where it is set.

    `quoted` is what an event is about. `joined`: it belongs to the line above, as a picture of an album does. `draft` is set on
    the one reply that the agent who looks can correct: its Markdown. `whole` is all that was sent, where only a part is shown.
    """

    seq: int
    id: str = ""
    side: Side
    author: str
    at: datetime
    text: str = ""
    html: Markup | None = None
    files: Sequence[File] = ()
    places: Sequence[Place] = ()
    pressed: str | None = None
    choices: Sequence[str] = ()
    event: str = ""
    by_customer: bool = False
    quoted: str = ""
    label: Label = ""
    reactions: Sequence[str] = ()
    joined: bool = False
    draft: str | None = None
    state: State = ""
    attempts: int = 0
    error: str = ""
    whole: str = ""


def line(entry: Entry) -> Line:
    match entry.body:
        case Message() as message:
            return _message(entry, message)
        case Outgoing() as outgoing:
            return Line(
                seq=entry.seq,
                id=outgoing.id,
                side="bot" if outgoing.author == "bot" else "agent",
                author=name_of(outgoing.author),
                at=outgoing.at,
                html=markdown(outgoing.text),
                files=[_file(entry.seq, outgoing.conversation, attachment) for attachment in outgoing.attachments],
                choices=[choice.label for choice in outgoing.choices],
                label="correction" if outgoing.replaces else "",
                state=_delivery(entry),
                attempts=entry.attempts,
                error=entry.error or "",
            )
        case Note() as note:
            return Line(
                seq=entry.seq,
                side="note",
                author=name_of(note.author),
                at=note.at,
                html=markdown(note.text),
                label="edited" if note.replaces else "",
            )
        case Mark() as mark:
            return Line(seq=entry.seq, side="mark", author=name_of(mark.by), at=mark.at, event=mark.event, text=mark.reason)


def event(entry: Entry, quoted: str = "") -> Line | None:
    """What a customer did to an earlier message, on a line of its own. None for an edit of something that is not in the record:
    that is shown as the message it is."""
    message = entry.body
    if not isinstance(message, Message) or message.kind not in ("edited", "deleted", "reaction"):
        return None
    name = contact_name(message.contact) or ""
    reactions = [part for part in message.parts if isinstance(part, ReactionPart)]
    if message.kind == "edited" and message.parts:
        return None
    taken_back = bool(reactions) and all(part.removed for part in reactions)
    return Line(
        seq=entry.seq,
        side="mark",
        author=name,
        at=message.at,
        event="unreacted" if taken_back else message.kind,
        by_customer=True,
        text=" ".join(emoji(part) for part in reactions),
        quoted=quoted,
    )


def emoji(part: ReactionPart) -> str:
    """The character, or the name that the platform gives it."""
    return f":{part.emoji}:" if part.emoji.isascii() else part.emoji


def _message(entry: Entry, message: Message) -> Line:
    files, places = [], []
    for part in message.parts:
        match part:
            case AudioPart(attachment=attachment):
                files.append(_file(entry.seq, message.conversation, attachment, _sound(part)))
            case ImagePart(attachment=attachment) | FilePart(attachment=attachment):
                files.append(_file(entry.seq, message.conversation, attachment))
            case LocationPart() as location:
                places.append(_place(location))
            case _:
                pass
    choice = message.choice
    return Line(
        seq=entry.seq,
        id=message.id,
        side="customer",
        author=contact_name(message.contact) or "",
        at=message.at,
        text="\n".join(part.text for part in message.parts if isinstance(part, TextPart)),
        files=files,
        places=places,
        pressed=(choice.label or choice.value) if choice else None,
        label=message.revision or _LABELS.get(message.kind, ""),
        state="dead" if entry.status == "dead" else "",
        error=entry.error or "",
    )


def _delivery(entry: Entry) -> State:
    match entry.status:
        case "dead":
            return "dead"
        case "pending":
            return "retrying" if entry.attempts and entry.error else "sending"
        case _:
            return "sent"


def _file(seq: int, conversation: str, attachment: Attachment, sound: Sound | None = None) -> File:
    kind: Literal["image", "audio", "video", "file"] = "file"
    if attachment.media_type in IMAGES:
        kind = "image"
    elif attachment.media_type in SOUNDS:
        kind = "audio"
    elif sound is not None and attachment.media_type in VIDEOS:
        kind = "video"
    url = f"/desk/c/{quote(conversation, safe='')}/files/{seq}/{quote(attachment.id, safe='')}" if attachment.id else ""
    size = file_size(attachment.size) if attachment.size else ""
    return File(name=attachment.name, url=url, size=size, kind=kind, problem=attachment.problem or "", sound=sound)


def _sound(part: AudioPart) -> Sound:
    seconds = round(part.seconds or 0)
    return Sound(
        seconds=round(part.seconds or 0, 2),
        length=f"{seconds // 60}:{seconds % 60:02}" if seconds else "",
        wave=_wave(part.peaks),
        transcript=part.transcript,
        unheard=part.unheard,
        language=part.language or "",
        confidence=None if part.confidence is None else round(100 * part.confidence),
    )


def _wave(peaks: Sequence[int]) -> str:
    """A line for each peak, from the middle up and down."""
    step = WAVE / max(len(peaks), 1)
    lines = ((step * (place + 0.5), max(2, min(peak, 100)) / 2) for place, peak in enumerate(peaks))
    return "".join(f"M{x:.1f} {50 - half:.0f}V{50 + half:.0f}" for x, half in lines)


def _place(location: LocationPart) -> Place:
    where = f"{location.latitude:.5f}, {location.longitude:.5f}"
    url = f"https://www.openstreetmap.org/?mlat={location.latitude:.5f}&mlon={location.longitude:.5f}#map=16"
    return Place(text=f"{location.label} ({where})" if location.label else where, url=url)


def attachments_of(entry: Entry) -> Sequence[Attachment]:
    match entry.body:
        case Outgoing(attachments=attachments):
            return attachments
        case Message(parts=parts):
            return [part.attachment for part in parts if isinstance(part, ImagePart | AudioPart | FilePart)]
        case _:
            return ()


def retrieved(entries: Iterable[Entry]) -> list[Source]:
    """The passages behind the latest replies, the newest first, each once."""
    found: dict[tuple[str, str | None, str], Source] = {}
    for entry in reversed(list(entries)):
        if isinstance(entry.body, Outgoing):
            for source in entry.body.sources:
                found.setdefault((source.title, source.url, source.text), source)
    return list(found.values())[:10]


def preview(body: Message | Outgoing) -> str:
    """The words of a row in the list, on one line."""
    if isinstance(body, Message):
        names = [attachment.name for attachment in attachments_of(Entry(seq=0, body=body, status="done"))]
        choice = body.choice
        reactions = [emoji(part) for part in body.parts if isinstance(part, ReactionPart) and not part.removed]
        text = body.text or (choice.label or choice.value if choice else "") or ", ".join(names) or " ".join(reactions)
    else:
        text = nh3.clean(_markdown.render(body.text[:600]), tags=set())
        text = Markup(text).unescape() or ", ".join(attachment.name for attachment in body.attachments)  # noqa: S704
    return " ".join(text[:400].split())[:160]


def name_of(author: str) -> str:
    """`agent:Ana` is Ana; the bot has no name here."""
    return author.removeprefix("agent:") if author.startswith("agent:") else ""


def contact_name(contact: Contact) -> str | None:
    return contact.name or contact.email or contact.phone


def web_link(url: str | None) -> str | None:
    """The address if a browser may follow it."""
    return url if url and url.lower().startswith(("https://", "http://")) else None


def file_size(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.0f} kB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
