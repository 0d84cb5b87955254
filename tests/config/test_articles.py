"""The knowledge base of an application whose embedding model is a service."""

from pathlib import Path

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.config import composition
from frontdesk.config.composition import build
from frontdesk.config.loader import load
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import until
from frontdesk.plugins.replies.knowledge import KnowledgeBase
from frontdesk.testing.openai import FakeOpenAI, Fault

pytestmark = needs("openai")

ARTICLE = "---\ntitle: Return an item\nlanguage: en\n---\nSend it back in 30 days.\n"


async def test_articles_get_their_vectors_as_soon_as_the_service_answers(
    tmp_path: Path, empty_folder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "EMBED_AGAIN", 0.05)
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "returns.md").write_text(ARTICLE)
    async with FakeOpenAI("openai", key="k") as service:
        (tmp_path / "frontdesk.yaml").write_text(
            "data_folder: data\nchannels: {}\nplugins: {replies: {sources: [articles]}}\n"
            "models:\n  embeddings:\n"
            f"    {{provider: openai, base_url: '{service.url}', api_key: k, model: {service.model}, retries: 0}}\n"
        )
        service.fail(Fault(status=500), times=1000)
        application = build(load(tmp_path / "frontdesk.yaml"), store=MemoryStore(), transports=[], serve=False)
        async with application:
            base = application.registry._provided[KnowledgeBase]
            hit = (await base.search("return an item"))[0]
            assert (hit.passage.title, hit.dense) == ("Return an item", 0)
            service.recover()

            async def has_vectors() -> bool:
                ranker = await base._current()
                return bool(ranker.snapshot.rows)

            await until(has_vectors)
