from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from frontdesk.core.dialogue.slots import Date, SlotContext

ANYWHERE = [
    ("en", "tomorrow", "2025-05-15"),
    ("en", "could it come the day after tomorrow?", "2025-05-16"),
    ("en", "next Friday", "2025-05-23"),
    ("en", "on Friday please", "2025-05-16"),
    ("en", "last Monday", "2025-05-12"),
    ("en", "the 3rd of May", "2026-05-03"),
    ("en", "May 20th, 2025", "2025-05-20"),
    ("en", "in two weeks", "2025-05-28"),
    ("en", "I ordered it a week ago", "2025-05-07"),
    ("en", "2025-06-01", "2025-06-01"),
    ("zh", "明天能到吗", "2025-05-15"),
    ("zh", "大后天", "2025-05-17"),
    ("zh", "下周三", "2025-05-21"),
    ("zh", "下个星期五", "2025-05-23"),
    ("zh", "上周五买的", "2025-05-09"),
    ("zh", "5月3日", "2026-05-03"),
    ("zh", "五月三号", "2026-05-03"),
    ("zh", "二〇二五年六月一日", "2025-06-01"),
    ("zh", "三天后", "2025-05-17"),
    ("de", "übermorgen", "2025-05-16"),
    ("de", "nächsten Freitag", "2025-05-23"),
    ("de", "am 3. Juni", "2025-06-03"),
    ("de", "vor zwei Wochen", "2025-04-30"),
    ("de", "3.6.2025", "2025-06-03"),
    ("fr", "vendredi prochain", "2025-05-23"),
    ("fr", "le 1er juin", "2025-06-01"),
    ("fr", "il y a deux semaines", "2025-04-30"),
    ("es", "pasado mañana", "2025-05-16"),
    ("es", "manana", "2025-05-15"),
    ("es", "3 de junio de 2025", "2025-06-03"),
    ("es", "el próximo viernes", "2025-05-16"),
    ("pt", "depois de amanhã", "2025-05-16"),
    ("pt", "sexta-feira", "2025-05-16"),
    ("it", "dopodomani", "2025-05-16"),
    ("it", "tra tre giorni", "2025-05-17"),
    ("nl", "overmorgen", "2025-05-16"),
    ("nl", "over 2 weken", "2025-05-28"),
    ("pl", "w następny piątek", "2025-05-23"),
    ("pl", "za tydzień", "2025-05-21"),
    ("ru", "в следующую пятницу", "2025-05-23"),
    ("ru", "через 3 дня", "2025-05-17"),
    ("ja", "来週の金曜日", "2025-05-23"),
    ("ja", "3日後", "2025-05-17"),
    ("ko", "다음 주 금요일", "2025-05-23"),
    ("ko", "6월 3일", "2025-06-03"),
    ("ar", "غدا", "2025-05-15"),
    ("ar", "الجمعة القادمة", "2025-05-23"),
    ("ar", "٣ يونيو", "2025-06-03"),
    ("tr", "yarın", "2025-05-15"),
    ("tr", "3 gün sonra", "2025-05-17"),
    ("en", "明天", "2025-05-15"),
]


@pytest.mark.parametrize(("language", "text", "expected"), ANYWHERE)
@pytest.mark.parametrize("answering", [True, False])
def test_days_in_fourteen_languages(values, language, text, expected, answering):
    assert values(Date, text, language, region="DE", answering=answering) == [date.fromisoformat(expected)]


@pytest.mark.parametrize(("region", "expected"), [("US", date(2025, 3, 4)), ("GB", date(2025, 4, 3)), ("DE", date(2025, 4, 3))])
def test_the_region_decides_the_order_of_day_and_month(values, region, expected):
    assert values(Date, "since 03/04/2025", region=region, answering=False) == [expected]


def test_the_only_possible_order_is_taken(values):
    assert values(Date, "25/12/2025", region="US") == [date(2025, 12, 25)]
    assert values(Date, "31/04/2025", region="GB") == []


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [("en", "the 20th", date(2025, 5, 20)), ("en", "5", date(2025, 6, 5)), ("de", "3.6.", date(2025, 6, 3)),
     ("zh", "20号", date(2025, 5, 20)), ("en", "3/6", date(2025, 6, 3)), ("uk", "завтра", date(2025, 5, 15))],
)  # fmt: skip
def test_an_answer_is_read_leniently(values, language, text, expected):
    assert values(Date, text, language, region="DE") == [expected]
    assert values(Date, text, language, region="DE", answering=False) == []


NOT_DATES = [
    ("en", "I may want a second opinion"),
    ("en", "my order 10423 has not arrived"),
    ("en", "on a march to the sun, sat and wed"),
    ("en", "24/7 support, 1/2 price, version 1.2.3"),
    ("en", "call 030 123456"),
    ("en", "may"),
    ("en", "10423"),
    ("en", "I don't know"),
    ("zh", "一周三次"),
    ("zh", "我要三个月饼"),
    ("de", "Guten Morgen, wo ist mein Paket?"),
    ("es", "por la mañana"),
    ("fr", "je veux deux articles"),
]


@pytest.mark.parametrize(("language", "text"), NOT_DATES)
def test_ordinary_sentences_hold_no_dates(values, language, text):
    assert values(Date, text, language, answering=False) == []


@pytest.mark.parametrize("text", ["may", "10423", "I don't know", "I may want a second opinion"])
def test_an_answer_without_a_day_is_no_date(values, text):
    assert values(Date, text) == []


def test_a_subclass_may_prefer_the_past(values):
    class OrderedOn(Date):
        prefer = "past"

    assert values(OrderedOn, "Friday") == [date(2025, 5, 9)]
    assert values(OrderedOn, "June 3") == [date(2024, 6, 3)]


def test_today_is_the_customers_day():
    zone = timezone(timedelta(hours=10))
    now = datetime(2025, 5, 14, 20, tzinfo=UTC)
    context = SlotContext(language="en", now=now, timezone=zone, region="AU", answering=True)
    assert [found.value for found in Date.find("today", context)] == [date(2025, 5, 15)]


def test_the_context_must_be_aware():
    with pytest.raises(ValueError, match="aware"):
        SlotContext(language="en", now=datetime(2025, 5, 14), timezone=UTC, region="US", answering=True)  # noqa: DTZ001
