"""Recognising that a customer drops the matter or takes back a value, in fourteen languages.

Both are read from the words alone, by tables, and only where the words leave little doubt. What the words mean for the
dialogue (which slot is corrected, what "the other one" is) is decided by the caller, who knows the question that was open.
"""

import re
from dataclasses import dataclass
from functools import cache

from frontdesk.core.dialogue.correction_words import CORRECTIONS
from frontdesk.core.dialogue.slots.folding import Folded, phrases
from frontdesk.core.dialogue.slots.yes_no_words import YES_NO

_LIMIT = 200  # characters; a longer message tells a story, and its first word does not decide it
_MOST_WORDS_AFTER = 6
_GAP = r"[ .,;:!~…。，！、～،؛\"'()-]*"
_STOP = r" {0,3}[.,;:!…。，！、،-]"
_PAUSE = re.compile(r"[.,;:!…。，！、،-] *$")


@dataclass(frozen=True, kw_only=True)
class Correction:
    """`other`: the value that is not the current one is meant. `rest`: the part of the text to search for the new value."""

    other: bool
    rest: str


def abandons(text: str, language: str) -> bool:
    """Whether the customer drops the open matter: "forget it", "算了". "Cancel my order" is a request, and not meant here."""
    if len(text) > _LIMIT:
        return False
    folded = Folded(text).text
    return any(_abandons(folded, tag) for tag in _tags(language))


def correction(text: str, language: str) -> Correction | None:
    """What the customer takes back and puts in its place: "no, the other order", "sorry, I meant LL-10424"."""
    if len(text) > _LIMIT:
        return None
    folded = Folded(text)
    for tag in _tags(language):
        if found := _corrects(folded, tag):
            return found
    return None


def _tags(language: str) -> list[str]:
    """The customer's language, then English, which people mix into theirs."""
    return [tag for tag in dict.fromkeys((language.partition("-")[0].lower(), "en")) if tag in CORRECTIONS]


def _split(row: str) -> list[str]:
    return [phrase for phrase in row.split(" / ") if phrase]


@cache
def _abandon_patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The whole text, with the small words that stand beside; and a beginning that a pause divides from what follows."""
    abandon = phrases(_split(CORRECTIONS[language]["abandon"]))
    beside = phrases(
        [word for kind in ("also", "yes", "no") for word in _split(YES_NO[language][kind])] + _split(CORRECTIONS[language]["no"])
    )
    whole = re.compile(rf"{_GAP}(?:{beside}{_GAP}){{0,4}}{abandon}{_GAP}(?:(?:{beside}|{abandon}){_GAP}){{0,4}}")
    beginning = re.compile(rf"{_GAP}(?:{beside}{_GAP}){{0,2}}{abandon}{_STOP}(?P<after>.*)", re.DOTALL)
    return whole, beginning


def _abandons(folded: str, language: str) -> bool:
    whole, beginning = _abandon_patterns(language)
    if whole.fullmatch(folded):
        return True
    match = beginning.match(folded)
    if match is None:
        return False
    after = match["after"]
    # "forget it, LL-10424 is the one" still wants something; so does a question.
    return len(after.split()) <= _MOST_WORDS_AFTER and len(after) <= 40 and not re.search(r"[\d?؟？]", after)


@dataclass(frozen=True)
class _Patterns:
    lead: re.Pattern[str]
    not_this: re.Pattern[str]
    other: re.Pattern[str]
    meant: re.Pattern[str]
    not_but: re.Pattern[str] | None


@cache
def _patterns(language: str) -> _Patterns:
    table = CORRECTIONS[language]
    no, meant, not_this = (phrases(_split(table[key])) for key in ("no", "meant", "not_this"))
    not_but = None
    if table["not_but"]:
        negation, but = (phrases([word]) for word in table["not_but"].split("|"))
        not_but = re.compile(rf"{negation}(?P<old>.{{1,60}}?){but}(?P<new>.+)", re.DOTALL)
    return _Patterns(
        lead=re.compile(rf"{_GAP}(?:(?:(?P<not_this>{not_this})|(?P<meant>{meant})|(?P<no>{no})){_GAP}){{0,5}}"),
        not_this=re.compile(not_this),
        other=re.compile(phrases(_split(table["other"]))),
        meant=re.compile(meant),
        not_but=not_but,
    )


def _corrects(folded: Folded, language: str) -> Correction | None:
    patterns = _patterns(language)
    text = folded.text
    lead = patterns.lead.match(text)
    if lead is None:
        return None
    denied = lead["no"] is not None or lead["not_this"] is not None
    rest_start = lead.end()
    rest = text[rest_start:]
    both = patterns.not_but.search(text) if patterns.not_but else None
    if both and re.search(r"\d", both["old"]) and re.search(r"\d", both["new"]):
        return Correction(other=False, rest=_original(folded, both.start("new")))
    other = patterns.other.search(rest)
    about_other = other is not None and (denied or lead["meant"] is not None or other.start() == 0)
    if about_other and "?" not in rest and "？" not in rest and len(rest.split()) <= _MOST_WORDS_AFTER:
        return Correction(other=True, rest=_original(folded, rest_start))
    if lead["not_this"] is not None:
        # "not that one" alone leaves only the other; with a value after it, that value is meant.
        return Correction(other=not re.search(r"\w", rest), rest=_original(folded, rest_start))
    if lead["meant"] is not None and re.search(r"\w", rest) and (denied or _is_firm(lead["meant"], rest)):
        return Correction(other=False, rest=_original(folded, rest_start))
    # "no news of LL-10424" denies nothing: without a pause after the no, only the value itself may follow.
    brief = len(rest.split()) <= (_MOST_WORDS_AFTER if _PAUSE.search(lead[0]) else 2)
    if denied and brief and re.search(r"\d", rest):
        return Correction(other=False, rest=_original(folded, rest_start))
    return None


def _is_firm(marker: str, rest: str) -> bool:
    """Whether a marker is enough without a denial: "I meant ..." is; "actually ..." and 是 only before a short value."""
    if marker in ("是", "actually", "make it", "rather", "i mean", "should be"):
        return bool(re.search(r"\d", rest)) and len(rest.split()) <= 3 and len(rest) <= 30
    return True


def _original(folded: Folded, start: int) -> str:
    if start >= len(folded.text):
        return ""
    return folded.original[folded.span(start, start + 1)[0] :].strip(" ,،，")
