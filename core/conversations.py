"""The state of a conversation, as it is kept between turns."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from frontdesk.core.errors import WiringError
from frontdesk.core.messages import Choice, Contact, without_surrogates

QuestionKind = Literal["slot", "confirm", "choice", "free", "intent", "heard"]
Owner = Literal["bot", "queue", "agent"]


class Question(Struct, frozen=True, kw_only=True):
    """A question that waits for its answer. The answer goes to `step` of `plugin`, together with `args`.

    `kind` says how an answer is read: `slot` fills the slot named by `step` of the open form, `confirm` takes a yes or a
    no, `choice` one of the choices (`free` lets any text pass too), `intent` asks which of several intents was meant, `heard`
    whether a voice note was heard rightly.
    """

    id: str
    kind: QuestionKind
    plugin: str
    step: str
    text: str
    expires: datetime
    args: dict[str, Any] = {}
    choices: tuple[Choice, ...] = ()
    declined: str = ""
    tries: int = 0


class Filled(Struct, frozen=True, kw_only=True):
    """A slot's value: `value` in the slot type's JSON form, `text` as the customer wrote it."""

    value: Any
    text: str


class Form(Struct, frozen=True, kw_only=True):
    """An intent that is being worked on, with the slots known so far. Kept for a while after it is done, for corrections."""

    plugin: str
    intent: str
    slots: dict[str, Filled] = {}
    done: bool = False


class Handoff(Struct, frozen=True, kw_only=True):
    """Why and when a person was called, and what the bot knew then."""

    reason: str
    at: datetime
    summary: str = ""


class Conversation(Struct, frozen=True, kw_only=True):
    """One customer's conversation on one channel.

    `version` is the fence: a commit names the version it read, and fails as `Stale` if another was faster. `owner` says
    who answers: the bot, the queue (nobody yet, the bot is silent) or an agent (`agent` is the name). `failures` counts
    the turns in a row in which the bot had no answer.
    `aloud`: when the customer speaks, the answers are wanted as sound, too. `memory` is each plugin's own, as JSON.
    """

    id: str
    channel: str
    contact: Contact
    created: datetime
    updated: datetime
    version: int = 0
    owner: Owner = "bot"
    agent: str | None = None
    language: str = "en"
    language_chosen: bool = False
    aloud: bool = False
    question: Question | None = None
    form: Form | None = None
    memory: dict[str, dict[str, Any]] = {}
    failures: int = 0
    handoff: Handoff | None = None
    resolved: datetime | None = None


encode_state = msgspec.json.Encoder().encode
decode_state = msgspec.json.Decoder(Conversation).decode


def as_stored(state: Conversation) -> Conversation:
    """The state as it will be read again, lone surrogates replaced. Nothing checks what plugins put into it before.

    Raises `TypeError` for what is not JSON and `WiringError` for what has a wrong type.
    """
    try:
        return decode_state(encode_state(state))
    except UnicodeEncodeError:
        return msgspec.convert(without_surrogates(msgspec.to_builtins(state)), Conversation)
    except msgspec.ValidationError as error:
        raise WiringError(f"a plugin has left a wrong type in the conversation: {error}") from error
