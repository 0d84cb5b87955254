import asyncio
import re
from collections.abc import Callable

import msgspec
import pytest

from frontdesk.core.app import App
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected, TransientError, Unavailable
from frontdesk.core.messages import Contact, Outgoing
from frontdesk.core.outcomes import Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TAKEN_AGAIN, TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Turn

ChannelOf = Callable[[App], RecordingChannel]


def a_plugin(handler: Callable[[Turn], object]) -> Plugin:
    """A plugin whose only handler takes every text."""
    plugin = Plugin("under_test")

    @plugin.pattern(r".*", re.DOTALL)
    async def handle(turn: Turn) -> Outcome:
        outcome = handler(turn)
        return await outcome if asyncio.iscoroutine(outcome) else outcome  # type: ignore[return-value]

    return plugin


RETURNED = (
    "WiringError: plugin 'under_test', handler 'handle': returned {type}, but must return an outcome: Reply, Ask, Confirm, ..."
)

echo = a_plugin(lambda turn: Reply(f"echo {turn.text}"))


async def test_a_message_is_answered_in_its_conversation(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        await app.intake.accept(a_message("hi", conversation="a"))
        (reply,) = await channel_of(app).wait_for(1)
        assert (reply.text, reply.conversation, reply.plugin) == ("echo hi", "a", "under_test")


async def test_a_repeated_message_is_answered_once(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        await asyncio.gather(*(app.intake.accept(a_message("hi", id="same")) for _ in range(5)))
        await channel_of(app).wait_for(1)
        await asyncio.sleep(0.05)
        assert len(channel_of(app).sent) == 1


async def test_order_is_kept_in_a_conversation_while_others_overtake(make_app, channel_of: ChannelOf) -> None:
    async def slow_first(turn: Turn) -> Reply:
        await asyncio.sleep(0.05 if turn.text == "0" else 0)
        return Reply(turn.text)

    async with make_app(a_plugin(slow_first)) as app:
        for number in range(5):
            await app.intake.accept(a_message(str(number), conversation="a"))
        await app.intake.accept(a_message("other", conversation="b"))
        sent = await channel_of(app).wait_for(6)
        assert [reply.text for reply in sent if reply.conversation == "a"] == ["0", "1", "2", "3", "4"]
        assert sent[0].text == "other"


async def test_a_burst_is_one_turn_where_the_channel_says_so(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo, limits=TurnLimits(bursts={"test": 0.05})) as app:
        for text in ("my order", "LL-10423", "is late"):
            await app.intake.accept(a_message(text))
        (reply,) = await channel_of(app).wait_for(1)
        assert reply.text == "echo my order\nLL-10423\nis late"
        health = await app.store.health()
        assert health.inbox == 0


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (lambda turn: 1 / 0, "ZeroDivisionError"),
        (lambda turn: "just a string", RETURNED.format(type="str")),
        (lambda turn: None, RETURNED.format(type="NoneType")),
        (lambda turn: asyncio.sleep(60), "TimeoutError: it took longer than 0.1 s"),
    ],
    ids=["raises", "wrong type", "nothing", "hangs"],
)
async def test_a_broken_plugin_costs_one_turn_a_defined_answer(
    make_app, channel_of: ChannelOf, handler: Callable[[Turn], object], error: str
) -> None:
    def broken_for_some(turn: Turn) -> object:
        return Reply("fine") if turn.text == "fine" else handler(turn)

    async with make_app(a_plugin(broken_for_some), limits=TurnLimits(seconds=0.1)) as app:
        await app.intake.accept(a_message("break", conversation="a"))
        await app.intake.accept(a_message("fine", conversation="b"))
        await app.intake.accept(a_message("fine", conversation="a"))
        sent = await channel_of(app).wait_for(3)
        of_a = [reply.text for reply in sent if reply.conversation == "a"]
        assert "something went wrong on our side" in of_a[0]
        assert of_a[1] == "fine"
        (dead,) = await app.store.dead()
        assert dead.error == error


async def test_what_a_plugin_raises_is_not_shown_to_anybody(make_app, channel_of: ChannelOf, capsys) -> None:
    def leaks(turn: Turn) -> object:
        raise ValueError("card 4111 1111 1111 1111")

    async with make_app(a_plugin(leaks)) as app:
        await app.intake.accept(a_message("pay"))
        (reply,) = await channel_of(app).wait_for(1)
        (dead,) = await app.store.dead()
    logged = "".join(capsys.readouterr())
    assert "4111" not in reply.text + str(dead.error) + logged
    assert f"{__file__}:{leaks.__code__.co_firstlineno + 1}" in logged


async def test_a_transient_error_is_tried_again_and_then_given_up(make_app, channel_of: ChannelOf) -> None:
    calls: list[str] = []

    def flaky(turn: Turn) -> Reply:
        calls.append(turn.text)
        if turn.text == "never" or len(calls) < 3:
            raise TransientError("the model is loading", retry_after=0.01)
        return Reply("here it is")

    async with make_app(a_plugin(flaky), limits=TurnLimits(attempts=3)) as app:
        await app.intake.accept(a_message("twice"))
        assert (await channel_of(app).wait_for(1))[0].text == "here it is"
        await app.intake.accept(a_message("never"))
        assert "went wrong" in (await channel_of(app).wait_for(2))[1].text
        (dead,) = await app.store.dead()
        assert dead.error == "given up after 3 attempts: TransientError: the model is loading"
        assert calls.count("never") == 3


async def test_a_replayed_dead_letter_is_answered(make_app, channel_of: ChannelOf) -> None:
    broken = True

    def handler(turn: Turn) -> Reply:
        if broken:
            raise ValueError
        return Reply("repaired")

    async with make_app(a_plugin(handler)) as app:
        await app.intake.accept(a_message())
        await channel_of(app).wait_for(1)
        (dead,) = await app.store.dead()
        broken = False
        await app.store.replay(dead.seq)
        assert (await channel_of(app).wait_for(2))[1].text == "repaired"


async def test_an_agent_who_takes_over_during_a_turn_silences_it(make_app, channel_of: ChannelOf) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn) -> Reply:
        if turn.text == "slow":
            entered.set()
            await go_on.wait()
        return Reply("from the bot")

    async with make_app(a_plugin(slow)) as app:
        channel = channel_of(app)
        await app.intake.accept(a_message("first"))
        await channel.wait_for(1)
        await app.intake.accept(a_message("slow"))
        await entered.wait()
        await app.handoff.reply("test:1", "ann", "I will take care of it")
        go_on.set()
        await channel.wait_for(2)
        await asyncio.sleep(0.05)
        assert [(reply.text, reply.author) for reply in channel.sent] == [
            ("from the bot", "bot"),
            ("I will take care of it", "agent:ann"),
        ]
        state = await app.store.conversation("test:1")
        assert state is not None
        assert (state.owner, state.agent) == ("agent", "ann")


async def test_the_bot_is_silent_until_the_conversation_is_given_back(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        channel = channel_of(app)
        await app.intake.accept(a_message("one"))
        await channel.wait_for(1)
        await app.handoff.take("test:1", "ann")
        await app.intake.accept(a_message("two"))
        await asyncio.sleep(0.1)
        assert (await app.store.health()).inbox == 0
        assert len(channel.sent) == 1
        await app.handoff.give_back("test:1", "ann")
        await app.intake.accept(a_message("three"))
        assert (await channel.wait_for(2))[1].text == "echo three"


async def test_memory_is_kept_and_what_is_not_json_fails_the_turn(make_app, channel_of: ChannelOf) -> None:
    def counting(turn: Turn) -> Reply:
        turn.memory["count"] = turn.memory.get("count", 0) + 1 if turn.text != "bad" else object()
        return Reply(str(turn.memory["count"]))

    async with make_app(a_plugin(counting)) as app:
        for text in ("a", "b", "bad", "c"):
            await app.intake.accept(a_message(text))
        sent = await channel_of(app).wait_for(4)
        assert [reply.text for reply in sent][:2] == ["1", "2"]
        assert "went wrong" in sent[2].text
        assert sent[3].text == "3"


async def test_a_turn_waits_for_a_store_that_cannot_write(make_app, channel_of: ChannelOf, monkeypatch) -> None:
    store = MemoryStore()
    apply, failures = store._apply, [Unavailable("disk full"), Unavailable("disk full")]

    async def failing(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return await apply(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_apply", failing)
    monkeypatch.setattr("frontdesk.core.tasks.backoff", lambda *_, **__: 0.01)
    async with make_app(echo, store=store) as app:
        await app.intake.accept(a_message("hi"))
        assert (await channel_of(app).wait_for(1))[0].text == "echo hi"
        assert not failures


async def test_a_deferred_reply_is_sent_later_and_a_rejected_one_is_a_dead_letter(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        channel = channel_of(app)
        answers: list[Exception | None] = [DeliveryDeferred("429", retry_after=0.02), ConnectionError("reset"), None]

        def refuse(outgoing: Outgoing) -> None:
            if "blocked" in outgoing.text:
                raise DeliveryRejected("the customer has blocked the bot")
            answer = answers.pop(0) if answers else None
            if answer:
                raise answer

        channel.refuse = refuse
        for text in ("one", "blocked", "two"):
            await app.intake.accept(a_message(text))
        sent = await channel.wait_for(2)
        assert [reply.text for reply in sent] == ["echo one", "echo two"]
        (dead,) = await app.store.dead()
        assert dead.error == "the customer has blocked the bot"


async def test_typing_is_shown_for_a_slow_turn_only(make_app, channel_of: ChannelOf, monkeypatch) -> None:
    monkeypatch.setattr("frontdesk.core.runner.TYPING_AFTER", 0.02)

    async def maybe_slow(turn: Turn) -> Reply:
        await asyncio.sleep(0.1 if turn.text == "slow" else 0)
        return Reply("done")

    async with make_app(a_plugin(maybe_slow)) as app:
        await app.intake.accept(a_message("fast", conversation="a"))
        await app.intake.accept(a_message("slow", conversation="b"))
        await channel_of(app).wait_for(2)
        assert channel_of(app).typed == ["b"]


async def test_shutdown_finishes_the_turns_under_way(make_app, channel_of: ChannelOf) -> None:
    started = asyncio.Event()

    async def slow(turn: Turn) -> Reply:
        started.set()
        await asyncio.sleep(0.1)
        return Reply("done")

    async with make_app(a_plugin(slow)) as app:
        await app.intake.accept(a_message())
        await started.wait()
    assert [reply.text for reply in channel_of(app).sent] == ["done"]


async def test_shutdown_sends_all_that_a_turn_has_said(make_app, channel_of: ChannelOf) -> None:
    started = asyncio.Event()
    plugin = Plugin("talkative")

    @plugin.pattern(".")
    async def slow(turn: Turn) -> Reply:
        started.set()
        await asyncio.sleep(0.1)
        return Reply("done", resolves=True)

    @plugin.resolved
    async def goodbye(turn: Turn) -> Reply:
        return Reply("goodbye")

    async with make_app(plugin) as app:
        await app.intake.accept(a_message())
        await started.wait()
    assert [reply.text for reply in channel_of(app).sent] == ["done", "goodbye"]


async def test_what_a_contact_has_told_is_not_forgotten(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        first, second, third = (a_message(str(number)) for number in range(3))
        contact = msgspec.structs.replace(first.contact, name="Ann", phone="+4915112345")
        await app.intake.accept(msgspec.structs.replace(first, contact=contact))
        renamed = msgspec.structs.replace(contact, name="Anna", phone=None)
        await app.intake.accept(msgspec.structs.replace(second, contact=renamed))
        await channel_of(app).wait_for(2)
        known = (await app.store.conversation("test:1")).contact
        assert (known.name, known.phone) == ("Anna", "+4915112345")
        await app.intake.accept(msgspec.structs.replace(third, contact=Contact(id="somebody else")))
        await channel_of(app).wait_for(3)
        assert (await app.store.conversation("test:1")).contact == Contact(id="somebody else")


class TestTakenAnew:
    """A handler that waits for a model is interrupted when the customer writes more, and sees all of it."""

    @staticmethod
    def answering(heard: list[str], gate: asyncio.Event) -> Plugin:
        async def answer(turn: Turn) -> Outcome:
            heard.append(turn.text)
            await turn.unless_superseded(gate.wait())
            return Reply(f"answer to {turn.text!r}")

        return a_plugin(answer)

    async def test_what_was_written_meanwhile_is_answered_together(self, make_app, channel_of: ChannelOf) -> None:
        heard: list[str] = []
        gate = asyncio.Event()
        async with make_app(self.answering(heard, gate)) as app:
            await app.intake.accept(a_message("where is", id="test:1"))
            await until(lambda: heard == ["where is"])
            await app.intake.accept(a_message("my order", id="test:2"))
            await until(lambda: len(heard) == 2)
            gate.set()
            sent = await channel_of(app).wait_for(1)
            assert [reply.text for reply in sent] == ["answer to 'where is\\nmy order'"]
            assert not (await app.store.health()).inbox

    async def test_a_command_waits_for_its_own_turn(self, make_app, channel_of: ChannelOf) -> None:
        heard: list[str] = []
        gate = asyncio.Event()
        async with make_app(self.answering(heard, gate)) as app:
            await app.intake.accept(a_message("where is", id="test:1"))
            await until(lambda: heard == ["where is"])
            await app.intake.accept(a_message("/help", id="test:2"))
            gate.set()
            sent = await channel_of(app).wait_for(2)
            assert sent[0].text == "answer to 'where is'"
            assert heard == ["where is"]

    async def test_whoever_never_stops_writing_is_answered_all_the_same(self, make_app, channel_of: ChannelOf) -> None:
        heard: list[str] = []
        gate = asyncio.Event()
        async with make_app(self.answering(heard, gate)) as app:
            for number in range(1, TAKEN_AGAIN + 3):
                await app.intake.accept(a_message(f"{number}", id=f"test:{number}"))
                await until(lambda number=number: len(heard) == min(number, TAKEN_AGAIN + 1))  # type: ignore[misc]
            gate.set()
            sent = await channel_of(app).wait_for(2)
            assert [reply.text for reply in sent] == ["answer to '1\\n2\\n3\\n4'", "answer to '5'"]

    async def test_the_work_that_is_given_up_is_cancelled(self, make_app, channel_of: ChannelOf) -> None:
        begun: list[str] = []
        gave_up: list[str] = []

        async def work(text: str) -> None:
            begun.append(text)
            try:
                await asyncio.sleep(0 if text == "one\ntwo" else 60)
            except asyncio.CancelledError:
                gave_up.append(text)
                raise

        async def answer(turn: Turn) -> Outcome:
            await turn.unless_superseded(work(turn.text))
            return Reply("done")

        async with make_app(a_plugin(answer)) as app:
            await app.intake.accept(a_message("one", id="test:1"))
            await until(lambda: begun == ["one"])
            await app.intake.accept(a_message("two", id="test:2"))
            await channel_of(app).wait_for(1)
            assert gave_up == ["one"]
