"""Intents while the embedding model is out of reach: none is understood, no turn breaks, and it is tried again."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from frontdesk.core.dialogue import intents
from frontdesk.core.dialogue.intents import NOTHING, IntentMatcher
from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.models import Models, Vectors
from frontdesk.core.outcomes import Outcome, Reply
from frontdesk.core.plugin import Intent, Plugin
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Turn
from frontdesk.testing import Bot

EXAMPLES = {
    "lamps": ["the lamp is broken", "my lamp is dark", "no light any more"],
    "chairs": ["a leg of the chair is off", "the chair wobbles", "I cannot sit"],
}


class Letters:
    """Texts are as near as they share letters. `error` is raised instead, while there is one."""

    name, dimensions = "letters", 26

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        if self.error is not None:
            raise self.error
        vectors = np.array([[text.lower().count(chr(97 + n)) + 1e-3 for n in range(26)] for text in texts], np.float32)
        normal: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normal


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intents, "LEARN_AGAIN", 0.01)


def a_plugin() -> Plugin:
    plugin = Plugin("shop")

    @plugin.intent("lamps", examples=EXAMPLES["lamps"])
    async def lamps(turn: Turn) -> Outcome:
        return Reply("About your lamp.")

    @plugin.intent("chairs", examples=EXAMPLES["chairs"])
    async def chairs(turn: Turn) -> Outcome:
        return Reply("About your chair.")

    return plugin


def wanted() -> Mapping[str, Intent]:
    return {intent.id: intent for intent in a_plugin().intents.values()}


async def test_learning_goes_on_when_the_embedder_answers_again() -> None:
    embedder = Letters(ModelUnavailable("it is down"))
    matcher = IntentMatcher(wanted(), embedder)
    matcher.start()
    try:
        await matcher.learnt()
        assert matcher.ready
        assert await matcher.match("the lamp is broken") == NOTHING
        await until(lambda: embedder.asked > 2)
        embedder.error = None

        async def understood() -> bool:
            return (await matcher.match("the lamp is broken")).intent == "shop.lamps"

        await until(understood)
    finally:
        await matcher.stop()


async def test_an_embedder_that_fails_later_costs_the_intent_and_not_the_turn() -> None:
    embedder = Letters()
    matcher = IntentMatcher(wanted(), embedder)
    matcher.start()
    assert (await matcher.match("the lamp is broken")).intent == "shop.lamps"
    embedder.error = ModelFailed("it broke")
    assert await matcher.match("my lamp is dark") == NOTHING
    embedder.error = None
    assert (await matcher.match("my lamp is dark")).intent == "shop.lamps"
    await matcher.stop()


async def test_a_mistake_is_no_outage() -> None:
    matcher = IntentMatcher(wanted(), Letters(ValueError("a mistake")))
    matcher.start()
    await matcher.learnt()
    with pytest.raises(ValueError, match="a mistake"):
        await matcher.match("the lamp is broken")


async def test_learning_that_waits_is_stopped() -> None:
    matcher = IntentMatcher(wanted(), Letters(ModelUnavailable("it is down")))
    matcher.start()
    await matcher.learnt()
    await matcher.stop()


def test_a_turn_is_answered_while_the_embedder_is_down() -> None:
    with Bot(a_plugin(), models=Models(embedder=Letters(ModelUnavailable("it is down")))) as bot:
        (reply,) = bot.says("the lamp is broken")
        assert "something went wrong" not in reply.text
        assert not bot.dead_letters()
