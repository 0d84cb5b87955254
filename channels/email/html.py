"""HTML as mail programs write it, as Markdown; and plain text with its soft line breaks taken out.

What is written is not escaped: it is read by people and by classifiers, and `3 * 4` should stay `3 * 4`.
"""

import html as entities
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TAGS = 60_000
MAX_DEPTH = 1000
MAX_WORK = 5 * 10**7
"""The parser's time grows with the product of depth and number of tags; a long thread has 10**6. What has more loses its form."""
MAX_TAGS_SQUARED = 10**9
"""And with the square of the attributes of a tag: one may be 30 kB long, or a thousand 1 kB."""
MAX_PREFIXES = 6
MAX_CELL = 300
MAX_COLUMNS = 20

TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)([^<>]*)>?")
NOT_NESTING = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"),
        *("p", "li", "td", "tr", "th", "dd", "dt", "option", "tbody", "thead", "tfoot"),
    )
)
DATA_URI = re.compile(r"data:[\w/+.-]{0,80};base64,[A-Za-z0-9+/=%]+")
DROPPED = frozenset(
    (
        *("head", "script", "style", "noscript", "template", "svg", "math", "object", "iframe", "select", "textarea", "title"),
        *("button", "audio", "video", "map", "-comment", "-doctype"),
    )
)
HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?!\.?[1-9])(?:px|pt|em)?\s*(?:;|!|$)"
    r"|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
BLOCKS = frozenset(
    (
        *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "table", "hr", "form", "fieldset"),
        *("address", "article", "section", "figure", "header", "footer", "main", "nav", "aside"),
    )
)
LINES = frozenset(
    ("div", "center", "li", "tr", "td", "th", "dt", "dd", "caption", "figcaption", "tbody", "thead", "tfoot", "body")
)
MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "strike": "~~", "del": "~~", "code": "`", "tt": "`"}
FILLER = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\ufeff]")
JOINERS = re.compile("(?:(?<=\\s)|^)[\u200c\u200d]+|[\u200c\u200d]+(?=\\s|$)")
SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
FILE_NAME = re.compile(r"[^\s]{1,80}\.(?:png|jpe?g|gif|bmp|webp|svg)", re.IGNORECASE)
UNSAFE_URL = re.compile(r"[\x00-\x20<>\x7f]")


def markdown(html: str) -> str:
    """The visible text with links, lists, tables and emphasis; pictures are their alternative text, raw HTML is never in it.

    Never fails, and takes linear time, however broken or deep the HTML is.
    """
    if is_hostile(html):
        return _flat(html)
    tree = LexborHTMLParser(html)
    root = tree.body or tree.root
    return _tidy(_Walk(root).run()) if root is not None else ""


def unflowed(text: str, *, delsp: bool = False) -> str:
    """`format=flowed` text with its paragraphs on one line each, quotes kept (RFC 3676)."""
    lines: list[str] = []
    open_depth = -1  # of the paragraph whose last line was flowed
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        flowed = content.endswith(" ") and content != "-- "
        words = content[:-1] if flowed and delsp else content
        if depth == open_depth and content != "-- ":
            lines[-1] += words
        else:
            lines.append(f"{'>' * depth}{' ' if depth else ''}{words}")
        open_depth = depth if flowed else -1
    return "\n".join(line if line.endswith("-- ") else line.rstrip(" ") for line in lines)


def is_hostile(html: str) -> bool:
    """Whether a parser would need more than linear time for it."""
    depth = deepest = tags = long_tags = 0
    for match in TAG.finditer(html):
        close, name, rest = match.groups()
        tags += 1
        if len(rest) > 500:
            long_tags += len(rest) ** 2
        if name.lower() not in NOT_NESTING:  # `<div/>` opens one too
            depth = max(0, depth - 1) if close else depth + 1
            deepest = max(deepest, depth)
        if tags > MAX_TAGS or deepest > MAX_DEPTH:
            return True
    return deepest * tags > MAX_WORK or long_tags > MAX_TAGS_SQUARED


def without_data(html: str) -> str:
    """Without what is written into it in base64, such as pictures: megabytes that no reader sees as text."""
    return DATA_URI.sub("data:,", html)


def _flat(html: str) -> str:
    html = re.sub(r"<(script|style)\b.*?(?:</\1|$)", " ", html, flags=re.IGNORECASE | re.DOTALL)
    return _words(entities.unescape(re.sub(r"</?[a-zA-Z!][^<>]*>?", " ", html))).strip()


def _words(text: str) -> str:
    """With single spaces, and without the characters that fill up previews and cannot be seen."""
    return SPACE.sub(" ", JOINERS.sub("", FILLER.sub("", text)))


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n ")


@dataclass(slots=True)
class _Page:
    """Lines of Markdown in the making. Marks of emphasis wait until there is a word to stand before."""

    done: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    bullet: str = ""
    space: bool = False
    marks: list[str] = field(default_factory=list)
    written: int = 0  # so many of the marks stand in the line

    def word(self, text: str) -> None:
        if self.space and self.line:
            self.line.append(" ")
        self.space = False
        self.line += self.marks[self.written :]
        self.written = len(self.marks)
        self.line.append(text)

    def unmark(self) -> None:
        mark = self.marks.pop()
        if self.written > len(self.marks):
            self.line.append(mark)
            self.written -= 1

    def end_line(self) -> None:
        if self.line:
            self.line += reversed(self.marks[: self.written])
            prefixes = self.prefixes[:MAX_PREFIXES]
            if self.bullet:
                prefixes = [*prefixes[:-1], self.bullet]
                self.bullet = ""
            self.done.append("".join([*prefixes, *self.line]))
            self.line = []
        self.space, self.written = False, 0

    def end_block(self) -> None:
        self.end_line()
        if self.done and self.done[-1].strip(" >") and not self.bullet:
            self.done.append("".join(self.prefixes[:MAX_PREFIXES]).rstrip())

    def text(self) -> str:
        self.end_line()
        return "\n".join(self.done)


@dataclass(slots=True)
class _Table:
    """A table of data, whose cells are written apart and then put together."""

    rows: list[list[str]] = field(default_factory=list)


class _Walk:
    """Goes through the tree without recursion: `_enter` and `_leave` are called for each element, inside out."""

    def __init__(self, root: LexborNode) -> None:
        self._root = root
        self._pages = [_Page()]
        self._marked: set[int] = set()
        self._pre = 0
        self._lists: list[int | None] = []
        self._tables: list[_Table] = []
        self._links: list[tuple[_Page, int, str]] = []
        self._data_tables = _data_tables(root)

    @property
    def _page(self) -> _Page:
        return self._pages[-1]

    def run(self) -> str:
        _walk(self._root, self._enter, self._leave)
        return self._pages[0].text()

    def _enter(self, node: LexborNode) -> bool:
        """Whether what is inside is to be seen, and the element to be left."""
        tag = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return False
        if tag in DROPPED:
            return False
        attributes = node.attributes
        if "hidden" in attributes or HIDDEN.search(attributes.get("style") or ""):
            return False
        page = self._page
        match tag:
            case "br":
                if page.line:
                    page.end_line()
                else:
                    page.end_block()
                return False
            case "img":
                if (alt := _words(attributes.get("alt") or "").strip()) and not FILE_NAME.fullmatch(alt):
                    page.word(alt)
                return False
            case "hr":
                page.end_block()
                page.word("---")
                page.end_block()
                return False
            case "table":
                page.end_block()
                if node.mem_id in self._data_tables:
                    self._tables.append(_Table())
            case "tr" if self._tables:
                self._tables[-1].rows.append([])
            case "td" | "th" if self._tables:
                self._pages.append(_Page())
            case "p" if "msonormal" in (attributes.get("class") or "").lower():
                page.end_line()
                if not (node.text() or "").strip("\xa0 \n\r\t"):
                    page.end_block()
            case _ if tag in BLOCKS:
                if tag in ("ul", "ol") and self._lists:
                    page.end_line()
                else:
                    page.end_block()
                self._open_block(tag, attributes.get("start"))
            case "li":
                page.end_line()
                self._open_item()
            case _ if tag in LINES:
                page.end_line()
            case "a":
                self._links.append((page, len(page.line), attributes.get("href") or ""))
            case _ if (mark := MARKS.get(tag)) and not self._pre and mark not in page.marks:
                page.marks.append(mark)
                self._marked.add(node.mem_id)
        return True

    def _open_block(self, tag: str, start: str | None) -> None:
        page = self._page
        match tag:
            case "ul":
                self._lists.append(None)
            case "ol":
                self._lists.append(int(start) if start and re.fullmatch(r"\d{1,6}", start) else 1)
            case "blockquote":
                page.prefixes.append("> ")
            case "pre":
                page.done.append("".join(page.prefixes[:MAX_PREFIXES]) + "```")
                self._pre += 1
            case _ if re.fullmatch("h[1-6]", tag):
                page.prefixes.append("")
                page.bullet = "#" * int(tag[1]) + " "

    def _open_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1
        self._page.prefixes.append(" " * len(bullet))
        self._page.bullet = bullet

    def _leave(self, node: LexborNode) -> None:
        page, tag = self._page, node.tag or ""
        match tag:
            case "table" if node.mem_id in self._data_tables:
                self._write(self._tables.pop())
                page.end_block()
            case "td" | "th" if self._tables and len(self._pages) > 1:
                cell = self._pages.pop().text()
                if self._tables[-1].rows:
                    self._tables[-1].rows[-1].append(" ".join(cell.split()).replace("|", "\\|"))
            case "a":
                self._close_link()
            case _ if node.mem_id in self._marked:
                page.unmark()
            case "p" if "msonormal" in (node.attributes.get("class") or "").lower():
                page.end_line()
            case "li":
                page.end_line()
                page.bullet = ""
                page.prefixes.pop()
            case _ if tag in BLOCKS:
                self._close_block(tag)
            case _ if tag in LINES:
                page.end_line()

    def _close_block(self, tag: str) -> None:
        page = self._page
        page.end_line()
        match tag:
            case "ul" | "ol":
                self._lists.pop()
                if self._lists:
                    return
            case "blockquote":
                while page.done and not page.done[-1].strip(" >"):
                    page.done.pop()
                page.prefixes.pop()
            case "pre":
                page.done.append("".join(page.prefixes[:MAX_PREFIXES]) + "```")
                self._pre -= 1
            case _ if re.fullmatch("h[1-6]", tag):
                page.bullet = ""
                page.prefixes.pop()
        page.end_block()

    def _text(self, text: str) -> None:
        page = self._page
        if self._pre:
            first, *others = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
            page.line += [first] if first else []
            for line in others:
                if not page.line:
                    page.line.append("")
                page.end_line()
                page.line += [line] if line else []
            return
        words = _words(text)
        if words.startswith(" "):
            page.space = True
        if stripped := words.strip(" "):
            page.word(stripped)
            page.space = words.endswith(" ")

    def _close_link(self) -> None:
        page, start, url = self._links.pop()
        if page is not self._page:
            return
        start = min(start, len(page.line))  # a line may have ended inside
        inside = page.line[start:]
        shown = "".join(inside).strip()
        url = UNSAFE_URL.sub(lambda match: f"%{ord(match[0]):02X}", url.strip())
        if not shown or not re.match(r"(?:https?|mailto|tel):", url, re.IGNORECASE) or _same(shown, url):
            return
        if len(shown) <= 2000 and not any(mark in shown for mark in ("](", "[", "]")):
            lead = " " if inside[0] == " " else ""
            page.line[start:] = [lead, "[", shown, "](", f"<{url}>" if re.search(r"[()]", url) else url, ")"]

    def _write(self, table: _Table) -> None:
        rows = [row for row in table.rows if any(row)]
        width = min(MAX_COLUMNS, max(map(len, rows), default=0))
        kept = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
        for index, row in enumerate(rows):
            cells = [row[column] if column < len(row) else "" for column in kept]
            self._page.line.append(f"| {' | '.join(cells)} |" if len(kept) > 1 else cells[0])
            self._page.end_line()
            if not index and len(kept) > 1:
                self._page.line.append(f"|{' --- |' * len(kept)}")
                self._page.end_line()


def _same(shown: str, url: str) -> bool:
    """Whether the text of a link is its address already."""
    bare = re.compile(r"^(?:https?://|mailto:|tel:)(?:www\.)?|/$", re.IGNORECASE)
    return bare.sub("", shown.strip("*_ ")).lower() == bare.sub("", url).lower()


def _walk(root: LexborNode, enter: Callable[[LexborNode], bool], leave: Callable[[LexborNode], None]) -> None:
    """In the order of the document, without recursion. What is inside a node, and its end, is left out if `enter` says so."""
    node: LexborNode | None = root
    while node is not None:
        if enter(node):
            if node.child is not None:
                node = node.child
                continue
            leave(node)
        while node is not None and (node.next is None or node.mem_id == root.mem_id):
            node = None if node.mem_id == root.mem_id else node.parent
            if node is not None:
                leave(node)
        node = node.next if node is not None else None


@dataclass(slots=True)
class _Shape:
    """What tells a table of data from one that only places things: rows of short cells, and no table inside."""

    rows: list[int] = field(default_factory=list)
    cell: int = 0
    longest: int = 0
    nests: bool = False

    @property
    def is_data(self) -> bool:
        return not self.nests and self.longest <= MAX_CELL and sum(cells > 1 for cells in self.rows) > 1


def _data_tables(root: LexborNode) -> frozenset[int]:
    found: set[int] = set()
    stack: list[_Shape] = []

    def enter(node: LexborNode) -> bool:
        match node.tag:
            case "-text" if stack:
                stack[-1].cell += len((node.text_content or "").strip())
            case "table":
                for shape in stack[-1:]:
                    shape.nests = True
                stack.append(_Shape())
            case "tr" if stack:
                stack[-1].rows.append(0)
            case "td" | "th" if stack:
                stack[-1].cell = 0
        return node.tag not in DROPPED

    def leave(node: LexborNode) -> None:
        if node.tag == "table":
            if stack.pop().is_data:
                found.add(node.mem_id)
        elif node.tag in ("td", "th") and stack and stack[-1].rows:
            stack[-1].longest = max(stack[-1].longest, stack[-1].cell)
            stack[-1].rows[-1] += bool(stack[-1].cell)

    _walk(root, enter, leave)
    return frozenset(found)
