"""What a handler may return: the outcome of a turn.

Reply      say this
Ask        say this, and give the answer to another step
Confirm    ask yes or no before something that cannot be undone
AskSlot    ask for a slot of this intent, now or again
Escalate   call a person
Pass       not mine: let the router go on
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from frontdesk.core.messages import Attachment, Choice, Source
from frontdesk.core.text import Words

Step = Callable[..., Awaitable["Outcome"]]

ANSWER_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True)
class Reply:
    """Markdown for the customer.

    `resolves` closes the matter: the conversation counts as resolved after this reply. `answers` is False for an honest
    "I do not know": such turns are counted, and a person is called when there are several in a row.
    """

    text: Words
    choices: Sequence[Choice] = field(default=(), kw_only=True)
    attachments: Sequence[Attachment] = field(default=(), kw_only=True)
    sources: Sequence[Source] = field(default=(), kw_only=True)
    resolves: bool = field(default=False, kw_only=True)
    answers: bool = field(default=True, kw_only=True)


@dataclass(frozen=True)
class Ask:
    """A question whose answer goes to the step `then`, with `args` (JSON) as its keyword arguments.

    With `choices` the answer must be one of them, unless `free` lets any text pass; without, any text is an answer. After
    `within` the question is closed, and what the customer writes then is taken as something new.
    """

    text: Words
    then: Step = field(kw_only=True)
    args: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    choices: Sequence[Choice] = field(default=(), kw_only=True)
    free: bool = field(default=False, kw_only=True)
    within: timedelta = field(default=ANSWER_WITHIN, kw_only=True)


@dataclass(frozen=True)
class Confirm:
    """A yes-or-no question before something irreversible. Only a clear yes runs the step `then` with `args` (JSON)."""

    text: Words
    then: Step = field(kw_only=True)
    args: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    declined: Words | None = field(default=None, kw_only=True)
    within: timedelta = field(default=ANSWER_WITHIN, kw_only=True)


@dataclass(frozen=True)
class AskSlot:
    """Asks for the slot of that parameter, `text` before the question; the intent's handler runs again with the answer.

    For an optional slot that turns out to be needed, and for a value that is of no use: what the slot held is dropped. Only
    an intent's handler can return it.
    """

    slot: str
    text: Words = ""


@dataclass(frozen=True)
class Escalate:
    """Calls a person. `reason` is for the agents, `text` for the customer (a default says that a person will answer)."""

    reason: str
    text: Words | None = field(default=None, kw_only=True)
    summary: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Pass:
    """Not mine. The router tries what comes next."""


Outcome = Reply | Ask | Confirm | AskSlot | Escalate | Pass
