"""Markdown as the elements of a `rich_text` block.

Texts in there are literal: nothing needs to be escaped, and no text can mention anybody or address a whole channel, as mrkdwn
could. Lists, quotations and code are native. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it.tree import SyntaxTreeNode

from frontdesk.core import markdown

Element = dict[str, Any]
Style = frozenset[str]

MAX_INDENT = 8
MAX_URL = 3000
ADDRESS = re.compile(r"https?://[^\s<>\"'`]+")
LINKED = re.compile(r"(?:https?://[^\s/]|mailto:[^\s@]+@|tel:\+?\d)", re.IGNORECASE)
PLAIN: Style = frozenset()
STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
SECTION, LIST, QUOTE, PRE = "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"


def elements(text: str) -> list[Element]:
    """Sections, lists, quotations and code, in order. Empty where there are no words."""
    found = list(_blocks(SyntaxTreeNode(markdown.tokens(text)).children))
    return list(_joined(found))


def plain(found: Sequence[Element]) -> str:
    """What is read on the screen, for notifications and screen readers."""
    return "\n".join(_plain(element) for element in found).strip("\n")


def _blocks(nodes: Sequence[SyntaxTreeNode], *, quoted: bool = False, indent: int = 0) -> Iterator[Element]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield _element(SECTION, _inline(node))
            case "heading":
                yield _element(SECTION, _inline(node, frozenset({"bold"})), heading=True)
            case "fence" | "code_block":
                yield _preformatted(node.content.rstrip("\n"), quoted)
            case "table":
                yield _preformatted(_table(node), quoted)
            case "bullet_list" | "ordered_list":
                yield from _list(node, quoted=quoted, indent=min(indent, MAX_INDENT))
            case "blockquote":
                yield from _quotation(node, indent=indent)
            case "hr":
                yield _element(SECTION, [_text("⸻")])
            case _:
                yield from _blocks(node.children, quoted=quoted, indent=indent)


def _joined(found: Sequence[Element]) -> Iterator[Element]:
    """Paragraphs that follow each other are one section, with a line between them."""
    open_section: Element | None = None
    before = ""
    for element in found:
        heading = element.pop("heading", False)
        if element["type"] != SECTION:
            if open_section is not None:
                open_section["elements"].append(_text("\n"))
                yield open_section
            open_section = None
            yield element
        elif not element["elements"]:
            continue
        elif open_section is not None:
            open_section["elements"] += [_text("\n" if before == "heading" else "\n\n"), *element["elements"]]
        else:
            if before == LIST:  # behind lists alone, Slack leaves no space by itself
                element["elements"].insert(0, _text("\n"))
            open_section = element
        before = "heading" if heading else element["type"]
    if open_section is not None:
        yield open_section


def _list(node: SyntaxTreeNode, *, quoted: bool, indent: int) -> Iterator[Element]:
    """Lists and code inside of an item end the list, and it goes on behind them with its next number."""
    ordered = node.type == "ordered_list"
    start = _start(node) if ordered else 1

    def a_list(offset: int) -> Element:
        made: Element = {"type": LIST, "style": "ordered" if ordered else "bullet", "elements": []}
        if indent:
            made["indent"] = indent
        if ordered and offset:
            made["offset"] = offset
        if quoted:
            made["border"] = 1
        return made

    current = a_list(start - 1)
    for number, item in enumerate(node.children):
        section = _element(SECTION, [])
        current["elements"].append(section)
        for inside in _blocks(item.children, quoted=quoted, indent=indent + 1):
            inside.pop("heading", None)
            if inside["type"] == SECTION and current["elements"]:
                section["elements"] += [*([_text("\n")] if section["elements"] else []), *inside["elements"]]
            else:
                if current["elements"]:
                    yield _with_words(current)
                current = a_list(start + number)
                yield inside
    if current["elements"]:
        yield _with_words(current)


def _with_words(element: Element) -> Element:
    for section in element["elements"]:
        if not section["elements"]:
            section["elements"].append(_text(" "))
    return element


def _start(node: SyntaxTreeNode) -> int:
    start = node.attrs.get("start", 1)
    return start if isinstance(start, int) and 0 < start < 1_000_000 else 1


def _quotation(node: SyntaxTreeNode, *, indent: int) -> Iterator[Element]:
    """Slack's quotations hold words only: a list or code in one has the same bar at its side."""
    words: list[Element] = []
    for inside in _blocks(node.children, quoted=True, indent=indent):
        inside.pop("heading", None)
        if inside["type"] in (SECTION, QUOTE):
            words += [*([_text("\n")] if words else []), *inside["elements"]]
            continue
        if words:
            yield _element(QUOTE, words)
        words = []
        yield inside
    if words:
        yield _element(QUOTE, words)


def _preformatted(text: str, quoted: bool) -> Element:
    made = _element(PRE, [_text(text or " ")])
    return {**made, "border": 1} if quoted else made


def _inline(node: SyntaxTreeNode, style: Style = PLAIN) -> list[Element]:
    merged: list[Element] = []
    for element in _spans(node.children, style):
        if merged and element["type"] == merged[-1]["type"] == "text" and element.get("style") == merged[-1].get("style"):
            merged[-1]["text"] += element["text"]
        else:
            merged.append(element)
    return merged


def _spans(nodes: Sequence[SyntaxTreeNode], style: Style) -> Iterator[Element]:
    for node in nodes:
        match node.type:
            case "text":
                yield from _with_addresses(node.content, style)
            case "softbreak" | "hardbreak":
                yield _text("\n", style)
            case "code_inline":
                if node.content:
                    yield _text(node.content, style | {"code"})
            case "strong" | "em" | "s":
                yield from _spans(node.children, style | {STYLES[node.type]})
            case "link":
                yield from _link(str(node.attrs.get("href", "")), _words(node.children), style)
            case "image":
                yield from _link(str(node.attrs.get("src", "")), _words(node.children), style)
            case _:
                yield from _spans(node.children, style)


def _words(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(
        node.content if node.type in ("text", "code_inline") else " " if "break" in node.type else _words(node.children)
        for node in nodes
    )


def _link(url: str, label: str, style: Style) -> Iterator[Element]:
    if not LINKED.match(url) or len(url) > MAX_URL:
        if words := label if label == url or not url else f"{label} ({url})".strip():
            yield _text(words, style)
        return
    made: Element = {"type": "link", "url": url}
    if label and label != url:
        made["text"] = label
    yield _with_style(made, style)


def _with_addresses(text: str, style: Style) -> Iterator[Element]:
    """Slack makes no links of bare addresses in here by itself."""
    at = 0
    for found in ADDRESS.finditer(text):
        url = found[0].rstrip(".,;:!?*_~")
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1].rstrip(".,;:!?")
        if not LINKED.match(url) or len(url) > MAX_URL:
            continue
        if found.start() > at:
            yield _text(text[at : found.start()], style)
        yield from _link(url, "", style)
        at = found.start() + len(url)
    if at < len(text):
        yield _text(text[at:], style)


def _text(text: str, style: Style = PLAIN) -> Element:
    return _with_style({"type": "text", "text": text}, style)


def _with_style(element: Element, style: Style) -> Element:
    return {**element, "style": dict.fromkeys(sorted(style), True)} if style else element


def _element(kind: str, inside: list[Element], **more: Any) -> Element:
    return {"type": kind, "elements": inside, **more}


def _table(node: SyntaxTreeNode) -> str:
    """Columns as wide as their widest cell."""
    rows = [[_words(cell.children) for cell in row.children] for part in node.children for row in part.children]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=False)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    rule = "  ".join("-" * max(1, width) for width in widths)
    return "\n".join([*lines[:1], rule, *lines[1:]])


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _plain(element: Element) -> str:
    match element["type"]:
        case "text":
            return str(element["text"])
        case "link":
            url, label = element["url"], element.get("text")
            return f"{label} ({url})" if label else str(url)
        case "rich_text_list":
            indent = "   " * element.get("indent", 0)
            first = 1 + element.get("offset", 0)
            marks = (f"{first + n}." if element["style"] == "ordered" else "•" for n in range(len(element["elements"])))
            return "\n".join(f"{indent}{mark} {_plain(item)}" for mark, item in zip(marks, element["elements"], strict=True))
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in _inside(element).split("\n"))
        case _:
            return _inside(element)


def _inside(element: Element) -> str:
    return "".join(map(_plain, element["elements"]))
