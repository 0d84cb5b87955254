"""Text in the form in which words are compared, with the way back to the customer's own characters."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from frontdesk.core.dialogue.slots.base import SCAN_LIMIT, Found, T

_DASHES = frozenset("‐‑‒–—―−﹣－")
_QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"'}
# Letters that people without the right keyboard write plainly and that Unicode does not decompose.
_PLAIN = {
    "ı": "i",
    "ł": "l",
    "Ł": "L",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "œ": "oe",
    "æ": "ae",
    "ё": "е",
    "أ": "ا",
    "إ": "ا",
    "آ": "ا",
}


class Folded:
    """`text` without differences of width, accent (Latin script), kind of digit, dash, space and, unless kept, case.

    Every character of `text` remembers which character of the original it came from.
    """

    __slots__ = ("_ends", "_starts", "original", "text")

    def __init__(self, original: str, *, keep_case: bool = False) -> None:
        self.original = original
        scanned = original[:SCAN_LIMIT]
        if scanned.isascii():
            plain = scanned.translate(_ASCII_SPACES)
            self.text = plain if keep_case else plain.lower()
            self._starts: list[int] | None = None
            self._ends: list[int] | None = None
            return
        pieces: list[str] = []
        self._starts, self._ends = [], []
        for start, end in _clusters(scanned):
            piece = _fold_cluster(scanned[start:end])
            if not keep_case:
                piece = piece.casefold()
            pieces.append(piece)
            self._starts.extend([start] * len(piece))
            self._ends.extend([end] * len(piece))
        self.text = "".join(pieces)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `self.text[start:end]`, at least one character, stands in the original."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]

    def found(self, value: T, start: int, end: int) -> Found[T]:
        first, last = self.span(start, end)
        return Found(value=value, start=first, end=last, text=self.original[first:last])


LETTER = r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
"""A pattern for one letter of a script that puts spaces between words."""

_ASCII_SPACES = {ord(c): " " for c in "\t\n\r\v\f\0"} | {ord("`"): "'"}


def _clusters(text: str) -> Iterable[tuple[int, int]]:
    """Each base character with its combining marks, so that "e" + U+0301 folds as "é" does."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not unicodedata.combining(text[index]):
            yield start, index
            start = index


@lru_cache(maxsize=4096)
def _fold_cluster(cluster: str) -> str:
    if cluster.isascii():
        return cluster.translate(_ASCII_SPACES)
    folded = []
    for character in unicodedata.normalize("NFKC", cluster):
        if character in _DASHES:
            folded.append("-")
        elif character in _QUOTES:
            folded.append(_QUOTES[character])
        elif character.isspace():
            folded.append(" ")
        elif character.isdecimal():
            folded.append(str(unicodedata.decimal(character)))
        elif unicodedata.category(character) not in ("Cf", "Mn"):  # zero-width and direction marks, stray accents
            base = unicodedata.normalize("NFD", character)[0]
            folded.append(base if base.isascii() else _PLAIN.get(character, character))
    return "".join(folded)


def fold(words: str) -> str:
    """`words` of a table in the same form as a folded text."""
    return Folded(words).text


def phrases(words: Iterable[str]) -> str:
    """An alternation of phrases, the longest first; matches nothing when there are none.

    Any run of spaces may stand between the words of a phrase, and in scripts with spaces no letter beside it. Phrases with the
    same kind of ends share one pair of look-arounds: with a pair for each, compiling a table took ten times as long.
    """
    alike: dict[tuple[str, str], set[str]] = {}
    for folded in filter(None, map(fold, words)):
        before = f"(?<!{LETTER})" if _needs_space(folded[0]) else ""
        after = f"(?!{LETTER})" if _needs_space(folded[-1]) else ""
        alike.setdefault((before, after), set()).add(folded)
    groups = sorted(alike.items(), key=lambda group: -max(map(len, group[1])))
    return (
        "(?:" + "|".join(f"{before}(?:{_longest_first(same)}){after}" for (before, after), same in groups) + ")"
        if groups
        else "(?!)"
    )


def _longest_first(folded: Iterable[str]) -> str:
    ordered = sorted(folded, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(re.escape(phrase).replace(r"\ ", " {1,4}") for phrase in ordered)


def _needs_space(character: str) -> bool:
    return character.isalpha() and not is_unspaced(character)


def is_unspaced(character: str) -> bool:
    """Whether words of this character's script stand together without spaces (Chinese, Japanese), or take endings (Korean)."""
    return "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3"
