from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from frontdesk.core.text import Text
from frontdesk.plugins.orders import policy
from frontdesk.plugins.orders.values import Line, LineKind, Order

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def line(kind: LineKind = "item", price: int = 50_00) -> Line:
    return Line(name=Text(en="Thing", zh="东西"), kind=kind, quantity=1, price=price)


def order(status: Any = "processing", *lines: Line, **fields: Any) -> Order:
    given: dict[str, Any] = {
        "number": "LL-10001",
        "email": "a@example.com",
        "customer": "A",
        "address": "Road 1, Town",
        "country": "NL",
        "placed": NOW - timedelta(days=9),
        "delivered": NOW - timedelta(days=5) if status == "delivered" else None,
        "shipping": 4_95,
    }
    return Order(status=status, lines=lines or (line(),), **(given | fields))


def test_personalised_items_are_cancelled_within_two_hours() -> None:
    fresh = order("processing", line("personalised"), placed=NOW - timedelta(hours=2))
    assert policy.cancel_refused(fresh, NOW) is None
    assert policy.cancel_refused(fresh, NOW + timedelta(seconds=1)) is not None


def test_returns_end_thirty_days_after_delivery() -> None:
    delivered = order("delivered", delivered=NOW - timedelta(days=30))
    assert policy.refund_refused(delivered, NOW) is None
    refusal = policy.refund_refused(delivered, NOW + timedelta(seconds=1))
    assert refusal is not None
    assert "4 April 2026" in refusal.text["en"]
    assert "2026年4月4日" in refusal.text["zh"]


@pytest.mark.parametrize("kind", ["gift_card", "personalised"])
def test_gift_cards_and_personalised_items_are_kept(kind: LineKind) -> None:
    assert policy.refund_refused(order("delivered", line(kind)), NOW) is not None
    mixed = order("delivered", line(price=20_00), line(kind))
    assert policy.refund_refused(mixed, NOW) is None
    assert policy.refund(mixed, "other").amount == 20_00 - 3_95


@pytest.mark.parametrize(
    ("reason", "express", "amount"), [("changed_mind", False, 51_00), ("wrong_item", False, 54_95), ("other", True, 46_05)]
)
def test_a_whole_return_gives_back_standard_shipping_less_the_label(reason: str, express: bool, amount: int) -> None:
    assert policy.refund(order("delivered", express=express), reason).amount == amount


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled", "refunded"])
def test_refusals_name_the_order_in_both_languages(status: str) -> None:
    for refusal in (policy.cancel_refused(order(status), NOW), policy.move_refused(order(status))):
        assert refusal is not None
        assert all("LL-10001" in words and "{" not in words for words in refusal.text.values())
