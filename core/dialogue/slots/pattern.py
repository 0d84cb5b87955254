"""Order numbers, voucher codes and the like: whatever a regular expression describes."""

import re
import string
from typing import Any, ClassVar

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType, without_overlaps
from frontdesk.core.dialogue.slots.folding import Folded

# Chinese runs on without spaces ("订单LL-10423还没到"), so only Latin letters and digits may not touch a match.
_ALONE = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9])"


class Pattern(SlotType[str]):
    r"""Subclassed with the code's own form, and if wanted with the loose forms in which people write or say it.

        class OrderId(Pattern):
            pattern = r"LL-\d{5}"
            loose = r"(?:ll|order)[ -]{0,3}(?P<digits>\d{5})"
            bare = r"(?P<digits>\d{5})"
            canonical = "LL-{digits}"

    `pattern` is matched whatever the case; the value is in the case that `pattern` prescribes. `loose` is searched everywhere,
    `bare` only in a direct answer. Both fill `canonical` with their named groups. Widths, dashes and digits of other scripts are
    made plain before. Raises `TypeError` when the class is defined with a pattern that cannot work.
    """

    ask = questions.ASK_PATTERN
    pattern: ClassVar[str] = ""
    loose: ClassVar[str] = ""
    bare: ClassVar[str] = ""
    canonical: ClassVar[str] = ""
    _exact: ClassVar[re.Pattern[str]]
    _strict: ClassVar[list[re.Pattern[str]]]
    _lenient: ClassVar[list[re.Pattern[str]]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.pattern:
            raise TypeError(f"{cls.__name__} needs a pattern")
        try:
            cls._exact = re.compile(cls.pattern)
            forms = [re.compile(_ALONE.format(form), re.IGNORECASE) for form in (cls.pattern, cls.loose, cls.bare) if form]
        except re.error as error:
            raise TypeError(f"{cls.__name__}: {error} in {error.pattern!r}") from error
        needed = {field for _, field, _, _ in string.Formatter().parse(cls.canonical) if field}
        for form in forms[1:]:
            if missing := needed - set(form.groupindex):
                raise TypeError(f"{cls.__name__}: {form.pattern!r} has no group named {', '.join(sorted(missing))}")
            if not cls.canonical:
                raise TypeError(f"{cls.__name__} needs a canonical form for what its loose and bare patterns match")
        if forms[0].search(""):
            raise TypeError(f"{cls.__name__}: its pattern matches nothing at all")
        cls._strict = forms[:2] if cls.loose else forms[:1]
        cls._lenient = forms

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        folded = Folded(text, keep_case=True)
        candidates: list[Found[str]] = []
        for form in cls._lenient if context.answering else cls._strict:
            # A form is searched only where a better one has found nothing: without_overlaps prefers the earlier start.
            for match in form.finditer(folded.text):
                start, end = match.span()
                if start < end and not any(
                    c.start < folded.span(start, end)[1] and folded.span(start, end)[0] < c.end for c in candidates
                ):
                    candidates.append(folded.found(cls.normalise(cls._value(match)), start, end))
        return without_overlaps(candidates)

    @classmethod
    def normalise(cls, value: str) -> str:
        """The value as the shop writes it. To be overridden where the case and `canonical` do not say it all."""
        return value

    @classmethod
    def _value(cls, match: re.Match[str]) -> str:
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        for written in (match[0], match[0].upper(), match[0].lower()):
            if cls._exact.fullmatch(written):
                return written
        try:
            return cls.canonical.format(**groups) if cls.canonical else match[0]
        except KeyError:
            return match[0]
