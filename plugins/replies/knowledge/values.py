"""What goes in and out of a knowledge base."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of one article, small enough to answer from."""

    path: str
    """Absolute path of the file it was read from."""
    name: str
    """The file's path as a reader knows it: relative to the folder that was added."""
    title: str
    headings: tuple[str, ...] = ()
    """The headings above the passage, outermost first, without the title."""
    text: str
    """Markdown. The headings that lie inside the passage are part of it."""
    language: str
    tags: tuple[str, ...] = ()
    url: str | None = None
    questions: tuple[str, ...] = ()
    """Questions in customers' words that the article answers; not shown."""
    keys: tuple[str, ...] = ()
    """Plain texts whose vectors stand for the passage; a question is as near to it as to the nearest of them."""

    @property
    def source(self) -> str:
        """Where the article can be read: its address, or the name of its file."""
        return self.url or self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A passage and how well it fits a question."""

    passage: Passage
    score: float
    """Orders hits of one search; not comparable between searches."""
    dense: float
    """The largest dot product of the question with a key of the passage; 0 where no model took part."""
    lexical: float
    """BM25 divided by the most that the question could reach, so between 0 and 1."""
    familiar: float
    """The share of the question's weight that lies in words the knowledge base has at all, between 0 and 1."""
    evidence: float
    """The estimated probability that the passage answers the question, between 0 and 1. Comparable between searches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A quotation that answers a question, and where it stands."""

    text: str
    """Markdown, in the article's own words."""
    title: str
    source: str
    """The article's address or file name, with `#` and the heading's anchor where the quotation stands below one."""
    language: str
    score: float
    evidence: float
    passage: Passage


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that kept a file, or a part of it, out of the index."""

    path: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}. {self.fix}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One step of a running sync: `reading` counts files, `embedding` counts texts."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncReport:
    """What a sync did, in counts of files, passages and texts."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    passages: int = 0
    """How many passages the index holds now."""
    embedded: int = 0
    """How many texts the model had to embed."""
    not_embedded: int = 0
    """How many texts are found by their words alone until the model has answered: another sync tries again."""
    problems: tuple[Problem, ...] = field(default=())
