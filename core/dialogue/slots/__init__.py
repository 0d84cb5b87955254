"""Typed values read from what a customer writes: `Slot[Date]`, `Slot[Money]`, `Slot[OrderId]`."""

from frontdesk.core.dialogue.slots.base import Found, Slot, SlotContext, SlotType
from frontdesk.core.dialogue.slots.choice import Choice
from frontdesk.core.dialogue.slots.contact import Email, Phone
from frontdesk.core.dialogue.slots.date import Date
from frontdesk.core.dialogue.slots.free_text import FreeText
from frontdesk.core.dialogue.slots.money import Amount, Money
from frontdesk.core.dialogue.slots.number import Number, WholeNumber
from frontdesk.core.dialogue.slots.pattern import Pattern
from frontdesk.core.dialogue.slots.yes_no import YesNo

__all__ = [
    "Amount",
    "Choice",
    "Date",
    "Email",
    "Found",
    "FreeText",
    "Money",
    "Number",
    "Pattern",
    "Phone",
    "Slot",
    "SlotContext",
    "SlotType",
    "WholeNumber",
    "YesNo",
]
