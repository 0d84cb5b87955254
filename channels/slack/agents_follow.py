"""Keeps a conversation's thread what the conversation is: opens it, shows what is new, says what became of replies.

What is to be done is read from the store and the database every time, so that nothing is missed, whenever the process ended.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import structlog

from frontdesk.channels.slack import agents_render as show
from frontdesk.channels.slack.agents_channel import FAILED, SENT, AgentsChannel
from frontdesk.channels.slack.agents_database import AgentsDatabase, Line, Thread
from frontdesk.channels.slack.parse import CHANNEL
from frontdesk.channels.slack.people import People
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import DeliveryRejected
from frontdesk.core.messages import Entry, Mark, Message, Note, Outgoing

log = structlog.get_logger(__name__)

PAGE = 100
OPENED_SOONER = 60.0
"""Seconds before a thread was begun from which its first message is looked for in the channel: clocks differ."""


def written_here(conversation: str, channel: str) -> tuple[str, str]:
    """What the ids of replies and notes begin with that were written in the agents' channel."""
    return f"{conversation}/agent/slack:{channel}:", f"{conversation}/note/slack:{channel}:"


class Follower:
    def __init__(self, services: Services, database: AgentsDatabase, channel: AgentsChannel, people: People) -> None:
        self._services = services
        self._db = database
        self._channel = channel
        self._people = people
        self._compared: set[str] = set()
        self.watched: set[str] = set()

    async def follow(self, conversation: str) -> None:
        """Brings the thread up to date. Raises what the store and Slack raise: then it is to be called again."""
        state = await self._services.store.conversation(conversation)
        if state is None:
            self.watched.discard(conversation)
            return
        thread = await self._db.thread_of(conversation)
        if (thread is None or not thread.open) and state.owner == "queue":
            thread = await self._db.begin(conversation)
        if thread is None:
            return
        self.watched.add(conversation)
        state = await self._named(state)
        try:
            if not thread.shown:
                thread = await self._begin(thread, state)
            if thread.open:
                thread = await self._show_news(thread, state)
            await self._show_status(thread, state)
            waiting = await self._settle(thread)
        except Exception:
            self._compared.discard(thread.key)  # the last call may have been carried out
            raise
        if not thread.open and not waiting:
            self.watched.discard(conversation)

    async def _named(self, state: Conversation) -> Conversation:
        """Of somebody who has written in Slack for the first time, the store does not know the name yet."""
        if state.channel != CHANNEL or state.contact.name:
            return state
        account, _, user = state.contact.id.partition(":")
        who = await self._people.asked(account, user)
        return msgspec.structs.replace(state, contact=msgspec.structs.replace(state.contact, name=who.name)) if who else state

    async def _begin(self, thread: Thread, state: Conversation) -> Thread:
        """The first message, and the last words before it."""
        words, blocks = show.first_message(thread, state)
        root, posted = thread.root, dict[str, str]()
        if root is None:
            known = (await self._channel.begun(thread.opened - OPENED_SOONER)).get(thread.key)
            root = known or await self._channel.post(words, blocks, root=None, id=thread.key)
            await self._change(thread, root=root)
            posted = await self._channel.posted(root) if known else {}
        else:
            posted = await self._channel.posted(root)
        # What the context covers is known only from the message itself, if that was posted before the process ended.
        context = f"{thread.key}/context/"
        covered = [int(id.removeprefix(context)) for id in posted if id.startswith(context)]
        seen = covered[0] if covered else await self._show_context(replace(thread, root=root), state, context)
        log.info("a thread is open for a conversation", conversation=state.id, thread=root)
        return await self._change(thread, shown=_digest(words, blocks), seen=seen)

    async def _show_context(self, thread: Thread, state: Conversation, id: str) -> int:
        """Returns the number of the last entry that is shown."""
        entries = await self._services.store.transcript(state.id, limit=show.CONTEXT_ENTRIES)
        done = entries[: _settled(entries)]
        seen = entries[len(done)].seq - 1 if len(done) < len(entries) else done[-1].seq if done else 0
        if context := show.context(done, state):
            await self._channel.post(*context, root=thread.root, id=f"{id}{seen}")
        for entry in done:
            await self._upload(thread, entry)
        return seen

    async def _change(self, thread: Thread, **values: object) -> Thread:
        changed = await self._db.change(thread, **values)
        assert changed is not None, "only opening a thread can be refused"
        return changed

    async def _show_news(self, thread: Thread, state: Conversation) -> Thread:
        assert thread.root is not None
        posted: dict[str, str] | None = None
        while True:
            entries = await self._entries(thread)
            done = entries[: _settled(entries)]
            if done and thread.key not in self._compared:
                posted = await self._channel.posted(thread.root)
                self._compared.add(thread.key)
            for entry in done:
                await self._show(thread, state, entry, posted or {})
                if isinstance(entry.body, Mark) and entry.body.event in ("returned", "resolved") and state.owner == "bot":
                    return await self._change(thread, open=0, seen=entry.seq, taker=None, taker_name=None)
            if len(done) < PAGE:
                return thread
            current = await self._db.thread(thread.key)
            assert current is not None
            thread = current

    async def _entries(self, thread: Thread) -> list[Entry]:
        """The next entries after those shown, in order."""
        newest = await self._services.store.transcript(thread.conversation, after=thread.seen, limit=PAGE)
        while len(newest) == PAGE:
            older = await self._services.store.transcript(
                thread.conversation, after=thread.seen, before=newest[0].seq, limit=PAGE
            )
            if not older:
                break
            newest = older if len(older) == PAGE else (older + newest)[:PAGE]
        return newest

    async def _show(self, thread: Thread, state: Conversation, entry: Entry, posted: dict[str, str]) -> None:
        assert thread.root is not None
        body = entry.body
        if isinstance(body, Message) and body.kind in ("edited", "deleted") and body.target:
            await self._show_revision(thread, state, body.target)
        here = isinstance(body, Outgoing | Note) and body.id.startswith(written_here(thread.conversation, self._channel.id))
        message = None if here else show.entry(body, state)
        if message is None:
            await self._db.seen(thread, entry.seq)
            return
        ts = posted.get(body.id)
        if ts is None:
            ts = await self._channel.post(*message, root=thread.root, id=body.id)
            await self._upload(thread, entry)
        await self._db.posted(thread, body.id, ts, entry.seq)
        if isinstance(body, Outgoing) and entry.status != "sent":
            await self._db.write(Line(thread=thread.key, ts=ts, user="", reply=body.id, settled="pending"))

    async def _show_revision(self, thread: Thread, state: Conversation, target: str) -> None:
        """A customer has changed an earlier message: so is what shows it."""
        entry, ts = await self._services.store.entry(target), await self._db.post_of(thread, target)
        if entry is None or ts is None or not isinstance(entry.body, Message):
            return
        try:
            await self._channel.change(ts, *show.customer_message(entry.body, state))
        except DeliveryRejected as error:
            log.info("a message of a thread cannot be changed", conversation=state.id, reason=str(error))

    async def _upload(self, thread: Thread, entry: Entry) -> None:
        assert thread.root is not None
        for attachment in show.files(entry.body):
            try:
                await self._channel.upload(thread.root, attachment)
            except DeliveryRejected as error:
                log.warning("a file is not shown to agents", conversation=thread.conversation, reason=str(error))

    async def _show_status(self, thread: Thread, state: Conversation) -> None:
        assert thread.root is not None
        words, blocks = show.first_message(thread, state)
        digest = _digest(words, blocks)
        if digest == thread.shown:
            return
        try:
            await self._channel.change(thread.root, words, blocks)
        except DeliveryRejected as error:
            log.warning("the first message of a thread cannot be changed", conversation=state.id, reason=str(error))
        await self._db.change(thread, shown=digest)

    async def _settle(self, thread: Thread) -> bool:
        """Marks the replies that were delivered, and tells of those that were not. True while some are on their way."""
        assert thread.root is not None
        waiting = False
        for line in await self._db.unsettled(thread):
            entry = await self._services.store.entry(line.reply) if line.reply else None
            status = entry.status if entry else "pending"  # the line is written down before it becomes a reply
            if status == "sent":
                if line.user:
                    await self._channel.mark(line.ts, SENT)
                await self._db.write(replace(line, settled="sent"))
            elif status == "dead" and line.settled != "dead":
                reason = entry.error if entry and entry.error else "unknown"
                await self._channel.post(*show.undelivered(reason), root=thread.root, id=f"{line.reply}/undelivered")
                await self._channel.mark(line.ts, FAILED)
                await self._db.write(replace(line, settled="dead"))
            waiting |= status not in ("sent", "dead")
        return waiting


def _settled(entries: Sequence[Entry]) -> int:
    """So many entries at the beginning can be shown: a message whose turn is not over may still change, and get its files."""
    for number, entry in enumerate(entries):
        if isinstance(entry.body, Message) and entry.status == "pending":
            return number
    return len(entries)


def _digest(words: str, blocks: Sequence[show.Block]) -> str:
    return hashlib.sha256(json.dumps([words, list(blocks)], sort_keys=True).encode()).hexdigest()
