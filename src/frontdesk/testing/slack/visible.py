"""A message as a person reads it on the screen, without Slack's markup.

https://docs.slack.dev/messaging/formatting-message-text and https://docs.slack.dev/reference/block-kit/blocks
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from frontdesk.core.markdown import parser
from frontdesk.testing.slack.emoji import CHARACTERS

Names = Callable[[str], str]
"""A person's or channel's name by its id."""

_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>")
_EMOJI = re.compile(r":([a-z0-9_+'-]+):")
_QUOTE = re.compile(r"^(?:&gt;|>) ?", re.MULTILINE)
_STYLES = tuple(
    re.compile(rf"(?<![\w{mark}]){mark}(?=[^\s{mark}])([^{mark}\n]*?)(?<=\S){mark}(?![\w{mark}])") for mark in (r"\*", "_", "~")
)
_LEFT, _RIGHT = "\ue000", "\ue001"


def mrkdwn(text: str, names: Names = str) -> str:
    """The words of mrkdwn: marks of style, links' addresses and escapes gone."""
    kept: list[str] = []

    def keep(words: str) -> str:
        kept.append(words)
        return f"{_LEFT}{len(kept) - 1}{_RIGHT}"

    text = _CODE.sub(lambda code: keep(code[1].strip("\n") if code[1] is not None else code[2]), text)
    text = _TOKEN.sub(lambda token: _reference(token[1], names), text)
    text = _QUOTE.sub("", text)
    for style in _STYLES:
        text = style.sub(r"\1", text)
    text = _EMOJI.sub(lambda emoji: CHARACTERS.get(emoji[1], emoji[0]), text)
    text = re.sub(f"{_LEFT}(\\d+){_RIGHT}", lambda place: kept[int(place[1])], text)
    return unescaped(text)


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _reference(token: str, names: Names) -> str:
    target, bar, label = token.partition("|")
    if bar and label:
        return label if not target.startswith(("@", "#")) else f"{target[0]}{label}"
    if target.startswith(("@", "#")):
        return f"{target[0]}{names(target[1:])}"
    if target.startswith("!"):
        return f"@{target[1:].partition('^')[0]}"
    return target.removeprefix("mailto:")


def blocks(items: Sequence[dict[str, Any]], names: Names = str) -> str:
    """The words of blocks, a line or more for each; what can be pressed is not among them."""
    return "\n".join(words for item in items if (words := _block(item, names)))


def _block(block: dict[str, Any], names: Names) -> str:
    match block:
        case {"type": "section"}:
            texts = [block["text"]] if block.get("text") else []
            return "\n".join(text_object(one, names) for one in [*texts, *block.get("fields", [])])
        case {"type": "header", "text": text}:
            return text_object(text, names)
        case {"type": "context", "elements": elements}:
            return " ".join(text_object(one, names) if "text" in one else f"[{one.get('alt_text', '')}]" for one in elements)
        case {"type": "image" | "video"}:
            title = block.get("title")
            return text_object(title, names) if title else f"[{block.get('alt_text', '')}]"
        case {"type": "markdown", "text": text}:
            return markdown(text)
        case {"type": "rich_text", "elements": elements}:
            return "\n".join(_rich(one, names) for one in elements)
        case {"type": "table", "rows": rows}:
            return "\n".join(" | ".join(_cell(cell, names) for cell in row) for row in rows)
        case {"type": "input", "label": label}:
            return text_object(label, names)
        case _:
            return ""


def text_object(text: dict[str, Any], names: Names = str) -> str:
    words = str(text.get("text", ""))
    return mrkdwn(words, names) if text.get("type") == "mrkdwn" else unescaped(words)


def _cell(cell: dict[str, Any], names: Names) -> str:
    return _block(cell, names) if cell.get("type") == "rich_text" else str(cell.get("text", ""))


def _rich(element: dict[str, Any], names: Names) -> str:
    inside = element.get("elements", [])
    if element.get("type") != "rich_text_list":
        return "".join(_inline(one, names) for one in inside)
    indent = "  " * int(element.get("indent", 0))
    start = int(element.get("offset", 0)) + 1
    ordered = element.get("style") == "ordered"
    return "\n".join(
        f"{indent}{f'{number}.' if ordered else '•'} {_rich(one, names)}" for number, one in enumerate(inside, start)
    )


def _inline(element: dict[str, Any], names: Names) -> str:
    match element:
        case {"type": "text", "text": text}:
            return str(text)
        case {"type": "link", "url": url}:
            return str(element.get("text") or url).removeprefix("mailto:")
        case {"type": "emoji", "name": name}:
            return CHARACTERS.get(name, f":{name}:")
        case {"type": "user", "user_id": user}:
            return f"@{names(user)}"
        case {"type": "channel", "channel_id": channel}:
            return f"#{names(channel)}"
        case {"type": "broadcast", "range": everybody}:
            return f"@{everybody}"
        case {"type": "date"}:
            return str(element.get("fallback", element.get("timestamp", "")))
        case {"type": "color", "value": value}:
            return str(value)
        case _:
            return ""


def markdown(text: str) -> str:
    """The words of a `markdown` block."""
    lines: list[str] = []
    line = ""
    lists: list[int | None] = []
    for token in parser().parse(text):
        match token.type:
            case "inline":
                line += "".join(_markdown_words(token.children or []))
            case "fence" | "code_block":
                lines.append(token.content.rstrip("\n"))
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                number = lists[-1]
                line += "  " * (len(lists) - 1) + ("• " if number is None else f"{number}. ")
                lists[-1] = number + 1 if number is not None else None
            case "td_close" | "th_close":
                line += " | "
            case "paragraph_close" | "heading_close" | "tr_close":
                lines.append(line.removesuffix(" | "))
                line = ""
            case _:
                pass
    return "\n".join(lines)


def _markdown_words(tokens: Sequence[Any]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type == "image":
            yield f"[{token.content}]"
        elif token.type in ("text", "code_inline", "text_special", "html_inline"):
            yield token.content


def buttons(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The elements that can be pressed or chosen from, each with the id of its block."""
    found: list[dict[str, Any]] = []
    for block in items:
        elements = block.get("elements", []) if block.get("type") in ("actions", "context_actions") else []
        accessory = block.get("accessory")
        if accessory and accessory.get("type") != "image":
            elements = [*elements, accessory]
        if block.get("type") == "input":
            elements = [block["element"]]
        found += [{**element, "block_id": block.get("block_id", "")} for element in elements]
    return found


def label_of(element: dict[str, Any]) -> str:
    """A button's words, or the placeholder of a menu."""
    return text_object(element.get("text") or element.get("placeholder") or {})


def options_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    """The options of a menu, of all its groups."""
    groups = element.get("option_groups") or [element]
    return [option for group in groups for option in group.get("options") or []]
