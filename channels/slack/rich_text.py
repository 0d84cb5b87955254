"""Slack's `rich_text` blocks, and the texts of other blocks, read back to Markdown.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from frontdesk.channels.slack.incoming import find, text
from frontdesk.channels.slack.mrkdwn import CONTROLS, Names, link
from frontdesk.channels.slack.mrkdwn import markdown as from_mrkdwn

MAX_INDENT = 8
MARKS = (("italic", "*"), ("bold", "**"), ("strike", "~~"))
SPACE = re.compile(r"^(\s*)(.*?)(\s*)$", re.DOTALL)


def markdown(blocks: object, names: Names) -> str:
    """Empty where nothing in the blocks is text."""
    return "\n\n".join(found for block in _mappings(blocks) if (found := _block(block, names).strip("\n")))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


def _block(block: Mapping[str, Any], names: Names) -> str:
    match block.get("type"):
        case "rich_text":
            return _joined(list(_pieces(block, names)))
        case "section":
            texts = [block.get("text"), *_mappings(block.get("fields"))]
            return "\n".join(found for item in texts if (found := _text_object(item, names)))
        case "header":
            return f"## {title}" if (title := text(block, "text", "text").strip()) else ""
        case "context":
            return " ".join(found for item in _mappings(block.get("elements")) if (found := _text_object(item, names)))
        case "markdown":
            return text(block, "text")
        case _:
            return ""


def _text_object(item: object, names: Names) -> str:
    words = text(item, "text")
    return from_mrkdwn(words, names) if find(item, "type") == "mrkdwn" else CONTROLS.sub("", words)


def _joined(pieces: list[tuple[str, str]]) -> str:
    """Items of one list follow each other line by line; everything else is a paragraph of its own."""
    lines: list[str] = []
    before = ""
    for kind, piece in pieces:
        if before:
            lines.append("\n" if kind == before == "list" else "\n\n")
        lines.append(piece)
        before = kind
    return "".join(lines)


def _pieces(block: Mapping[str, Any], names: Names) -> Iterator[tuple[str, str]]:
    for element in _mappings(block.get("elements")):
        kind = element.get("type")
        if kind == "rich_text_list":
            yield "list", _list(element, names)
            continue
        words = _inline(element, names, plain=kind == "rich_text_preformatted").strip("\n")
        if not words.strip():
            continue
        match kind:
            case "rich_text_preformatted":
                fence = "`" * max(3, 1 + _longest_run(words))
                yield "code", f"{fence}\n{words}\n{fence}"
            case "rich_text_quote":
                yield "quote", "\n".join(f"> {line}".rstrip() for line in words.split("\n"))
            case _:
                yield "text", words


def _list(element: Mapping[str, Any], names: Names) -> str:
    indent = "   " * min(_number(element.get("indent")), MAX_INDENT)
    ordered = element.get("style") == "ordered"
    lines = []
    for number, item in enumerate(_mappings(element.get("elements")), start=1 + _number(element.get("offset"))):
        mark = f"{number}." if ordered else "-"
        words = _inline(item, names).strip("\n").replace("\n", f"\n{indent}   ")
        lines.append(f"{indent}{mark} {words}")
    return "\n".join(lines)


def _inline(element: Mapping[str, Any], names: Names, *, plain: bool = False) -> str:
    return "".join(
        words if plain else _styled(words, item.get("style"))
        for item in _mappings(element.get("elements"))
        if (words := _words(item, names, plain=plain))
    )


def _words(item: Mapping[str, Any], names: Names, *, plain: bool) -> str:
    match item.get("type"):
        case "text":
            return CONTROLS.sub("", text(item, "text"))
        case "link":
            url, label = text(item, "url"), CONTROLS.sub("", text(item, "text"))
            return (label or url) if plain else link(url, label)
        case "emoji":
            return _emoji(text(item, "unicode")) or f":{text(item, 'name')}:"
        case "user":
            return f"@{names.get(id := text(item, 'user_id'), id)}"
        case "channel":
            return f"#{names.get(id := text(item, 'channel_id'), id)}"
        case "usergroup":
            return f"@{names.get(id := text(item, 'usergroup_id'), id)}"
        case "broadcast":
            return f"@{text(item, 'range')}"
        case "date":
            return text(item, "fallback") or _date(item.get("timestamp"))
        case "color":
            return text(item, "value")
        case _:
            return text(item, "text")


def _styled(words: str, style: object) -> str:
    if not isinstance(style, dict) or not words.strip():
        return words
    before, inside, after = SPACE.match(words).groups()  # type: ignore[union-attr]  # it matches everything
    if style.get("code"):
        fence = "`" * (1 + _longest_run(inside))
        pad = " " if inside.startswith("`") or inside.endswith("`") else ""
        inside = f"{fence}{pad}{inside}{pad}{fence}"
    for name, mark in MARKS:
        if style.get(name):
            inside = f"{mark}{inside}{mark}"
    return f"{before}{inside}{after}"


def _longest_run(words: str) -> int:
    return max(map(len, re.findall(r"`+", words)), default=0)


def _emoji(codes: str) -> str:
    """`1f469-200d-1f4bb` as the characters."""
    try:
        return "".join(chr(int(code, 16)) for code in codes.split("-")) if codes else ""
    except (ValueError, OverflowError):
        return ""


def _date(timestamp: object) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC") if isinstance(timestamp, int | float) else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000 else 0
