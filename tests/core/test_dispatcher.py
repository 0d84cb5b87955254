"""Corrections, patience and pauses on the way out."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from frontdesk.core import dispatcher
from frontdesk.core.app import App
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.errors import UNCERTAIN, DeliveryDeferred, DeliveryRejected, DeliveryUncertain, InvalidInput
from frontdesk.core.messages import Outgoing
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Turn

ChannelOf = Callable[[App], RecordingChannel]

echo = Plugin("echo")


@echo.answer
async def answer(turn: Turn) -> Reply:
    return Reply(f"echo {turn.text}")


@pytest.fixture
def can_edit(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    edits: list[tuple[str, str]] = []

    async def edit(_self: RecordingChannel, outgoing: Outgoing, platform_id: str) -> str:
        if outgoing.text == "too late":
            raise DeliveryRejected("it is too old")
        edits.append((outgoing.text, platform_id))
        return platform_id

    monkeypatch.setattr(RecordingChannel, "capabilities", Capabilities(edits=True))
    monkeypatch.setattr(RecordingChannel, "edit", edit, raising=False)
    return edits


async def corrected(app: App, channel: RecordingChannel, text: str) -> None:
    await app.intake.accept(a_message("hi", id="m1"))
    await channel.wait_for(1)
    await app.handoff.reply("test:1", "ann", "at nien", id="1")
    await channel.wait_for(2)
    await app.handoff.correct("test:1", "ann", text, of="test:1/agent/1")


async def test_a_correction_edits_what_was_sent(make_app, channel_of: ChannelOf, can_edit: list[tuple[str, str]]) -> None:
    async with make_app(echo) as app:
        await corrected(app, channel_of(app), "at nine")
        await until(lambda: bool(can_edit))
        assert can_edit == [("at nine", "platform-2")]
        assert len(channel_of(app).sent) == 2


async def test_what_cannot_be_edited_any_more_is_sent_anew(make_app, channel_of: ChannelOf, can_edit: list[object]) -> None:
    async with make_app(echo) as app:
        await corrected(app, channel_of(app), "too late")
        assert (await channel_of(app).wait_for(3))[-1].text == "too late"


async def test_a_channel_without_edits_sends_the_correction(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        await corrected(app, channel_of(app), "at nine")
        last = (await channel_of(app).wait_for(3))[-1]
        assert (last.text, last.replaces, last.author) == ("at nine", "test:1/agent/1", "agent:ann")


async def test_only_replies_of_the_same_conversation_can_be_corrected(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        await app.intake.accept(a_message("hi", id="m1"))
        await app.intake.accept(a_message("hi", id="m2", conversation="other"))
        await channel_of(app).wait_for(2)
        for of in ("m1", "m2/0", "nothing"):
            with pytest.raises(InvalidInput):
                await app.handoff.correct("test:1", "ann", "new", of=of)


@pytest.mark.parametrize(("patience", "dead"), [(timedelta(hours=1), 0), (timedelta(0), 1)])
async def test_a_platform_that_is_out_of_reach_is_tried_as_long_as_its_channel_has_patience(
    make_app, channel_of: ChannelOf, monkeypatch: pytest.MonkeyPatch, patience: timedelta, dead: int
) -> None:
    monkeypatch.setattr(dispatcher, "backoff", lambda _attempt: 0.001)
    monkeypatch.setattr(RecordingChannel, "patience", patience)
    tries: list[Outgoing] = []

    def refuse(outgoing: Outgoing) -> None:
        tries.append(outgoing)
        if len(tries) <= dispatcher.MAX_ATTEMPTS + 3:
            raise DeliveryDeferred("out of reach")

    async with make_app(echo) as app:
        channel = channel_of(app)
        channel.refuse = refuse
        await app.intake.accept(a_message("hi"))

        async def ended() -> bool:
            return (await app.store.health()).outbox == 0 and bool(tries)

        await until(ended)
        assert (await app.store.health()).dead == dead
        assert len(tries) == (dispatcher.MAX_ATTEMPTS if dead else dispatcher.MAX_ATTEMPTS + 4)


async def test_the_channel_is_asked_whether_it_is_ready_before_each_send(make_app, channel_of: ChannelOf) -> None:
    async with make_app(echo) as app:
        channel, asked = channel_of(app), []

        async def ready(conversation: str) -> None:
            asked.append((conversation, len(channel.sent)))

        channel.ready = ready  # type: ignore[method-assign]
        await app.intake.accept(a_message("hi"))
        await channel.wait_for(1)
        assert asked == [("test:1", 0)]


@pytest.mark.parametrize("error", [DeliveryUncertain("the answer was lost"), OSError("cut")])
async def test_what_may_have_arrived_is_left_for_people_where_nothing_may_be_sent_twice(
    make_app, channel_of: ChannelOf, error: Exception
) -> None:
    tries: list[Outgoing] = []

    def refuse(outgoing: Outgoing) -> None:
        tries.append(outgoing)
        if len(tries) == 1:
            raise DeliveryDeferred("busy", retry_after=0.01)
        if len(tries) == 2:
            raise error

    async with make_app(echo, never_twice=["test"]) as app:
        channel_of(app).refuse = refuse
        await app.intake.accept(a_message("hi"))

        async def given_up() -> bool:
            return (await app.store.health()).dead == 1

        await until(given_up)
        (dead,) = await app.store.dead()
        assert dead.error == UNCERTAIN
        await app.store.replay(dead.seq)
        await channel_of(app).wait_for(1)
        assert len(tries) == 3
