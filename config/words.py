"""Small helps for messages."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    found = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'port'?`, or all that is known if nothing is near."""
    known = sorted(known)
    if near := nearest(word, known):
        return f"; did you mean {near!r}?"
    return f"; known are {', '.join(known)}" if known else ""
