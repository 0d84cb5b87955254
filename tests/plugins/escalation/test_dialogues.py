"""Whole conversations. The bot is shared: each test has a conversation of its own."""

from collections.abc import Iterator

import pytest

from frontdesk.core.dialogue.slots import FreeText, Slot
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.turn import Turn
from frontdesk.plugins.escalation import plugin
from frontdesk.testing import Bot

gardening = Plugin("gardening")


@gardening.intent(
    "water_plants", examples=["water my plants", "please water the plants", "the plants are dry", "give the ferns some water"]
)
async def water_plants(turn: Turn, place: Slot[FreeText]) -> Outcome:
    if "cellar" in place.value:
        return Escalate("the cellar is locked", text="That needs a key.", summary="Key 7.")
    return Reply("They are watered.")


@gardening.command("tools", help="where the tools are")
async def tools(turn: Turn) -> Outcome:
    return Reply("| Tool | Shelf |\n| --- | --- |\n| *Rake* | 2 |\n\n1. Ask *Ada*", choices=[Choice("To a person", "/human")])


@pytest.fixture(scope="module")
def bot() -> Iterator[Bot]:
    settings = {"escalation": {"hours": {"en": "People answer from 9 to 18.", "zh": "人工服务时间：9 点到 18 点。"}}}
    with Bot(
        gardening,
        plugin,
        settings=settings,
        languages=("en", "zh", "de", "fr", "es"),
        limits=TurnLimits(seconds=100),
        seconds=110,
    ) as bot:
        yield bot


def handed_over(bot: Bot, conversation: str) -> tuple[str, str]:
    """The reason and the summary."""
    state = bot.state(conversation)
    assert state.owner == "queue"
    assert state.handoff is not None
    return state.handoff.reason, state.handoff.summary


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/human", "colleague"),
        ("I want to talk to a person", "colleague"),
        ("can I please speak with a real human being", "colleague"),
        ("我要人工客服", "人工客服"),
        ("请给我转接真人", "人工客服"),
        ("Ich möchte bitte mit einem Menschen sprechen", "Kollegin"),
        ("Je voudrais parler à une personne s'il vous plaît", "collègue"),
        ("Quiero hablar con una persona, por favor", "compañero"),
    ],
)
def test_on_request(bot: Bot, text: str, told: str) -> None:
    (reply,) = bot.says(text, conversation=text)
    assert told in reply.text
    assert handed_over(bot, text)[0] == "the customer asked for a person"


def test_the_bot_is_silent_afterwards(bot: Bot) -> None:
    bot.says("/human", conversation="silent")
    assert bot.says("hello?", conversation="silent") == []


def test_the_customer_is_told_the_hours(bot: Bot) -> None:
    (reply,) = bot.says("/human", conversation="hours")
    assert reply.text.endswith("They will answer here. People answer from 9 to 18.")


def test_two_turns_without_an_answer(bot: Bot) -> None:
    (first,) = bot.says("who won the world cup in 1954", conversation="lost")
    assert [choice.value for choice in first.choices] == ["/human"]
    assert bot.state("lost").owner == "bot"
    (second,) = bot.says("what is the meaning of life", conversation="lost")
    assert "could not help" in second.text
    assert handed_over(bot, "lost")[0] == "no answer 2 times in a row"


def test_an_answer_between_starts_the_count_again(bot: Bot) -> None:
    bot.says("who won the world cup in 1954", conversation="found")
    bot.says("please water the plants", conversation="found")
    bot.says("in the kitchen", conversation="found")
    bot.says("what is the meaning of life", conversation="found")
    assert bot.state("found").owner == "bot"


def test_a_rule_is_applied_before_everything_else(bot: Bot) -> None:
    bot.says("please water the plants", conversation="rule")
    (reply,) = bot.says("in the kitchen, the lamp caught fire there", conversation="rule")
    assert reply.text.startswith("If anybody is hurt")
    reason, summary = handed_over(bot, "rule")
    assert reason.startswith("safety")
    assert "water plants (gardening)" in summary


def test_the_summary_has_what_was_said_and_given(bot: Bot) -> None:
    bot.says("please water the plants", conversation="context")
    (reply,) = bot.says("in the cellar", conversation="context")
    assert reply.text == "That needs a key. People answer from 9 to 18."
    reason, summary = handed_over(bot, "context")
    assert reason == "the cellar is locked"
    lines = summary.splitlines()
    assert lines[0] == "Key 7."
    assert "- place: in the cellar" in lines
    assert lines[-3] == "- Customer: please water the plants"
    assert lines[-1] == "- Customer: in the cellar"


def test_the_summary_has_words_without_markup_and_pressed_buttons(bot: Bot) -> None:
    bot.says("/tools", conversation="pressed")
    bot.presses("To a person", conversation="pressed")
    lines = handed_over(bot, "pressed")[1].splitlines()
    assert lines[-2:] == ["- Bot: Tool Shelf Rake 2 Ask Ada", "- Customer: To a person"]


def test_the_request_before_the_wish_for_a_person_is_kept(bot: Bot) -> None:
    bot.says("please water the plants", conversation="before")
    bot.says("the kitchen", conversation="before")
    bot.says("/human", conversation="before")
    assert "- place: the kitchen" in handed_over(bot, "before")[1]


def test_long_words_are_cut(bot: Bot) -> None:
    bot.says("word " * 2000, conversation="long")
    bot.says("/human", conversation="long")
    assert len(handed_over(bot, "long")[1]) < 1500


def test_what_came_before_a_resolution_calls_nobody_again(bot: Bot) -> None:
    bot.says("who won the world cup in 1954", conversation="resolved")
    bot.says("my lawyer will write to you", conversation="resolved")
    assert handed_over(bot, "resolved")[0].startswith("legal")
    bot.resolve("resolved")
    assert bot.state("resolved").owner == "bot"
    bot.says("what is the meaning of life", conversation="resolved")
    assert bot.state("resolved").owner == "bot"
