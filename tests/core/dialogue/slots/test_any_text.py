"""Whatever is typed, a slot type answers quickly, and its findings stand in the text."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from frontdesk.core.dialogue.slots import (
    Choice,
    Date,
    Email,
    FreeText,
    Money,
    Number,
    Pattern,
    Phone,
    Slot,
    SlotContext,
    WholeNumber,
    YesNo,
)


class Code(Pattern):
    pattern = r"LL-\d{5}"
    loose = r"(?:ll|order)[ -]{0,3}(?P<digits>\d{5})"
    bare = r"(?P<digits>\d{5})"
    canonical = "LL-{digits}"


class Colour(Choice):
    options = {"red": {"en": "red", "zh": "红色"}, "blue": {"en": ["blue", "navy"], "zh": "蓝色"}}  # noqa: RUF012


TYPES = [Code, Colour, Date, Email, FreeText, Money, Number, Phone, WholeNumber, YesNo]
LANGUAGES = ["en", "zh", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "ja", "ko", "ar", "tr", "sv", "zh-TW", ""]
FRAGMENTS = [
    "12", "5月", "3日", "三百", "下周", "May", "3rd", "next", "Friday", "in", "two", "weeks",
    "ago", "€", "$", "元", "20",
    "euros",
    "+49", "030", "a@b.com", "LL-10423", "the", "second", "one", "yes", "no", "please",
    "好的", "not", "2025-02-30", "99/99/9999",
    "99999999", "\ud800", "\0", "é", "ﷺ", "½", "１２", "٣", ",", ".", "-", "/", ":", "@",
    "(", ")", "İ", "ß", "二", "亿", "万", "十",
    "year", "999", "years", "thousand", "million", " ",
]  # fmt: skip
texts = st.one_of(
    st.text(st.characters(), max_size=80), st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
)  # fmt: skip


def context(language: str, region: str, answering: bool) -> SlotContext:
    return SlotContext(
        language=language, now=datetime(2024, 2, 29, 23, tzinfo=UTC), timezone=UTC, region=region, answering=answering
    )


@settings(max_examples=60, deadline=None)
@given(
    text=texts, language=st.sampled_from(LANGUAGES), region=st.sampled_from(["US", "DE", "CN", "", "XX"]), answering=st.booleans()
)
@example(text="\ud800\0", language="en", region="US", answering=True)
@example(text="999 years ago in 999 years 三亿年后", language="zh", region="CN", answering=True)
@pytest.mark.parametrize("slot", TYPES)
def test_findings_stand_in_the_text_and_survive_json(slot, text, language, region, answering):
    end = 0
    for found in slot.find(text, context(language, region, answering)):
        assert end <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.text
        assert slot.from_json(slot.to_json(found.value)) == found.value
        end = found.end


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "1,", "三", "一 ", "two ", "two-", "in two ", "5月", "@",
    "a@", "a.", "yes ", "no, ", "é",
    "e\u0301", "\ud800", "\0",
              "ll ", "(1", "€", "€1", "next ", "1/", "vingt-"],
)  # fmt: skip
@pytest.mark.parametrize("slot", TYPES)
@pytest.mark.parametrize("answering", [True, False])
def test_a_flood_is_not_read_in_quadratic_time(slot, piece, answering):
    """A million characters in quadratic time would take hours, and the tests' time limit ends it."""
    slot.find((piece * 1_000_000)[:1_000_000], context("fr", "DE", answering))


def test_a_slot_is_a_frozen_value():
    slot: Slot[Date] = Slot(value=1, text="one")
    assert slot == Slot(value=1, text="one")
    assert hash(slot) == hash(Slot(value=1, text="one"))
    with pytest.raises(AttributeError):
        slot.value = 2  # type: ignore[misc]


def test_a_slot_type_is_not_called():
    with pytest.raises(TypeError, match="Slot\\[Date\\]"):
        Date()


def test_the_name_follows_the_class():
    assert (Code.name, WholeNumber.name) == ("code", "whole_number")


@pytest.mark.parametrize("slot", [Date, Email, FreeText, Money, Number, Phone, WholeNumber, YesNo, Colour])
def test_every_question_is_written_in_all_languages(slot):
    for language in LANGUAGES[:14]:
        assert slot.ask[language]
        assert slot.hint[language]
