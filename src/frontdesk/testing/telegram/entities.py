"""Reads the texts that bots send as Telegram does: with the same tags, the same limits and the same refusals.

https://core.telegram.org/bots/api#html-style; the order of the checks and the words of the refusals are the Bot API server's.
Offsets and lengths of entities count UTF-16 code units.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100

Entity = dict[str, Any]

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAGS = {*_TYPES, "a", "span", "tg-emoji"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x(?P<hex>[0-9a-fA-F]+)|#(?P<number>[0-9]+)|(?P<name>[a-zA-Z]+));?", re.ASCII)
_SPACE = " \t\r\n\0\v"
_LINK = re.compile(r"(?:https?://|tg://|mailto:|tel:)?[^\s/?#]+(?:[.:][^\s]*)?", re.IGNORECASE)
_WEIRD = re.compile(r"[\u2028-\u202e\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


class Unparsable(ValueError):
    """The words are those of Telegram's refusal."""


@dataclass(frozen=True)
class FormattedText:
    """What is read on the screen, and how parts of it look."""

    text: str
    entities: tuple[Entity, ...] = ()


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def slice_utf16(text: str, offset: int, length: int) -> str:
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def formatted(text: str, parse_mode: str | None, entities: Sequence[Entity] | None) -> FormattedText:
    """Raises `Unparsable`."""
    if re.search(r"[\ud800-\udfff]", text):
        raise Unparsable("strings must be encoded in UTF-8")
    match (parse_mode or "").lower():
        case "html":
            found = _parsed(text)
        case "":
            found = FormattedText(text, tuple(_checked(entity, text) for entity in entities or ()))
        case _:
            raise Unparsable("unsupported parse_mode")
    return _trimmed(found)


def _checked(entity: Entity, text: str) -> Entity:
    units = text.encode("utf-16-le")
    start, end = entity.get("offset"), entity.get("length")
    if not isinstance(start, int) or not isinstance(end, int) or start < 0 or end < 0:
        raise Unparsable("can't parse entities: Receive an entity with incorrect offset or length")
    for at in (2 * start, 2 * (start + end)):
        if at < len(units) and 0xDC <= units[at + 1] <= 0xDF:
            raise Unparsable("can't parse entities: Entity begins or ends in a middle of a UTF-16 symbol")
    if 2 * (start + end) > len(units):
        raise Unparsable("can't parse entities: ENTITY_BOUNDS_INVALID")
    return entity


def _trimmed(found: FormattedText) -> FormattedText:
    """Telegram cuts white space at both ends, drops some characters and makes others a space."""
    left = found.text
    lead = len(left) - len(left.lstrip())
    kept, dropped, total = [], [], 0
    for index, character in enumerate(left):
        gone = index < lead or bool(_WEIRD.match(character))
        dropped.append(total)
        units = 2 if ord(character) > 0xFFFF else 1
        if gone:
            total += units
        else:
            kept.append(_CONTROL.sub(" ", character))
        if units == 2:
            dropped.append(total)
    dropped.append(total)
    text = "".join(kept).rstrip()
    limit = utf16_length(text)
    entities = []
    for entity in found.entities:
        start = entity["offset"] - dropped[entity["offset"]]
        ends = entity["offset"] + entity["length"]
        end = min(ends - dropped[ends], limit)
        if end > start:
            known = {key: value for key, value in entity.items() if not key.startswith("_")}
            entities.append({**known, "offset": start, "length": end - start})
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return FormattedText(text, tuple(entities[:MAX_ENTITIES]))


def _unescaped(text: str) -> str:
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if (name := found["name"]) is not None:
        return _NAMED.get(name, found[0])
    code = int(found["hex"], 16) if found["hex"] else int(found["number"])
    return chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF else found[0]


@dataclass
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int
    start: int


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.shown: list[str] = []
        self.units = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def byte(self, at: int) -> int:
        return len(self.text[:at].encode())

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else "\0"

    def skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def until(self, ends: str) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at]

    def show(self, text: str) -> None:
        self.shown.append(text)
        self.units += utf16_length(text)


def _parsed(text: str) -> FormattedText:
    reader = _Reader(text)
    while reader.at < len(text):
        reader.show(_unescaped(reader.until("<")))
        if reader.at < len(text):
            begin = reader.at
            reader.at += 1
            if reader.peek() == "/":
                _end_tag(reader, begin)
            else:
                _start_tag(reader, begin)
    if reader.open:
        raise Unparsable(f"can't parse entities: Can't find end tag corresponding to start tag \"{reader.open[-1].tag}\"")
    return FormattedText("".join(reader.shown), tuple(reader.entities))


def _start_tag(reader: _Reader, begin: int) -> None:
    tag = reader.until(_SPACE + ">").lower()
    if reader.at >= len(reader.text):
        raise Unparsable(f"can't parse entities: Unclosed start tag at byte offset {reader.byte(begin)}")
    if tag not in _TAGS:
        raise Unparsable(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {reader.byte(begin)}')
    attributes: dict[str, str] = {}
    while True:
        reader.skip_space()
        if reader.peek() == ">":
            break
        name = reader.until(_SPACE + "=>").lower()
        if not name:
            raise Unparsable(
                f'can\'t parse entities: Empty attribute name in the tag "{tag}" at byte offset {reader.byte(begin)}'
                if reader.at < len(reader.text)
                else f"can't parse entities: Unclosed start tag at byte offset {reader.byte(begin)}"
            )
        reader.skip_space()
        attributes[name] = _value(reader, begin) if reader.peek() == "=" else ""
    reader.at += 1
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise Unparsable(f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {reader.byte(begin)}')
    reader.open.append(_Open(tag, attributes, reader.units, len(reader.shown)))


def _value(reader: _Reader, begin: int) -> str:
    reader.at += 1
    reader.skip_space()
    quote = reader.peek()
    if quote in "'\"":
        reader.at += 1
        value = reader.until(quote)
        if reader.at >= len(reader.text):
            raise Unparsable(f"can't parse entities: Unclosed start tag at byte offset {reader.byte(begin)}")
        reader.at += 1
        return _unescaped(value)
    value = reader.until(_SPACE + ">")
    if reader.at >= len(reader.text):
        raise Unparsable(f"can't parse entities: Unclosed start tag at byte offset {reader.byte(begin)}")
    if not re.fullmatch(r"[A-Za-z0-9.-]*", value):
        raise Unparsable(f"can't parse entities: Unexpected end of name token at byte offset {reader.byte(reader.at)}")
    return value.lower()


def _end_tag(reader: _Reader, begin: int) -> None:
    if not reader.open:
        raise Unparsable(f"can't parse entities: Unexpected end tag at byte offset {reader.byte(begin)}")
    reader.at += 1
    tag = reader.until(_SPACE + ">").lower()
    reader.skip_space()
    if reader.peek() != ">":
        raise Unparsable(f"can't parse entities: Unclosed end tag at byte offset {reader.byte(begin)}")
    reader.at += 1
    opened = reader.open.pop()
    if tag and tag != opened.tag:
        raise Unparsable(
            f"can't parse entities: Unmatched end tag at byte offset {reader.byte(begin)}, "
            f'expected "</{opened.tag}>", found "</{tag}>"'
        )
    length = reader.units - opened.offset
    inside = "".join(reader.shown[opened.start :])
    if length and (entity := _entity(opened, inside, reader)) is not None:
        reader.entities.append({**entity, "offset": opened.offset, "length": length})


def _entity(opened: _Open, inside: str, reader: _Reader) -> Entity | None:
    match opened.tag:
        case "a":
            url = opened.attributes.get("href") or inside
            if (user := re.fullmatch(r"tg://user\?id=(\d+)", url)) is not None:
                return {"type": "text_mention", "user": {"id": int(user[1]), "is_bot": False, "first_name": inside}}
            return {"type": "text_link", "url": url} if _LINK.fullmatch(url) and ("." in url or ":" in url) else None
        case "span":
            return {"type": "spoiler"}
        case "tg-emoji":
            return {"type": "custom_emoji", "custom_emoji_id": opened.attributes.get("emoji-id", "")}
        case "blockquote" if "expandable" in opened.attributes:
            return {"type": "expandable_blockquote"}
        case "pre":
            return _pre(opened, reader)
        case "code" if language := opened.attributes.get("class", "").removeprefix("language-"):
            inner = bool(reader.open) and reader.open[-1].tag == "pre" and reader.open[-1].offset == opened.offset
            return {"type": "code", "_language": language} if inner else {"type": "code"}
        case tag:
            return {"type": _TYPES[tag]}


def _pre(opened: _Open, reader: _Reader) -> Entity:
    """`<pre><code class="language-x">` is one entity of the type pre."""
    inner = reader.entities[-1] if reader.entities else None
    if inner and inner["type"] == "code" and inner["offset"] == opened.offset and inner["length"] == reader.units - opened.offset:
        reader.entities.pop()
        if language := inner.get("_language"):
            return {"type": "pre", "language": language}
    return {"type": "pre"}
