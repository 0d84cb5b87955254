from decimal import Decimal

import pytest

from frontdesk.core.dialogue.slots import Amount, Money, Number, WholeNumber


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [("en", "12", "12"), ("en", "１２", "12"), ("ar", "١٢", "12"), ("en", "2.5", "2.5"), ("en", "-5", "-5"),
     ("en", "1,234.56", "1234.56"), ("de", "1.234,56", "1234.56"), ("en", "two hundred and five", "205"),
     ("en", "two thousand five hundred", "2500"), ("en", "one", "1"), ("zh", "三", "3"), ("zh", "两个", "2"),
     ("zh", "三百五", "350"), ("zh", "一百零五", "105"), ("zh", "一零四二三", "10423"), ("zh", "一万二千", "12000"),
     ("de", "dreiundzwanzig", "23"), ("fr", "quatre-vingt-dix-sept", "97"), ("fr", "vingt et un", "21"),
     ("es", "treinta y uno", "31"), ("es", "veintidós", "22"), ("pt", "vinte e dois", "22"), ("it", "ventuno", "21"),
     ("nl", "eenentwintig", "21"), ("pl", "dwadzieścia jeden", "21"), ("ru", "двести пять", "205"), ("ja", "三つ", "3"),
     ("ko", "두 개", "2"), ("ar", "ثلاثة", "3"), ("tr", "yüz yirmi üç", "123")],
)  # fmt: skip
def test_numbers(values, language, text, expected):
    assert values(Number, text, language) == [Decimal(expected)]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "the other one, LL-10423 of 2025-05-03"), ("en", "at 10:30"), ("zh", "一下"), ("en", "v1.2.3"), ("zh", "星期三")],
)
def test_what_is_no_number_in_an_utterance(values, language, text):
    assert values(Number, text, language, answering=False) == []


def test_words_beside_each_other_are_separate_numbers(values):
    assert values(WholeNumber, "one two three") == [1, 2, 3]


def test_limits_and_whole_numbers(values):
    class Quantity(WholeNumber):
        minimum = 1
        maximum = 10

    assert values(Quantity, "0") == []
    assert values(Quantity, "2.5") == []
    assert values(Quantity, "either 3 or 12 of them") == [3]


@pytest.mark.parametrize(
    ("language", "region", "text", "amount", "currency"),
    [("en", "US", "20 euros", "20", "EUR"), ("en", "US", "€20.50", "20.50", "EUR"),
     ("de", "DE", "1.234,56 €", "1234.56", "EUR"),
     ("fr", "FR", "1 234,56 €", "1234.56", "EUR"), ("zh", "CN", "退我20元", "20", "CNY"),
     ("zh", "CN", "二十块", "20", "CNY"),
     ("zh", "CN", "5块5", "5.5", "CNY"), ("zh", "CN", "三百欧元", "300", "EUR"), ("en", "CA", "$15", "15", "CAD"),
     ("en", "US", "they took $15 of mine", "15", "USD"), ("en", "US", "twenty euros", "20", "EUR"),
     ("en", "US", "USD 30", "30", "USD"),
     ("pl", "PL", "20 zł", "20", "PLN"), ("ru", "RU", "200 рублей", "200", "RUB"),
     ("ja", "JP", "2000円", "2000", "JPY"),
     ("ko", "KR", "2만원", "20000", "KRW"), ("ar", "AE", "٢٠ يورو", "20", "EUR"), ("tr", "TR", "20 lira", "20", "TRY"),
     ("pt", "BR", "R$ 15,50", "15.50", "BRL"), ("ja", "JP", "¥500", "500", "JPY"), ("zh", "CN", "¥500", "500", "CNY")],
)  # fmt: skip
@pytest.mark.parametrize("answering", [True, False])
def test_money(values, language, region, text, amount, currency, answering):
    expected = [Amount(amount=Decimal(amount), currency=currency)]
    assert values(Money, text, language, region=region, answering=answering) == expected


def test_a_bare_answer_is_in_the_regions_currency(values):
    assert values(Money, "12", region="GB") == [Amount(amount=Decimal(12), currency="GBP")]
    assert values(Money, "12", region="GB", answering=False) == []


@pytest.mark.parametrize("text", ["try 5 times", "2 real issues", "order 10423", "I won 3 of them", "公元2025年"])
def test_what_is_no_money(values, text):
    assert values(Money, text, answering=False) == []
