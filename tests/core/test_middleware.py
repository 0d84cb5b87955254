import dataclasses
from collections.abc import Callable

import pytest

from frontdesk.core.app import App
from frontdesk.core.outcomes import Ask, Outcome, Pass, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.turn import Answer, Proceed, Turn

ChannelOf = Callable[[App], RecordingChannel]


@pytest.fixture
def shop() -> Plugin:
    plugin = Plugin("shop")

    @plugin.pattern("book")
    async def book(turn: Turn) -> Ask:
        turn.memory["asked"] = True
        return Ask("how many?", then=booked)

    @plugin.step
    async def booked(turn: Turn, answer: Answer) -> Reply:
        return Reply(f"booked {answer}")

    return plugin


async def test_a_middleware_may_change_what_another_plugin_says(make_app, channel_of: ChannelOf, shop: Plugin) -> None:
    shouting = Plugin("shouting")

    @shouting.middleware
    async def shout(turn: Turn, proceed: Proceed) -> Outcome:
        outcome = await proceed()
        return dataclasses.replace(outcome, text=outcome.text.upper()) if isinstance(outcome, Ask | Reply) else outcome

    async with make_app(shouting, shop) as app:
        await app.intake.accept(a_message("book"))
        await app.intake.accept(a_message("two"))
        sent = await channel_of(app).wait_for(2)
        assert [(reply.text, reply.plugin) for reply in sent] == [("HOW MANY?", "shop"), ("BOOKED TWO", "shop")]


async def test_a_middleware_keeps_its_own_memory(make_app, channel_of: ChannelOf, shop: Plugin) -> None:
    counting = Plugin("counting")

    @counting.middleware
    async def count(turn: Turn, proceed: Proceed) -> Outcome:
        outcome: Outcome = await proceed()
        turn.memory["turns"] = turn.memory.get("turns", 0) + 1
        return outcome

    async with make_app(counting, shop) as app:
        await app.intake.accept(a_message("book"))
        await channel_of(app).wait_for(1)
        state = await app.store.conversation("test:1")
        assert state is not None
        assert state.memory == {"counting": {"turns": 1}, "shop": {"asked": True}}


@pytest.mark.parametrize("proceeds", [True, False])
async def test_a_middleware_that_passes_lets_the_turn_go_on(
    make_app, channel_of: ChannelOf, shop: Plugin, proceeds: bool
) -> None:
    passing = Plugin("passing")

    @passing.middleware
    async def passes(turn: Turn, proceed: Proceed) -> Outcome:
        if proceeds:
            await proceed()
        return Pass()

    async with make_app(passing, shop) as app:
        await app.intake.accept(a_message("book"))
        assert (await channel_of(app).wait_for(1))[0].text == "how many?"
