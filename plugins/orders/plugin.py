"""The intents of the orders plugin."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from frontdesk.core.dialogue.slots import Email, Slot
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import AskSlot, Confirm, Escalate, Outcome, Reply
from frontdesk.core.plugin import DataFolder, Plugin
from frontdesk.core.text import Text
from frontdesk.core.turn import Turn
from frontdesk.plugins.orders import examples, policy, words
from frontdesk.plugins.orders.countries import country_named
from frontdesk.plugins.orders.database import Orders
from frontdesk.plugins.orders.policy import Refusal
from frontdesk.plugins.orders.slots import Address, OrderId, Reason, is_post_box
from frontdesk.plugins.orders.values import Order
from frontdesk.plugins.orders.words import fill

GUESSES_COUNT_FOR = timedelta(hours=24)
REMEMBERED = 5
"""So many orders of a conversation are offered when an order number is asked for."""


class OrdersSettings(BaseModel, extra="forbid"):
    """`database` is a file, made and filled with the demo shop's orders at the first start; relative to the data folder.

    `attempts` is how many wrong order numbers and e-mail addresses a conversation may try before a person is called, for a
    day after the first of them.
    """

    database: Path = Path("orders.sqlite3")
    attempts: int = Field(5, ge=1)


plugin = Plugin("orders", description="Order status, cancellation, address and refund", settings=OrdersSettings)


@plugin.provide
async def open_orders(settings: OrdersSettings, folder: DataFolder) -> AsyncIterator[Orders]:
    orders = await Orders.open(folder / settings.database)
    yield orders
    await orders.close()


@plugin.options(OrderId)
async def mentioned(turn: Turn, orders: Orders) -> Sequence[Choice]:
    """The orders that this conversation has named, the last one first."""
    found = [await orders.get(number) for number in turn.memory.get("mentioned", [])]
    return [Choice(f"{order.number} ({turn.say(order.lines[0].name)})", order.number) for order in found if order]


@plugin.intent("order_status", description=Text(en="See where an order is", zh="查询订单和物流"), examples=examples.STATUS)
async def order_status(turn: Turn, order: Slot[OrderId], orders: Orders, settings: OrdersSettings) -> Outcome:
    found = await _find(turn, order.value, orders, settings)
    if not isinstance(found, Order):
        return found
    return Reply(
        fill(words.STATUS, status=_status(found), listed=words.listed(found)), choices=_buttons(turn, _offers(found, turn))
    )


@plugin.pattern(r"\A\W*(?:ll)?\W*(?P<digits>\d{5})\W*\Z")
async def number_alone(turn: Turn, found: re.Match[str], orders: Orders, settings: OrdersSettings) -> Outcome:
    """Five digits and nothing else are an order to look at. Where a number was asked for, the open question takes them."""
    number = f"LL-{found['digits']}"
    outcome = await order_status(turn, Slot(value=number, text=found[0]), orders, settings)
    if not isinstance(outcome, AskSlot):
        return outcome
    return Reply(fill(words.UNKNOWN_ORDER, order=number), choices=_buttons(turn, [words.PERSON]))


@plugin.intent("order_number", description=Text(en="Find the order number", zh="查找订单号"), examples=examples.NUMBER)
async def order_number(turn: Turn) -> Reply:
    return Reply(words.WHERE_IS_THE_NUMBER, choices=_buttons(turn, [words.PERSON]))


@plugin.intent("cancel_order", description=Text(en="Cancel an order", zh="取消订单"), examples=examples.CANCEL)
async def cancel_order(turn: Turn, order: Slot[OrderId], orders: Orders, settings: OrdersSettings) -> Outcome:
    found = await _find(turn, order.value, orders, settings)
    if not isinstance(found, Order):
        return found
    if refusal := policy.cancel_refused(found, turn.now):
        return _refused(turn, refusal)
    return Confirm(
        fill(words.CONFIRM_CANCEL, listed=words.listed(found)),
        then=cancel_now,
        args={"number": found.number},
        declined=fill(words.KEPT, order=found.number),
    )


@plugin.step
async def cancel_now(turn: Turn, number: str, orders: Orders) -> Outcome:
    order = _existing(await orders.cancel(number, turn.now))
    if order.status == "cancelled":
        return Reply(fill(words.CANCELLED, order=order.number, total=words.euros(order.total)))
    return _refused(turn, policy.cancel_refused(order, turn.now))


@plugin.intent("change_address", description=Text(en="Change a delivery address", zh="修改收货地址"), examples=examples.ADDRESS)
async def change_address(  # noqa: PLR0917
    turn: Turn,
    order: Slot[OrderId],
    email: Slot[Email] | None,
    address: Slot[Address] | None,
    orders: Orders,
    settings: OrdersSettings,
) -> Outcome:
    found = await _find(turn, order.value, orders, settings)
    if not isinstance(found, Order):
        return found
    if refusal := policy.move_refused(found):
        return _refused(turn, refusal)
    if unproven := _unproven(turn, found, email, settings):
        return unproven
    if address is None:
        return AskSlot("address")
    if is_post_box(address.value):
        return AskSlot("address", words.POST_BOX)
    if country_named(address.value) not in (None, found.country):
        return AskSlot("address", fill(words.OTHER_COUNTRY, order=found.number))
    return Confirm(
        fill(words.CONFIRM_MOVE, order=found.number, address=address.value),
        then=move_now,
        args={"number": found.number, "address": address.value},
        declined=fill(words.KEPT, order=found.number),
    )


@plugin.step
async def move_now(turn: Turn, number: str, address: str, orders: Orders) -> Outcome:
    order = _existing(await orders.change_address(number, address, turn.now))
    if order.address == address:
        return Reply(fill(words.MOVED, order=order.number, address=address))
    return _refused(turn, policy.move_refused(order))


@plugin.intent("refund", description=Text(en="Return something for a refund", zh="退货退款"), examples=examples.REFUND)
async def refund(  # noqa: PLR0917
    turn: Turn,
    order: Slot[OrderId],
    email: Slot[Email] | None,
    reason: Slot[Reason] | None,
    orders: Orders,
    settings: OrdersSettings,
) -> Outcome:
    found = await _find(turn, order.value, orders, settings)
    if not isinstance(found, Order):
        return found
    if refusal := policy.refund_refused(found, turn.now):
        return _refused(turn, refusal)
    if unproven := _unproven(turn, found, email, settings):
        return unproven
    if reason is None:
        return AskSlot("reason")
    offer = policy.refund(found, reason.value)
    about = f"{found.number}, {words.euros(offer.amount)['en']}, reason: {reason.value.replace('_', ' ')}"
    if reason.value == "damaged":
        return Escalate(f"damaged or faulty: {about}", text=words.DAMAGED, summary=words.for_agents(found))
    if offer.amount > policy.PERSON_DECIDES_ABOVE:
        return Escalate(f"refund above €200: {about}", text=words.PERSON_DECIDES, summary=words.for_agents(found))
    label = fill(words.LABEL_DEDUCTED, fee=words.euros(offer.label)) if offer.label else ""
    return Confirm(
        fill(
            words.CONFIRM_REFUND,
            listed=words.listed(found),
            items=words.joined((line.name for line in offer.lines), words.AND),
            amount=words.euros(offer.amount),
            label=label,
            kept="" if len(offer.lines) == len(found.lines) else words.NOT_COMING_BACK,
        ),
        then=refund_now,
        args={"number": found.number, "reason": reason.value, "amount": offer.amount},
        declined=fill(words.KEPT, order=found.number),
    )


@plugin.step
async def refund_now(turn: Turn, number: str, reason: str, amount: int, orders: Orders) -> Outcome:
    order = _existing(await orders.register_return(number, reason, amount, turn.now))
    if order.returned is not None:
        return Reply(fill(words.REFUND_REGISTERED, order=order.number, amount=words.euros(order.returned.amount)))
    return _refused(turn, policy.refund_refused(order, turn.now))


async def _find(turn: Turn, number: str, orders: Orders, settings: OrdersSettings) -> Order | AskSlot | Escalate:
    if _wrong_so_far(turn) >= settings.attempts:
        return _too_many_wrong(turn)
    order = await orders.get(number)
    if order is None:
        return _wrong(turn, settings) or AskSlot("order", fill(words.UNKNOWN_ORDER, order=number))
    before = [other for other in turn.memory.get("mentioned", []) if other != number]
    turn.memory["mentioned"] = [number, *before][:REMEMBERED]
    return order


def _unproven(turn: Turn, order: Order, email: Slot[Email] | None, settings: OrdersSettings) -> AskSlot | Escalate | None:
    """None for who has shown to be the customer: by the channel, or by the e-mail address of the order."""
    if turn.contact.verified and turn.contact.email and turn.contact.email.casefold() == order.email.casefold():
        return None
    if email is None:
        return AskSlot("email", fill(words.WHY_EMAIL, order=order.number))
    if email.value.casefold() == order.email.casefold():
        return None
    return _wrong(turn, settings) or AskSlot("email", fill(words.WRONG_EMAIL, order=order.number))


def _wrong(turn: Turn, settings: OrdersSettings) -> Escalate | None:
    """Counts a wrong number or address; so many in a conversation are guesses."""
    wrong = _wrong_so_far(turn) + 1
    turn.memory["wrong"] = wrong
    if wrong == 1:
        turn.memory["wrong_since"] = turn.now.isoformat()
    return _too_many_wrong(turn) if wrong >= settings.attempts else None


def _wrong_so_far(turn: Turn) -> int:
    """A conversation lasts for months, and slips of the pen in it are no guesses: they are forgotten."""
    since = turn.memory.get("wrong_since")
    recent = since is not None and turn.now - datetime.fromisoformat(since) < GUESSES_COUNT_FOR
    return int(turn.memory["wrong"]) if recent else 0


def _too_many_wrong(turn: Turn) -> Escalate:
    return Escalate(f"{turn.memory['wrong']} wrong order numbers or e-mail addresses", text=words.TOO_MANY_WRONG)


def _refused(turn: Turn, refusal: Refusal | None) -> Reply:
    if refusal is None:
        raise RuntimeError("the order was not changed, although policy allows it")
    return Reply(refusal.text, choices=_buttons(turn, refusal.offers))


def _buttons(turn: Turn, offers: Sequence[words.Offer]) -> list[Choice]:
    return [Choice(turn.say(offer.label), turn.say(offer.says)) for offer in offers]


def _existing(order: Order | None) -> Order:
    if order is None:
        raise LookupError("an order that was confirmed is gone")
    return order


def _offers(order: Order, turn: Turn) -> list[words.Offer]:
    """What can be done with the order now."""
    possible = (
        (words.CANCEL, policy.cancel_refused(order, turn.now)),
        (words.MOVE, policy.move_refused(order)),
        (words.RETURN, policy.refund_refused(order, turn.now)),
    )
    return [words.about(offer, order) for offer, refusal in possible if refusal is None]


def _status(order: Order) -> Text:
    match order.status:
        case "processing":
            return words.STATUS_PROCESSING
        case "packed":
            return words.STATUS_PACKED
        case "shipped":
            since = words.day(order.shipped or order.placed)
            return fill(words.STATUS_SHIPPED, carrier=order.carrier, date=since, tracking=order.tracking)
        case "delivered" if order.returned is not None:
            returned = order.returned
            return fill(words.STATUS_RETURN, date=words.day(returned.at), amount=words.euros(returned.amount))
        case "delivered":
            arrived = words.day(order.delivered or order.placed)
            return fill(words.STATUS_DELIVERED, carrier=order.carrier, date=arrived, tracking=order.tracking)
        case "cancelled":
            return fill(words.STATUS_CANCELLED, date=words.day(order.changed or order.placed))
        case "refunded":
            return words.STATUS_REFUNDED
