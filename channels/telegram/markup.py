"""Markdown as a text and its entities (https://core.telegram.org/bots/api#messageentity): there is no markup to be parsed.

Telegram's rules for nesting: `pre` and `code` stand alone, but for a quotation around them; no entity is inside another one of
its type; bold, italic and struck out text may be inside anything but code.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from markdown_it.token import Token

from frontdesk.channels.telegram.entities import units
from frontdesk.core import markdown

BULLETS = ("•", "◦", "▪")
RULE = "———"
STYLES = {"strong": "bold", "em": "italic", "s": "strikethrough", "link": "text_link", "blockquote": "blockquote"}
_ADDRESS = re.compile(r"https?://[^\s/?#@]+[^\s]*", re.IGNORECASE)
"""Those that may be behind words. A link to `tg://user?id=...` would call that person."""
_PLAIN = re.compile(r"[^\W\d_][^\\`*_{}\[\]<>#|~&!\n\r\0]*")
"""One line that begins with a letter and has nothing special in it: it means the same with or without Markdown."""
MAX_ADDRESS = 2000


@dataclass(frozen=True, slots=True)
class Text:
    """`entities` are as the Bot API takes them; offsets and lengths count UTF-16 units."""

    text: str
    entities: Sequence[dict[str, Any]] = ()

    @property
    def length(self) -> int:
        """As Telegram counts it for its limits."""
        return units(self.text)


def rendered(source: str) -> Text:
    if _PLAIN.fullmatch(source):
        return Text(source.rstrip())
    return _Writer().write(markdown.tokens(source))


@dataclass(slots=True)
class _Open:
    """An entity whose end has not come; None as its type if it would stand where Telegram allows none."""

    type: str | None
    start: int
    extra: dict[str, str] = field(default_factory=dict)
    behind: str = ""


@dataclass(slots=True)
class _List:
    number: int | None
    bullet: str
    indent: int


class _Writer:
    def __init__(self) -> None:
        self._words: list[str] = []
        self._length = 0
        self._entities: list[dict[str, Any]] = []
        self._open: list[_Open] = []
        self._lists: list[_List] = []
        self._gap = ""
        self._indent = ""
        self._bullet = ""

    def write(self, tokens: Sequence[Token]) -> Text:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "table_open":
                end = next(at for at in range(index, len(tokens)) if tokens[at].type == "table_close")
                self._block(_table(tokens[index:end]), "pre", {})
                index = end
            else:
                self._token(token)
            index += 1
        text = "".join(self._words).rstrip()
        limit = units(text)
        # The outer of two that cover the same was closed last, and comes first.
        kept = [_within(entity, limit) for entity in reversed(self._entities)]
        return Text(text, sorted(filter(None, kept), key=lambda entity: (entity["offset"], -entity["length"])))

    def _token(self, token: Token) -> None:
        match token.type:
            case "inline":
                for child in token.children or ():
                    self._inline(child)
            case "paragraph_open":
                pass
            case "paragraph_close":
                self._separate("\n" if token.hidden else "\n\n")
            case "heading_open":
                self._begin("bold")
            case "heading_close":
                self._end()
                self._separate("\n\n")
            case "blockquote_open":
                self._begin("blockquote")
            case "blockquote_close":
                self._end()
                self._separate("\n\n")
            case "bullet_list_open" | "ordered_list_open":
                start = token.attrs.get("start", 1) if token.type == "ordered_list_open" else None
                level = len(self._lists)
                if self._lists:
                    self._separate("\n")
                self._lists.append(_List(None if start is None else int(start), BULLETS[level % len(BULLETS)], len(self._indent)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._separate("\n" if self._lists else "\n\n")
            case "list_item_open":
                self._item()
            case "list_item_close":
                self._bullet = ""
                self._indent = " " * self._lists[-1].indent
                self._separate("\n")
            case "fence" | "code_block":
                language = token.info.split()[0] if token.info.split() else ""
                self._block(token.content.rstrip("\n"), "pre", {"language": language} if language else {})
            case "hr":
                self._put(RULE)
                self._separate("\n\n")
            case _:
                self._put(token.content)

    def _inline(self, token: Token) -> None:
        match token.type:
            case "strong_open" | "em_open" | "s_open":
                self._begin(STYLES[token.type.removesuffix("_open")])
            case "link_open":
                address = str(token.attrs.get("href", ""))
                if _ADDRESS.fullmatch(address) and len(address) <= MAX_ADDRESS:
                    self._begin("text_link", {"url": address})
                else:
                    self._open.append(_Open(None, self._length, behind=address))
            case "strong_close" | "em_close" | "s_close" | "link_close":
                self._end()
            case "code_inline":
                if any(one.type for one in self._open if one.type != "blockquote"):
                    self._put(token.content)
                else:
                    self._begin("code")
                    self._put(token.content)
                    self._end()
            case "image":
                address = str(token.attrs.get("src", ""))
                self._inline(Token("link_open", "a", 1, attrs={"href": address}))
                self._put(token.content or address)
                self._inline(Token("link_close", "a", -1))
            case "softbreak" | "hardbreak":
                self._separate("\n")
            case _:
                self._put(token.content)

    def _item(self) -> None:
        inner = self._lists[-1]
        mark = inner.bullet if inner.number is None else f"{inner.number}."
        if inner.number is not None:
            inner.number += 1
        self._indent = " " * inner.indent
        self._bullet = f"{mark} "

    def _block(self, text: str, type: str, extra: dict[str, str]) -> None:
        if not text.strip():
            return
        self._begin(type, extra)
        # The lines of code stay whole, whatever they are inside of.
        indent, self._indent = self._indent, ""
        self._put(text.strip("\n"))
        self._indent = indent
        self._end()
        self._separate("\n\n")

    def _separate(self, gap: str) -> None:
        """What stands before the next words, if there are any."""
        self._gap = gap

    def _put(self, words: str) -> None:
        before = self._gap if self._words else ""
        if not self._words and not self._bullet:
            words = words.lstrip()  # as Telegram does, which would move the entities
        if not words:
            return
        if self._bullet:
            before += f"{self._indent}{self._bullet}"
            self._indent += " " * len(self._bullet)
            self._bullet = ""
        elif before:
            before += self._indent
        self._gap = ""
        start = self._length
        if before:
            self._words.append(before)
            self._length += units(before)
        for one in self._open:
            if one.start == start:
                one.start = self._length  # begins with the words, not with the gap before them
        self._words.append(words)
        self._length += units(words)

    def _begin(self, type: str, extra: dict[str, str] | None = None) -> None:
        inside = {one.type for one in self._open}
        allowed = type not in inside and not (type in ("pre", "blockquote") and inside - {None, "blockquote"})
        self._open.append(_Open(type if allowed else None, self._length, extra or {}))

    def _end(self) -> None:
        one = self._open.pop()
        if one.behind:
            shown = "".join(self._words)[-len(one.behind) :]
            if shown not in (one.behind, one.behind.removeprefix("mailto:"), one.behind.removeprefix("tel:")):
                self._put(f" ({one.behind.removeprefix('mailto:').removeprefix('tel:')})")
        if one.type is not None and self._length > one.start:
            entity = {"type": one.type, "offset": one.start, "length": self._length - one.start, **one.extra}
            self._entities.append(entity)


def _within(entity: dict[str, Any], limit: int) -> dict[str, Any] | None:
    """The entity without what was cut from the end of the text."""
    length = min(entity["offset"] + entity["length"], limit) - entity["offset"]
    return {**entity, "length": length} if length > 0 else None


def _table(tokens: Sequence[Token]) -> str:
    """Columns as wide as their widest cell, for a font in which all letters are alike."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(" ".join(_words(token).split()))
    widths = [max(map(_width, column)) for column in zip_longest(*rows, fillvalue="")]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _words(token: Token) -> str:
    return _Writer().write([token]).text


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """How many columns a text takes up: Chinese characters and emoji take two."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text
    )
