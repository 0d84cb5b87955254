"""A reply as the messages that Telegram takes, within its limits."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from frontdesk.channels.telegram.entities import units
from frontdesk.channels.telegram.markup import Text, rendered
from frontdesk.core import markdown
from frontdesk.core.messages import Attachment, Choice, Entry, Outgoing
from frontdesk.core.rendering import with_sources

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100
"""Telegram drops those that come after."""
MAX_DATA = 64
"""Bytes that a button can carry."""
MAX_BUTTONS = 100
MAX_ALBUM = 10
ROW = 30
"""So many letters fit on the buttons of one row."""
MAX_PHOTO = 10 * 1024 * 1024

_MARKS = re.compile(r"[*_~`\[<#\t]|    |>|^[\s>]*[=-]+\s*$", re.MULTILINE)
"""Every entity begins with one of these."""
_TABLE = re.compile(r"^[>\s]*(?=[:\s-]*\|)[|:\s-]+$", re.MULTILINE)
"""The line below a table's head."""

Keyboard = list[list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Words:
    """`source` is the Markdown it was made from."""

    text: Text
    source: str
    keyboard: Keyboard | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """One file, or several of one kind (`photo`, `document`, ...) as an album. The caption belongs to the first."""

    kind: str
    attachments: tuple[Attachment, ...]
    caption: Words | None = None

    @property
    def keyboard(self) -> Keyboard | None:
        return self.caption.keyboard if self.caption else None


Piece = Words | Files


def pieces(outgoing: Outgoing) -> list[Piece]:
    """In the order in which they are sent. Empty if there is nothing to be seen."""
    text = words(outgoing)
    files = [Files(kind, group) for kind, group in _albums(outgoing.attachments)]
    if len(text) == len(files) == 1 and len(files[0].attachments) == 1 and text[0].text.length <= MAX_CAPTION:
        return [Files(files[0].kind, files[0].attachments, caption=text[0])]
    return [*text, *files]


def words(outgoing: Outgoing) -> list[Words]:
    """The text in as many messages as it needs, with the buttons below the last one."""
    source = with_sources(outgoing)
    parts = [source] if _fits(source) else markdown.split(source, _fits)
    found = [Words(text, part) for part in parts for text in _texts(part) if text.text]
    keyboards = buttons(outgoing)
    if keyboards and not found:
        found.append(Words(Text("…"), "…"))
    for number, keyboard in enumerate(keyboards):
        if number:
            found.append(Words(Text("…"), "…"))
        found[-1] = Words(found[-1].text, found[-1].source, keyboard)
    return found


def unmarked(source: str) -> list[Text]:
    """The same words without any markup, for the case that Telegram refuses the entities; the addresses of links are shown."""
    return [Text(part) for part in _cut(markdown.plain(source).strip() or source)]


def buttons(outgoing: Outgoing) -> list[Keyboard]:
    """Inline keyboards, several only for more choices than one can hold.

    A button's data has 64 bytes only: it names the choice by its place and the reply by its id, or by a hash of it.
    """
    keys = [
        {"text": choice.label.strip() or choice.value or "…", "callback_data": data(outgoing.id, place)}
        for place, choice in enumerate(outgoing.choices)
    ]
    return [_rows(chunk) for chunk in (keys[start : start + MAX_BUTTONS] for start in range(0, len(keys), MAX_BUTTONS))]


def data(id: str, place: int) -> str:
    whole = f"{place}|{id}"
    return whole if len(whole.encode()) <= MAX_DATA else f"{place}#{_digest(id)}"


def named(pressed: str) -> str | None:
    """The id of the reply whose button this is, if the data names it."""
    place, bar, id = pressed.partition("|")
    return id if bar and place.isdigit() else None


def chosen(pressed: str, entries: Sequence[Entry]) -> tuple[Outgoing, Choice] | None:
    """The choice that a button's data stands for, if one of these entries offered it."""
    for entry in reversed(entries):
        outgoing = entry.body
        if isinstance(outgoing, Outgoing):
            for place, choice in enumerate(outgoing.choices):
                if data(outgoing.id, place) == pressed:
                    return outgoing, choice
    return None


def numbers(platform_id: str | None) -> set[str]:
    """The numbers of the messages that a reply was sent as. Those of files have a letter before them, see `sending`."""
    return {id.lstrip("fc") for id in (platform_id or "").split(",") if id}


def kind(attachment: Attachment) -> str:
    """What Telegram shows it as: a picture, a player, or a file to be opened."""
    match attachment.media_type:
        case "image/jpeg" | "image/png" | "image/webp" if attachment.size <= MAX_PHOTO:
            return "photo"
        case "image/gif":
            return "animation"
        case "audio/ogg":
            return "voice"
        case "audio/mpeg" | "audio/mp4" | "audio/x-m4a":
            return "audio"
        case "video/mp4":
            return "video"
        case _:
            return "document"


def _albums(attachments: Sequence[Attachment]) -> Iterator[tuple[str, tuple[Attachment, ...]]]:
    """Neighbours of one kind together: photos, documents and pieces of music can be an album."""
    group: list[Attachment] = []
    for attachment in attachments:
        together = group and kind(group[0]) == kind(attachment) and kind(attachment) in ("photo", "document", "audio")
        if group and (not together or len(group) == MAX_ALBUM):
            yield kind(group[0]), tuple(group)
            group = []
        group.append(attachment)
    if group:
        yield kind(group[0]), tuple(group)


def _rows(keys: Sequence[dict[str, str]]) -> Keyboard:
    """As many buttons side by side as can be read."""
    rows: Keyboard = []
    left = 0
    for key in keys:
        width = max(len(key["text"]), ROW // 3)
        if width > left:
            rows.append([])
            left = ROW
        rows[-1].append(key)
        left -= width
    return rows


def _texts(source: str) -> list[Text]:
    """One text, but for what grows against all rules."""
    text = rendered(source)
    return [text] if text.length <= MAX_TEXT else unmarked(source)


def _fits(source: str) -> bool:
    # Rendering makes a text shorter, but for the gaps and numbers of lists, the columns of tables and addresses named below.
    is_simple = len(_MARKS.findall(source)) <= MAX_ENTITIES and "]:" not in source and not _TABLE.search(source)
    if is_simple and units(source) + source.count("\n") <= MAX_TEXT:
        return True
    text = rendered(source)
    return text.length <= MAX_TEXT and len(text.entities) <= MAX_ENTITIES


def _cut(text: str) -> Iterator[str]:
    while text:
        end = min(len(text), MAX_TEXT)
        while units(text[:end]) > MAX_TEXT:
            end -= (units(text[:end]) - MAX_TEXT + 1) // 2
        yield text[:end]
        text = text[end:].lstrip()


def _digest(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()[:32]
