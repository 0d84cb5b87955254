"""An engine that keeps everything in memory: for tests and demonstrations. What it holds ends with the process."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from frontdesk.core.conversations import Conversation, Owner
from frontdesk.core.errors import Stale
from frontdesk.core.messages import Body, Entry, Message, Outgoing, Status
from frontdesk.core.storage.embedded import EmbeddedStore


class MemoryStore(EmbeddedStore):
    def __init__(self, *, max_backlog: int = 100_000) -> None:
        super().__init__(max_backlog=max_backlog)
        self._entries: dict[int, Entry] = {}
        self._seqs: dict[str, int] = {}
        self._begun_by: dict[str, tuple[str, str]] = {}
        self._by_conversation: dict[str, list[int]] = {}
        self._conversations: dict[str, Conversation] = {}

    async def open(self, *, work: bool = True) -> None:
        pass

    async def conversation(self, id: str) -> Conversation | None:
        return self._conversations.get(id)

    async def transcript(
        self, conversation: str, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[Entry]:
        rows = self._by_conversation.get(conversation, [])
        wanted = [seq for seq in rows if (before is None or seq < before) and (after is None or seq > after)]
        return [self._entries[seq] for seq in wanted[-limit:]]

    async def entry(self, id: str) -> Entry | None:
        return self._entries[self._seqs[id]] if id in self._seqs else None

    async def conversations(
        self,
        *,
        owner: Owner | None = None,
        contact: tuple[str, str] | None = None,
        before: datetime | None = None,
        limit: int = 100,
    ) -> list[Conversation]:
        wanted: Iterable[Conversation] = (
            state
            for state in self._conversations.values()
            if (owner is None or state.owner == owner)
            and (contact is None or self._begun_by[state.id] == contact)
            and (before is None or state.updated < before)
        )
        return sorted(wanted, key=lambda state: state.updated, reverse=True)[:limit]

    async def dead(self, *, limit: int = 100) -> list[Entry]:
        return [entry for entry in reversed(self._entries.values()) if entry.status == "dead"][:limit]

    async def bounced(self, id: str, reason: str) -> Entry | None:
        entry = await self.entry(id)
        return self._change(entry.seq, status="dead", error=reason) if entry and entry.status == "sent" else None

    async def replay(self, seq: int) -> Entry:
        entry = self._entries.get(seq)
        if entry is None or entry.status != "dead":
            raise KeyError(seq)
        entry = self._change(seq, status="pending", attempts=0, error=None)
        self._take_up(entry, suspect=False)
        return entry

    async def _insert(self, message: Message, then: Callable[[int], None]) -> int | None:
        if message.id in self._seqs:
            return None
        seq = self._add(message, "pending")
        then(seq)
        return seq

    async def _apply(
        self,
        conversation: Conversation,
        entries: Sequence[Body],
        settled: Sequence[int],
        error: str | None,
        then: Callable[[Conversation, Sequence[tuple[int, Body]]], None],
    ) -> Conversation:
        known = self._conversations.get(conversation.id)
        if (known.version if known else 0) != conversation.version:
            raise Stale(conversation.id)
        committed = msgspec.structs.replace(conversation, version=conversation.version + 1)
        self._conversations[conversation.id] = committed
        self._begun_by.setdefault(conversation.id, (conversation.channel, conversation.contact.id))
        for seq in settled:
            self._change(seq, status="dead" if error else "done", error=error)
        for body in entries:
            if isinstance(body, Message) and body.id in self._seqs:
                self._change(self._seqs[body.id], body=body)
        new = [
            (self._add(body, "pending" if isinstance(body, Outgoing) else "done"), body)
            for body in entries
            if not isinstance(body, Message) and body.id not in self._seqs
        ]
        then(committed, new)
        return committed

    async def _settle(self, seq: int, status: Status, *, platform_id: str | None = None, error: str | None = None) -> None:
        self._change(seq, status=status, platform_id=platform_id, error=error)

    async def _count(self, seq: int, error: str | None = None) -> None:
        entry = self._entries[seq]
        status = "pending" if entry.status == "sending" else entry.status
        self._change(seq, attempts=entry.attempts + 1, error=error, status=status)

    async def _dead_count(self) -> int:
        return sum(entry.status == "dead" for entry in self._entries.values())

    def _add(self, body: Body, status: Status) -> int:
        seq = len(self._entries) + 1
        self._entries[seq] = Entry(seq=seq, body=body, status=status)
        self._seqs[body.id] = seq
        self._by_conversation.setdefault(body.conversation, []).append(seq)
        return seq

    def _change(self, seq: int, **changes: object) -> Entry:
        self._entries[seq] = msgspec.structs.replace(self._entries[seq], **changes)
        return self._entries[seq]
