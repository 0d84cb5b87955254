"""One turn of a conversation: what came in, and the state that is being changed."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from frontdesk.core.conversations import Conversation, as_stored
from frontdesk.core.errors import FrontdeskError
from frontdesk.core.messages import (
    Attachment,
    AudioPart,
    Contact,
    Entry,
    FilePart,
    ImagePart,
    Message,
    Outgoing,
    TextPart,
    plain_text,
)
from frontdesk.core.text import Words, in_language

ReadHistory = Callable[[str, int], Awaitable[list[Entry]]]


T = TypeVar("T")


async def never() -> None:
    """Does not return."""
    await asyncio.Event().wait()


class Superseded(FrontdeskError):
    """The customer has written more while an answer was being made: the turn is taken again. For the core; let it pass."""


class Arguments(str):
    """What was written behind a command."""

    __slots__ = ()


class Answer(str):
    """The answer to a question: the value of the choice that was picked, or the text."""

    __slots__ = ()


class Proceed:
    """Calls the rest of the turn, from within a middleware."""

    def __init__(self, rest: Callable[[], Awaitable[Any]]) -> None:
        self._rest = rest

    async def __call__(self) -> Any:
        return await self._rest()


class Turn:
    """What a handler sees.

    `messages` are taken together, mostly one; empty when a hook runs without a message. `language` is the conversation's.
    `memory` is the plugin's own dictionary: JSON, kept from turn to turn, committed with the turn.
    """

    __slots__ = ("_memory", "_read_history", "_superseded", "intent", "messages", "now", "plugin", "state", "text")

    def __init__(
        self,
        state: Conversation,
        messages: Sequence[Message],
        *,
        now: datetime,
        read_history: ReadHistory,
        superseded: Callable[[], Awaitable[None]] = never,
        plugin: str = "",
    ) -> None:
        self.state = state
        self.messages = messages
        self.now = now
        self.plugin = plugin
        self.intent: str | None = None
        self.text = plain_text(messages).strip()
        self._memory: dict[str, dict[str, Any]] = {}
        self._read_history = read_history
        self._superseded = superseded
        choice = messages[-1].choice if messages else None
        if choice is not None and not self.text:
            self.text = choice.value

    @property
    def id(self) -> str:
        """Comes from the first message, so that a repeated turn has the same."""
        return self.messages[0].id if self.messages else f"{self.state.id}@{self.state.version}"

    @property
    def conversation(self) -> str:
        return self.state.id

    @property
    def contact(self) -> Contact:
        return self.state.contact

    @property
    def channel(self) -> str:
        return self.state.channel

    @property
    def language(self) -> str:
        return self.state.language

    @property
    def attachments(self) -> list[Attachment]:
        """The files that came with the messages."""
        files = (ImagePart, AudioPart, FilePart)
        return [part.attachment for message in self.messages for part in message.parts if isinstance(part, files)]

    @property
    def has_pictures(self) -> bool:
        return any(isinstance(part, ImagePart) for message in self.messages for part in message.parts)

    @property
    def memory(self) -> dict[str, Any]:
        if self.plugin not in self._memory:
            self._memory[self.plugin] = copy.deepcopy(self.state.memory.get(self.plugin, {}))
        return self._memory[self.plugin]

    def say(self, words: Words) -> str:
        """The words in the customer's language."""
        return in_language(words, self.language)

    async def history(self, limit: int = 20) -> list[Entry]:
        """The last entries of the transcript, the oldest first, those of this turn included."""
        return await self._read_history(self.state.id, limit)

    def change(self, **fields: Any) -> None:
        """Changes the state that will be committed. For the core; a plugin has its `memory`."""
        self.state = msgspec.structs.replace(self.state, **fields)

    def hear(self, text: str) -> None:
        """Takes a text for what the customer has written in this turn. For the core."""
        self.text = text.strip()
        self.messages = [msgspec.structs.replace(message, parts=(TextPart(text),)) for message in self.messages[-1:]]

    async def unless_superseded(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for what takes long and changes nothing, such as a model's answer, unless the customer writes more meanwhile.

        Then the work is cancelled, and the turn is taken again with all that was written: nothing is lost, and nothing that is
        out of date is answered. Do nothing that must not be done twice before it.
        """
        task = asyncio.ensure_future(work)
        newer = asyncio.ensure_future(self._superseded())
        try:
            await asyncio.wait((task, newer), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Superseded("the customer has written more")
        finally:
            for each in (task, newer):
                each.cancel()
            await asyncio.gather(task, newer, return_exceptions=True)

    def keep_memory(self) -> None:
        """Takes the plugins' memories into the state, as the store will give them back.

        Raises `TypeError` for what is not JSON, and `WiringError` where what a plugin has left in the state has a wrong type.
        """
        if self._memory:
            kept = {**self.state.memory, **self._memory}
            self.change(memory={plugin: memory for plugin, memory in kept.items() if memory})
            self._memory = {}
        elif not (self.state.question or self.state.form or self.state.handoff):
            return
        self.state = as_stored(self.state)

    def go_back(self, state: Conversation) -> None:
        """Drops what was changed since the state was that one."""
        self.state = state
        self._memory = {}


def recent_words(entries: Sequence[Entry], limit: int = 10) -> list[tuple[str, str]]:
    """Who said what, the oldest first: pairs of `contact`, `bot` or `agent:NAME` and the text, the label of a pressed button,
    or the names of files in brackets."""
    said = [
        ("contact" if isinstance(entry.body, Message) else entry.body.author, words)
        for entry in entries
        if isinstance(entry.body, Message | Outgoing) and (words := _said(entry.body))
    ]
    return said[-limit:]


def _said(body: Message | Outgoing) -> str:
    if isinstance(body, Outgoing):
        return body.text
    pressed = (body.choice.label or body.choice.value) if body.choice else ""
    files = [f"[{part.attachment.name}]" for part in body.parts if isinstance(part, ImagePart | AudioPart | FilePart)]
    return body.text or pressed or " ".join(files)
