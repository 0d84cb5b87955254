"""What a caller sends, read strictly: fields and an attachment in, a message out. No I/O."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

import msgspec
from msgspec import Struct

from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment, AudioPart, ChoicePart, Contact, FilePart, Message, Part, TextPart

_ID = re.compile(r"[A-Za-z0-9._@+-]{1,100}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
SOUND = ("audio", "video")
UNNAMED = "application/octet-stream"


class Fields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands beside a recording, in a query, a form or a JSON object.

    `conversation` goes on with an earlier one; `id` makes a repetition harmless. With `aloud` the reply is wanted as sound, too.
    A customer may also write (`text`) or press a button (`choice`, and the `question` it belongs to).
    """

    conversation: str | None = None
    id: str | None = None
    language: str | None = None
    name: str | None = None
    text: str = ""
    choice: str | None = None
    question: str | None = None
    aloud: bool = False


def fields(given: Mapping[str, str]) -> Fields:
    """From a query or a form. Raises `InvalidInput`."""
    try:
        return _checked(msgspec.convert(dict(given), Fields, strict=False))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this is not understood: {error}") from None


def fields_of_json(body: bytes) -> Fields:
    """Raises `InvalidInput`, whatever the bytes are."""
    try:
        return _checked(msgspec.convert(json.loads(body), Fields))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this is not understood: {error}") from None
    except (ValueError, RecursionError):
        raise InvalidInput("this is not valid JSON") from None


def is_sound(media_type: str) -> bool:
    """Whether something of this type may be a recording. What it is, its content says in the turn."""
    return media_type.partition("/")[0] in SOUND or media_type in (UNNAMED, "application/ogg")


def message(fields: Fields, recording: Attachment | None, at: datetime, *, max_text: int) -> Message:
    """Raises `InvalidInput` if nothing is said, or too much (413)."""
    conversation = f"voice:{fields.conversation or uuid4().hex}"
    parts: list[Part] = []
    if recording is not None:
        parts.append(AudioPart(recording) if is_sound(recording.media_type) else FilePart(recording))
    if text := fields.text.replace("\0", "").strip():
        if len(text) > max_text:
            raise InvalidInput(f"the text is too long: {len(text)} characters, at most {max_text} are taken", status=413)
        parts.append(TextPart(text))
    if fields.choice:
        parts.append(ChoicePart(fields.choice, question=fields.question))
    if not parts:
        raise InvalidInput("send a recording as `audio`, or a `text`, or a `choice`")
    return Message(
        id=f"{conversation}:{fields.id or uuid4().hex}",
        channel="voice",
        conversation=conversation,
        contact=Contact(id=conversation, name=fields.name),
        parts=tuple(parts),
        at=at,
        language=fields.language,
        aloud=fields.aloud,
    )


def conversation(name: str) -> str:
    """The conversation of a name in an address. Raises `InvalidInput`."""
    if not _ID.match(name):
        raise InvalidInput("there is no such conversation", status=404)
    return f"voice:{name}"


def _checked(fields: Fields) -> Fields:
    for name in ("conversation", "id"):
        value = getattr(fields, name)
        if value is not None and not _ID.match(value):
            raise InvalidInput(f"`{name}`: letters, digits and . _ @ + - only, at most 100 of them")
    if fields.language is not None and not _LANGUAGE.match(fields.language):
        raise InvalidInput("`language`: a tag such as en or zh")
    if fields.name is not None and len(fields.name) > 200:
        raise InvalidInput("`name`: at most 200 characters")
    return fields
