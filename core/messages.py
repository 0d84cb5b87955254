"""What travels between customers, the bot and agents: plain frozen values, the same for every channel.

`Message` comes in and `Outgoing` goes out. Together with an agent's `Note` and a `Mark` of a change of state they are the
entries of a conversation's transcript. All are stored as JSON; `encode` and `decode` are the only way in and out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

Kind = Literal["new", "edited", "deleted", "reaction", "automatic"]
"""An edit, a deletion and a reaction are about the earlier message that `target` names. What a machine has written, such as a
vacation notice, is `automatic`. Only what is `new` is answered."""


class Contact(Struct, frozen=True, kw_only=True):
    """Who writes: an identity on one channel. `verified` is true only if the channel itself proves the identity."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    verified: bool = False


class Attachment(Struct, frozen=True, kw_only=True):
    """A file in the attachment store. `name` is safe to show and to write to disk; `size` is in bytes.

    A channel may leave the file with its platform: then `id` is empty, and `remote` is the platform's name for it, by which the
    turn fetches it (`Channel.fetch`). Where that is not to be had, `id` stays empty and `problem` says why.
    """

    id: str
    name: str
    media_type: str
    size: int
    remote: str | None = None
    problem: str | None = None


class TextPart(Struct, frozen=True, tag="text"):
    text: str


class ImagePart(Struct, frozen=True, tag="image"):
    attachment: Attachment


Unheard = Literal["no_model", "silence", "unreadable", "too_long", "failed"]


class AudioPart(Struct, frozen=True, tag="audio"):
    """Sound. A turn adds the `transcript`, its `language` and `confidence` (0 to 1), or why there is none: `unheard`.

    `seconds` is what the platform says, if it does. `peaks` are the loudness along the recording, in percent.
    """

    attachment: Attachment
    seconds: float | None = None
    transcript: str | None = None
    language: str | None = None
    confidence: float | None = None
    unheard: Unheard | None = None
    peaks: tuple[int, ...] = ()


class FilePart(Struct, frozen=True, tag="file"):
    attachment: Attachment


class LocationPart(Struct, frozen=True, tag="location"):
    """Degrees, WGS 84."""

    latitude: float
    longitude: float
    label: str | None = None


class ChoicePart(Struct, frozen=True, tag="choice"):
    """A pressed button. `question` is the id of the open question it belongs to, so that an old button does no harm."""

    value: str
    question: str | None = None
    label: str | None = None


class ReactionPart(Struct, frozen=True, tag="reaction"):
    """An emoji, as a character or by its platform's name, that was put on a message, or taken back."""

    emoji: str
    removed: bool = False


Part = TextPart | ImagePart | AudioPart | FilePart | LocationPart | ChoicePart | ReactionPart

NO_PAYLOAD = msgspec.Raw(b"null")


class Message(Struct, frozen=True, kw_only=True, tag="message"):
    """A customer's message, normalized.

    `id` is the platform's id behind the channel's name (`web:4f1c...`); a second message with the same id is a repetition
    and is dropped. `raw` keeps the platform's payload as JSON for adapters and debugging; the core never reads it.

    An edit has all parts of the new version, `target` the id of the message that was edited, deleted or reacted to. `group` ties
    together what the platform shows as one message, such as an album: it is taken as one turn. `public`: others read the
    conversation too, a group's members for example, so nothing confidential is said there. `aloud`: the answer is wanted as
    sound, too. `revision` is set in the transcript, on a message that was changed later.
    """

    id: str
    channel: str
    conversation: str
    contact: Contact
    parts: tuple[Part, ...]
    at: datetime
    kind: Kind = "new"
    reply_to: str | None = None
    target: str | None = None
    group: str | None = None
    public: bool = False
    aloud: bool = False
    revision: Literal["edited", "deleted"] | None = None
    language: str | None = None
    raw: msgspec.Raw = NO_PAYLOAD

    @property
    def text(self) -> str:
        """What was written or said, without the attachments."""
        words: list[str] = []
        for part in self.parts:
            if isinstance(part, TextPart):
                words.append(part.text)
            elif isinstance(part, AudioPart) and part.transcript:
                words.append(part.transcript)
        return "\n".join(words)

    @property
    def choice(self) -> ChoicePart | None:
        for part in self.parts:
            if isinstance(part, ChoicePart):
                return part
        return None


class Choice(Struct, frozen=True):
    """A button: `label` is what the customer reads, `value` what comes back when it is pressed."""

    label: str
    value: str


class Source(Struct, frozen=True, kw_only=True):
    """Where an answer was found; `text` is the passage itself, so that an agent can check it."""

    title: str
    url: str | None = None
    text: str = ""
    score: float | None = None


class Outgoing(Struct, frozen=True, kw_only=True, tag="outgoing"):
    """A reply on its way out, in Markdown. `id` never changes over retries: it is the idempotency key for the platform.

    `author` is `bot`, or `agent:` and the agent's name. `question` ties pressed choices to the open question. `replaces` is the
    id of an earlier reply that this is a better version of: that one is edited where the platform can, and else this one is sent.
    """

    id: str
    channel: str
    conversation: str
    contact: Contact
    text: str
    at: datetime
    author: str = "bot"
    choices: tuple[Choice, ...] = ()
    question: str | None = None
    attachments: tuple[Attachment, ...] = ()
    sources: tuple[Source, ...] = ()
    reply_to: str | None = None
    replaces: str | None = None
    language: str | None = None
    plugin: str | None = None


class Note(Struct, frozen=True, kw_only=True, tag="note"):
    """An agent's internal note, never sent to anybody. `replaces` is the id of an earlier one that this is a new version of."""

    id: str
    conversation: str
    text: str
    author: str
    at: datetime
    replaces: str | None = None


MarkEvent = Literal["escalated", "taken", "returned", "resolved"]


class Mark(Struct, frozen=True, kw_only=True, tag="mark"):
    """A change of state that people should see: `escalated`, `taken`, `returned`, `resolved`."""

    id: str
    conversation: str
    event: MarkEvent
    at: datetime
    by: str = "bot"
    reason: str = ""


Body = Message | Outgoing | Note | Mark
B = TypeVar("B", Message, Outgoing, Note, Mark)
Status = Literal["pending", "sending", "done", "sent", "dead"]


class Entry(Struct, frozen=True, kw_only=True):
    """One line of a transcript. `seq` orders the entries of a store and never changes.

    A message is `pending` until its turn is committed (`done`); an outgoing reply is `pending` until the platform has taken it
    (`sent`), or `sending` on its way to a platform where nothing may arrive twice. Either is `dead` when it was given up, with
    the reason in `error`. Notes and marks are `done` at once.
    """

    seq: int
    body: Body
    status: Status
    attempts: int = 0
    error: str | None = None
    platform_id: str | None = None


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


def encode(body: Body) -> bytes:
    """JSON in UTF-8. Raises `UnicodeEncodeError` on lone surrogates: see `storable`."""
    return _encoder.encode(body)


def decode(data: bytes) -> Body:
    return _decoder.decode(data)


def plain_text(messages: Sequence[Message]) -> str:
    """The words of a burst of messages, one after the other."""
    return "\n".join(text for message in messages if (text := message.text))


def storable(body: B) -> B:
    """The same body, or where it holds lone surrogates, which no encoding can carry, a copy with "?" in their place."""
    try:
        encode(body)
    except UnicodeEncodeError:
        raw = {"raw": NO_PAYLOAD} if isinstance(body, Message) else {}
        return msgspec.convert(without_surrogates(msgspec.to_builtins(msgspec.structs.replace(body, **raw))), type(body))
    return body


def without_surrogates(value: Any) -> Any:
    """Plain lists, dictionaries and strings with a "?" in the place of each lone surrogate."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return [without_surrogates(item) for item in value]
        case _:
            return value
