"""What goes wrong around a turn or a delivery costs that one only: nothing stays stuck, nothing is done twice."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from frontdesk.core.app import App
from frontdesk.core.errors import DeliveryDeferred, TransientError, Unavailable
from frontdesk.core.messages import Choice, ChoicePart, Outgoing
from frontdesk.core.outcomes import Ask, Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.turn import Answer, Turn

ChannelOf = Callable[[App], RecordingChannel]


def a_plugin(handler: Callable[[Turn], object]) -> Plugin:
    """A plugin whose only handler takes every text."""
    plugin = Plugin("under_test")

    @plugin.pattern(r"(?s).*")
    async def handle(turn: Turn) -> Outcome:
        outcome = handler(turn)
        return await outcome if asyncio.iscoroutine(outcome) else outcome  # type: ignore[return-value]

    return plugin


echo = a_plugin(lambda turn: Reply(f"echo {turn.text}"))


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("runner", "dispatcher", "tasks"):
        monkeypatch.setattr(f"frontdesk.core.{module}.backoff", lambda *_, **__: 0.01, raising=False)


def failing(store: MemoryStore | SqliteStore, method: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a method of the store fail so many times, as a full disk would."""
    works, left = getattr(store, method), [times]

    async def fails(*arguments: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise Unavailable("disk full")
        return await works(*arguments, **named)

    monkeypatch.setattr(store, method, fails)


@pytest.mark.usefixtures("no_backoff")
async def test_a_retry_that_cannot_be_counted_strands_no_conversation(make_app, channel_of: ChannelOf, monkeypatch) -> None:
    calls: list[str] = []

    def flaky(turn: Turn) -> Reply:
        calls.append(turn.text)
        if len(calls) == 1:
            raise TransientError("later", retry_after=0.01)
        return Reply("here it is")

    store = MemoryStore()
    failing(store, "_count", 3, monkeypatch)
    async with make_app(a_plugin(flaky), store=store) as app:
        await app.intake.accept(a_message())
        assert (await channel_of(app).wait_for(1))[0].text == "here it is"


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("method", ["_count", "_settle"])
async def test_a_delivery_that_cannot_be_recorded_strands_no_conversation(
    make_app, channel_of: ChannelOf, monkeypatch, method: str
) -> None:
    store = MemoryStore()
    failing(store, method, 3, monkeypatch)
    async with make_app(echo, store=store) as app:
        channel = channel_of(app)
        answers: list[Exception] = [DeliveryDeferred("429", retry_after=0.01)]

        def refuse(outgoing: Outgoing) -> None:
            if answers:
                raise answers.pop()

        channel.refuse = refuse
        await app.intake.accept(a_message("one"))
        await app.intake.accept(a_message("two"))
        assert [reply.text for reply in await channel.wait_for(2)] == ["echo one", "echo two"]


@pytest.mark.usefixtures("no_backoff")
async def test_the_runner_outlives_a_store_that_fails_when_it_hands_out_turns(
    make_app, channel_of: ChannelOf, monkeypatch, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    await store.accept(a_message("from before", conversation="a"))
    await store.close()
    store = SqliteStore(tmp_path / "a.db")
    failing(store, "_count", 1, monkeypatch)
    async with make_app(echo, store=store) as app:
        await app.intake.accept(a_message("new", conversation="b"))
        assert {reply.text for reply in await channel_of(app).wait_for(2)} == {"echo from before", "echo new"}


async def cancelled_elsewhere() -> Reply:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task
    return Reply("never")


@pytest.mark.parametrize(
    "handler", [lambda turn: cancelled_elsewhere(), lambda turn: sys.exit(3)], ids=["a cancelled task", "sys.exit"]
)
async def test_a_handler_that_ends_unusually_costs_one_turn(make_app, channel_of: ChannelOf, handler: Any) -> None:
    async with make_app(a_plugin(lambda turn: handler(turn) if turn.text == "break" else Reply("fine"))) as app:
        await app.intake.accept(a_message("break"))
        await app.intake.accept(a_message("next"))
        sent = await channel_of(app).wait_for(2)
        assert "went wrong" in sent[0].text
        assert sent[1].text == "fine"


@pytest.mark.usefixtures("no_backoff")
async def test_a_send_that_is_cancelled_from_within_is_tried_again(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        channel = channel_of(app)
        answers: list[BaseException] = [asyncio.CancelledError()]

        def refuse(outgoing: Outgoing) -> None:
            if answers:
                raise answers.pop()

        channel.refuse = refuse
        await app.intake.accept(a_message("one"))
        assert (await channel.wait_for(1))[0].text == "echo one"


async def test_a_handler_that_ignores_its_cancellation_is_cancelled_again(make_app, channel_of: ChannelOf) -> None:
    async def stubborn(turn: Turn) -> Reply:
        for _ in range(2):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        await asyncio.sleep(60)
        return Reply("never")

    async with make_app(a_plugin(stubborn), limits=TurnLimits(seconds=0.1)) as app:
        await app.intake.accept(a_message())
        assert "went wrong" in (await channel_of(app).wait_for(1))[0].text


async def test_a_platform_that_names_no_time_is_not_asked_without_pause(make_app, channel_of: ChannelOf) -> None:
    tries = 0

    def refuse(outgoing: Outgoing) -> None:
        nonlocal tries
        tries += 1
        raise DeliveryDeferred("429", retry_after=0)

    async with make_app(echo) as app:
        channel_of(app).refuse = refuse
        await app.intake.accept(a_message())
        await asyncio.sleep(0.2)
        assert tries == 1


async def test_a_subscriber_that_fails_does_not_disturb_the_turns(make_app, channel_of: ChannelOf) -> None:
    async def slow(turn: Turn) -> Reply:
        running.append(turn.text)
        assert len(running) == 1
        await asyncio.sleep(0.02)
        running.remove(turn.text)
        return Reply(turn.text)

    def wants(event: object) -> bool:
        raise LookupError

    running: list[str] = []
    async with make_app(a_plugin(slow)) as app:
        with app.events.subscribe():
            messages = [a_message(str(number)) for number in range(3)]
            await asyncio.gather(*(app.store.accept(message) for message in messages))
            with app.events.subscribe(wants=wants):
                sent = await channel_of(app).wait_for(3)
        assert [reply.text for reply in sent] == ["0", "1", "2"]
        assert (await app.store.health()).inbox == 0


@pytest.fixture
def wrongly_typed() -> Plugin:
    plugin = Plugin("wrong")

    @plugin.pattern("buttons")
    async def buttons(turn: Turn) -> Reply:
        return Reply("pick", choices=["yes", "no"])  # type: ignore[list-item]

    @plugin.pattern("numbers")
    async def numbers(turn: Turn) -> Ask:
        return Ask("how many?", then=then, choices=[Choice("two", 2)])  # type: ignore[arg-type]

    @plugin.pattern("person")
    async def person(turn: Turn) -> Escalate:
        return Escalate(None)  # type: ignore[arg-type]

    @plugin.pattern("surrogate")
    async def surrogate(turn: Turn) -> Ask:
        turn.memory["said"] = "\ud83d"
        return Ask("which \ud83d?", then=then, args={"said": "\ud83d"})

    @plugin.step
    async def then(turn: Turn, answer: Answer, said: str = "") -> Reply:
        return Reply(f"{answer} {said}")

    return plugin


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("text", ["buttons", "numbers", "person"])
async def test_an_outcome_with_wrong_types_inside_is_never_stored(
    make_app, channel_of: ChannelOf, tmp_path: Path, wrongly_typed: Plugin, text: str
) -> None:
    async with make_app(wrongly_typed, store=SqliteStore(tmp_path / "a.db")) as app:
        await app.intake.accept(a_message(text))
        assert "went wrong" in (await channel_of(app).wait_for(1))[0].text
        assert len(await app.store.transcript("test:1")) == 2
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    assert await store.conversation("test:1") is not None
    await store.close()


@pytest.mark.usefixtures("no_backoff")
async def test_lone_surrogates_in_what_a_plugin_keeps_are_replaced(
    make_app, channel_of: ChannelOf, tmp_path: Path, wrongly_typed: Plugin
) -> None:
    async with make_app(wrongly_typed, store=SqliteStore(tmp_path / "a.db")) as app:
        await app.intake.accept(a_message("surrogate"))
        assert (await channel_of(app).wait_for(1))[0].text == "which ??"
        await app.intake.accept(a_message("that one"))
        assert (await channel_of(app).wait_for(2))[1].text == "that one ?"


async def test_a_note_during_a_turn_does_not_run_the_handler_again(make_app, channel_of: ChannelOf) -> None:
    calls: list[str] = []
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn) -> Reply:
        calls.append(turn.text)
        if turn.text == "slow":
            entered.set()
            await go_on.wait()
        return Reply("done")

    async with make_app(a_plugin(slow)) as app:
        await app.intake.accept(a_message("first"))
        await channel_of(app).wait_for(1)
        await app.intake.accept(a_message("slow"))
        await entered.wait()
        await app.handoff.note("test:1", "ann", "a good customer")
        go_on.set()
        await channel_of(app).wait_for(2)
        assert calls == ["first", "slow"]


async def test_a_hook_that_fails_does_not_undo_the_answer(make_app, channel_of: ChannelOf) -> None:
    refunds: list[str] = []
    plugin = Plugin("shop")

    @plugin.pattern("refund")
    async def refund(turn: Turn) -> Reply:
        refunds.append(turn.text)
        turn.memory["refunded"] = True
        return Reply("refunded", resolves=True)

    @plugin.resolved
    async def broken(turn: Turn) -> Reply:
        turn.memory["refunded"] = object()
        raise TransientError("later")

    @plugin.resolved
    async def unstorable(turn: Turn) -> Reply:
        turn.memory["refunded"] = object()
        return Reply("never said")

    @plugin.resolved
    async def thanks(turn: Turn) -> Reply:
        return Reply("thank you")

    async with make_app(plugin) as app:
        await app.intake.accept(a_message("refund"))
        assert [reply.text for reply in await channel_of(app).wait_for(2)] == ["refunded", "thank you"]
        assert refunds == ["refund"]
        state = await app.handoff.resolve("test:1", "ann")
        assert state.memory == {"shop": {"refunded": True}}
        assert (await channel_of(app).wait_for(3))[2].text == "thank you"


async def test_only_plain_words_are_taken_together(make_app, channel_of: ChannelOf) -> None:
    messages = [
        a_message("one"),
        a_message("two"),
        a_message("/human"),
        a_message("three"),
        a_message(choice=ChoicePart(value="pressed")),
        a_message("four"),
        msgspec.structs.replace(a_message("forty"), kind="edited"),
        a_message("five"),
    ]
    async with make_app(echo, limits=TurnLimits(bursts={"test": 0.05})) as app:
        for message in messages:
            await app.intake.accept(message)
        sent = await channel_of(app).wait_for(6)
        assert [reply.text for reply in sent if "human" not in reply.text] == [
            "echo one\ntwo",
            "echo three",
            "echo pressed",
            "echo four",
            "echo five",
        ]
