"""Handlers called as functions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from frontdesk.core.conversations import Conversation
from frontdesk.core.dialogue.slots import Email, Slot
from frontdesk.core.messages import Contact, Entry
from frontdesk.core.outcomes import AskSlot, Confirm, Escalate, Reply
from frontdesk.core.testing import a_message
from frontdesk.core.turn import Turn
from frontdesk.plugins.orders import Orders, OrdersSettings
from frontdesk.plugins.orders.plugin import cancel_now, cancel_order, change_address, mentioned, order_status, refund_now
from frontdesk.plugins.orders.slots import Address, OrderId

NOW = datetime.now(UTC)
SETTINGS = OrdersSettings()


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncIterator[Orders]:
    orders = await Orders.open(tmp_path / "orders.sqlite3", now=NOW)
    yield orders
    await orders.close()


async def no_history(conversation: str, limit: int) -> list[Entry]:
    return []


def a_turn(contact: Contact | None = None) -> Turn:
    state = Conversation(
        id="test:1", channel="test", contact=contact or Contact(id="test:1"), created=NOW, updated=NOW, language="en"
    )
    return Turn(state, (a_message(),), now=NOW, read_history=no_history, plugin="orders")


def order(number: str) -> Slot[OrderId]:
    return Slot(value=number, text=number)


async def test_a_repeated_turn_says_the_same(orders: Orders) -> None:
    first = await cancel_now(a_turn(), "LL-10423", orders)
    second = await cancel_now(a_turn(), "LL-10423", orders)
    assert isinstance(first, Reply)
    assert first == second
    first = await refund_now(a_turn(), "LL-10408", "other", 30_90, orders)
    second = await refund_now(a_turn(), "LL-10408", "other", 30_90, orders)
    assert isinstance(first, Reply)
    assert first == second


async def test_a_confirmation_names_the_step_and_the_order(orders: Orders) -> None:
    outcome = await cancel_order(a_turn(), order("LL-10423"), orders, SETTINGS)
    assert isinstance(outcome, Confirm)
    assert (outcome.then, outcome.args) == (cancel_now, {"number": "LL-10423"})


async def test_who_is_verified_by_the_channel_is_not_asked_for_the_email(orders: Orders) -> None:
    address: Slot[Address] = Slot(value="Nieuwegracht 4, 3512 LP Utrecht", text="")
    verified = Contact(id="anna", email="Anna.Visser@example.com", verified=True)
    claimed = Contact(id="anna", email="anna.visser@example.com")
    assert isinstance(await change_address(a_turn(verified), order("LL-10423"), None, address, orders, SETTINGS), Confirm)
    asked = await change_address(a_turn(claimed), order("LL-10423"), None, address, orders, SETTINGS)
    assert isinstance(asked, AskSlot)
    assert asked.slot == "email"


async def test_after_too_many_guesses_even_the_right_one_goes_to_a_person(orders: Orders) -> None:
    turn = a_turn()
    wrong: Slot[Email] = Slot(value="guess@example.com", text="guess@example.com")
    for _ in range(4):
        assert isinstance(await change_address(turn, order("LL-10423"), wrong, None, orders, SETTINGS), AskSlot)
    assert isinstance(await change_address(turn, order("LL-10423"), wrong, None, orders, SETTINGS), Escalate)
    assert isinstance(await order_status(turn, order("LL-10423"), orders, SETTINGS), Escalate)


async def test_guesses_are_forgotten_after_a_day(orders: Orders) -> None:
    turn = a_turn()
    for _ in range(5):
        await order_status(turn, order("LL-99999"), orders, SETTINGS)
    for hours, expected in ((23, Escalate), (25, Reply)):
        turn.now = NOW + timedelta(hours=hours)
        assert isinstance(await order_status(turn, order("LL-10423"), orders, SETTINGS), expected)


async def test_orders_that_were_named_are_offered_the_last_first(orders: Orders) -> None:
    turn = a_turn()
    assert await mentioned(turn, orders) == []
    for number in ("LL-10423", "LL-10424", "LL-99999", "LL-10423"):
        await order_status(turn, order(number), orders, SETTINGS)
    offered = await mentioned(turn, orders)
    assert [choice.value for choice in offered] == ["LL-10423", "LL-10424"]
    assert offered[0].label == "LL-10423 (Brass lantern)"


@pytest.mark.parametrize(("number", "offers"), [("LL-10423", 2), ("LL-10405", 1), ("LL-10416", 0), ("LL-10401", 0)])
async def test_a_status_offers_what_is_possible(orders: Orders, number: str, offers: int) -> None:
    reply = await order_status(a_turn(), order(number), orders, SETTINGS)
    assert isinstance(reply, Reply)
    assert len(reply.choices) == offers
