"""Attribution lines: "On Monday Ann wrote:", in one to four lines, in every language, and the forms without a verb."""

import re
from collections.abc import Sequence
from enum import IntEnum

from frontdesk.channels.email.quotes.languages import every
from frontdesk.channels.email.quotes.lines import LONGEST, clean, unmarked

#: More lines than this are never one attribution.
MOST_LINES = 4


class Match(IntEnum):
    """How sure it is that a line is an attribution. `LIKELY` counts only when a quote follows."""

    NO = 0
    LIKELY = 1
    SURE = 2


def _either(words: Sequence[str]) -> str:
    """A pattern for whole words; scripts without spaces between words need no boundary."""
    spaced = "|".join(re.escape(word) for word in words if word[0] < "\u0700")
    dense = "|".join(re.escape(word) for word in words if word[0] >= "\u0700")
    return rf"(?<!\w)(?:{spaced})(?!\w)|(?:{dense})"


_WROTE_WORDS = every("wrote")
_WROTE = re.compile(_either(_WROTE_WORDS))
_WROTE_COLON = re.compile(rf"(?:{_either(_WROTE_WORDS)})\s?[:：]")
_ENDS = tuple(_WROTE_WORDS)
_BEGINS = tuple(f"{word} " for word in every("begins"))
_BEGINS_TIGHT = ("在", "于", "於", "ב-", "w dniu", "den ")
_PRONOUNS = frozenset(every("pronouns"))
_ADDRESS = re.compile(r"[^\s<>@()\[\],;:\"']+@[^\s<>@()\[\],;:\"']+")
_DATE = re.compile(
    r"(?<!\d)\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}(?!\d)|(?<!\d)(?:19|20|25)\d\d(?!\d)|\d{2,4}\s?[年년]|\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일]"
    r"|(?<!\w)'\d\d(?!\w)|[\u0660-\u0669\u06f0-\u06f9]{4}"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?(?:[:.hH時时点點시]|uhr)\s?\d{0,2}(?!\d)")
_START = re.compile(
    r"(?:[\"'«„“]?[^\W\d_]{1,14}[.,]?,?\s+){0,3}\W{0,3}\d"  # up to three short words (Wed, Jan) before the first digit
)
_NUMBERS = re.compile(r"[\d.,:/+()-]+")
_BRACKETS = re.compile(r"[<(\[][^<>()\[\]]{0,300}[>)\]]")
_DASHES = " -_=*~—–"
_INLINE = re.compile(r"[\w.!?)\]]\s*-{0,6}\s+(?=(?:On|Am|Le|El|Em|Il|Op|Den)\s[^@\n]{0,25}\d)")


def _starts(text: str) -> bool:
    """Whether it begins like the date of an attribution: an opening word or a digit, with a digit soon after."""
    head = text[:48]
    if text[:1].isdigit():
        return _DATE.search(head) is not None or _TIME.search(head) is not None
    if not any(ch.isdigit() for ch in head):
        return False
    return head.startswith(_BEGINS_TIGHT) or (head.startswith(_BEGINS) and _START.match(text) is not None)


def opens(line: str) -> bool:
    """Whether the line begins like an attribution."""
    return _starts(unmarked(clean(line)).strip(_DASHES).casefold())


def match(line: str) -> Match:
    """How sure it is that the whole of `line` (joined, if it was wrapped) is an attribution."""
    text = line.strip(_DASHES).casefold()
    if len(text) > LONGEST or len(text) < 4:
        return Match.NO
    bare = text.rstrip(" :：*-_")
    colon = text.rstrip("*_ ").endswith((":", "："))
    dashes = line.rstrip().endswith(("--", "-- "))
    address = _ADDRESS.search(bare) is not None
    date = _DATE.search(bare) is not None
    time = _TIME.search(bare) is not None
    verbs = list(_WROTE.finditer(bare))
    if not verbs:
        return _without_verb(text, bare, colon=colon, address=address, date=date, time=time)
    for verb in reversed(verbs[-3:]):
        found = _with_verb(
            bare,
            verb.start(),
            verb.end(),
            closed=colon or dashes,
            colon=colon,
            address=address,
            date=date,
            when=date or time,
            time=time,
        )
        if found:
            return found
    return Match.NO


def _with_verb(
    bare: str, start: int, end: int, *, closed: bool, colon: bool, address: bool, date: bool, when: bool, time: bool
) -> Match:
    before, after = _names(bare[:start]), _names(bare[end:])
    if len(after) > 8 or len(before) > 16 or (not before and not after and not (address or when)):
        return Match.NO
    if after and not closed:
        return Match.NO
    sentence = not _PRONOUNS.isdisjoint(before) or not _PRONOUNS.isdisjoint(after)
    if not closed and not ((date or time) and (address or _starts(bare)) and not sentence):
        return Match.NO
    if sentence:
        return Match.LIKELY if when or address or len(bare) < 80 else Match.NO
    if address or (date and time) or (when and _starts(bare)):
        return Match.SURE
    return Match.LIKELY if colon and len(bare) <= 120 else Match.NO


def _without_verb(text: str, bare: str, *, colon: bool, address: bool, date: bool, time: bool) -> Match:
    """`2017-11-24 16:32 GMT+01:00 Ann <ann@example.com>:`, as Gmail, Yandex and Mail.ru write it in many languages."""
    if not (address and date) or len(bare) > 250 or len(_names(bare)) > 14:
        return Match.NO
    opens = _starts(bare) or _START.match(bare) is not None
    if opens and colon and (time or bare.rstrip().endswith((">", ")", "]"))):
        return Match.SURE
    return Match.LIKELY if opens and (colon or bare.endswith(">")) else Match.NO


def _names(text: str) -> list[str]:
    """The words that are neither numbers, addresses nor in brackets."""
    text = _NUMBERS.sub(" ", _ADDRESS.sub(" ", _BRACKETS.sub(" ", text)))
    return [word.strip("\"'«»„“”.,;!?<>") for word in text.split() if word.strip("\"'«»„“”.,;!?<>")]


def could_end(line: str) -> bool:
    """A quick test that the last line of every attribution passes."""
    tail = line[-24:].rstrip(_DASHES).casefold()
    return tail.endswith((":", "：", ">", "]", ")")) or tail.endswith(_ENDS)


def split_after_colon(line: str) -> int:
    """Where the text begins that some programs put on the line of the attribution ("On ... wrote: Hi"), or 0."""
    head = line[:LONGEST].casefold()
    if len(head) != len(line[:LONGEST]):
        return 0
    found = _WROTE_COLON.search(head)
    return found.end() if found else 0


def before_inline(line: str) -> int:
    """Where an attribution begins that follows new text on the same line ("Yes. On Monday Ann wrote:"), or 0."""
    if len(line) > LONGEST:
        return 0
    for found in _INLINE.finditer(line):
        start = found.end()
        if match(line[start:]) is Match.SURE:
            return start
    return 0


def lines_above(lines: Sequence[str], end: int, floor: int, last: str | None = None) -> tuple[int, Match]:
    """The first line of the attribution that ends on line `end` (its text `last`, if not the whole), and how sure it is.

    `floor` is the first line that may belong to it. Returns `(end, Match.NO)` if there is none.
    """
    joined = found_text = ""
    best, sure, dated = end, Match.NO, False
    for index in range(end, max(floor, end - MOST_LINES + 1) - 1, -1):
        line = unmarked(clean(lines[index] if index != end or last is None else last))
        if not line or len(joined) + len(line) > LONGEST:
            break
        joined = f"{line} {joined}" if joined else line
        found = match(joined)
        if not found:
            continue
        text = joined.strip(_DASHES).casefold()
        has_date = _DATE.search(text) is not None or _TIME.search(text) is not None
        if not sure or (has_date and not dated):
            best, sure, dated, found_text = index, found, has_date, text
        if _starts(text):
            return index, found
    if found_text.startswith("<") and best > floor and 0 < len(clean(lines[best - 1])) <= 60:
        best -= 1  # the name
    return best, sure
