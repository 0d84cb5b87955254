"""Wrong wiring fails when it is registered, or at start, with the name of what is wrong."""

from typing import Any

import pytest

from frontdesk.core.dialogue.slots import Date, Slot
from frontdesk.core.errors import WiringError
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.registry import Registry
from frontdesk.core.turn import Turn


async def reply(turn: Turn) -> Reply:
    return Reply("x")


async def wants_a_slot(turn: Turn, day: Slot[Date]) -> Reply:
    return Reply(str(day.value))


@pytest.mark.parametrize("name", ["/rows", "Rows", "two words", ""])
def test_a_command_that_nobody_can_write_is_refused(name: str) -> None:
    with pytest.raises(WiringError, match="lower-case"):
        Plugin("shop").command(name, help="x")(reply)


def test_a_command_or_step_of_the_same_name_is_refused() -> None:
    plugin = Plugin("shop")
    plugin.command("rows", help="x")(reply)
    with pytest.raises(WiringError, match=r"rows.*twice"):
        plugin.command("rows", help="x")(reply)
    plugin.step(reply)
    with pytest.raises(WiringError, match=r"reply.*twice"):
        plugin.step(reply)


@pytest.mark.parametrize("decorate", ["command", "pattern", "answer", "step", "resolved", "options"])
def test_only_an_intent_takes_slots(decorate: str) -> None:
    plugin = Plugin("shop")
    decorators: dict[str, Any] = {
        "command": plugin.command("rows", help="x"),
        "pattern": plugin.pattern("x"),
        "options": plugin.options(Date),
    }
    with pytest.raises(WiringError, match=r"wants_a_slot.*'day'.*intent"):
        decorators.get(decorate, getattr(plugin, decorate))(wants_a_slot)


class Orders:
    pass


@pytest.mark.parametrize("made", [None, "orders"])
async def test_a_provider_that_makes_something_else_is_refused_at_start(made: object) -> None:
    plugin = Plugin("shop")

    @plugin.provide
    def orders() -> Orders:
        return made  # type: ignore[return-value]

    with pytest.raises(WiringError, match=r"'orders'.*Orders"):
        await Registry([plugin]).start()
