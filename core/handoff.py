"""Who answers a conversation: the bot, the queue or an agent. State of the core, not a trick of a prompt.

Any reply of a person, from whatever transport, takes ownership; the bot is then silent until the conversation is given back
or resolved, and what came before a resolution never triggers a new hand-over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from frontdesk.core.conversations import Conversation, Handoff
from frontdesk.core.errors import InvalidInput, Stale
from frontdesk.core.events import Changed, Events
from frontdesk.core.messages import Attachment, Body, Mark, MarkEvent, Note, Outgoing, storable
from frontdesk.core.store import Store

Decide = Callable[[Conversation], tuple[Conversation, Sequence[Body]]]
Resolved = Callable[[Conversation], Awaitable[tuple[Conversation, Sequence[Body]]]]


class HandoffService:
    """What an agent can do with a conversation. Each act is one commit, tried again if somebody else was faster.

    All methods raise `KeyError` for an unknown conversation and return its new state.
    """

    def __init__(self, store: Store, events: Events, *, on_resolved: Resolved | None = None) -> None:
        self._store = store
        self._events = events
        self._on_resolved = on_resolved

    async def take(self, conversation: str, agent: str, *, begin: Conversation | None = None) -> Conversation:
        """Makes the agent the owner, whoever was it before.

        With `begin` an unknown conversation begins in that state: a person may write before the customer's first turn is done.
        """

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            if state.owner == "agent" and state.agent == agent:
                return state, ()
            return self._taken(state, agent)

        return await self._act(conversation, decide, begin=begin)

    async def escalate(self, conversation: str, reason: str, *, begin: Conversation | None = None) -> Conversation:
        """Calls a person without a word to the customer, for what a channel notices. No-op if the bot does not have it any more.

        `begin` is as for `take`.
        """

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            if state.owner != "bot":
                return state, ()
            now = datetime.now(UTC)
            called = msgspec.structs.replace(
                state, owner="queue", question=None, failures=0, resolved=None, handoff=Handoff(reason=reason, at=now)
            )
            return called, [Mark(id=uuid4().hex, conversation=state.id, event="escalated", at=now, reason=reason)]

        return await self._act(conversation, decide, begin=begin)

    async def reply(
        self, conversation: str, agent: str, text: str, *, id: str | None = None, attachments: Sequence[Attachment] = ()
    ) -> Conversation:
        """Sends an agent's words (Markdown) to the customer and makes the agent the owner. `id` makes a repetition harmless."""
        if not text.strip() and not attachments:
            raise InvalidInput("the reply is empty")

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            entries: list[Body] = []
            if state.owner != "agent" or state.agent != agent:
                state, marks = self._taken(state, agent)
                entries += marks
            if state.question is not None:  # what the customer says next answers the agent
                state = msgspec.structs.replace(state, question=None)
            entries.append(_said(state, agent, text, id=id, attachments=tuple(attachments)))
            return state, entries

        return await self._act(conversation, decide)

    async def correct(self, conversation: str, agent: str, text: str, *, of: str, id: str | None = None) -> Conversation:
        """Puts an agent's words in the place of the earlier reply `of`, the id of an `Outgoing` of this conversation.

        The owner stays who it is. Raises `InvalidInput` if there is nothing to correct.
        """
        if not text.strip():
            raise InvalidInput("the reply is empty")
        earlier = await self._store.entry(of)
        if earlier is None or not isinstance(earlier.body, Outgoing) or earlier.body.conversation != conversation:
            raise InvalidInput("there is no such reply to correct", status=404)
        return await self._act(conversation, lambda state: (state, [_said(state, agent, text, id=id, replaces=of)]))

    async def note(
        self, conversation: str, agent: str, text: str, *, id: str | None = None, replaces: str | None = None
    ) -> Conversation:
        """Leaves an internal note. It changes no owner and is never sent. `id` makes a repetition harmless.

        `replaces` is the id of an earlier `Note` of this conversation that is now this one.
        """
        if not text.strip():
            raise InvalidInput("the note is empty")
        note = Note(
            id=f"{conversation}/note/{id or uuid4().hex}",
            conversation=conversation,
            text=text,
            author=f"agent:{agent}",
            at=datetime.now(UTC),
            replaces=replaces,
        )
        return await self._act(conversation, lambda state: (state, [storable(note)]))

    async def give_back(self, conversation: str, agent: str) -> Conversation:
        """Hands the conversation back to the bot, which answers from the customer's next message on."""

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            if state.owner == "bot":
                return state, ()
            return msgspec.structs.replace(state, owner="bot", agent=None, failures=0), [_mark(state, "returned", agent)]

        return await self._act(conversation, decide)

    async def resolve(self, conversation: str, agent: str) -> Conversation:
        """Closes the matter. What came before never triggers a new hand-over."""

        def decide(state: Conversation) -> tuple[Conversation, Sequence[Body]]:
            return closed(state), [_mark(state, "resolved", agent)]

        return await self._act(conversation, decide, then=self._on_resolved)

    async def _act(
        self, id: str, decide: Decide, then: Resolved | None = None, begin: Conversation | None = None
    ) -> Conversation:
        return await act(self._store, self._events, id, decide, then=then, begin=begin)

    @staticmethod
    def _taken(state: Conversation, agent: str) -> tuple[Conversation, list[Body]]:
        question = state.question if state.owner != "bot" else None  # about a setting, which does not concern the agent
        after = msgspec.structs.replace(state, owner="agent", agent=agent, question=question, form=None, resolved=None)
        return after, [_mark(state, "taken", agent)]


async def act(
    store: Store,
    events: Events,
    id: str,
    decide: Decide,
    *,
    then: Resolved | None = None,
    begin: Conversation | None = None,
) -> Conversation:
    """Commits, outside a turn, what is decided on the conversation as it is, again if somebody else was faster.

    Raises `KeyError` for an unknown conversation.
    """
    while True:
        before = await store.conversation(id) or begin
        if before is None:
            raise KeyError(id)
        after, entries = decide(before)
        if after is before and not entries:
            return before
        if then is not None:
            after, more = await then(after)
            entries = [*entries, *more]
        try:
            committed = await store.commit(after, entries)
        except Stale:
            await asyncio.sleep(0)
            continue
        events.publish(Changed(committed, tuple(entries)))
        return committed


def closed(state: Conversation) -> Conversation:
    """The state after a resolution: the bot's again, with nothing left open."""
    return msgspec.structs.replace(
        state, owner="bot", agent=None, question=None, form=None, failures=0, handoff=None, resolved=datetime.now(UTC)
    )


def _said(state: Conversation, agent: str, text: str, *, id: str | None, **fields: Any) -> Outgoing:
    return storable(
        Outgoing(
            id=f"{state.id}/agent/{id or uuid4().hex}",
            channel=state.channel,
            conversation=state.id,
            contact=state.contact,
            text=text,
            at=datetime.now(UTC),
            author=f"agent:{agent}",
            language=state.language,
            **fields,
        )
    )


def _mark(state: Conversation, event: MarkEvent, agent: str) -> Mark:
    return Mark(
        id=uuid4().hex,
        conversation=state.id,
        event=event,
        at=datetime.now(UTC),
        by=f"agent:{agent}",
    )
