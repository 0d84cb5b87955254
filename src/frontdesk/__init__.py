"""Frontdesk: an omnichannel messaging bot framework for customer service.

What a plugin needs is here: `from frontdesk import Plugin, Reply, Slot, Turn`. Names are loaded when they are first used, so that
importing a part of the package never loads the whole.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from frontdesk.core.contacts import Contacts
    from frontdesk.core.database import Database
    from frontdesk.core.dialogue.slots import (
        Choice as ChoiceSlot,
    )
    from frontdesk.core.dialogue.slots import (
        Date,
        Email,
        FreeText,
        Money,
        Number,
        Pattern,
        Phone,
        Slot,
        SlotType,
        WholeNumber,
        YesNo,
    )
    from frontdesk.core.errors import TransientError
    from frontdesk.core.messages import Attachment, Choice, Contact, Message, Outgoing, Source
    from frontdesk.core.outcomes import Ask, AskSlot, Confirm, Escalate, Outcome, Pass, Reply
    from frontdesk.core.plugin import DataFolder, Plugin
    from frontdesk.core.text import Text
    from frontdesk.core.turn import Answer, Arguments, Proceed, Turn

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Arguments",
    "Ask",
    "AskSlot",
    "Attachment",
    "Choice",
    "ChoiceSlot",
    "Confirm",
    "Contact",
    "Contacts",
    "DataFolder",
    "Database",
    "Date",
    "Email",
    "Escalate",
    "FreeText",
    "Message",
    "Money",
    "Number",
    "Outcome",
    "Outgoing",
    "Pass",
    "Pattern",
    "Phone",
    "Plugin",
    "Proceed",
    "Reply",
    "Slot",
    "SlotType",
    "Source",
    "Text",
    "TransientError",
    "Turn",
    "WholeNumber",
    "YesNo",
]

_SLOTS = {"Date", "Email", "FreeText", "Money", "Number", "Pattern", "Phone", "Slot", "SlotType", "WholeNumber", "YesNo"}
_HOMES = {
    **dict.fromkeys(_SLOTS, "dialogue.slots"),
    **dict.fromkeys({"Attachment", "Choice", "Contact", "Message", "Outgoing", "Source"}, "messages"),
    **dict.fromkeys({"Ask", "AskSlot", "Confirm", "Escalate", "Outcome", "Pass", "Reply"}, "outcomes"),
    **dict.fromkeys({"Answer", "Arguments", "Proceed", "Turn"}, "turn"),
    "Contacts": "contacts",
    "DataFolder": "plugin",
    "Database": "database",
    "Plugin": "plugin",
    "Text": "text",
    "TransientError": "errors",
}


def __getattr__(name: str) -> Any:
    if name == "ChoiceSlot":
        return import_module("frontdesk.core.dialogue.slots").Choice
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module 'frontdesk' has no attribute {name!r}")
    return getattr(import_module(f"frontdesk.core.{home}"), name)
