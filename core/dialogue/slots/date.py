"""Calendar days, as people name them: "3 May", "next Friday", "in two weeks", "下周三".

The days of an utterance are found with our own tables: dateparser's search takes "may", "second" and "on" for dates and costs
milliseconds a sentence. dateparser reads a direct answer that the tables do not know.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Literal

from frontdesk.core.dialogue.slots import calendar_words as words
from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType, without_overlaps
from frontdesk.core.dialogue.slots.folding import Folded, fold, phrases
from frontdesk.core.dialogue.slots.numerals import HAN_NUMERAL, han_number, number_values

Prefer = Literal["future", "past"]
MONTH_FIRST = frozenset({"US", "PH", "PW", "MH", "FM", "GU", "PR"})
"""Regions that write the month before the day."""

_ANSWER_LIMIT = 60
_SHORT_LIMIT = 20
_LONE = r"(?<![\w.,:/-])(?:{})(?![\w:/-]|[.,]\d)"
_ISO = re.compile(r"(?<![\d./-])(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?![\d/-]|\.\d)")
_NUMERIC = re.compile(_LONE.format(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})"))
_DOTTED = re.compile(r"(?<![\w.,:/-])(?P<a>\d{1,2})\. ?(?P<b>\d{1,2})\.(?![\w])")
_SHORT = re.compile(_LONE.format(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})"))
_DAY_ONLY = re.compile(r"(?:the |le |el |am |dia |den |il )?(?P<d>\d{1,2})(?:st|nd|rd|th|er|\.|号|號|日|일)?")
_HAN_DATE = re.compile(
    rf"(?:(?P<y>\d{{4}}|[零〇一二三四五六七八九]{{4}}) ?[年년] ?)?(?<!\d)(?P<m>\d{{1,2}}|{HAN_NUMERAL}) ?[月월] ?"
    rf"(?P<d>\d{{1,2}}|{HAN_NUMERAL}) ?[日号號일]"
)
_HAN_WEEKDAY = re.compile(
    r"(?P<shift>上上|上|这|這|本|下下|下)?[个個]?(?<![一二三四五六七八九十两每\d])(?:周|週|星期|礼拜|禮拜)(?P<day>[一二三四五六日天])"
)
_HAN_SHIFTS = {"上上": -2, "上": -1, "这": 0, "這": 0, "本": 0, "下": 1, "下下": 2}


class Date(SlotType[date]):
    """A calendar day in the customer's time zone. `prefer` decides which one "Friday" or "3 May" without a year means."""

    ask = questions.ASK_DATE
    hint = questions.HINT_DATE
    prefer: ClassVar[Prefer] = "future"

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[date]]:
        folded = Folded(text)
        today = context.local_now.date()
        base = context.language.partition("-")[0].lower()
        candidates = [*_numeric(folded, context), *_han(folded, today, cls.prefer)]
        for language in dict.fromkeys((base, "en", "zh")):
            candidates.extend(_named(folded, language, today, cls.prefer))
            candidates.extend(_relative(folded, language, today, cls.prefer))
        found = without_overlaps(candidates)
        if not found and context.answering:
            return _answer(text, folded, context, cls.prefer)
        return found

    @classmethod
    def to_json(cls, value: date) -> str:
        return value.isoformat()

    @classmethod
    def from_json(cls, data: Any) -> date:
        return date.fromisoformat(data)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _without_year(month: int, day: int, today: date, prefer: Prefer) -> date | None:
    """The nearest such day in the preferred direction, today included; up to eight years on for the 29th of February."""
    step = 1 if prefer == "future" else -1
    for distance in range(9):
        day_found = _date(today.year + step * distance, month, day)
        if day_found is not None and (day_found >= today if prefer == "future" else day_found <= today):
            return day_found
    return None


def _century(year: str) -> int:
    return int(year) + (2000 if len(year) == 2 else 0)


def _numeric(folded: Folded, context: SlotContext) -> Iterator[Found[date]]:
    for match in _ISO.finditer(folded.text):
        if day := _date(int(match["y"]), int(match["m"]), int(match["d"])):
            yield folded.found(day, *match.span())
    for match in _NUMERIC.finditer(folded.text):
        if day := _ordered(int(match["a"]), int(match["b"]), _century(match["y"]), context):
            yield folded.found(day, *match.span())


def _ordered(first: int, second: int, year: int, context: SlotContext) -> date | None:
    """Month first or day first as the region writes it; the other way when only that is a date."""
    by_region, other = ((year, first, second), (year, second, first))
    if context.region.upper() not in MONTH_FIRST:
        by_region, other = other, by_region
    return _date(*by_region) or _date(*other)


def _han(folded: Folded, today: date, prefer: Prefer) -> Iterator[Found[date]]:
    for match in _HAN_DATE.finditer(folded.text):
        month, day = (int(part) if part.isdigit() else han_number(part) for part in (match["m"], match["d"]))
        if match["y"]:
            found = _date(int(match["y"]) if match["y"].isdigit() else han_number(match["y"]), month, day)
        else:
            found = _without_year(month, day, today, prefer)
        if found:
            yield folded.found(found, *match.span())
    for match in _HAN_WEEKDAY.finditer(folded.text):
        weekday = 6 if match["day"] == "天" else "一二三四五六日".index(match["day"])
        if match["shift"]:
            monday = today - timedelta(days=today.weekday())
            value = monday + timedelta(days=weekday, weeks=_HAN_SHIFTS[match["shift"]])
        else:
            value = _nearest(weekday, today, prefer)
        yield folded.found(value, *match.span())


def _nearest(weekday: int, today: date, prefer: Prefer) -> date:
    if prefer == "past":
        return today - timedelta(days=(today.weekday() - weekday) % 7)
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _shifted(weekday: int, shift: int, today: date, prefer: Prefer, language: str) -> date:
    if shift == 0:
        return _nearest(weekday, today, prefer)
    if shift == -1 and language not in ("ja", "ko"):  # the last one there was; Japanese and Korean count in weeks
        return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
    return today - timedelta(days=today.weekday()) + timedelta(days=weekday, weeks=shift)


def _indexed(row: str) -> dict[str, int]:
    return {fold(form.replace("_", " ")): index for index, forms in enumerate(row.split()) for form in forms.split("/")}


@cache
def _months(language: str) -> tuple[dict[str, int], re.Pattern[str] | None]:
    names = _indexed(words.MONTHS.get(language, ""))
    if not names:
        return names, None
    name = phrases(names)
    year = r"(?:,? ?(?:de |del )?(?P<{}>\d{{4}})(?!\d))?"
    ordinal = r"(?:st|nd|rd|th|er|º|ª|°|\.)?"
    return names, re.compile(
        rf"(?<![\d.,:/-])(?P<d>\d{{1,2}}){ordinal} ?(?:of |de |del |do )?(?P<m>{name})\.?{year.format('y')}"
        rf"|(?P<m2>{name})\.? (?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:/-]|[.,]\d){year.format('y2')}"
    )


def _named(folded: Folded, language: str, today: date, prefer: Prefer) -> Iterator[Found[date]]:
    """A day's number beside the name of a month."""
    months, pattern = _months(language)
    for match in pattern.finditer(folded.text) if pattern else ():
        month = months[re.sub(" +", " ", match["m"] or match["m2"])] + 1
        day = int(match["d"] or match["d2"])
        year = match["y"] or match["y2"]
        found = _date(int(year), month, day) if year else _without_year(month, day, today, prefer)
        if found:
            yield folded.found(found, *match.span())


@cache
def _weekdays(language: str) -> tuple[dict[str, int], dict[str, int], re.Pattern[str] | None]:
    days = _indexed(words.WEEKDAYS.get(language, ""))
    shifts = {
        fold(form.replace("_", " ")): shift
        for shift, forms in words.WEEK_SHIFTS.get(language, {}).items()
        for form in forms.split("/")
    }
    if not days:
        return days, shifts, None
    shift = phrases(shifts)
    return days, shifts, re.compile(rf"(?:(?P<before>{shift}) ?)?(?P<day>{phrases(days)})(?: (?P<after>{shift}))?")


@cache
def _days(language: str) -> tuple[dict[str, int], re.Pattern[str], re.Pattern[str]]:
    offsets = {
        fold(form.replace("_", " ")): offset
        for offset, forms in words.DAYS.get(language, {}).items()
        for form in forms.split("/")
    }
    return offsets, re.compile(phrases(offsets)), re.compile(phrases(words.NOT_DAYS.get(language, [])))


@cache
def _counted(language: str) -> list[tuple[int, re.Pattern[str]]]:
    """Patterns of "in # days" and "# days ago", with the direction each points in."""
    if language not in words.COUNTED:
        return []
    numbers = phrases([*number_values(language), *words.ARTICLES.get(language, [])])
    count = rf"(?:(?P<n>\d{{1,3}}|{HAN_NUMERAL}|{numbers})[ -]?)(?P<unit>{phrases(_indexed(words.UNITS[language]))})"
    if language in ("ar", "pl", "ru"):  # "in a week" needs no word for "a"
        count = rf"(?:(?P<n>\d{{1,3}}|{numbers}) )?(?P<unit>{phrases(_indexed(words.UNITS[language]))})"
    patterns = []
    for direction, forms in zip((1, -1), words.COUNTED[language], strict=True):
        for form in forms:
            before, after = (fold(part) for part in form.split("#"))
            patterns.append(
                (direction, re.compile((phrases([before.strip()]) + " " if before else "") + count
                 + (" ?" + phrases([after.strip()]) if after else "")))
            )  # fmt: skip
    return patterns


def _relative(folded: Folded, language: str, today: date, prefer: Prefer) -> Iterator[Found[date]]:
    text = folded.text
    days, shifts, weekday_pattern = _weekdays(language)
    for match in weekday_pattern.finditer(text) if weekday_pattern else ():
        shift = shifts[re.sub(" +", " ", word)] if (word := match["before"] or match["after"]) else 0
        yield folded.found(_shifted(days[match["day"]], shift, today, prefer, language), *match.span())
    offsets, pattern, not_days = _days(language)
    excluded = [match.span() for match in not_days.finditer(text)]
    for match in pattern.finditer(text):
        if not any(start <= match.start() < end for start, end in excluded):
            yield folded.found(today + timedelta(days=offsets[re.sub(" +", " ", match[0])]), *match.span())
    for direction, counted in _counted(language):
        for match in counted.finditer(text):
            unit = _indexed(words.UNITS[language])[re.sub(" +", " ", match["unit"])]
            count = _count(re.sub(r"[ -]+", " ", match["n"] or "1"), language)
            yield folded.found(_moved(today, direction * count, unit), *match.span())


def _count(number: str, language: str) -> int:
    if number.isdigit():
        return int(number)
    value = number_values(language).get(number) or words.ARTICLE_VALUES.get(number)
    # Longer stretches than a few thousand units are no dates of a customer; the limit also keeps the year in range.
    return min(value if value is not None else han_number(number), 999)


def _moved(today: date, count: int, unit: int) -> date:
    """`today` moved by `count` days (unit 0), weeks (1), months (2) or years (3); the 31st becomes the month's last day."""
    if unit < 2:
        return today + timedelta(days=count * (7 if unit else 1))
    months = today.year * 12 + today.month - 1 + count * (1 if unit == 2 else 12)
    year, month = min(max(months // 12, 1), 9999), months % 12 + 1
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _answer(text: str, folded: Folded, context: SlotContext, prefer: Prefer) -> list[Found[date]]:
    """The lenient readings of a short direct answer: "3/4", "3.4.", "the 5th", and whatever dateparser knows."""
    today = context.local_now.date()
    for pattern in (_DOTTED, _SHORT) if len(text.strip()) <= _SHORT_LIMIT else ():
        for match in pattern.finditer(folded.text):
            first, second = int(match["a"]), int(match["b"])
            if context.region.upper() not in MONTH_FIRST or pattern is _DOTTED:
                first, second = second, first
            day = _without_year(first, second, today, prefer) or _without_year(second, first, today, prefer)
            if day:
                return [folded.found(day, *match.span())]
    stripped = folded.text.strip(" .!?")
    if day_only := _DAY_ONLY.fullmatch(stripped):
        day = _in_month(int(day_only["d"]), today, prefer)
    else:
        day = _by_dateparser(text.strip(), context, prefer)
    if day is None:
        return []
    start = text.index(text.strip())
    return [Found(value=day, start=start, end=start + len(text.strip()), text=text.strip())]


def _in_month(day: int, today: date, prefer: Prefer) -> date | None:
    """The nearest month's day of that number."""
    step = 1 if prefer == "future" else -1
    for distance in range(3):
        month = _moved(today.replace(day=1), step * distance, 2)
        found = _date(month.year, month.month, day)
        if found and (found >= today if prefer == "future" else found <= today):
            return found
    return None


def _by_dateparser(text: str, context: SlotContext, prefer: Prefer) -> date | None:
    if not text or len(text) > _ANSWER_LIMIT or text.isdecimal() or not any(map(str.isalnum, text)):
        return None
    import dateparser

    base = context.language.partition("-")[0].lower()
    settings = {
        "RELATIVE_BASE": context.local_now.replace(tzinfo=None),
        "PREFER_DATES_FROM": prefer,
        "DATE_ORDER": "MDY" if context.region.upper() in MONTH_FIRST else "DMY",
        "REQUIRE_PARTS": ["day"],
        "PARSERS": ["relative-time", "absolute-time"],
    }
    try:
        read: datetime | None = dateparser.parse(text, languages=list(dict.fromkeys((base, "en"))), settings=settings)
    except Exception:  # unknown languages, overflows and worse, on what a customer typed: it is then no date
        return None
    return read.date() if read else None
