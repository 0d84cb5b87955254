"""The shipped embedder against float32, under concurrent calls and on texts that could break it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from frontdesk.core.models import Embedder
from frontdesk.plugins.models import minilm
from frontdesk.plugins.models.minilm import MiniLM

REFERENCE = Path(__file__).with_name("minilm_float32.npz")
"""Sentences and their vectors by the published float32 weights, computed with transformers."""


@pytest.fixture(scope="module")
def model() -> Embedder:
    return MiniLM()


async def test_stays_near_float32(model: Embedder) -> None:
    reference = np.load(REFERENCE)
    expected = reference["vectors"].astype(np.float32)
    vectors = await model.embed([str(text) for text in reference["sentences"]])
    cosine = (vectors * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() >= 0.99
    assert cosine.mean() >= 0.998


def test_ships_small_with_licence_and_provenance() -> None:
    folder = Path(minilm.__file__).parent
    assert sum(path.stat().st_size for path in folder.iterdir() if path.suffix in {".onnx", ".json"}) <= 25_000_000
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" in (folder / "PROVENANCE.md").read_text()


async def test_shape_type_and_length(model: Embedder) -> None:
    vectors = await model.embed(["one", "two words", "one"])
    assert vectors.shape == (3, model.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert (await model.embed([])).shape == (0, model.dimensions)


async def test_meaning_orders_the_similarities(model: Embedder) -> None:
    question, near, far = await model.embed(["Where is my parcel?", "Track my package", "I like the blue shoes"])
    assert question @ near > question @ far + 0.2


@pytest.mark.parametrize("text", ["", "   \n", "\0", "\ud800", "😀" * 5000, "a" * 100_000, "word " * 100_000], ids=range(7))
async def test_odd_texts_have_a_vector(model: Embedder, text: str) -> None:
    (vector,) = await model.embed([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


async def test_a_text_is_cut_after_256_tokens(model: Embedder) -> None:
    start = "word " * 254  # and the two marks
    cut, whole = await model.embed([start + "and something else", start])
    np.testing.assert_allclose(cut, whole, atol=1e-6)
    assert (await model.embed([start[:-5] + "else"]))[0] @ whole < 0.9999


async def test_a_vector_does_not_depend_on_the_batch() -> None:
    texts = ["Hello", "Where is my order?", "The zipper of the jacket that I bought last week broke " * 9]
    together = await MiniLM(remembered=0).embed(texts)
    alone = MiniLM(remembered=0)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose((await alone.embed([text]))[0], vector, atol=1e-5)


async def test_concurrent_calls_get_their_own_vectors_in_few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MiniLM()
    taken: list[int] = []
    vectors_of = model._vectors
    monkeypatch.setattr(model, "_vectors", lambda texts: taken.append(len(texts)) or vectors_of(texts))
    texts = [f"order number {number}" for number in range(40)]
    results = await asyncio.gather(*(model.embed([text]) for text in texts))
    np.testing.assert_allclose(np.concatenate(results), await MiniLM().embed(texts), atol=1e-5)
    assert sum(taken) == 40
    assert len(taken) <= 5


async def test_the_loop_runs_on_and_short_calls_pass_long_ones() -> None:
    model = MiniLM(remembered=0)
    await model.embed(["load"])
    long = asyncio.create_task(model.embed([f"a question about order number {number}" for number in range(400)]))
    await asyncio.sleep(0.01)
    turns = 0
    short = asyncio.create_task(model.embed(["short"]))
    while not short.done():
        await asyncio.sleep(0)
        turns += 1
    assert not long.done()
    assert turns > 10
    assert (await long).shape == (400, 384)


async def test_a_cancelled_call_hurts_no_other(model: Embedder) -> None:
    cancelled, kept = (asyncio.create_task(model.embed([text])) for text in ("first text", "second text"))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert (await kept).shape == (1, 384)
    assert (await model.embed(["third text"])).shape == (1, 384)


async def test_a_failure_reaches_its_callers_and_the_model_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MiniLM()
    with monkeypatch.context() as patch:
        patch.setattr(model, "_vectors", lambda texts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await model.embed(["broken"])
    assert (await model.embed(["whole"])).shape == (1, 384)
