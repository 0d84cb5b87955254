from datetime import UTC, datetime

import pytest

from frontdesk.core.dialogue.slots import SlotContext, SlotType
from frontdesk.plugins.orders.countries import country_named
from frontdesk.plugins.orders.slots import Address, OrderId, Reason, is_post_box


def read(slot: type[SlotType[str]], text: str, *, answering: bool = False, language: str = "en") -> list[str]:
    context = SlotContext(language=language, now=datetime.now(UTC), timezone=UTC, region="NL", answering=answering)
    return [found.value for found in slot.find(text, context)]


@pytest.mark.parametrize(
    "text",
    [
        "where is LL-10423?",
        "ll10423 please",
        "ll 10423",
        "my order number is 10423",
        "order no. 10423",
        "order #10423",
        "#10423",
        "订单10423还没到",
        "我的订单号是10423",
        "订单号：10423",
        "ＬＬ－１０４２３",
    ],
)
def test_order_numbers_are_found_in_loose_forms(text: str) -> None:
    assert read(OrderId, text) == ["LL-10423"]


@pytest.mark.parametrize("text", ["I live in 10423 Berlin", "LL-104234", "call 0104 23456", "LL-1042", "order 2 kettles"])
def test_other_numbers_are_no_order(text: str) -> None:
    assert read(OrderId, text) == []


def test_bare_digits_count_in_an_answer() -> None:
    assert read(OrderId, "it's 10423", answering=True) == ["LL-10423"]


@pytest.mark.parametrize(
    "text", ["Lindenstraße 5, 10969 Berlin", "14 rue des Carmes\n31000 Toulouse", "上海市静安区南京西路1266号"]
)
def test_an_address_has_a_number_and_words(text: str) -> None:
    assert read(Address, text, answering=True) == [" ".join(text.split())]


@pytest.mark.parametrize("text", ["where is my order?", "LL-10423 please", "no idea", "12", "me@example.com 5", "x 1 " * 200])
def test_other_answers_are_no_address(text: str) -> None:
    assert read(Address, text, answering=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "change the address of LL-10423 to Lindenstraße 5, 10969 Berlin",
        "please deliver it to Lindenstraße 5, 10969 Berlin.",
        "把订单 LL-10423 的地址改成 Lindenstraße 5, 10969 Berlin",
    ],
)
def test_an_address_is_found_where_it_is_announced(text: str) -> None:
    assert read(Address, text) == ["Lindenstraße 5, 10969 Berlin"]


@pytest.mark.parametrize("text", ["change my address to my new flat", "change the address of LL-10423", "I moved on 3 May"])
def test_no_address_is_read_into_a_wish(text: str) -> None:
    assert read(Address, text) == []


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("Hauptstr. 3, 10115 Berlin, Germany", "DE"),
        ("Hauptstr. 3, 10115 Berlin Deutschland", "DE"),
        ("德国柏林 Hauptstr. 3", "DE"),
        ("上海市静安区南京西路1266号，中国", "CN"),
        ("Nederlandstraat 5, 3512 LP Utrecht", None),
        ("Rue de France 3, 31000 Toulouse", None),
    ],
)
def test_the_country_of_an_address(address: str, country: str | None) -> None:
    assert country_named(address) == country


def test_post_boxes() -> None:
    assert is_post_box("P.O. Box 12, Utrecht")
    assert is_post_box("Postbus 12, Utrecht")
    assert not is_post_box("Boxweg 12, Utrecht")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("it arrived broken", "damaged"), ("2", "wrong_item"), ("我改变主意了", "changed_mind"), ("Another reason", "other")],
)
def test_reasons(text: str, reason: str) -> None:
    assert read(Reason, text, answering=True) == [reason]
