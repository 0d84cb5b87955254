"""Numbers: digits as people write them, and words."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType, T, without_overlaps
from frontdesk.core.dialogue.slots.folding import Folded
from frontdesk.core.dialogue.slots.numerals import Numeral, han_numbers, number_words

DIGITS = r"\d{1,3}(?:[., ']\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d{1,12}(?:[.,]\d{1,4})?"
"""A pattern for an amount in digits, grouped or not."""

# Not part of a code, a date, a time, an address or a longer number.
_ALONE = re.compile(rf"(?<![a-z0-9.,:/#_@+-])-?(?:{DIGITS})(?![0-9a-z_@:/-]|[.,]\d)")
_MEASURE = re.compile(r" ?[个個件台双雙条條张張次位本份箱包瓶只套つ枚개권번명장]")


def amount(digits: str) -> Decimal | None:
    """The value of a text that `DIGITS` matches: "1.234,56" and "1,234.56" are the same amount."""
    if digits.isdigit():
        return Decimal(digits)
    from price_parser.parser import parse_number

    try:
        value = parse_number(digits.replace("'", ""))
    except InvalidOperation:
        return None
    return value if isinstance(value, Decimal) else None


def numerals(folded: str, language: str) -> list[Numeral]:
    """Numbers in words: the customer's language, and Chinese characters wherever they stand."""
    base = language.partition("-")[0].lower()
    return [*number_words(folded, base), *han_numbers(folded)]


class _NumberType(SlotType[T]):
    """What the number types share. `minimum` and `maximum` are inclusive."""

    ask = questions.ASK_NUMBER
    hint = questions.HINT_NUMBER
    minimum: ClassVar[float | None] = None
    maximum: ClassVar[float | None] = None

    @classmethod
    def _numbers(cls, text: str, context: SlotContext) -> list[Found[Decimal]]:
        folded = Folded(text)
        return [
            found
            for found in without_overlaps([*_in_digits(folded), *_in_words(folded, context)])
            if (cls.minimum is None or found.value >= cls.minimum) and (cls.maximum is None or found.value <= cls.maximum)
        ]


def _in_digits(folded: Folded) -> Iterator[Found[Decimal]]:
    for match in _ALONE.finditer(folded.text):
        value = amount(match[0].lstrip("-"))
        if value is not None:
            yield folded.found(-value if match[0].startswith("-") else value, *match.span())


def _in_words(folded: Folded, context: SlotContext) -> Iterator[Found[Decimal]]:
    for numeral in numerals(folded.text, context.language):
        counted = _MEASURE.match(folded.text, numeral.end)
        is_han = "\u3000" < folded.text[numeral.start] < "\ua000"
        # "one" and its like are mostly pronouns and articles; a lone 三 is mostly part of a word.
        if context.answering or counted or (not is_han and numeral.value != 1):
            yield folded.found(Decimal(numeral.value), numeral.start, numeral.end)


class Number(_NumberType[Decimal]):
    """A number, kept exactly: `Decimal("2.5")`."""

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[Decimal]]:
        return cls._numbers(text, context)

    @classmethod
    def to_json(cls, value: Decimal) -> str:
        return str(value)

    @classmethod
    def from_json(cls, data: Any) -> Decimal:
        try:
            return Decimal(data)
        except InvalidOperation as error:
            raise ValueError(f"{data!r} is not a number") from error


class WholeNumber(_NumberType[int]):
    """A number without a fraction, such as a quantity."""

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[int]]:
        return [
            Found(value=int(found.value), start=found.start, end=found.end, text=found.text)
            for found in cls._numbers(text, context)
            if found.value == found.value.to_integral_value()
        ]

    @classmethod
    def from_json(cls, data: Any) -> int:
        return int(data)
