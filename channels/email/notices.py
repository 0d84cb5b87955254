"""How programs say that nobody is there or that a mail was not delivered: `notices.toml`, whose head explains its fields.

Everything is to be compared casefolded, with straight apostrophes.
"""

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from tomllib import loads

__all__ = [
    "ABSENT",
    "ACKNOWLEDGED",
    "BOUNCED",
    "BOUNCE_SUBJECTS",
    "CHALLENGES",
    "CONCERNS",
    "DELAYED",
    "INSTEAD",
    "MACHINE",
    "SUBJECTS",
    "VAGUE",
    "says",
]

_LANGUAGES: list[dict[str, list[str | list[str]]]] = list(loads(files(__package__).joinpath("notices.toml").read_text()).values())
_LATIN = "\u0250"


def says(text: str, expressions: Iterable[re.Pattern[str]]) -> bool:
    """Whether one of them is found in `text`, which is casefolded."""
    return any(expression.search(text) for expression in expressions)


def _entries(field: str) -> Iterator[list[str]]:
    """For each language; an expression that is written in pieces is one."""
    for language in _LANGUAGES:
        yield ["".join(entry) for entry in language.get(field, ())]


def _expressions(field: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile("|".join(found), re.MULTILINE) for found in _entries(field) if found)


def _words(field: str) -> frozenset[str]:
    return frozenset(word.casefold() for found in _entries(field) for word in found)


def _parts(field: str) -> re.Pattern[str]:
    """Whole words in Latin script; other scripts inflect at the front, or put no space between words."""
    found = [part for language in _entries(field) for part in language]
    latin, other = [part for part in found if part[0] < _LATIN], [part for part in found if part[0] >= _LATIN]
    return re.compile(rf"\b(?:{'|'.join(latin)})\b|{'|'.join(other)}")


VAGUE = _words("vague_subjects")
SUBJECTS = tuple(sorted(_words("subjects") | VAGUE, key=lambda words: (-len(words), words)))
"""The longest first, the vague ones too."""
ABSENT, INSTEAD, BACK = _expressions("absent"), _expressions("instead"), _expressions("back")
ACKNOWLEDGED, TICKET = _expressions("acknowledged"), _expressions("ticket")
MACHINE, DECLARED = _expressions("machine"), _expressions("declared")
CHALLENGES, CONCERNS = _expressions("challenges"), _parts("concerns")
BOUNCE_SUBJECTS, BOUNCED, DELAYED = _expressions("bounce_subjects"), _expressions("bounced"), _expressions("delayed")
