"""Yes or no, and nothing when it is not clear."""

import re
from functools import cache

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType
from frontdesk.core.dialogue.slots.folding import Folded, fold, phrases
from frontdesk.core.dialogue.slots.yes_no_words import ALL_LANGUAGES, YES_NO

_LIMIT = 120  # a yes or no that needs more characters says something else besides
_KINDS = ("unclear", "dont", "no", "yes", "also", "doing")  # of phrases of one length, the first of these is meant
_BETWEEN = re.compile(r"[ .,;:!~…。，！、～·*()\"'\ufe0f-]+")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")


class YesNo(SlotType[bool]):
    """Found only in a direct answer, all of whose words belong to a yes or to a no.

    "yes please" and "no, don't cancel it" are answers; "yes but which one?", "no idea" and "no, the other one" are not: what
    follows a confirmation may be irreversible, so a second question is cheaper than a wrong guess.
    """

    ask = questions.ASK_YES_NO
    hint = questions.HINT_YES_NO

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[bool]]:
        written = text.strip()
        if not context.answering or not 0 < len(written) <= _LIMIT:
            return []
        value = yes_or_no(written, context.language)
        if value is None:
            return []
        start = text.index(written)
        return [Found(value=value, start=start, end=start + len(written), text=written)]


def yes_or_no(text: str, language: str) -> bool | None:
    """The answer in the given language, else in English, else in the other languages if all that can read it agree."""
    folded = _SKIN_TONES.sub("", Folded(text).text)
    own = language.partition("-")[0].lower()
    for tag in dict.fromkeys((own, "en")):
        if tag in YES_NO:
            polarity = _polarity(folded, tag)
            if not isinstance(polarity, _Foreign):
                return polarity
    others = {polarity for tag in YES_NO if not isinstance(polarity := _polarity(folded, tag), _Foreign)}
    return others.pop() if len(others) == 1 else None


class _Foreign:
    """The text has words that the language's table does not know."""


_FOREIGN = _Foreign()


@cache
def _vocabulary(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    kinds: dict[str, str] = {}
    for kind in _KINDS:
        for table in (YES_NO[language], ALL_LANGUAGES):
            for phrase in table.get(kind, "").split(" / "):
                if phrase:
                    kinds.setdefault(fold(phrase), kind)
    return re.compile(phrases(kinds)), kinds


def _polarity(folded: str, language: str) -> "bool | _Foreign | None":
    pattern, kinds = _vocabulary(language)
    seen: list[str] = []
    position = 0
    while position < len(folded):
        if gap := _BETWEEN.match(folded, position):
            position = gap.end()
            continue
        match = pattern.match(folded, position)
        if match is None:
            return None if seen and ("yes" in seen or "unclear" in seen) else _FOREIGN
        seen.append(kinds[re.sub(" +", " ", match[0])])
        position = match.end()
    if "unclear" in seen:
        return None
    yes = "yes" in seen
    no = "no" in seen or "dont" in seen
    if yes == no:
        # "no, that's right, do it" and "yes, don't": contradictory, or neither.
        return None if yes else _FOREIGN
    if no and "doing" in seen and "dont" not in seen:
        return None
    return yes
