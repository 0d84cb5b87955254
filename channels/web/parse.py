"""What a browser sends, read strictly: bytes in, typed frames and messages out. No I/O."""

import json
from datetime import datetime
from typing import Annotated, Any, NoReturn
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import (
    Attachment,
    AudioPart,
    ChoicePart,
    Contact,
    FilePart,
    ImagePart,
    Message,
    Part,
    TextPart,
)

MAX_FILES = 10
Sequence = Annotated[int, Meta(ge=0, le=2**53)]
Label = Annotated[str, Meta(max_length=500)]
Token = Annotated[str, Meta(max_length=2000)]


class Pressed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: Annotated[str, Meta(min_length=1, max_length=500)]
    question: Label | None = None
    label: Label | None = None


class Hello(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hello"):
    """The first frame of a socket. `after` is the last entry that the browser has seen."""

    token: Token
    after: Sequence | None = None


class Send(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="message"):
    """A message; `files` are the tickets of uploads. The client's `id` makes a repetition harmless."""

    id: UUID
    text: str = ""
    choice: Pressed | None = None
    files: Annotated[tuple[Token, ...], Meta(max_length=MAX_FILES)] = ()


class Read(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="history"):
    before: Sequence | None = None
    after: Sequence | None = None


class Writing(Struct, frozen=True, forbid_unknown_fields=True, tag="typing"):
    """The customer is typing."""


class Ping(Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """A browser cannot see the protocol's own pings, so it sends this one when it doubts the connection."""


Frame = Hello | Send | Read | Writing | Ping

_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


def frame(data: bytes) -> Frame:
    """Raises `InvalidInput`, whatever the bytes are. Of a repeated key the last value counts."""
    try:
        return _frames.decode(data)
    except UnicodeDecodeError:
        raise InvalidInput("this is not UTF-8") from None
    except RecursionError:
        raise InvalidInput("the JSON is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this message is not understood: {error}") from None
    except msgspec.DecodeError:
        return _without_surrogates(data)


def message(send: Send, conversation: str, at: datetime, *, attachments: tuple[Attachment, ...] = (), max_text: int) -> Message:
    """Raises `InvalidInput` if nothing is said, or too much (413)."""
    parts: list[Part] = []
    if text := send.text.replace("\0", "").strip():
        if len(text) > max_text:
            raise InvalidInput(f"the text is too long: {len(text)} characters, at most {max_text} are taken", status=413)
        parts.append(TextPart(text))
    if send.choice is not None:
        parts.append(ChoicePart(send.choice.value, question=send.choice.question, label=send.choice.label))
    parts += map(_part, attachments)
    if not parts:
        raise InvalidInput("the message is empty")
    return Message(
        id=f"{conversation}:{send.id}",
        channel="web",
        conversation=conversation,
        contact=Contact(id=conversation),
        parts=tuple(parts),
        at=at,
    )


def _part(attachment: Attachment) -> Part:
    match attachment.media_type.partition("/")[0]:
        case "image":
            return ImagePart(attachment)
        case "audio":
            return AudioPart(attachment)
        case _:
            return FilePart(attachment)


def _without_surrogates(data: bytes) -> Frame:
    """A browser escapes half an emoji as a lone surrogate, which msgspec refuses: read slowly, and drop it."""
    try:
        cleaned: Frame = msgspec.convert(_clean(json.loads(data.decode(), parse_constant=_refuse)), Frame)
        return cleaned
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this message is not understood: {error}") from None
    except (ValueError, RecursionError):
        raise InvalidInput("this is not valid JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _clean(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "ignore").decode()
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case list():
            return [_clean(item) for item in value]
        case _:
            return value
