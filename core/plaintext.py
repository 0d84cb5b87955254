"""Markdown as plain text: what a reader of mail without HTML gets, and what is read aloud. No markup is in either."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from frontdesk.core.markdown import tokens

RULE = "-" * 20


def plain(text: str) -> str:
    """Lists with bullets or numbers, quotes with `>`, the cells of tables between bars, the addresses of links behind them."""
    page = _Page()
    for token in tokens(text):
        page.take(token)
    return "\n".join(page.lines).strip("\n")


def spoken(text: str) -> str:
    """What is read aloud: a line for each paragraph, item and cell, without addresses, pictures and blocks of code."""
    lines = ["".join(_SPOKEN.get(word.type, word.content) for word in token.children or ()) for token in tokens(text)]
    return "\n".join(line.strip() for line in lines if line.strip())


_SPOKEN = {"softbreak": " ", "hardbreak": "\n", "image": "", "html_inline": ""}


@dataclass(slots=True)
class _Page:
    lines: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    bullet: str = ""
    cells: list[str] = field(default_factory=list)

    def take(self, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self.prefixes.append("> ")
            case "list_item_open":
                self.bullet = f"{token.info}. " if token.info else "- "
                self.prefixes.append(" " * len(self.bullet))
            case "blockquote_close":
                while self.lines and not self.lines[-1].strip("> "):
                    self.lines.pop()
                self.prefixes.pop()
                self.blank()
            case "list_item_close":
                self.prefixes.pop()
                self.bullet = ""
            case "bullet_list_close" | "ordered_list_close" | "table_close" | "heading_close":
                self.blank()
            case "paragraph_close" if not token.hidden:
                self.blank()
            case "inline" if token.level and self.cells and self.cells[-1] == "":
                self.cells[-1] = _words(token.children or ()).replace("\n", " ")
            case "inline":
                self.write(_words(token.children or ()))
            case "th_open" | "td_open":
                self.cells.append("")
            case "tr_close":
                self.write(" | ".join(self.cells))
                self.cells = []
            case "fence" | "code_block":
                self.write(token.content.rstrip("\n"))
                self.blank()
            case "hr":
                self.write(RULE)
                self.blank()

    def write(self, text: str) -> None:
        for line in text.split("\n"):
            prefixes = [*self.prefixes[:-1], self.bullet] if self.bullet else self.prefixes
            self.bullet = ""
            self.lines.append("".join([*prefixes, line]).rstrip())

    def blank(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append("".join(self.prefixes).rstrip())


def _words(children: Sequence[Token]) -> str:
    words: list[str] = []
    links: list[tuple[str, int]] = []
    for token in children:
        match token.type:
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(words)))
            case "link_close":
                address, start = links.pop()
                address = address.removeprefix("mailto:")
                if "".join(words[start:]).strip() != address:
                    words.append(f" ({address})")
            case "softbreak" | "hardbreak":
                words.append("\n")
            case "image":
                words.append(f"{token.content} ({token.attrGet('src')})".strip())
            case _:
                words.append(token.content)
    return "".join(words)
