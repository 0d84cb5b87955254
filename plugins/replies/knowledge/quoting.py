"""The answer inside a passage: one to four sentences, or a list with the sentence that leads to it, word for word."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from frontdesk.plugins.replies.knowledge.chunking import markdown_blocks
from frontdesk.plugins.replies.knowledge.text import plain, sentences, terms, word_count
from frontdesk.plugins.replies.knowledge.values import Passage

_MAX_SENTENCES = 4
_MAX_WORDS = 90
_WHOLE_WORDS = 70
_LEAD = 0.08
"""Added to the parts above the first inner heading: help articles begin with what most readers want."""
_FIRST = 0.04
"""Added to the first part under each heading, for the same reason."""
_NEIGHBOUR = 0.75
"""A neighbour of the best sentence joins the quotation from this share of its score on."""

_HEADING = re.compile(r"#{1,6}[ \t]+(?P<text>.+?)[ \t]*#*$")
_LIST = re.compile(r"(?:[-*+]|\d+[.)])[ \t]")
_BLOCK = re.compile(r"(?:[-*+]|\d+[.)])[ \t]|\||```|~~~|>")
_LEANS_BACK = re.compile(
    r"(?:\W*)(?:it|they|this|that|these|those|otherwise|however|then|but|so|after that|in that case|if so|if not|both|instead)\b"
    r"|\W*(?:它|他们|这|该|否则|但|不过|然而|此时|届时|因此|所以|如果没有|之后)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A sentence, or a block that must stay whole. Units with one `section` number stand under one heading."""

    text: str
    heading: str
    section: int
    paragraph: int
    is_block: bool

    @property
    def is_lead(self) -> bool:
        """Whether it stands above the first heading of its passage."""
        return self.section == 0

    @property
    def plain(self) -> str:
        return plain(self.text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotation:
    text: str
    heading: str
    """The nearest heading above the quotation; empty where there is none below the title."""


def units(passage: Passage) -> list[Unit]:
    """The parts of a passage that can be quoted, in order."""
    found: list[Unit] = []
    heading, section = passage.headings[-1] if passage.headings else "", 0
    for paragraph, block in enumerate(markdown_blocks(passage.text)):
        if title := _HEADING.match(block):
            heading, section = plain(title["text"]), section + 1
        elif _BLOCK.match(block.lstrip()):
            lead = found.pop() if found and found[-1].section == section and _leads(found[-1]) else None
            text = f"{lead.text}\n\n{block}" if lead else block
            place = lead.paragraph if lead else paragraph
            found.append(Unit(text=text, heading=heading, section=section, paragraph=place, is_block=True))
        else:
            found += (
                Unit(text=sentence, heading=heading, section=section, paragraph=paragraph, is_block=False)
                for sentence in sentences(block)
            )
    return found


def _leads(unit: Unit) -> bool:
    return not unit.is_block and unit.text.rstrip("*_ ").endswith((":", "："))


def coverage(question: str, unit: Unit, weight: Callable[[str], float]) -> float:
    """The share of the question's weight whose terms the unit, or its heading, has."""
    asked = {term: weight(term) for term in terms(question)}
    total = sum(asked.values())
    said = set(terms(f"{unit.heading}\n{unit.plain}"))
    return sum(value for term, value in asked.items() if term in said) / total if total else 0.0


def best_sections(parts: Sequence[Unit], scores: Sequence[float], *, count: int) -> list[Unit]:
    """The parts under the `count` headings whose best parts fit best, in their order."""
    best: dict[int, float] = {}
    for place, part in enumerate(parts):
        score = scores[place] + _standing(parts, place)
        best[part.section] = max(score, best.get(part.section, score))
    chosen = sorted(best, key=lambda section: -best[section])[:count]
    return [part for part in parts if part.section in chosen]


def quote(parts: Sequence[Unit], scores: Sequence[float]) -> Quotation:
    """The best part with the neighbours that belong to it. `scores` tell how well each part fits; ties go to the first.

    Raises:
        ValueError: there are no parts.
    """
    best = max(range(len(parts)), key=lambda place: (scores[place] + _standing(parts, place), -place))
    section = [place for place, part in enumerate(parts) if part.section == parts[best].section]
    if len(section) <= _MAX_SENTENCES and sum(word_count(parts[place].plain) for place in section) <= _WHOLE_WORDS:
        first, last = section[0], section[-1]
    else:
        first, last = _grow(parts, scores, best, section)
    return Quotation(text=_join(parts[first : last + 1]), heading=parts[best].heading)


def _standing(parts: Sequence[Unit], place: int) -> float:
    lead = _LEAD if parts[place].is_lead else 0.0
    first = place == 0 or parts[place - 1].section != parts[place].section
    return lead + (_FIRST if first else 0.0)


def _grow(parts: Sequence[Unit], scores: Sequence[float], best: int, section: Sequence[int]) -> tuple[int, int]:
    first = last = best
    while first > section[0] and _leans_back(parts[first]) and _fits(parts[first - 1 : last + 1]):
        first -= 1
    enough = _NEIGHBOUR * scores[best]
    while True:
        near = [place for place in (first - 1, last + 1) if place in section and scores[place] >= enough]
        near = [place for place in near if _fits(parts[min(first, place) : max(last, place) + 1])]
        if not near:
            break
        place = max(near, key=lambda place: scores[place])
        first, last = min(first, place), max(last, place)
    while first > section[0] and _leans_back(parts[first]) and _fits(parts[first - 1 : last + 1]):
        first -= 1
    return first, last


def _leans_back(unit: Unit) -> bool:
    return not unit.is_block and _LEANS_BACK.match(unit.text) is not None


def _fits(parts: Sequence[Unit]) -> bool:
    count = sum(2 if part.is_block else 1 for part in parts)
    return count <= _MAX_SENTENCES and sum(word_count(part.plain) for part in parts) <= _MAX_WORDS


def _join(parts: Sequence[Unit]) -> str:
    text = parts[0].text
    for before, part in pairwise(parts):
        same = part.paragraph == before.paragraph and not part.is_block and not before.is_block
        joint = ("" if before.text.endswith(("。", "！", "？")) else " ") if same else "\n\n"
        text += joint + part.text
    return text
