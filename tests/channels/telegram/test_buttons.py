"""Inline keyboards: any value, any number of times, in any order."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Ask, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Answer, Turn
from frontdesk.testing.telegram import FakeTelegram

from .platform import Bot, Texts

LONG = "ein sehr langer Wert 😀" * 20
MANY = [Choice(f"Number {number}", f"value {number}") for number in range(130)]


def a_shop(choices: Sequence[Choice], seen: list[Any] | None = None) -> Plugin:
    """Asks once; what is chosen is told, and what is chosen where nothing was asked, too."""
    plugin = Plugin("shop")

    @plugin.pattern(r"^ask$")
    async def ask(turn: Turn) -> Ask:
        return Ask("Which one?", then=chosen, choices=choices)

    @plugin.step
    async def chosen(turn: Turn, value: Answer) -> Reply:
        return Reply(f"You chose {value}.")

    @plugin.pattern(r"^offer$")
    async def offer(turn: Turn) -> Reply:
        return Reply("Have a look:", choices=choices)

    @plugin.answer
    async def other(turn: Turn) -> Reply:
        if seen is not None:
            seen.append(turn.messages[-1].choice)
        return Reply(f"You said: {turn.text}")

    return plugin


async def test_values_longer_than_a_button_can_carry_come_back_whole(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(plugin=a_shop([Choice("Long", LONG), Choice("Short", "s")])) as app:
        ann = telegram.user("Ann")
        await ann.write("ask")
        await texts(app, ann.chat, 1)
        assert [label for label, _ in ann.chat.replies[0].buttons] == ["Long", "Short"]
        await ann.press("Long")
        assert (await texts(app, ann.chat, 2))[-1] == f"You chose {LONG}."
        assert len(telegram.answered_queries) == 1


async def test_a_button_that_is_pressed_twice_is_pressed_once(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(plugin=a_shop([Choice("Red", "red"), Choice("Blue", "blue")])) as app:
        ann = telegram.user("Ann")
        await ann.write("ask")
        await texts(app, ann.chat, 1)
        await asyncio.gather(*(ann.press("Red") for _ in range(5)))
        assert await texts(app, ann.chat, 2) == ["Which one?", "You chose red."]
        await telegram.delivered()
        await until(lambda: len(telegram.answered_queries) == 5)
        assert len(await texts(app, ann.chat, 2)) == 2


async def test_a_button_of_an_old_question_does_no_harm(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(plugin=a_shop([Choice("Red", "red"), Choice("Blue", "blue")])) as app:
        ann = telegram.user("Ann")
        await ann.write("ask")
        await texts(app, ann.chat, 1)
        old = ann.chat.replies[0]
        await ann.press("Red")
        await texts(app, ann.chat, 2)
        await ann.write("ask")
        await texts(app, ann.chat, 3)
        await ann.press("Blue", message=old)
        await telegram.delivered()
        assert "You chose blue." not in await texts(app, ann.chat, 3)
        await ann.press("Blue")
        await until(lambda: ann.chat.replies[-1].text == "You chose blue.")


async def test_buttons_are_answered_at_once_however_long_the_turn_takes(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, hold = a_shop([Choice("Red", "red")]), asyncio.Event()

    @plugin.pattern(r"^wait$")
    async def wait(turn: Turn) -> Reply:
        await hold.wait()
        return Reply("waited")

    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.write("offer")
        await texts(app, ann.chat, 1)
        await ann.write("wait")
        query = await ann.press("Red")
        await until(lambda: query in telegram.answered_queries)
        assert len(ann.chat.replies) == 1
        hold.set()
        await texts(app, ann.chat, 3)


async def test_choices_that_belong_to_no_question_can_be_chosen_again(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    seen: list[Any] = []
    async with bot(plugin=a_shop([Choice("Red", "red")], seen)) as app:
        ann = telegram.user("Ann")
        await ann.write("offer")
        await texts(app, ann.chat, 1)
        for count in (2, 3):
            await ann.press("Red")
            await texts(app, ann.chat, count)
        assert [choice and (choice.value, choice.label) for choice in seen] == [("red", "Red")] * 2


async def test_more_choices_than_one_message_takes(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(plugin=a_shop(MANY)) as app:
        ann = telegram.user("Ann")
        await ann.write("ask")
        await texts(app, ann.chat, 2)
        labels = [label for reply in ann.chat.replies for label, _ in reply.buttons]
        assert labels == [choice.label for choice in MANY]
        await ann.press("Number 3")
        await until(lambda: ann.chat.replies[-1].text == "You chose value 3.")
        await ann.write("ask")
        await texts(app, ann.chat, 5)
        await ann.press("Number 129")
        await until(lambda: ann.chat.replies[-1].text == "You chose value 129.")


@pytest.mark.parametrize("forge", ["another chat", "nonsense", "out of range"])
async def test_data_that_a_customer_makes_up_chooses_nothing(telegram: FakeTelegram, bot: Bot, texts: Texts, forge: str) -> None:
    async with bot(plugin=a_shop([Choice("Refund", "refund")])) as app:
        ann, eve = telegram.user("Ann"), telegram.user("Eve")
        await ann.write("ask")
        await eve.write("hello")
        await texts(app, ann.chat, 1)
        await texts(app, eve.chat, 1)
        ((_, data),) = ann.chat.replies[0].buttons
        data = {"another chat": data, "nonsense": "💥|" * 9, "out of range": "99" + data}[forge]
        telegram.press(eve, eve.chat.replies[0], data)
        await telegram.delivered()
        await eve.write("next")
        assert await texts(app, eve.chat, 2) == ["You said: hello", "You said: next"]
        assert await texts(app, ann.chat, 1) == ["Which one?"]
        assert len(telegram.answered_queries) == 1


async def test_labels_of_any_kind(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    choices = [Choice("<b>&", "a"), Choice(" ", "b"), Choice("😀" * 100, "c"), Choice("x\ny", "d")]
    async with bot(plugin=a_shop(choices)) as app:
        ann = telegram.user("Ann")
        await ann.write("ask")
        await texts(app, ann.chat, 1)
        assert len(ann.chat.replies[0].buttons) == 4
        assert json.dumps(ann.chat.replies[0].buttons)
        await ann.press("<b>&")
        assert (await texts(app, ann.chat, 2))[-1] == "You chose a."
