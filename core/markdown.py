"""Markdown as replies are written in: CommonMark with tables and strikethrough, split where a platform's messages end."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)")
TABLE_RULE = re.compile(r"[ |:-]*-[ |:-]*")
SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~]")
LINES, SENTENCES, WORDS = re.compile(r"(\n)"), re.compile(r"((?<=[.!?…])\s+|(?<=[。！？]))"), re.compile(r"(\s+)")

Fits = Callable[[str], bool]


@cache
def parser() -> MarkdownIt:
    """Raw HTML is text, and bare addresses stay as they are."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    return parser().parse(text)


def escaped(text: str) -> str:
    """Words of others on one line, as they are: nothing in them is markup."""
    return SPECIAL.sub(r"\\\g<0>", text)


def split(text: str, fits: Fits) -> list[str]:
    """Markdown in as few pieces as possible that each fit, cut at paragraph ends, else at lines, sentences or anywhere.

    `fits` is asked of Markdown and measures what it is rendered to; it must let one character pass. Nothing but white space is
    lost at a cut, a fenced code block is fenced in each piece, a table has its head in each, and a line that must be cut loses
    its markup, so that no half of it is left. Never empty: a text without words is one empty piece.
    """
    if fits(text):
        return [text]
    blocks = list(_blocks(text))
    return list(_packed([part for block in blocks for part in (block, "\n\n")][:-1], fits, partial(_cut, fits=fits))) or [""]


def plain(text: str) -> str:
    """The words of some Markdown, the addresses of its links behind them."""
    words: list[str] = []
    addresses: list[str] = []
    for token in (child for block in tokens(text) for child in (block.children or [block])):
        match token.type:
            case "link_open":
                addresses.append(str(token.attrs["href"]))
            case "link_close":
                words.append(f" ({address})" if (address := addresses.pop()) not in words[-1:] else "")
            case "softbreak" | "hardbreak":
                words.append("\n")
            case _:
                words.append(token.content)
    return "".join(words)


def _blocks(text: str) -> Iterator[str]:
    """The source of each top-level block."""
    lines = text.splitlines()
    starts = [token.map[0] for token in tokens(text) if token.level == 0 and token.map and token.nesting >= 0]
    # What makes no token, such as a link's definition, goes with the block before.
    for start, end in pairwise([0, *starts[1:], len(lines)]):
        if block := "\n".join(lines[start:end]).strip("\n"):
            yield block


def _cut(block: str, fits: Fits) -> Iterator[str]:
    def without_markup(line: str) -> Iterator[str]:
        return _packed(SENTENCES.split(SPECIAL.sub(r"\\\g<0>", plain(line))), fits, words)

    def words(sentence: str) -> Iterator[str]:
        return _packed(WORDS.split(sentence), fits, partial(_anywhere, fits=fits))

    if fence := FENCE.match(block):
        mark = fence[1]
        opening, inside = f"{mark}{fence[2]}\n", block.split("\n", 1)[-1].removesuffix(mark).rstrip("\n")

        def fenced(code: str) -> str:
            return f"{opening}{code}\n{mark}"

        def fits_fenced(code: str) -> bool:
            return fits(fenced(code))

        if fits_fenced("x"):
            yield from map(fenced, _packed(LINES.split(inside), fits_fenced, partial(_anywhere, fits=fits_fenced)))
            return
    head, _, rows = block.partition("\n")
    rule, _, rows = rows.partition("\n")
    if rows and TABLE_RULE.fullmatch(rule) and fits(f"{head}\n{rule}\n{max(rows.splitlines(), key=len)}"):
        packed = _packed(LINES.split(rows), lambda rows: fits(f"{head}\n{rule}\n{rows}"), without_markup)
        yield from (f"{head}\n{rule}\n{piece}" for piece in packed)
        return
    yield from _packed(LINES.split(block), fits, without_markup)


def _packed(units: Sequence[str], fits: Fits, finer: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """Pieces of as many units as fit, where every second of `units` is the gap between two; `finer` cuts one that is too long."""
    piece, start = "", 0

    def joined(count: int) -> str:
        gap = units[start - 1] if piece else ""
        return f"{piece}{gap}{''.join(units[start : start + 2 * count - 1])}"

    while start < len(units):
        if count := _most((len(units) - start + 1) // 2, lambda count: fits(joined(count))):
            piece = joined(count)
            start += 2 * count
        elif piece:
            yield piece
            piece = ""
        else:
            *whole, piece = finer(units[start])
            start += 2
            yield from whole
    if piece:
        yield piece


def _anywhere(text: str, fits: Fits) -> Iterator[str]:
    """One character at least in each piece."""
    return _packed([part for character in text for part in (character, "")][:-1], fits, lambda character: iter([character]))


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to the limit that fits, if all smaller ones do. Asks for no number over twice the result."""
    if not limit or not fits(1):
        return 0
    low = 1
    while low < limit and fits(high := min(2 * low, limit)):
        low = high
    high = min(2 * low, limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
