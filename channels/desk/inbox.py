"""The list of conversations: who waits, whose they are, what was said last."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from frontdesk.channels.desk.database import Database
from frontdesk.channels.desk.render import preview
from frontdesk.core.conversations import Conversation, Owner
from frontdesk.core.messages import Entry, Message, Outgoing
from frontdesk.core.store import Store

Tab = Literal["waiting", "mine", "bot", "all"]
TABS: tuple[Tab, ...] = get_args(Tab)

PAGE = 50
MOST = 1_000
"""More conversations than this of one owner are not counted, nor sorted."""


@dataclass(frozen=True, kw_only=True)
class Last:
    """The last words of a conversation; `customer_seq` is the customer's latest message, 0 if it is further back."""

    text: str = ""
    author: str = ""
    at: datetime | None = None
    customer_seq: int = 0


@dataclass(frozen=True, kw_only=True)
class Row:
    conversation: Conversation
    last: Last
    unread: bool

    @property
    def waiting_since(self) -> datetime:
        handoff = self.conversation.handoff
        return handoff.at if handoff else self.conversation.updated


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The first `limit` rows of a tab, and whether there are `more`. Counts stop at `MOST`."""

    tab: Tab
    rows: Sequence[Row]
    limit: int
    more: bool
    waiting: int
    mine: int


class Inbox:
    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._last: OrderedDict[tuple[str, int], Last] = OrderedDict()

    async def listing(self, tab: Tab, agent: str, *, limit: int = PAGE) -> Listing:
        limit = max(PAGE, min(limit, MOST))
        queue, held = await self._everything("queue"), await self._everything("agent")
        mine = [conversation for conversation in held if conversation.agent == agent]
        match tab:
            case "waiting":
                shown = sorted(queue, key=lambda one: one.handoff.at if one.handoff else one.updated)
            case "mine":
                shown = mine
            case "all":
                shown = held
            case "bot":
                shown = await self._store.conversations(owner="bot", limit=limit + 1)
        rows = await self._rows(shown[:limit], agent, mark=tab != "bot")
        more = limit < min(len(shown), MOST)
        return Listing(tab=tab, rows=rows, limit=limit, more=more, waiting=len(queue), mine=len(mine))

    async def read_up_to(self, agent: str, conversation: str, seq: int) -> None:
        """Remembers that the agent has seen the conversation up to this entry."""
        await self._database.run(
            lambda db: db.execute(
                """INSERT INTO seen (agent, conversation, seq) VALUES (?, ?, ?)
                   ON CONFLICT (agent, conversation) DO UPDATE SET seq = max(seq, excluded.seq)""",
                (agent, conversation, seq),
            )
        )

    async def _everything(self, owner: Owner) -> list[Conversation]:
        found: list[Conversation] = []
        before = None
        while len(found) < MOST:
            some = await self._store.conversations(owner=owner, before=before, limit=200)
            found += some
            if len(some) < 200:
                break
            before = some[-1].updated
        return found

    async def _rows(self, conversations: Sequence[Conversation], agent: str, *, mark: bool) -> list[Row]:
        last = await asyncio.gather(*(self.last_of(conversation) for conversation in conversations))
        seen = await self._seen(agent, [conversation.id for conversation in conversations]) if mark else {}
        return [
            Row(conversation=one, last=words, unread=mark and words.customer_seq > seen.get(one.id, 0))
            for one, words in zip(conversations, last, strict=True)
        ]

    async def _seen(self, agent: str, ids: Iterable[str]) -> dict[str, int]:
        wanted = json.dumps(list(ids))
        rows = await self._database.run(
            lambda db: db.execute(
                "SELECT conversation, seq FROM seen WHERE agent = ? AND conversation IN (SELECT value FROM json_each(?))",
                (agent, wanted),
            ).fetchall()
        )
        return {row["conversation"]: row["seq"] for row in rows}

    async def last_of(self, conversation: Conversation) -> Last:
        """What was said last."""
        # Each commit has a new version, so what was read for a version stays true but for messages still in the inbox.
        key = (conversation.id, conversation.version)
        if (known := self._last.get(key)) is not None:
            self._last.move_to_end(key)
            return known
        last = last_words(await self._store.transcript(conversation.id, limit=8))
        self._last[key] = last
        while len(self._last) > 4 * MOST:
            self._last.popitem(last=False)
        return last


def last_words(entries: Sequence[Entry]) -> Last:
    customer_seq = max((entry.seq for entry in entries if isinstance(entry.body, Message)), default=0)
    for entry in reversed(entries):
        body = entry.body
        # What was deleted, and the event of an edit, have no words.
        if isinstance(body, Message | Outgoing) and (text := preview(body)):
            author = "contact" if isinstance(body, Message) else body.author
            return Last(text=text, author=author, at=body.at, customer_seq=customer_seq)
    return Last(customer_seq=customer_seq)
