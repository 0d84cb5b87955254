"""The commonest update, a private chat's text without formatting, read directly.

The library's `Update` has more than a hundred fields for each message: to build it costs about 90 microseconds of CPU, a third of
what a bare handler needs for a whole message. What is written here any other way is left to it; a test holds both to the same.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct, field

from frontdesk.channels.telegram.addresses import CHANNEL
from frontdesk.core.messages import Contact, Message, TextPart


class _User(Struct, forbid_unknown_fields=True):
    id: int
    is_bot: Literal[False]
    first_name: str
    last_name: str = ""
    username: str | None = None
    language_code: str | None = None
    is_premium: bool = False


class _Chat(Struct, forbid_unknown_fields=True):
    id: int
    type: Literal["private"]
    first_name: str = ""
    last_name: str = ""
    username: str = ""


class _Sent(Struct, forbid_unknown_fields=True):
    message_id: int
    sender: _User = field(name="from")
    chat: _Chat
    date: int
    text: str


class _Update(Struct, forbid_unknown_fields=True):
    update_id: int
    message: _Sent


_decode = msgspec.json.Decoder(_Update).decode


def message(raw: bytes, bot: str) -> Message | None:
    """None for any other update, and for what is none."""
    try:
        sent = _decode(raw).message
        at = datetime.fromtimestamp(sent.date, UTC)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError, OSError):
        return None
    user = sent.sender
    if not sent.text.strip() or not user.first_name:
        return None
    conversation = f"{CHANNEL}:{bot}:{sent.chat.id}"
    name = f"{user.first_name} {user.last_name}" if user.last_name else user.first_name
    return Message(
        id=f"{conversation}:{sent.message_id}",
        channel=CHANNEL,
        conversation=conversation,
        contact=Contact(id=str(user.id), name=name.strip() or user.username, verified=True),
        parts=(TextPart(sent.text),),
        at=at,
        language=user.language_code,
        raw=msgspec.Raw(raw),
    )
