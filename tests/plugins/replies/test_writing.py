"""Answers that a chat model writes: from the articles, and only where no article answers by itself."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from frontdesk.core.chat import ChatRequest
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.messages import Attachment, Contact, Entry
from frontdesk.core.models import Abilities, Models
from frontdesk.core.testing import ScriptedChat, a_message
from frontdesk.core.turn import Turn
from frontdesk.plugins.models.minilm import MiniLM
from frontdesk.plugins.replies import RepliesSettings, knowledge_base, plugin, writing
from frontdesk.plugins.replies.knowledge import KnowledgeBase
from frontdesk.testing import Bot

NOW = datetime.now(UTC)
PNG = b"\x89PNG\r\n\x1a\n..."
ARTICLE = (
    "---\ntitle: Lamps\nlanguage: en\nurl: https://shop.example/lamps\n---\nA lamp {with} a cracked shade is replaced for free.\n"
)

Talk = Callable[..., AbstractContextManager[Bot]]


@pytest.fixture
def bot_with(tmp_path: Path) -> Talk:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "lamps.md").write_text(ARTICLE)

    @contextmanager
    def talk(model: ScriptedChat | None, **settings: float) -> Iterator[Bot]:
        embedder = MiniLM()
        base = knowledge_base(RepliesSettings(), index=tmp_path / "knowledge.db", embedder=embedder)
        asyncio.run(base.sync([folder]))
        models = Models(embedder=embedder, chat=model)
        with Bot(plugin, provided={KnowledgeBase: base}, models=models, settings={"replies": settings}) as bot:
            yield bot

    return talk


def system(request: ChatRequest) -> str:
    assert request.messages[0].role == "system"
    return request.messages[0].text


def test_what_no_article_answers_is_asked_of_the_model_with_the_articles(bot_with: Talk) -> None:
    model = ScriptedChat("We replace it for free.")
    with bot_with(model) as bot:
        assert [reply.text for reply in bot.says("mine arrived broken, what now?")] == ["We replace it for free."]
    assert "A lamp {with} a cracked shade is replaced for free." in system(model.requests[0])
    assert model.requests[0].messages[-1].text == "mine arrived broken, what now?"


def test_an_article_that_answers_is_quoted_without_asking_the_model(bot_with: Talk) -> None:
    model = ScriptedChat()
    with bot_with(model) as bot:
        bot.says("is a lamp with a cracked shade replaced for free?")
    assert not model.requests


def test_the_model_knows_what_was_said_before(bot_with: Talk) -> None:
    model = ScriptedChat("Which lamp?", "Thank you.")
    with bot_with(model) as bot:
        bot.says("hello, mine broke")
        bot.says("the blue one")
    assert [(said.role, said.text) for said in model.requests[1].messages[1:]] == [
        ("user", "hello, mine broke"),
        ("assistant", "Which lamp?"),
        ("user", "the blue one"),
    ]


@pytest.mark.parametrize("said", ["UNKNOWN", "UNKNOWN.", "", ModelFailed("rubbish"), ModelUnavailable("it is loading")])
def test_a_model_that_does_not_know_or_fails_costs_nothing(bot_with: Talk, said: str | Exception) -> None:
    with bot_with(ScriptedChat(said)) as bot:
        (reply,) = bot.says("what is the meaning of life?")
    assert reply.text.startswith("I don't know the answer to that")
    assert [choice.value for choice in reply.choices] == ["/human"]


def test_a_picture_reaches_a_model_that_can_see(bot_with: Talk) -> None:
    model = ScriptedChat("That is a cracked shade.", abilities=Abilities(pictures=True))
    with bot_with(model) as bot:
        (reply,) = bot.sends(PNG, name="lamp.png", media_type="image/png")
    assert reply.text == "That is a cracked shade."
    (picture,) = model.requests[0].messages[-1].pictures
    assert (picture.data, picture.media_type) == (PNG, "image/png")


@pytest.mark.parametrize("model", [None, ScriptedChat(), ScriptedChat(ModelFailed("blind"), abilities=Abilities(pictures=True))])
def test_where_nobody_sees_the_picture_the_bot_says_so(bot_with: Talk, model: ScriptedChat | None) -> None:
    with bot_with(model) as bot:
        (reply,) = bot.sends(PNG, name="lamp.png", media_type="image/png")
    assert "I cannot see it" in reply.text


def test_a_picture_of_a_kind_that_no_model_takes_is_left_to_people(bot_with: Talk) -> None:
    model = ScriptedChat("never asked", abilities=Abilities(pictures=True))
    with bot_with(model) as bot:
        bot.sends(b"BM...", name="lamp.bmp", media_type="image/bmp")
    assert not model.requests


def test_a_picture_that_is_gone_is_left_out(bot_with: Talk) -> None:
    model = ScriptedChat("never asked", abilities=Abilities(pictures=True))
    with bot_with(model) as bot:
        save = bot.app.attachments.save

        async def lost(*args: Any, **more: Any) -> Attachment:
            saved = await save(*args, **more)
            await bot.app.attachments.remove(saved.id)
            return saved

        bot.app.attachments.save = lost  # type: ignore[method-assign]
        (reply,) = bot.sends(PNG, name="lamp.png", media_type="image/png")
        assert "I cannot see it" in reply.text
        assert not bot.dead_letters()


def test_a_model_that_hangs_costs_its_answer_and_not_the_turn(bot_with: Talk) -> None:
    model = ScriptedChat("too late")
    with bot_with(model, answer_seconds=0.1) as bot:
        model.gate = asyncio.Event()
        (reply,) = bot.says("what is the meaning of life?")
        assert reply.text.startswith("I don't know the answer to that")
        assert model.cancelled == 1


async def test_what_waits_for_a_turn_of_its_own_was_not_said_before() -> None:
    entries = [
        Entry(seq=1, body=a_message("one", id="1"), status="done"),
        Entry(seq=2, body=a_message("two", id="2"), status="pending"),
        Entry(seq=3, body=a_message("/three", id="3"), status="pending"),
    ]

    async def history(_conversation: str, _limit: int) -> list[Entry]:
        return entries

    state = Conversation(id="test:1", channel="test", contact=Contact(id="1"), created=NOW, updated=NOW)
    turn = Turn(state, [a_message("two", id="2")], now=NOW, read_history=history)
    assert [message.text for message in await writing._history(turn)] == ["one"]
