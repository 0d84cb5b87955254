"""Amounts of money: a number beside the sign, code or word of a currency."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType, without_overlaps
from frontdesk.core.dialogue.slots.currencies import AFTER_ONLY, BY_REGION, HOME, SHARED, WORDS
from frontdesk.core.dialogue.slots.folding import LETTER, Folded, fold, is_unspaced, phrases
from frontdesk.core.dialogue.slots.number import DIGITS, Number, amount, numerals
from frontdesk.core.dialogue.slots.numerals import HAN_NUMERAL, Numeral, han_number


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An exact amount in a currency, by its ISO 4217 code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Money(SlotType[Amount]):
    """An amount with its currency. An answer without one is in the region's own currency."""

    ask = questions.ASK_MONEY
    hint = questions.HINT_MONEY

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[Amount]]:
        folded = Folded(text)
        candidates = []
        for match in _digits_pattern().finditer(folded.text):
            value = amount(match["before"] or match["after"])
            if value is None:
                continue
            if match["myriads"]:
                value *= 10_000
            if match["cents"]:
                value += Decimal(match["cents"]) / 10
            sign = match["sign"] or match["word"]
            candidates.append(folded.found(_amount(value, sign, context), *match.span()))
        for match in _han_pattern().finditer(folded.text):
            han = Decimal(han_number(match["number"]))
            candidates.append(folded.found(_amount(han, match["word"], context), *match.span()))
        for numeral, word in _worded(folded.text, context.language):
            worded = _amount(Decimal(numeral.value), word[0].strip(" -"), context)
            candidates.append(folded.found(worded, numeral.start, word.end()))
        found = without_overlaps(candidates)
        if not found and context.answering and context.region.upper() in HOME:
            currency = HOME[context.region.upper()]
            return [
                Found(value=Amount(amount=number.value, currency=currency), start=number.start, end=number.end, text=number.text)
                for number in Number.find(text, context)
                if number.value >= 0
            ]
        return found

    @classmethod
    def to_json(cls, value: Amount) -> dict[str, str]:
        return {"amount": str(value.amount), "currency": value.currency}

    @classmethod
    def from_json(cls, data: Any) -> Amount:
        try:
            return Amount(amount=Decimal(data["amount"]), currency=str(data["currency"]))
        except (InvalidOperation, KeyError) as error:
            raise ValueError("an amount has the keys amount and currency") from error


def _amount(value: Decimal, sign: str, context: SlotContext) -> Amount:
    code = _codes()[re.sub(r" +", " ", sign)]
    by_region = BY_REGION.get(code)
    return Amount(amount=value, currency=by_region.get(context.region.upper(), by_region[""]) if by_region else code)


@cache
def _codes() -> dict[str, str]:
    """ISO code, or the group of currencies that share a word, by folded word."""
    return {fold(word): key for table in (SHARED, WORDS) for key, words in table.items() for word in words}


@cache
def _digits_pattern() -> re.Pattern[str]:
    before_number = phrases(word for word in _codes() if word not in map(fold, AFTER_ONLY))
    word = phrases(_codes())
    return re.compile(
        rf"(?P<sign>{before_number}) ?(?P<after>{DIGITS})(?!\d|[.,]\d)"
        rf"|(?<![a-z0-9_.,-])(?P<before>{DIGITS})(?P<myriads>[万萬만])? ?-?(?P<word>{word})(?:(?<=[块塊])(?P<cents>\d)(?!\d))?"
    )


@cache
def _han_pattern() -> re.Pattern[str]:
    word = phrases(word for word in _codes() if is_unspaced(word[0]))
    return re.compile(rf"(?P<number>{HAN_NUMERAL})(?P<word>{word})")


@cache
def _word_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"[ -]?{phrases(word for word in _codes() if len(word) > 2 and word not in map(fold, AFTER_ONLY))}(?!{LETTER})"
    )


def _worded(folded: str, language: str) -> list[tuple[Numeral, re.Match[str]]]:
    found = []
    for numeral in numerals(folded, language):
        word = _word_pattern().match(folded, numeral.end)
        if word:
            found.append((numeral, word))
    return found
