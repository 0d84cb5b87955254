import asyncio
import base64
import json
from contextlib import AsyncExitStack

import numpy as np
import pytest
from tests.plugins.models.conftest import needs
from tests.plugins.models.remote.conftest import settings_for

from frontdesk.core.errors import ConfigurationError, ModelFailed, ModelUnavailable
from frontdesk.plugins.models.remote import RemoteEmbedder, embeddings
from frontdesk.plugins.models.remote.embeddings import BATCH
from frontdesk.plugins.models.settings import EmbeddingsSettings
from frontdesk.testing.openai import DIALECTS, FakeOpenAI, Fault

pytestmark = needs("openai", "jsonschema")


@pytest.fixture
async def service():
    async with FakeOpenAI("openai") as service:
        yield service


@pytest.fixture
async def embedder_with(tmp_path, metrics):
    async with AsyncExitStack() as open:

        def make(service, provider="openai", **more):
            settings = EmbeddingsSettings(**settings_for(service, provider, **more))
            embedder = RemoteEmbedder(settings, folder=tmp_path, metrics=metrics)
            open.push_async_callback(embedder.close)
            return embedder

        yield make


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
async def test_vectors_come_in_the_order_of_the_texts(dialect, embedder_with):
    async with FakeOpenAI(dialect) as service:
        embedder = embedder_with(service, dialect)
        vectors = await embedder.embed(["one", "two", "one"])
        assert vectors.shape == (3, 8)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(vectors[0], vectors[2])
        assert not np.allclose(vectors[0], vectors[1])


async def test_many_texts_are_asked_for_in_batches(service, embedder_with):
    texts = [f"text {number}" for number in range(2 * BATCH + 3)]
    embedder = embedder_with(service)
    vectors = await embedder.embed(texts)
    assert [len(request.body["input"]) for request in service.requests] == [BATCH, BATCH, 3]
    np.testing.assert_allclose(vectors[BATCH + 1], (await embedder.embed([texts[BATCH + 1]]))[0], atol=1e-6)


async def test_no_text_asks_nobody(service, embedder_with):
    assert (await embedder_with(service, dimensions=5).embed([])).shape == (0, 5)
    assert service.requests == []


async def test_texts_that_a_service_would_refuse_have_a_vector_too(service, embedder_with):
    vectors = await embedder_with(service).embed(["", " \n", "x" * 100_000, "\ud800"])
    assert vectors.shape == (4, 8)
    assert max(map(len, service.requests[-1].body["input"])) == 8000


async def test_the_length_of_the_vectors_is_known_after_the_first_call_and_after_a_restart(service, embedder_with):
    embedder = embedder_with(service)
    assert embedder.dimensions == 0
    await embedder.embed(["one"])
    assert embedder.dimensions == 8
    assert embedder_with(service).dimensions == 8


async def test_another_process_may_have_seen_the_length_first(service, embedder_with):
    waiting = embedder_with(service)
    assert waiting.dimensions == 0
    await embedder_with(service).embed(["one"])
    assert waiting.dimensions == 8


async def test_the_length_can_be_chosen(service, embedder_with):
    embedder = embedder_with(service, dimensions=5)
    assert embedder.dimensions == 5
    assert embedder.name == "openai:test-model/5"
    assert (await embedder.embed(["one"])).shape == (1, 5)


async def test_a_service_that_has_another_length_names_the_setting(service, embedder_with):
    service.fail(Fault(body=json.dumps({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}).encode()))
    with pytest.raises(ModelFailed, match=r"2 numbers: set models\.embeddings\.dimensions"):
        await embedder_with(service, dimensions=5).embed(["one"])


async def test_base64_is_understood(service, embedder_with):
    numbers = base64.b64encode(np.array([3.0, 4.0], "<f4").tobytes()).decode()
    service.fail(Fault(body=json.dumps({"data": [{"embedding": numbers}]}).encode()))
    np.testing.assert_allclose(await embedder_with(service).embed(["one"]), [[0.6, 0.8]], atol=1e-6)


RUBBISH = [
    b"",
    b"<html>",
    b"{}",
    b'{"data": []}',
    b'{"data": [{"embedding": []}]}',
    b'{"data": [{"embedding": [0, 0]}]}',
    b'{"data": [{"embedding": [1, "x"]}]}',
    b'{"data": [{"embedding": [1e999]}]}',
    b'{"data": [{"embedding": "!!"}]}',
    b'{"data": [{"index": 1, "embedding": [1.0]}]}',
    b'{"data": [{"embedding": [1.0]}, {"embedding": [1.0]}]}',
    b'{"error": {"message": "no"}}',
]


@pytest.mark.parametrize("body", RUBBISH)
async def test_rubbish_is_a_failure(body, service, embedder_with):
    service.fail(Fault(body=body))
    with pytest.raises(ModelFailed):
        await embedder_with(service).embed(["one"])


async def test_vectors_of_different_lengths_are_a_failure(service, embedder_with):
    service.fail(Fault(body=b'{"data": [{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}]}'))
    with pytest.raises(ModelFailed):
        await embedder_with(service).embed(["one", "two"])


async def test_an_outage_is_told(service, embedder_with):
    service.fail(Fault(status=503))
    with pytest.raises(ModelUnavailable):
        await embedder_with(service).embed(["one"])


async def test_what_is_wrong_is_known_when_it_is_made(service, embedder_with):
    with pytest.raises(ConfigurationError, match=r"models\.embeddings\.api_key"):
        embedder_with(service, api_key=None)


async def test_cost_is_counted(service, embedder_with, metrics):
    embedder = embedder_with(service, input_price=1e6)
    await asyncio.gather(embedder.embed(["one two three"]), embedder.embed(["four"]))
    value = metrics.registry.get_sample_value
    assert value("frontdesk_model_cost_total", {"model": "openai:test-model"}) == 4.0
    assert not value("frontdesk_model_conversations_total", {"model": "openai:test-model"})
    assert value("frontdesk_model_seconds_count", {"model": embedder.name, "operation": "embed", "result": "done"}) == 2


async def test_a_question_does_not_wait_for_a_service_that_hangs(service, embedder_with, monkeypatch):
    monkeypatch.setattr(embeddings, "QUESTION_SECONDS", 0.2)
    service.fail(Fault(hang=True), times=100)
    embedder = embedder_with(service, timeout=60, retries=2)
    with pytest.raises(ModelFailed):
        await embedder.embed(["where is my order?"])
    for _ in range(4):
        with pytest.raises(ModelFailed):
            await embedder.embed(["where is my order?"])
    asked = len(service.requests)
    with pytest.raises(ModelUnavailable):
        await embedder.embed(["where is my order?"])
    assert len(service.requests) == asked, "after five times it is left alone"
