"""What the shop's rules allow, as pure functions. A refusal gives the reason and the next best step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from frontdesk.core.text import Text
from frontdesk.plugins.orders import words
from frontdesk.plugins.orders.values import Line, Order
from frontdesk.plugins.orders.words import Offer

ENGRAVING_STARTS = timedelta(hours=2)
RETURN_WITHIN = timedelta(days=30)
PERSON_DECIDES_ABOVE = 200_00
RETURN_LABEL = 3_95
OUR_FAULT = frozenset({"damaged", "wrong_item"})
"""Reasons for which the return label is free."""


@dataclass(frozen=True)
class Refusal:
    text: Text
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refund:
    """What is paid back for a return: the lines that come back, with shipping and less the label. Euro cents."""

    lines: tuple[Line, ...]
    shipping: int
    label: int

    @property
    def amount(self) -> int:
        return sum(line.total for line in self.lines) + self.shipping - self.label


def cancel_refused(order: Order, now: datetime) -> Refusal | None:
    """Why the order cannot be cancelled; None if it can."""
    match order.status:
        case "processing" if any(line.kind == "personalised" for line in order.lines):
            if now - order.placed <= ENGRAVING_STARTS:
                return None
            return _refusal(words.CANCEL_ENGRAVED, order, words.PERSON)
        case "processing":
            return None
        case "packed":
            return _refusal(words.CANCEL_PACKED, order, words.PERSON)
        case "shipped":
            return _refusal(words.CANCEL_SHIPPED, order, words.TRACK)
        case "delivered":
            return _refusal(words.CANCEL_DELIVERED, order, words.RETURN)
        case "cancelled":
            return _refusal(words.ALREADY_CANCELLED, order)
        case "refunded":
            return _refusal(words.ALREADY_REFUNDED, order)


def move_refused(order: Order) -> Refusal | None:
    """Why the delivery address cannot be changed; None if it can."""
    match order.status:
        case "processing":
            return None
        case "packed":
            return _refusal(words.MOVE_PACKED, order, words.PERSON)
        case "shipped":
            return _refusal(words.MOVE_SHIPPED, order, words.TRACK)
        case "delivered":
            return _refusal(words.MOVE_DELIVERED, order)
        case "cancelled":
            return _refusal(words.ALREADY_CANCELLED, order)
        case "refunded":
            return _refusal(words.ALREADY_REFUNDED, order)


def refund_refused(order: Order, now: datetime) -> Refusal | None:
    """Why nothing can be returned for money, whatever the reason; None if something can."""
    match order.status:
        case "processing":
            return _refusal(words.REFUND_PROCESSING, order, words.CANCEL)
        case "packed" | "shipped":
            return _refusal(words.REFUND_ON_ITS_WAY, order, *([words.TRACK] if order.status == "shipped" else []))
        case "cancelled":
            return _refusal(words.ALREADY_CANCELLED, order)
        case "refunded":
            return _refusal(words.ALREADY_REFUNDED, order)
    if order.returned is not None:
        values = {"date": words.day(order.returned.at), "amount": words.euros(order.returned.amount)}
        return _refusal(words.ALREADY_RETURNED, order, **values)
    if order.delivered is None or now - order.delivered > RETURN_WITHIN:
        return _refusal(words.REFUND_TOO_LATE, order, words.PERSON, date=words.day(order.delivered or order.placed))
    if not returnable(order):
        return _refusal(words.NOT_RETURNABLE, order, words.PERSON)
    return None


def returnable(order: Order) -> tuple[Line, ...]:
    return tuple(line for line in order.lines if line.kind == "item")


def refund(order: Order, reason: str) -> Refund:
    """What a return for that reason gives back. Standard shipping comes back with a whole order; express never does."""
    lines = returnable(order)
    whole = len(lines) == len(order.lines)
    return Refund(
        lines=lines,
        shipping=order.shipping if whole and not order.express else 0,
        label=0 if reason in OUR_FAULT else RETURN_LABEL,
    )


def _refusal(text: Text, order: Order, *offers: Offer, **values: str | Text) -> Refusal:
    return Refusal(words.fill(text, order=order.number, **values), tuple(words.about(offer, order) for offer in offers))
