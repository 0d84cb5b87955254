"""What a customer has written, as Markdown: text and its entities, whose places count UTF-16 units."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from telegram import MessageEntity

PAIRS = {"bold": "**", "italic": "*", "strikethrough": "~~", "code": "`"}
_AFTER_NAME = re.compile(r"\A[\s,:;]+|\s+\Z")


@dataclass(frozen=True, slots=True)
class _Span:
    """Part of a text. One without `opening` is left out."""

    start: int
    end: int
    opening: str | None = None
    closing: str = ""
    quotes: bool = False


def units(text: str) -> int:
    """The length of a text as Telegram counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def covered(text: str, entity: MessageEntity) -> str:
    """The part of the text that an entity is about; empty if it lies outside."""
    start, end = _place(text, entity)
    return text[start:end]


def markdown(text: str, entities: Iterable[MessageEntity], *, without: Iterable[MessageEntity] = ()) -> str:
    """The text with its formatting as Markdown, and without the mentions of the bot that are named by `without`.

    Entities outside the text, and those that overlap without one being inside the other, are left out.
    """
    spans = [span for entity in entities if (span := _span(text, entity))]
    left_out = [_Span(*_place(text, entity)) for entity in without]
    spans += left_out
    if not spans:
        return text
    written: list[str] = []
    open_spans: list[_Span] = []
    position = 0

    def write(until: int) -> None:
        nonlocal position
        words = text[position:until]
        written.append(words.replace("\n", "\n> ") if any(span.quotes for span in open_spans) else words)
        position = max(position, until)

    def close(before: int) -> None:
        while open_spans and open_spans[-1].end <= before:
            write(open_spans[-1].end)
            written.append(open_spans.pop().closing)

    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        close(span.start)
        if span.start < position or (open_spans and span.end > open_spans[-1].end):
            continue
        write(span.start)
        if span.opening is None:
            position = span.end
            if not text[position : position + 1].isalnum():
                written[-1] = written[-1].rstrip(" ")
        else:
            written.append(span.opening)
            open_spans.append(span)
    close(len(text))
    write(len(text))
    whole = "".join(written)
    return _AFTER_NAME.sub("", whole) if left_out else whole


def _span(text: str, entity: MessageEntity) -> _Span | None:
    """None for what has no form in Markdown, or covers no words."""
    start, end = _place(text, entity)
    inside = text[start:end]
    start, end = start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
    if start >= end:
        return None
    match entity.type:
        case "code" if "`" in inside:
            return _Span(start, end, "`` ", " ``")
        case "bold" | "italic" | "strikethrough" | "code":
            return _Span(start, end, PAIRS[entity.type], PAIRS[entity.type])
        case "pre":
            return _Span(start, end, f"```{entity.language or ''}\n", "\n```")
        case "blockquote" | "expandable_blockquote":
            return _Span(start, end, "> ", "\n" if text[end : end + 1] else "", quotes=True)
        case "text_link" if entity.url:
            return _Span(start, end, "[", f"](<{entity.url}>)" if re.search(r"[\s()<>]", entity.url) else f"]({entity.url})")
        case _:
            return None


def _place(text: str, entity: MessageEntity) -> tuple[int, int]:
    """Where an entity begins and ends, as indexes of the string."""
    start, end = max(0, entity.offset), max(0, entity.offset + entity.length)
    if text.isascii():
        return min(start, len(text)), min(end, len(text))
    encoded = text.encode("utf-16-le", "surrogatepass")
    return (
        len(encoded[: 2 * start].decode("utf-16-le", "replace")),
        len(encoded[: 2 * end].decode("utf-16-le", "replace")),
    )
