"""What a customer can do while a person has the conversation: change settings of their own, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from frontdesk.core.app import App
from frontdesk.core.conversations import Conversation
from frontdesk.core.models import Models
from frontdesk.core.outcomes import Ask, Confirm, Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.text import Text
from frontdesk.core.turn import Answer, Turn
from frontdesk.testing import Bot

settings = Plugin("settings")


@settings.command("person", help="calls a person")
async def person(turn: Turn) -> Outcome:
    return Escalate("asked for", text=Text(en="Please wait.", de="Bitte warten."))


@settings.command("mute", help="asks before it mutes", always=True)
async def mute(turn: Turn) -> Outcome:
    return Confirm("Mute?", then=muted, within=timedelta(minutes=5))


@settings.step
async def muted(turn: Turn) -> Outcome:
    return Reply("Muted.", resolves=True)


@settings.command("name", help="asks for a name", always=True)
async def name(turn: Turn) -> Outcome:
    return Ask("Which name?", then=named)


@settings.step
async def named(turn: Turn, answer: Answer) -> Outcome:
    return Reply(f"Hello {answer}.")


@settings.pattern(r"^shh$", always=True)
async def shh(turn: Turn) -> Outcome:
    return Reply("Quiet.")


@settings.pattern(r".+")
async def echo(turn: Turn) -> Outcome:
    return Reply(f"You said {turn.text}.")


@pytest.fixture
def bot() -> Iterator[Bot]:
    with Bot(settings, languages=("en", "de"), models=Models()) as bot:
        bot.says("/person")
        yield bot


def said(bot: Bot, text: str) -> list[str]:
    return [reply.text for reply in bot.says(text)]


def act(bot: Bot, change: Callable[[App], object]) -> Conversation:
    return bot._run(change(bot.app))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["hello", "/help", "/start", "/person", "/nothing", "yes"])
def test_ordinary_words_and_commands_are_for_the_person(bot: Bot, text: str) -> None:
    assert said(bot, text) == []


def test_the_language_can_be_changed(bot: Bot) -> None:
    assert said(bot, "/language de") == ["Wir sprechen jetzt Deutsch."]
    assert bot.state().owner == "queue"


def test_what_is_declared_always_is_obeyed_and_changes_no_owner(bot: Bot) -> None:
    assert said(bot, "shh") == ["Quiet."]
    assert said(bot, "/mute") == ["Mute?"]
    assert said(bot, "is anybody there?") == [], "no answer, and not asked again"
    assert said(bot, "yes") == ["Muted."]
    assert (bot.state().owner, bot.state().resolved) == ("queue", None)


def test_a_free_question_does_not_swallow_what_is_meant_for_the_person(bot: Bot) -> None:
    assert said(bot, "/name") == ["Which name?"]
    assert said(bot, "my parcel is broken") == []


def test_a_question_stays_open_when_somebody_takes_the_conversation(bot: Bot) -> None:
    bot.says("/mute")
    act(bot, lambda app: app.handoff.take("test:customer", "Ana"))
    assert [reply.text for reply in bot.presses("Yes")] == ["Muted."]
    assert bot.state().agent == "Ana"


def test_after_the_agents_words_a_yes_is_for_the_agent(bot: Bot) -> None:
    bot.says("/mute")
    act(bot, lambda app: app.handoff.reply("test:customer", "Ana", "Shall I send it again?"))
    assert said(bot, "yes") == []


def test_what_the_bot_has_asked_before_is_closed_by_the_take(bot: Bot) -> None:
    act(bot, lambda app: app.handoff.give_back("test:customer", "Ana"))
    bot.says("/mute")
    act(bot, lambda app: app.handoff.take("test:customer", "Ana"))
    assert bot.state().question is None
