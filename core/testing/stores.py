"""The contract that every engine fulfils. Inherit it and give a `store` fixture that is open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import Stale, Unavailable
from frontdesk.core.messages import Contact, Mark, Message, Note, Outgoing, TextPart
from frontdesk.core.store import Claim, Delivery, Store
from frontdesk.core.testing.messages import a_message


def a_conversation(id: str = "test:1", **fields: object) -> Conversation:
    now = datetime.now(UTC)
    return msgspec.structs.replace(
        Conversation(id=id, channel="test", contact=Contact(id=id), created=now, updated=now), **fields
    )


def a_reply(text: str = "yes?", *, id: str, conversation: str = "test:1") -> Outgoing:
    now = datetime.now(UTC)
    return Outgoing(id=id, channel="test", conversation=conversation, contact=Contact(id=conversation), text=text, at=now)


async def _next(turns: AsyncIterator[Claim]) -> Claim:
    return await anext(turns)


async def soon(waiting: Awaitable[object]) -> object:
    return await asyncio.wait_for(waiting, 5)


class StoreContract:
    """`store` is the engine under test; `small_store` makes another that takes only so many waiting messages."""

    @pytest.fixture
    def turns(self, store: Store) -> AsyncIterator[Claim]:
        return store.turns()

    @pytest.fixture
    def deliveries(self, store: Store) -> AsyncIterator[Delivery]:
        return store.deliveries()

    async def test_an_accepted_message_becomes_a_turn(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        receipt = await store.accept(a_message("hi", id="m1"))
        claim = await anext(turns)
        assert not receipt.duplicate
        assert [message.text for message in claim.waiting(10)] == ["hi"]
        assert await claim.load() is None
        assert claim.attempts == 0

    async def test_a_message_is_accepted_once(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        await store.accept(a_message("first", id="m1"))
        receipt = await store.accept(a_message("another text", id="m1"))
        claim = await anext(turns)
        assert receipt.duplicate
        assert [message.text for message in claim.waiting(10)] == ["first"]

    async def test_a_duplicate_is_known_after_its_turn(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        await store.accept(a_message(id="m1"))
        await (await anext(turns)).commit(1, a_conversation(), ())
        assert (await store.accept(a_message(id="m1"))).duplicate

    async def test_parallel_repetitions_are_accepted_once(self, store: Store) -> None:
        receipts = await asyncio.gather(*(store.accept(a_message(id="m1")) for _ in range(20)))
        assert sum(not receipt.duplicate for receipt in receipts) == 1

    async def test_a_conversation_has_one_turn_at_a_time_in_order(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        for number in range(3):
            await store.accept(a_message(str(number)))
        seen = []
        state = a_conversation()
        claim = await anext(turns)
        for _ in range(3):
            seen.append(claim.waiting(1)[0].text)
            waiting = asyncio.ensure_future(_next(turns))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            state = await claim.commit(1, state, ())
            if len(seen) == 3:
                waiting.cancel()
            else:
                claim = await asyncio.wait_for(waiting, 5)
        assert seen == ["0", "1", "2"]

    async def test_conversations_go_side_by_side(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        for conversation in ("a", "b", "c"):
            await store.accept(a_message(conversation=conversation))
        claims = [await anext(turns) for _ in range(3)]
        assert {claim.waiting(1)[0].conversation for claim in claims} == {"a", "b", "c"}

    async def test_messages_that_come_during_a_turn_can_be_taken_together(
        self, store: Store, turns: AsyncIterator[Claim]
    ) -> None:
        await store.accept(a_message("one"))
        claim = await anext(turns)
        await store.accept(a_message("two"))
        await store.accept(a_message("three"))
        assert [message.text for message in claim.waiting(2)] == ["one", "two"]
        await claim.commit(2, a_conversation(), ())
        assert [message.text for message in (await anext(turns)).waiting(10)] == ["three"]

    async def test_a_commit_keeps_state_and_sends_replies_in_order(
        self, store: Store, turns: AsyncIterator[Claim], deliveries: AsyncIterator[Delivery]
    ) -> None:
        await store.accept(a_message())
        claim = await anext(turns)
        committed = await claim.commit(1, a_conversation(language="zh"), [a_reply("1", id="r1"), a_reply("2", id="r2")])
        assert committed.version == 1
        assert await store.conversation("test:1") == committed
        first = await anext(deliveries)
        assert first.outgoing.text == "1"
        second = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0.01)
        assert not second.done()
        await first.sent("p1")
        assert (await asyncio.wait_for(second, 5)).outgoing.text == "2"

    async def test_a_stale_commit_changes_nothing_and_the_claim_goes_on(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        await store.accept(a_message())
        claim = await anext(turns)
        await store.commit(a_conversation(owner="agent"), ())
        with pytest.raises(Stale):
            await claim.commit(1, a_conversation(), [a_reply(id="r1")])
        again = await claim.load()
        assert again is not None
        assert again.owner == "agent"
        await claim.commit(1, again, [a_reply(id="r1")])
        assert [entry.body.id for entry in await store.transcript("test:1")][1:] == ["r1"]

    async def test_an_old_version_is_stale(self, store: Store) -> None:
        first = await store.commit(a_conversation(), ())
        await store.commit(first, ())
        with pytest.raises(Stale):
            await store.commit(first, ())

    async def test_an_entry_of_a_known_id_is_left_out(self, store: Store) -> None:
        state = await store.commit(a_conversation(), [a_reply("once", id="r1")])
        await store.commit(state, [a_reply("twice", id="r1")])
        assert [entry.body.text for entry in await store.transcript("test:1") if isinstance(entry.body, Outgoing)] == ["once"]

    async def test_the_record_of_a_message_can_be_changed(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        first, second = a_message("teh first", id="m1"), a_message("second", id="m2")
        await store.accept(first)
        await store.accept(second)
        claim = await anext(turns)
        newer = msgspec.structs.replace(first, parts=(TextPart("the first"),), revision="edited")
        state = await claim.commit(1, a_conversation(), [newer, a_reply(id="r1")])
        assert [entry.status for entry in await store.transcript("test:1")] == ["done", "pending", "pending"]
        found = await store.entry("m1")
        assert found is not None
        assert found.body == newer
        deleted = msgspec.structs.replace(first, parts=(), revision="deleted")
        await store.commit(state, [deleted])
        assert (await store.transcript("test:1"))[0].body == deleted
        assert await store.entry("nothing") is None

    async def test_a_reply_that_bounced_is_a_dead_letter_that_can_be_sent_again(
        self, store: Store, deliveries: AsyncIterator[Delivery]
    ) -> None:
        await store.commit(a_conversation(), [a_reply("1", id="r1")])
        assert await store.bounced("r1", "it is not even sent") is None
        await (await anext(deliveries)).sent("p1")
        bounced = await store.bounced("r1", "no such mailbox")
        assert bounced is not None
        assert (bounced.status, bounced.error, bounced.platform_id) == ("dead", "no such mailbox", "p1")
        assert [entry.seq for entry in await store.dead()] == [bounced.seq]
        assert (await store.health()).dead == 1
        await store.replay(bounced.seq)
        assert (await asyncio.wait_for(anext(deliveries), 5)).outgoing.id == "r1"

    async def test_conversations_are_found_by_who_began_them(self, store: Store) -> None:
        ann = await store.commit(a_conversation("one", contact=Contact(id="ann")), ())
        await store.commit(a_conversation("two", contact=Contact(id="bob")), ())
        await store.commit(msgspec.structs.replace(ann, contact=Contact(id="carl")), ())
        assert [state.id for state in await store.conversations(contact=("test", "ann"))] == ["one"]
        assert await store.conversations(contact=("test", "carl")) == []
        assert await store.conversations(contact=("test", "ann"), owner="agent") == []

    async def test_a_retried_turn_holds_its_conversation_and_counts(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        await store.accept(a_message("one"))
        await store.accept(a_message("two"))
        await (await anext(turns)).retry(0.05, "later")
        claim = await asyncio.wait_for(anext(turns), 5)
        assert claim.waiting(1)[0].text == "one"
        assert claim.attempts == 1

    async def test_a_buried_message_is_a_dead_letter_and_can_be_replayed(
        self, store: Store, turns: AsyncIterator[Claim], deliveries: AsyncIterator[Delivery]
    ) -> None:
        await store.accept(a_message("poison"))
        state = await (await anext(turns)).bury(1, "it raised", a_conversation(), [a_reply("sorry", id="r1")])
        (dead,) = await store.dead()
        assert dead.error == "it raised"
        assert isinstance(dead.body, Message)
        assert (await anext(deliveries)).outgoing.text == "sorry"
        assert (await store.health()).dead == 1
        await store.replay(dead.seq)
        claim = await asyncio.wait_for(anext(turns), 5)
        assert claim.waiting(1)[0].text == "poison"
        await claim.commit(1, state, ())
        assert await store.dead() == []

    async def test_a_buried_reply_lets_the_next_one_pass(self, store: Store, deliveries: AsyncIterator[Delivery]) -> None:
        await store.commit(a_conversation(), [a_reply("1", id="r1"), a_reply("2", id="r2")])
        await (await anext(deliveries)).bury("blocked")
        assert (await asyncio.wait_for(anext(deliveries), 5)).outgoing.text == "2"
        (dead,) = await store.dead()
        await store.replay(dead.seq)

    async def test_a_deferred_reply_holds_the_later_ones_of_its_conversation_only(
        self, store: Store, deliveries: AsyncIterator[Delivery]
    ) -> None:
        await store.commit(a_conversation(), [a_reply("1", id="r1"), a_reply("2", id="r2")])
        await (await anext(deliveries)).retry(0.1, "later")
        await store.commit(a_conversation("test:2"), [a_reply("other", id="r3", conversation="test:2")])
        seen = []
        for _ in range(3):
            delivery = await asyncio.wait_for(anext(deliveries), 5)
            seen.append((delivery.outgoing.text, delivery.attempts))
            await delivery.sent(None)
        assert seen == [("other", 0), ("1", 1), ("2", 0)]

    async def test_a_reply_on_its_way_can_be_sent_deferred_or_buried(
        self, store: Store, deliveries: AsyncIterator[Delivery]
    ) -> None:
        await store.commit(a_conversation(), [a_reply("1", id="r1"), a_reply("2", id="r2")])
        first = await anext(deliveries)
        await first.begin()
        (entry,) = [entry for entry in await store.transcript("test:1") if entry.body.id == "r1"]
        assert entry.status == "sending"
        await first.retry(0.01, "later")
        again = await asyncio.wait_for(anext(deliveries), 5)
        await again.begin()
        await again.sent("p1")
        second = await asyncio.wait_for(anext(deliveries), 5)
        await second.begin()
        await second.bury("no")
        assert [entry.status for entry in await store.transcript("test:1")] == ["sent", "dead"]

    async def test_replaying_what_is_not_dead_is_an_error(self, store: Store) -> None:
        await store.accept(a_message())
        (entry,) = await store.transcript("test:1")
        for seq in (entry.seq, 999):
            with pytest.raises(KeyError):
                await store.replay(seq)

    async def test_the_transcript_has_everything_in_order_and_in_pages(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        message = a_message("hi")
        await store.accept(message)
        now = datetime.now(UTC)
        mark = Mark(id="k1", conversation="test:1", event="escalated", at=now, reason="asked")
        state = await (await anext(turns)).commit(1, a_conversation(), [a_reply(id="r1"), mark])
        await store.commit(state, [Note(id="n1", conversation="test:1", text="vip", author="agent:ann", at=now)])
        entries = await store.transcript("test:1")
        assert [(entry.body.id, entry.status) for entry in entries] == [
            (message.id, "done"),
            ("r1", "pending"),
            ("k1", "done"),
            ("n1", "done"),
        ]
        assert entries == sorted(entries, key=lambda entry: entry.seq)
        assert await store.transcript("test:1", limit=2) == entries[-2:]
        assert await store.transcript("test:1", before=entries[2].seq) == entries[:2]
        assert await store.transcript("test:1", after=entries[0].seq, limit=10) == entries[1:]
        assert await store.transcript("nobody") == []

    async def test_conversations_are_listed_newest_first_by_owner(self, store: Store) -> None:
        now = datetime.now(UTC)
        await store.commit(a_conversation("old", updated=now - timedelta(hours=1), owner="queue"), ())
        await store.commit(a_conversation("new", updated=now, owner="queue"), ())
        await store.commit(a_conversation("bot", updated=now), ())
        assert [state.id for state in await store.conversations(owner="queue")] == ["new", "old"]
        assert [state.id for state in await store.conversations(before=now)] == ["old"]
        assert len(await store.conversations(limit=2)) == 2

    async def test_a_full_inbox_refuses_and_keeps_nothing(self, small_store: Callable[[int], Store]) -> None:
        store = small_store(2)
        await store.open()
        try:
            await store.accept(a_message())
            await store.accept(a_message())
            with pytest.raises(Unavailable):
                await store.accept(a_message(id="refused"))
            assert not (await store.health()).ok
            assert [entry.body.id for entry in await store.transcript("test:1") if entry.body.id == "refused"] == []
        finally:
            await store.close()

    async def test_closing_ends_the_iterators(self, store: Store) -> None:
        turns = asyncio.ensure_future(anext(store.turns(), None))
        deliveries = asyncio.ensure_future(anext(store.deliveries(), None))
        await asyncio.sleep(0.01)
        await store.close()
        assert await soon(turns) is None
        assert await soon(deliveries) is None
        await store.close()

    async def test_health_counts_what_waits(self, store: Store, turns: AsyncIterator[Claim]) -> None:
        await store.accept(a_message(conversation="a"))
        await store.accept(a_message(conversation="b"))
        await (await anext(turns)).commit(1, a_conversation("a"), [a_reply(id="r1", conversation="a")])
        health = await store.health()
        assert (health.ok, health.inbox, health.outbox, health.dead) == (True, 1, 1, 0)
