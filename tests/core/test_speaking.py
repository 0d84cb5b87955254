"""Replies that are read aloud: to those who speak and want it, and never instead of the writing."""

from collections.abc import Callable, Iterator

import pytest

from frontdesk.core.errors import ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.messages import Outgoing
from frontdesk.core.models import Models
from frontdesk.core.outcomes import Confirm, Outcome, Reply
from frontdesk.core.plaintext import spoken
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing import ScriptedSpeaker, ScriptedTranscriber
from frontdesk.core.turn import Turn
from frontdesk.testing import Bot

shop = Plugin("shop")


@shop.pattern("cancel")
async def cancel(turn: Turn) -> Outcome:
    return Confirm("Cancel **it**? See [the rules](https://shop.example/rules).", then=cancelled)


@shop.step
async def cancelled(turn: Turn) -> Outcome:
    return Reply("It is cancelled.")


Make = Callable[..., Bot]


@pytest.fixture
def bot_with() -> Iterator[Make]:
    bots: list[Bot] = []

    def make(speaker: ScriptedSpeaker | None, *heard: str) -> Bot:
        bots.append(Bot(shop, models=Models(transcriber=ScriptedTranscriber(*heard), speaker=speaker)))
        return bots[-1].__enter__()

    yield make
    for bot in bots:
        bot.__exit__(None, None, None)


def speak(bot: Bot) -> list[Outgoing]:
    return bot.sends(b"OggS...", name="note.ogg", media_type="audio/ogg")


def sounds(replies: list[Outgoing]) -> list[str]:
    return [file.media_type for reply in replies for file in reply.attachments]


def test_who_wants_it_hears_the_answer_and_can_read_it_too(bot_with: Make) -> None:
    voice = ScriptedSpeaker()
    bot = bot_with(voice, "please cancel it", "yes")
    bot.says("/voice on")
    asked = speak(bot)
    assert sounds(asked) == ["audio/ogg"]
    assert asked[0].text.startswith("Cancel **it**?")
    assert sounds(speak(bot)) == ["audio/ogg"]
    assert voice.spoken == [("Cancel it? See the rules.\nYes\nNo", "en"), ("It is cancelled.", "en")]
    (file,) = asked[0].attachments
    assert bot.app.attachments.path(file.id).read_bytes() == b"OggS"


def test_nobody_is_spoken_to_without_asking_for_it(bot_with: Make) -> None:
    bot = bot_with(ScriptedSpeaker(), "please cancel it")
    assert sounds(speak(bot)) == []


def test_who_writes_reads(bot_with: Make) -> None:
    bot = bot_with(ScriptedSpeaker())
    bot.says("/voice on")
    assert sounds(bot.says("cancel it")) == []


def test_it_can_be_turned_off_again(bot_with: Make) -> None:
    bot = bot_with(ScriptedSpeaker(), "please cancel it")
    bot.says("/voice")
    bot.says("/voice off")
    assert sounds(speak(bot)) == []


@pytest.mark.parametrize(
    "error", [ModelFailed("broke"), ModelUnavailable("gone"), PromptRejected("too long")], ids=lambda error: type(error).__name__
)
def test_a_voice_that_fails_costs_the_sound_only(bot_with: Make, error: Exception) -> None:
    bot = bot_with(ScriptedSpeaker([error]), "please cancel it")
    bot.says("/voice on")
    (asked,) = speak(bot)
    assert asked.text.startswith("Cancel")
    assert not asked.attachments


def test_without_a_voice_there_is_no_such_command(bot_with: Make) -> None:
    bot = bot_with(None)
    assert "I don't know the command" in bot.says("/voice on")[0].text


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("Hello **you**!", "Hello you!"),
        ("see [our page](https://shop.example/?a=1)", "see our page"),
        ("- one\n- two\n\n1. three", "one\ntwo\nthree"),
        ("## Hours\n\n| day | hours |\n| --- | --- |\n| Mon | 9-17 |", "Hours\nday\nhours\nMon\n9-17"),
        ("before\n\n```\nx = 1\n```\n\nafter", "before\nafter"),
        ("![a lamp](https://shop.example/lamp.png) is it", "is it"),
        ("你好，**世界**", "你好，世界"),
    ],
)
def test_what_is_read_aloud_has_no_markup(markdown: str, words: str) -> None:
    assert spoken(markdown) == words
