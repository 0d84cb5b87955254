"""What listening must not cost: turns of others, an answer, a second hearing, or the peace of whoever has gone on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from frontdesk.core import hearing
from frontdesk.core.app import App
from frontdesk.core.conversations import Question
from frontdesk.core.events import Event, Typing
from frontdesk.core.messages import Attachment, AudioPart, Message, TextPart
from frontdesk.core.models import Models
from frontdesk.core.outcomes import Ask, Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.speech import Speech
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.testing import RecordingChannel, ScriptedSpeaker, ScriptedTranscriber, a_message, a_transcript
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Answer, Turn

ChannelOf = Callable[[App], RecordingChannel]


def a_shop() -> Plugin:
    shop = Plugin("shop")

    @shop.pattern("cancel")
    async def cancel(turn: Turn) -> Outcome:
        return Ask("Which order?", then=which, within=timedelta(days=7))

    @shop.step
    async def which(turn: Turn, answer: Answer) -> Outcome:
        return Reply(f"{answer} is cancelled.")

    @shop.pattern("person")
    async def person(turn: Turn) -> Outcome:
        return Escalate("asked for")

    @shop.pattern(".+")
    async def echo(turn: Turn) -> Outcome:
        return Reply(f"You said: {turn.text}")

    return shop


async def a_note(app: App, *, conversation: str = "test:1", **fields: Any) -> Message:
    async def sound() -> AsyncIterator[bytes]:
        yield b"OggS..."

    saved = await app.attachments.save(sound(), name="note.ogg", media_type="audio/ogg")
    return msgspec.structs.replace(a_message(conversation=conversation), parts=(AudioPart(saved),), **fields)


async def said(app: App, channel_of: ChannelOf, count: int) -> list[str]:
    return [reply.text for reply in await channel_of(app).wait_for(count)]


async def settled(app: App) -> None:
    async def done() -> bool:
        health = await app.store.health()
        return not (health.inbox or health.outbox)

    await until(done)


async def recorded(app: App, id: str) -> Message:
    entry = await app.store.entry(id)
    assert entry is not None
    assert isinstance(entry.body, Message)
    return entry.body


class TestOthers:
    async def test_many_who_speak_do_not_stop_those_who_write(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber(*["hello"] * 20)
        ears.gate = asyncio.Event()
        async with make_app(a_shop(), models=Models(transcriber=ears), limits=TurnLimits(concurrent=5)) as app:
            for number in range(20):
                await app.intake.accept(await a_note(app, conversation=f"test:speaks-{number}"))
            await until(lambda: len(ears.asked) == 20)
            await app.intake.accept(a_message("hi", conversation="test:writes"))
            assert await said(app, channel_of, 1) == ["You said: hi"]
            ears.gate.set()
            assert len(await said(app, channel_of, 21)) == 21

    async def test_only_so_many_recordings_are_with_the_model_at_once(
        self, make_app, channel_of: ChannelOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hearing, "AT_ONCE", 3)
        ears = ScriptedTranscriber(*["hello"] * 8)
        ears.gate = asyncio.Event()
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            for number in range(8):
                await app.intake.accept(await a_note(app, conversation=f"test:{number}"))
            await until(lambda: len(ears.asked) == 3)
            await asyncio.sleep(0.05)
            assert len(ears.asked) == 3
            ears.gate.set()
            assert len(await said(app, channel_of, 8)) == 8


class TestFaults:
    @pytest.mark.parametrize(
        "error", [ValueError("private words"), OSError(5, "io"), asyncio.CancelledError(), SystemExit(1), MemoryError()], ids=repr
    )
    async def test_whatever_a_transcriber_raises_costs_one_defined_answer(
        self, make_app, channel_of: ChannelOf, capsys: pytest.CaptureFixture[str], error: BaseException
    ) -> None:
        ears = ScriptedTranscriber(error, "hello")  # type: ignore[arg-type]
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(await a_note(app))
            (answer,) = await said(app, channel_of, 1)
            assert "could not listen" in answer
            await app.intake.accept(await a_note(app))
            assert (await said(app, channel_of, 2))[1] == "You said: hello"
        assert "private words" not in capsys.readouterr().out

    async def test_a_transcript_that_no_encoding_can_carry_is_kept_without_its_rubbish(
        self, make_app, channel_of: ChannelOf
    ) -> None:
        ears = ScriptedTranscriber("one \ud800 two")
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(await a_note(app))
            assert await said(app, channel_of, 1) == ["You said: one ? two"]

    async def test_a_transcript_of_nothing_but_white_space_is_silence(self, make_app, channel_of: ChannelOf) -> None:
        async with make_app(a_shop(), models=Models(transcriber=ScriptedTranscriber(" \n "))) as app:
            await app.intake.accept(await a_note(app))
            assert "could not hear anybody" in (await said(app, channel_of, 1))[0]

    async def test_a_recording_that_has_not_come_is_asked_for_again(self, make_app, channel_of: ChannelOf) -> None:
        missing = Attachment(id="", name="note.ogg", media_type="audio/ogg", size=0, remote="gone", problem="it is gone")
        message = msgspec.structs.replace(a_message(), parts=(AudioPart(missing),))
        async with make_app(a_shop(), models=Models(transcriber=ScriptedTranscriber())) as app:
            await app.intake.accept(message)
            assert "has not reached me" in (await said(app, channel_of, 1))[0]

    async def test_a_recording_that_kills_the_process_is_given_up(self, tmp_path: Path, make_app, channel_of: ChannelOf) -> None:
        limits = TurnLimits(attempts=2)
        for start in range(4):
            ears = ScriptedTranscriber("hello")
            ears.gate = asyncio.Event()
            store = SqliteStore(tmp_path / "frontdesk.db")
            async with make_app(a_shop(), models=Models(transcriber=ears), store=store, limits=limits) as app:
                if not await app.store.entry("test:killer"):
                    await app.intake.accept(await a_note(app, id="test:killer"))
                if start < 3:
                    await until(lambda ears=ears: bool(ears.asked))  # type: ignore[misc]
                else:
                    assert "something went wrong" in (await said(app, channel_of, 1))[0]
                    assert not ears.asked


class TestShutdown:
    async def test_what_is_being_heard_at_the_end_is_heard_after_the_next_start(
        self, tmp_path: Path, make_app, channel_of: ChannelOf
    ) -> None:
        ears = ScriptedTranscriber("too late")
        ears.gate = asyncio.Event()
        async with make_app(a_shop(), models=Models(transcriber=ears), store=SqliteStore(tmp_path / "frontdesk.db")) as app:
            await app.intake.accept(await a_note(app))
            await until(lambda: bool(ears.asked))
        async with make_app(
            a_shop(), models=Models(transcriber=ScriptedTranscriber("hello")), store=SqliteStore(tmp_path / "frontdesk.db")
        ) as app:
            assert await said(app, channel_of, 1) == ["You said: hello"]


class TestChanges:
    async def test_a_note_that_is_taken_back_while_it_is_heard_is_not_answered_and_not_kept(
        self, make_app, channel_of: ChannelOf
    ) -> None:
        ears = ScriptedTranscriber("a secret")
        ears.gate = asyncio.Event()
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(note := await a_note(app))
            await until(lambda: bool(ears.asked))
            await app.intake.accept(msgspec.structs.replace(a_message(), kind="deleted", target=note.id, parts=()))
            ears.gate.set()
            await settled(app)
            assert channel_of(app).sent == []
            kept = await recorded(app, note.id)
            assert (kept.parts, kept.revision) == ((), "deleted")
            assert not [path for path in app.attachments.folder.rglob("*") if path.is_file()]

    async def test_a_note_that_is_deleted_later_loses_recording_and_transcript(self, make_app, channel_of: ChannelOf) -> None:
        async with make_app(a_shop(), models=Models(transcriber=ScriptedTranscriber("a secret"))) as app:
            await app.intake.accept(note := await a_note(app))
            await said(app, channel_of, 1)
            assert (await recorded(app, note.id)).text == "a secret"
            await app.intake.accept(msgspec.structs.replace(a_message(), kind="deleted", target=note.id, parts=()))
            await settled(app)
            assert (await recorded(app, note.id)).parts == ()
            assert not [path for path in app.attachments.folder.rglob("*") if path.is_file()]

    async def test_an_edit_while_a_model_thinks_begins_the_turn_anew(self, make_app, channel_of: ChannelOf) -> None:
        asked: list[str] = []
        plugin = Plugin("thinks")

        @plugin.answer
        async def answer(turn: Turn) -> Reply:
            async def think() -> str:
                asked.append(turn.text)
                if len(asked) == 1:
                    await asyncio.Event().wait()
                return f"about {turn.text}"

            return Reply(await turn.unless_superseded(think()))

        async with make_app(plugin) as app:
            await app.intake.accept(question := a_message("apples"))
            await until(lambda: bool(asked))
            newer = (TextPart("pears"),)
            await app.intake.accept(msgspec.structs.replace(a_message(), kind="edited", target=question.id, parts=newer))
            assert await said(app, channel_of, 1) == ["about pears"]
            assert asked == ["apples", "pears"]

    async def test_what_somebody_else_writes_in_a_group_is_a_turn_of_its_own(self, make_app, channel_of: ChannelOf) -> None:
        gate, begun = asyncio.Event(), asyncio.Event()
        plugin = Plugin("thinks")

        @plugin.answer
        async def answer(turn: Turn) -> Reply:
            begun.set()
            await turn.unless_superseded(gate.wait())
            return Reply(f"{turn.contact.id}: {turn.text}")

        async with make_app(plugin) as app:
            first, second = a_message("one"), a_message("two")
            await app.intake.accept(first)
            await begun.wait()
            other = msgspec.structs.replace(second, contact=msgspec.structs.replace(second.contact, id="bob"))
            await app.intake.accept(other)
            gate.set()
            assert await said(app, channel_of, 2) == ["test:1: one", "bob: two"]


class TestLanguages:
    async def test_noise_does_not_change_the_language(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber(a_transcript("谢谢您的观看", language="zh", confidence=0.2))
        async with make_app(a_shop(), models=Models(transcriber=ears), languages=("en", "zh")) as app:
            await app.intake.accept(a_message("hello my friend, how are you today"))
            await said(app, channel_of, 1)
            await app.intake.accept(await a_note(app))
            assert (await said(app, channel_of, 2))[1] == "I heard: “谢谢您的观看”. Is that right?"
            state = await app.store.conversation("test:1")
            assert state is not None
            assert state.language == "en"

    async def test_the_bot_answers_in_a_language_that_it_speaks(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber(a_transcript("ok", language="ja"))
        async with make_app(a_shop(), models=Models(transcriber=ears), languages=("zh", "en")) as app:
            await app.intake.accept(await a_note(app))
            await said(app, channel_of, 1)
            state = await app.store.conversation("test:1")
            assert state is not None
            assert state.language == "zh"

    async def test_what_the_channel_knows_of_the_customers_language_helps_to_hear(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber("hello")
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(await a_note(app, language="fr"))
            await said(app, channel_of, 1)
        assert ears.asked == ["fr"]


class TestQuestions:
    async def test_the_question_before_is_still_open_when_nobody_said_whether_it_was_heard_rightly(
        self, make_app, channel_of: ChannelOf
    ) -> None:
        ears = ScriptedTranscriber(a_transcript("odour heaven", confidence=0.2))
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(a_message("cancel"))
            await said(app, channel_of, 1)
            await app.intake.accept(await a_note(app))
            await said(app, channel_of, 2)
            await settled(app)
            await lapsed(app)
            await app.intake.accept(a_message("order seven"))
            assert (await said(app, channel_of, 3))[2] == "order seven is cancelled."

    async def test_poor_sound_of_long_ago_is_not_counted(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber(*[a_transcript("mumble", confidence=0.2)] * 3)
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            for count in (1, 2, 3):
                await app.intake.accept(await a_note(app))
                assert "Is that right?" in (await said(app, channel_of, count))[-1]
                await settled(app)
                await lapsed(app)

    async def test_what_was_heard_is_repeated_as_words_and_not_as_markup(self, make_app, channel_of: ChannelOf) -> None:
        words = "see *this* [page](https://evil.example)\nand " + "so on " * 200
        ears = ScriptedTranscriber(a_transcript(words, confidence=0.2))
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(await a_note(app))
            (asked,) = await said(app, channel_of, 1)
            assert r"see \*this\* \[page\](https://evil.example) and so on" in asked
            assert len(asked) < 500
            await app.intake.accept(a_message("yes"))
            assert (await said(app, channel_of, 2))[1].startswith("You said: see *this*")


async def lapsed(app: App) -> None:
    """As if the open question had been asked long ago."""
    state = await app.store.conversation("test:1")
    assert state is not None
    assert isinstance(state.question, Question)
    past = msgspec.structs.replace(state.question, expires=datetime.now(UTC) - timedelta(seconds=1))
    await app.store.commit(msgspec.structs.replace(state, question=past), ())


class TestSigns:
    @staticmethod
    async def signs(app: App, ears: ScriptedTranscriber) -> list[Event]:
        """What the customer is shown while somebody listens."""
        ears.gate = asyncio.Event()
        seen: list[Event] = []
        with app.events.subscribe("test:1", wants=lambda event: isinstance(event, Typing)) as events:
            await app.intake.accept(await a_note(app))
            await until(lambda: bool(ears.asked))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    while True:
                        seen.append(await events.get())
            ears.gate.set()
            await settled(app)
        return seen

    async def test_the_customer_sees_that_somebody_listens(
        self, make_app, channel_of: ChannelOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hearing, "SIGN_SECONDS", 0.01)
        ears = ScriptedTranscriber("hello")
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            assert set(await self.signs(app, ears)) == {Typing("test:1", "bot", heard=0.0)}

    async def test_the_bot_shows_nothing_while_a_person_has_the_conversation(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber("hello")
        async with make_app(a_shop(), models=Models(transcriber=ears)) as app:
            await app.intake.accept(a_message("person"))
            await settled(app)
            assert await self.signs(app, ears) == []


class TestSpeaking:
    @pytest.mark.parametrize("error", [OSError(2, "no program"), ValueError("private words"), SystemExit(3)], ids=repr)
    async def test_whatever_a_voice_raises_the_turn_stays_as_it_is(
        self, make_app, channel_of: ChannelOf, capsys: pytest.CaptureFixture[str], error: Exception
    ) -> None:
        voice = ScriptedSpeaker([error])
        async with make_app(a_shop(), models=Models(speaker=voice)) as app:
            await app.intake.accept(msgspec.structs.replace(a_message("hello"), aloud=True))
            assert await said(app, channel_of, 1) == ["You said: hello"]
        assert "private words" not in capsys.readouterr().out

    async def test_a_spoken_yes_is_answered_aloud(self, make_app, channel_of: ChannelOf) -> None:
        ears = ScriptedTranscriber(a_transcript("hello", confidence=0.2), "yes")
        async with make_app(a_shop(), models=Models(transcriber=ears, speaker=ScriptedSpeaker())) as app:
            await app.intake.accept(a_message("/voice on"))
            await said(app, channel_of, 1)
            await app.intake.accept(await a_note(app))
            await said(app, channel_of, 2)
            await app.intake.accept(await a_note(app))
            answer = (await channel_of(app).wait_for(3))[2]
            assert answer.text == "You said: hello"
            assert [file.name for file in answer.attachments] == ["reply.ogg"]

    async def test_what_was_spoken_for_a_turn_that_is_taken_anew_is_not_kept(self, make_app, channel_of: ChannelOf) -> None:
        voice, begun, go = ScriptedSpeaker(), asyncio.Event(), asyncio.Event()
        speak = voice.speak

        async def held(text: str, *, language: str) -> Speech:
            begun.set()
            await go.wait()
            return await speak(text, language=language)

        voice.speak = held  # type: ignore[method-assign]
        async with make_app(a_shop(), models=Models(speaker=voice)) as app:
            await app.intake.accept(a_message("hi"))
            await said(app, channel_of, 1)
            await settled(app)
            await app.intake.accept(msgspec.structs.replace(a_message("hello"), aloud=True))
            await begun.wait()
            await app.handoff.take("test:1", "Ann")
            go.set()
            await settled(app)
            assert voice.spoken
            assert not [path for path in app.attachments.folder.rglob("*") if path.is_file()]
