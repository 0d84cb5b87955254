"""Voice notes: heard in the turn, asked about where the sound was poor, and never lost."""

import asyncio
from collections.abc import Callable, Iterator

import msgspec
import pytest

from frontdesk.core.errors import InvalidInput, ModelFailed, ModelUnavailable
from frontdesk.core.hearing import ListeningLimits
from frontdesk.core.messages import Attachment, AudioPart, Message, Outgoing, Unheard
from frontdesk.core.models import Models
from frontdesk.core.outcomes import Ask, Confirm, Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing.messages import a_message
from frontdesk.core.testing.models import ScriptedTranscriber, a_transcript
from frontdesk.core.turn import Answer, Turn
from frontdesk.testing import Bot

shop = Plugin("shop")


@shop.pattern("cancel")
async def cancel(turn: Turn) -> Outcome:
    return Ask("Which order?", then=which)


@shop.step
async def which(turn: Turn, answer: Answer) -> Outcome:
    return Confirm(f"Cancel {answer}?", then=cancelled)


@shop.step
async def cancelled(turn: Turn) -> Outcome:
    return Reply("It is cancelled.")


@shop.pattern("person")
async def person(turn: Turn) -> Outcome:
    return Escalate("asked for")


@shop.pattern(".+")
async def echo(turn: Turn) -> Outcome:
    return Reply(f"You said: {turn.text}")


Make = Callable[[ScriptedTranscriber | None], Bot]


@pytest.fixture
def bot_with() -> Iterator[Make]:
    bots: list[Bot] = []

    def make(transcriber: ScriptedTranscriber | None) -> Bot:
        bots.append(Bot(shop, models=Models(transcriber=transcriber)))
        return bots[-1].__enter__()

    yield make
    for bot in bots:
        bot.__exit__(None, None, None)


def speak(bot: Bot) -> str:
    """Sends a voice note, and returns what the bot says to it."""
    return "\n".join(reply.text for reply in bot.sends(b"OggS...", name="note.ogg", media_type="audio/ogg"))


def recorded(bot: Bot) -> AudioPart:
    messages = [entry.body for entry in bot.transcript() if isinstance(entry.body, Message)]
    sounds = [part for message in messages for part in message.parts if isinstance(part, AudioPart)]
    return sounds[-1]


def test_a_voice_note_is_answered_like_a_written_message(bot_with: Make) -> None:
    bot = bot_with(ScriptedTranscriber("hello there"))
    assert speak(bot) == "You said: hello there"


def test_the_transcript_keeps_what_was_heard_beside_the_recording(bot_with: Make) -> None:
    bot = bot_with(ScriptedTranscriber(a_transcript("hello there", language="en", confidence=0.87654, seconds=3.5)))
    speak(bot)
    part = recorded(bot)
    assert (part.transcript, part.language, part.confidence, part.seconds) == ("hello there", "en", 0.877, 3.5)
    assert part.peaks == (10, 80, 30)
    assert bot.app.attachments.path(part.attachment.id).read_bytes() == b"OggS..."


def test_the_language_of_the_conversation_is_told_to_whoever_listens(bot_with: Make) -> None:
    ears = ScriptedTranscriber(a_transcript("我要退货", language="zh"), a_transcript("好的", language="zh"))
    bot = bot_with(ears)
    speak(bot)
    speak(bot)
    assert ears.asked == [None, "zh"]
    assert bot.state().language == "zh"


def test_a_dialogue_can_be_spoken_from_beginning_to_end(bot_with: Make) -> None:
    bot = bot_with(ScriptedTranscriber("please cancel it", "order seven", "yes"))
    assert speak(bot) == "Which order?"
    assert speak(bot) == "Cancel order seven?"
    assert speak(bot) == "It is cancelled."


class TestPoorSound:
    def test_the_bot_repeats_what_it_heard_and_goes_on_at_a_yes(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber(a_transcript("cancel it", confidence=0.3)))
        assert speak(bot) == "I heard: “cancel it”. Is that right?"
        assert [reply.text for reply in bot.says("yes")] == ["Which order?"]

    def test_a_pressed_yes_is_one_too(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber(a_transcript("cancel it", confidence=0.3)))
        speak(bot)
        assert [reply.text for reply in bot.presses("Yes")] == ["Which order?"]

    def test_a_no_asks_to_say_it_again(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber(a_transcript("cancel it", confidence=0.3), "hello"))
        speak(bot)
        assert [reply.text for reply in bot.says("no")] == ["Then please say it once more, or write it."]
        assert speak(bot) == "You said: hello"

    def test_whoever_writes_instead_is_answered(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber(a_transcript("cancel it", confidence=0.3)))
        speak(bot)
        assert [reply.text for reply in bot.says("hello")] == ["You said: hello"]

    def test_the_question_that_was_open_stays_open(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber("please cancel", a_transcript("order seven", confidence=0.3)))
        assert speak(bot) == "Which order?"
        assert speak(bot) == "I heard: “order seven”. Is that right?"
        assert [reply.text for reply in bot.says("yes")] == ["Cancel order seven?"]
        assert [reply.text for reply in bot.says("yes")] == ["It is cancelled."]

    def test_what_is_written_answers_the_question_that_was_open(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber("please cancel", a_transcript("odour heaven", confidence=0.3)))
        speak(bot)
        speak(bot)
        assert [reply.text for reply in bot.says("order seven")] == ["Cancel order seven?"]

    def test_after_the_third_time_a_person_is_offered(self, bot_with: Make) -> None:
        bot = bot_with(ScriptedTranscriber(*[a_transcript("mumble", confidence=0.3)] * 3))
        speak(bot)
        speak(bot)
        assert "do not hear you well enough" in speak(bot)
        assert [choice.label for choice in bot.replies[-1].choices] == ["Talk to a person"]
        assert bot.state().question is None


@pytest.mark.parametrize(
    ("failure", "unheard", "said"),
    [
        (a_transcript("", confidence=0.0), "silence", "I could not hear anybody speak"),
        (InvalidInput("the recording is longer than 30 minutes"), "unreadable", "could not play it"),
        (InvalidInput("the recording is too long", status=413), "too_long", "too long for me"),
        (ModelFailed("it broke"), "failed", "could not listen to it"),
        (ModelUnavailable("it is not there"), "no_model", "I cannot listen to it myself"),
    ],
)
def test_what_was_not_heard_is_said_and_the_recording_is_kept(
    bot_with: Make, failure: Exception, unheard: Unheard, said: str
) -> None:
    bot = bot_with(ScriptedTranscriber(failure))
    assert said in speak(bot)
    part = recorded(bot)
    assert part.unheard == unheard
    assert part.transcript is None
    assert bot.app.attachments.path(part.attachment.id).exists()


def test_a_recording_below_words_that_say_nothing_is_not_passed_over_in_silence() -> None:
    with Bot(Plugin("empty"), models=Models(transcriber=ScriptedTranscriber(ModelFailed("it broke")))) as bot:

        async def send() -> list[Outgoing]:
            message = a_message("Voice message from Ann", conversation="test:customer")
            note = AudioPart(Attachment(id="0" * 32, name="a.ogg", media_type="audio/ogg", size=1))
            return await bot._act(bot.app.intake.accept(msgspec.structs.replace(message, parts=(*message.parts, note))))

        (reply,) = bot._run(send())
        assert "could not listen to it" in reply.text


def test_without_a_speech_model_the_bot_says_so(bot_with: Make) -> None:
    bot = bot_with(None)
    assert "I cannot listen to it myself" in speak(bot)
    assert recorded(bot).unheard == "no_model"


def test_a_transcriber_that_hangs_costs_one_answer() -> None:
    ears = ScriptedTranscriber("too late")
    bot = Bot(shop, models=Models(transcriber=ears), listening=ListeningLimits(seconds=0.05))
    with bot:
        ears.gate = asyncio.Event()
        assert "could not listen" in speak(bot)
        ears.gate = None
        assert speak(bot) == "You said: too late"


def test_agents_have_the_transcript_too_while_the_bot_is_silent(bot_with: Make) -> None:
    bot = bot_with(ScriptedTranscriber("please help me"))
    bot.says("person")
    assert speak(bot) == ""
    assert recorded(bot).transcript == "please help me"


def test_a_picture_alone_is_not_taken_for_seen(bot_with: Make) -> None:
    bot = bot_with(None)
    replies = bot.sends(b"\x89PNG", name="photo.png", media_type="image/png")
    assert "I cannot see it" in replies[0].text
