"""Articles from HTML pages: the main content as Markdown, without navigation, scripts and forms."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from frontdesk.plugins.replies.knowledge.articles import Article, Malformed, meta_language
from frontdesk.plugins.replies.knowledge.text import plain

_NOT_CONTENT = "script, style, noscript, template, nav, header, footer, aside, form, button, iframe, svg, [hidden]"
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_CONTAINERS = frozenset(
    {"body", "main", "article", "section", "div", "figure", "details", "summary", "center", "address", "dl", "dd"}
)
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
_SAFE_LINK = re.compile(r"(?:https?:|mailto:|tel:|/|#)", re.IGNORECASE)


def html_article(text: str, *, file_title: str) -> Article:
    """Reads a page. Language comes from `<html lang>`, the address from `<link rel=canonical>`, tags from keywords.

    Raises:
        Malformed: the page has no text in its body.
    """
    page = LexborHTMLParser(text)
    for node in page.css(_NOT_CONTENT):
        node.decompose()
    root = page.css_first("main") or page.css_first("article") or page.body
    body = "\n\n".join(_blocks(root)) if root is not None else ""
    if not plain(body):
        raise Malformed("it has no text in its body", "Save the page with its content, or delete the file.")
    heading, head = page.css_first("h1"), page.css_first("title")
    title = (_text(heading) if heading else "") or (_text(head) if head else "") or file_title
    html = page.css_first("html")
    language = html.attributes.get("lang") if html else None
    keywords = page.css_first('meta[name="keywords"]')
    canonical = page.css_first('link[rel="canonical"]')
    return Article(
        title=title,
        body=body,
        language=meta_language({"language": language}) if language else None,
        tags=_keywords(keywords),
        url=(canonical.attributes.get("href") if canonical else None) or None,
    )


def _keywords(meta: LexborNode | None) -> tuple[str, ...]:
    content = (meta.attributes.get("content") if meta else None) or ""
    return tuple(dict.fromkeys(word for word in (part.strip().casefold() for part in content.split(",")) if word))


def _text(node: LexborNode) -> str:
    return " ".join(node.text(deep=True).split())


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _blocks(node: LexborNode) -> list[str]:
    """The blocks inside a container, each as Markdown; loose inline content between them is a paragraph."""
    found: list[str] = []
    loose = ""
    for child in _children(node):
        block = _block(child)
        if block is None:
            loose += _inline(child)
            continue
        found += [loose.strip(), *block]
        loose = ""
    return [block for block in (*found, loose.strip()) if block]


def _block(node: LexborNode) -> list[str] | None:
    """The Markdown blocks of a block element; None for an inline one."""
    tag = node.tag or ""
    if tag in _HEADINGS:
        text = _text(node)
        return [f"{_HEADINGS[tag]} {text}"] if text else []
    if tag in {"p", "dt"}:
        return [_inner(node)]
    if tag in {"ul", "ol"}:
        return [_list(node, ordered=tag == "ol")]
    if tag == "table":
        return [_table(node)]
    if tag == "pre":
        return ["```\n" + node.text(deep=True).strip("\n") + "\n```"]
    if tag == "blockquote":
        return ["\n".join(f"> {line}".rstrip() for line in "\n\n".join(_blocks(node)).split("\n"))]
    if tag in {"hr"}:
        return []
    if tag in _CONTAINERS:
        return _blocks(node)
    return None


def _list(node: LexborNode, *, ordered: bool) -> str:
    lines: list[str] = []
    for number, item in enumerate((child for child in _children(node) if child.tag == "li"), start=1):
        bullet = f"{number}. " if ordered else "- "
        inner = "\n".join(_blocks(item)).replace("\n", "\n" + " " * len(bullet))
        lines.append(bullet + inner)
    return "\n".join(lines)


def _table(node: LexborNode) -> str:
    rows = [[_inner(cell).replace("|", r"\|") for cell in row.css("th, td")] for row in node.css("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _inner(node: LexborNode) -> str:
    return "".join(map(_inline, _children(node))).strip()


def _inline(node: LexborNode) -> str:
    tag = node.tag or ""
    if tag == "-text":
        return re.sub(r"\s+", " ", node.text(deep=False))
    if tag in {"-comment", "_comment"}:
        return ""
    if tag == "br":
        return "  \n"
    if tag == "img":
        return node.attributes.get("alt") or ""
    inner = "".join(map(_inline, _children(node)))
    target = node.attributes.get("href") or "" if tag == "a" else ""
    if not inner.strip():
        return inner
    if _SAFE_LINK.match(target):
        return f"[{inner.strip()}]({target})"
    mark = _MARKS.get(tag, "")
    return f"{mark}{inner.strip()}{mark}" if mark else inner
