"""Articles become passages: cut at headings, of about 120 to 300 words, each knowing the headings above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

from markdown_it.token import Token

from frontdesk.plugins.replies.knowledge.articles import Article
from frontdesk.plugins.replies.knowledge.text import blocks, plain, sentences, word_count

MIN_WORDS = 120
MAX_WORDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """The text under one heading, up to the next heading of any level."""

    path: tuple[str, ...]
    """The headings above the text, its own last, without the article's title."""
    heading: str
    """The Markdown line of its own heading; empty above the first heading."""
    text: str

    @property
    def markdown(self) -> str:
        return f"{self.heading}\n\n{self.text}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Neighbouring sections that make one passage."""

    sections: tuple[Section, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that hold for the whole chunk."""
        if len(self.sections) == 1:
            return self.sections[0].path
        levels = zip(*(section.path for section in self.sections), strict=False)
        return tuple(names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels))

    @property
    def text(self) -> str:
        """Markdown with the headings inside; a chunk of one section leaves its own heading to `headings`."""
        if len(self.sections) == 1:
            return self.sections[0].text
        return "\n\n".join(section.markdown for section in self.sections)

    def keys(self, title: str) -> tuple[str, ...]:
        """The title, and for every section its heading path alone and with its text, all plain."""
        found = [title]
        for section in self.sections:
            place = ": ".join((title, *section.path))
            found += [place, f"{place}\n{plain(section.text)}"]
        return tuple(dict.fromkeys(found))


def chunk(article: Article, *, min_words: int = MIN_WORDS, max_words: int = MAX_WORDS) -> list[Chunk]:
    """Small sections are joined until `min_words` are reached; large ones are cut between blocks, then sentences.

    A section with nothing under its heading adds nothing but its place in the paths of those below it.
    """
    chunks: list[list[Section]] = []
    size = max_words
    for section in (part for whole in sections(article) for part in _cut(whole, max_words)):
        words = word_count(section.text)
        if chunks and size < min_words and size + words <= max_words:
            chunks[-1].append(section)
            size += words
        else:
            chunks.append([section])
            size = words
    if len(chunks) > 1 and size < min_words // 2 and _words(chunks[-2]) + size <= max_words:
        chunks[-2:] = [chunks[-2] + chunks[-1]]
    return [Chunk(sections=tuple(parts)) for parts in chunks]


def _words(parts: list[Section]) -> int:
    return sum(word_count(part.text) for part in parts)


def sections(article: Article) -> Iterator[Section]:
    """The sections that have text, in order. A first heading that repeats the title is left out of the paths."""
    lines = article.body.splitlines()
    path: list[tuple[int, str]] = []
    heading, start = "", 0
    for token, inline in _headings(article.body):
        first, after = token.map or [0, 0]
        yield from _section(path, heading, lines[start:first])
        level, text = int(token.tag[1]), plain(inline)
        path = [above for above in path if above[0] < level]
        repeats_title = text.casefold() == article.title.casefold()
        if not repeats_title:
            path.append((level, text))
        heading, start = "" if repeats_title else f"{'#' * level} {inline}", after
    yield from _section(path, heading, lines[start:])


def _headings(markdown: str) -> Iterator[tuple[Token, str]]:
    tokens = blocks(markdown)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0:
            yield token, inline.content


def _section(path: list[tuple[int, str]], heading: str, lines: list[str]) -> Iterator[Section]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield Section(path=tuple(name for _, name in path), heading=heading, text=text)


def _cut(section: Section, max_words: int) -> Iterator[Section]:
    if word_count(section.text) <= max_words:
        yield section
        return
    parts: list[str] = []
    size = 0
    for block in markdown_blocks(section.text):
        for piece in _pieces(block, max_words):
            words = word_count(piece)
            if parts and size + words > max_words:
                yield _part(section, parts)
                parts, size = [], 0
            parts.append(piece)
            size += words
    yield _part(section, parts)


def _part(section: Section, parts: list[str]) -> Section:
    return Section(path=section.path, heading=section.heading, text="\n\n".join(parts))


def markdown_blocks(markdown: str) -> list[str]:
    """The Markdown of each top-level block: paragraph, list, table, quotation, code."""
    lines = markdown.splitlines()
    spans = [token.map for token in blocks(markdown) if token.level == 0 and token.map and token.nesting >= 0]
    return [text for first, after in spans if (text := "\n".join(lines[first:after]).strip("\n"))]


def _pieces(block: str, max_words: int) -> Iterator[str]:
    """A block in pieces of at most `max_words`: a list or a table between its lines, other text between sentences."""
    if word_count(block) <= max_words:
        yield block
        return
    by_lines = re.match(r"\s*(?:[-*+|]|\d+[.)]\s|```|~~~)", block) is not None
    units = block.splitlines() if by_lines else sentences(block)
    joint = "\n" if by_lines else " "
    piece: list[str] = []
    size = 0
    for unit in (part for whole in units for part in _windows(whole, max_words)):
        words = word_count(unit)
        if piece and size + words > max_words:
            yield joint.join(piece)
            piece, size = [], 0
        piece.append(unit)
        size += words
    yield joint.join(piece)


def _windows(text: str, max_words: int) -> Iterator[str]:
    """Text without sentences, cut by count: the last resort for a wall of words or of characters."""
    if word_count(text) <= max_words:
        yield text
        return
    words = text.split()
    if len(words) > max_words:
        for start in range(0, len(words), max_words):
            yield from _windows(" ".join(words[start : start + max_words]), max_words)
    else:
        width = 2 * max_words
        yield from (text[start : start + width] for start in range(0, len(text), width))
