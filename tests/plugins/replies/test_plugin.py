from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from frontdesk.core.attachments import Attachments
from frontdesk.core.conversations import Conversation
from frontdesk.core.outcomes import Pass, Reply
from frontdesk.core.registry import Registry
from frontdesk.core.testing import a_message
from frontdesk.core.turn import Turn
from frontdesk.plugins.replies import RepliesSettings, knowledge_base, plugin
from frontdesk.plugins.replies.knowledge import KnowledgeBase
from frontdesk.plugins.replies.plugin import answer_from_articles

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
async def knowledge(tmp_path: Path, folder: Path, write: Write, embedder: Any) -> KnowledgeBase:
    write(
        "returns.md", "---\ntitle: Return [an] item\nlanguage: en\nurl: https://shop.example/r\n---\nSend it back in 30 days.\n"
    )
    write("zh.md", "---\ntitle: 营业时间\nlanguage: zh\nurl: https://shop.example/zh\n---\n周日开门，十点到五点。\n")
    write("faq.csv", "question,answer,language\nIs parking free?,Parking is free for one hour.,en\n")
    base = knowledge_base(RepliesSettings(), index=tmp_path / "knowledge.db", embedder=embedder)
    await base.sync([folder])
    return base


def turn(text: str, language: str = "en") -> Turn:
    message, now = a_message(text), datetime.now(UTC)
    state = Conversation(
        id=message.conversation,
        channel=message.channel,
        contact=message.contact,
        created=now,
        updated=now,
        language=language,
    )

    async def nothing(conversation: str, limit: int) -> list[Any]:
        return []

    return Turn(state, [message], now=now, read_history=nothing)


async def replied(knowledge: KnowledgeBase, text: str, language: str = "en") -> Reply:
    outcome = await answer_from_articles(turn(text, language), knowledge)
    assert isinstance(outcome, Reply)
    return outcome


async def test_an_answer_is_a_quotation_with_a_link_to_its_source(knowledge: KnowledgeBase) -> None:
    reply = await replied(knowledge, "return an item")
    assert reply.text == "Send it back in 30 days."
    (source,) = reply.sources
    assert (source.title, source.url, source.text) == ("Return [an] item", "https://shop.example/r", "Send it back in 30 days.")
    assert source.score is not None
    assert source.score >= 0.5


async def test_the_answer_is_in_the_customers_language(knowledge: KnowledgeBase) -> None:
    reply = await replied(knowledge, "周日开门吗", "zh-CN")
    assert reply.text == "周日开门，十点到五点。"
    assert [(source.title, source.url) for source in reply.sources] == [("营业时间", "https://shop.example/zh")]


async def test_an_article_without_an_address_is_named(knowledge: KnowledgeBase) -> None:
    reply = await replied(knowledge, "is parking free")
    assert (reply.sources[0].title, reply.sources[0].url) == ("Is parking free?", None)


async def test_an_article_in_another_language_comes_with_a_note(knowledge: KnowledgeBase) -> None:
    assert str((await replied(knowledge, "return an item", "zh")).text).startswith(
        "*这部分内容目前只有英文版本：*\n\nSend it back"
    )
    assert str((await replied(knowledge, "return an item", "nl")).text).startswith("*I have this in English only:*")


@pytest.mark.parametrize("text", ["tell me a joke", "给我讲个笑话", "", "?!"])
async def test_weak_evidence_is_left_to_others(knowledge: KnowledgeBase, text: str) -> None:
    assert await answer_from_articles(turn(text), knowledge) == Pass()


async def test_the_registry_injects_the_knowledge_base(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    registry = Registry([plugin], provided={KnowledgeBase: knowledge, Attachments: Attachments(tmp_path)})
    handler, _ = plugin.answers
    assert isinstance(await registry.call(handler, turn("return an item")), Reply)


@pytest.mark.parametrize("settings", [{"threshold": 1.5}, {"bm25_weight": -1}, {"languages": []}, {"unknown": 1}])
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RepliesSettings(**settings)
