import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.conftest import SENTENCES, unigram_tokenizer

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.local import seq2seq
from frontdesk.plugins.models.local.cohort import Cohort
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded, load
from frontdesk.plugins.models.local.seq2seq import MAX_BREAKS, Seq2SeqEngine
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = needs("torch", "transformers")

HOT = 60.0
"""The logits of random weights are far apart."""


def loaded(folder: Path) -> Loaded:
    return load(ChatSettings(provider="local", model=str(folder), threads=1), lambda words, share: None)


@pytest.fixture(scope="module")
def t5(t5_folder: Path) -> Loaded:
    return loaded(t5_folder)


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Its positions are absolute, so that rows that begin at different times cannot share a step."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "bart"
    tokenizer = unigram_tokenizer()
    torch.manual_seed(7)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_position_embeddings=128,
        init_std=0.4,
        bos_token_id=None,
        decoder_start_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=None,
        no_repeat_ngram_size=3,
        tie_word_embeddings=False,
    )
    BartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loaded(folder)


def engine_of(model: Loaded, **options: Any) -> Seq2SeqEngine:
    return Seq2SeqEngine(model, ChatSettings(provider="local", model="tiny", **options))


@pytest.fixture
async def engine(t5: Loaded) -> AsyncIterator[Seq2SeqEngine]:
    engine = engine_of(t5)
    await engine.start()
    yield engine
    await engine.close()


def prompts(model: Loaded) -> list[tuple[int, ...]]:
    return [tuple(model.tokenizer(text).input_ids) for text in SENTENCES]


def plain(model: Loaded, prompt: tuple[int, ...], tokens: int) -> list[int]:
    import torch

    written = model.model.generate(torch.tensor([prompt]), max_new_tokens=tokens, do_sample=False, num_beams=1)[0].tolist()
    return list(written[1:])


async def written(engine: Seq2SeqEngine, prompt: tuple[int, ...], tokens: int, **options: Any) -> list[int]:
    stream = engine.generate(Prompt(ids=prompt), Sampling(max_tokens=tokens, **options))
    return [token async for tokens_ in stream for token in tokens_]


@pytest.mark.parametrize("family", ["t5", "bart"])
async def test_a_batch_writes_what_generate_writes_for_each(family: str, request: pytest.FixtureRequest) -> None:
    model: Loaded = request.getfixturevalue(family)
    asked = [(prompt, 5 + 9 * place) for place, prompt in enumerate(prompts(model))]
    expected = [plain(model, prompt, tokens) for prompt, tokens in asked]
    assert len({len(answer) for answer in expected}) > 4
    engine = engine_of(model)
    await engine.start()
    try:
        assert await asyncio.gather(*(written(engine, prompt, tokens) for prompt, tokens in asked)) == expected
    finally:
        await engine.close()


@pytest.mark.parametrize("family", ["t5", "bart"])
async def test_late_comers_join_a_running_batch_and_change_nothing(family: str, request: pytest.FixtureRequest) -> None:
    model: Loaded = request.getfixturevalue(family)
    asked = [(prompt, 20 + 10 * place) for place, prompt in enumerate(prompts(model))]
    expected = [plain(model, prompt, tokens) for prompt, tokens in asked]
    engine = engine_of(model)
    await engine.start()
    begun = [asyncio.Event() for _ in asked]

    async def one(place: int) -> list[int]:
        """Begins when the one before has its first tokens."""
        if place:
            await begun[place - 1].wait()
        answer = []
        async for tokens in engine.generate(Prompt(ids=asked[place][0]), Sampling(max_tokens=asked[place][1])):
            answer += tokens
            begun[place].set()
        return answer

    try:
        assert await asyncio.gather(*map(one, range(len(asked)))) == expected
    finally:
        await engine.close()


async def test_tokens_come_while_the_answer_is_written(
    engine: Seq2SeqEngine, t5: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third token is not made before the second is read."""
    read = threading.Semaphore(2)
    step = Cohort.step

    def patient(cohort: Cohort) -> None:
        assert read.acquire(timeout=60)
        step(cohort)

    monkeypatch.setattr(Cohort, "step", patient)
    seen = 0
    async for tokens in engine.generate(Prompt(ids=prompts(t5)[3]), Sampling(max_tokens=8)):
        seen += len(tokens)
        for _ in tokens:
            read.release()
    assert seen > 2
    read.release(100)


@pytest.mark.parametrize("temperature", [HOT / 3, HOT])
async def test_a_seed_gives_the_same_tokens_alone_and_in_a_batch(engine: Seq2SeqEngine, t5: Loaded, temperature: float) -> None:
    prompt, *others = prompts(t5)
    options = {"temperature": temperature, "top_p": 0.9, "seed": 11}
    alone = await written(engine, prompt, 30, **options)
    together = await asyncio.gather(
        written(engine, prompt, 30, **options),
        *(written(engine, other, 30, temperature=HOT, seed=place) for place, other in enumerate(others)),
        written(engine, prompt, 30, **options),
        *(written(engine, prompt, 30, temperature=temperature, seed=seed) for seed in range(4)),
    )
    assert together[0] == together[len(others) + 1] == alone
    assert len({tuple(answer) for answer in together[-4:]}) > 1


async def test_without_a_seed_each_answer_is_another(engine: Seq2SeqEngine, t5: Loaded) -> None:
    answers = await asyncio.gather(*(written(engine, prompts(t5)[0], 20, temperature=HOT) for _ in range(4)))
    assert len({tuple(answer) for answer in answers}) > 1


async def test_who_goes_away_leaves_the_batch_at_once(t5: Loaded) -> None:
    """With room for one, the second can only begin when the first has gone: its answer would take minutes."""
    engine = engine_of(t5, concurrent=1, cache_tokens=10**9)
    endless = Sampling(max_tokens=10**6, temperature=HOT, seed=1)
    engine._decoder.ends = frozenset()
    await engine.start()
    try:
        async with aclosing(engine.generate(Prompt(ids=prompts(t5)[0]), endless)) as stream:
            await anext(stream)
            second = asyncio.create_task(written(engine, prompts(t5)[1], 3))
            await anext(stream)
            assert not second.done()
        async with asyncio.timeout(30):
            assert len(await second) == 3
        third = asyncio.create_task(written(engine, prompts(t5)[2], 10**6))
        await until(lambda: not engine._incoming)
        third.cancel()
        async with asyncio.timeout(30):
            assert len(await written(engine, prompts(t5)[1], 3)) == 3
    finally:
        await engine.close()


async def test_those_who_do_not_fit_wait_for_their_turn(t5: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    step = Cohort.step

    def counted(cohort: Cohort) -> None:
        rows.append(len([row for row in cohort.rows if not row.done]))
        step(cohort)

    monkeypatch.setattr(Cohort, "step", counted)
    for options in ({"concurrent": 3}, {"cache_tokens": 256}):
        engine = engine_of(t5, **options)
        await engine.start()
        asked = prompts(t5)[:5] * 2
        answers = await asyncio.gather(*(written(engine, prompt, 50) for prompt in asked))
        assert answers == [plain(t5, prompt, 50) for prompt in asked]
        await engine.close()
        assert 1 < max(rows) <= 3 + 2 * ("cache_tokens" in options)
        rows.clear()


async def test_what_breaks_costs_those_in_the_batch_their_answers_and_nobody_else(
    engine: Seq2SeqEngine, t5: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seq2seq, "WINDOW_SECONDS", 0.5)
    step = Cohort.step
    failures = iter([MemoryError(), RuntimeError("CUDA error: the prompt was Where is my order?")])

    def breaks(cohort: Cohort) -> None:
        if len(cohort.rows) > 1 and (error := next(failures, None)):
            raise error
        step(cohort)

    monkeypatch.setattr(Cohort, "step", breaks)
    for name in ("MemoryError", "RuntimeError"):
        results: list[Any] = await asyncio.gather(
            *(written(engine, prompt, 9) for prompt in prompts(t5)[:3]), return_exceptions=True
        )
        assert [type(result) for result in results] == [ModelFailed] * 3
        assert str(results[0]) == f"the model broke ({name})"
    assert await written(engine, prompts(t5)[0], 9) == plain(t5, prompts(t5)[0], 9)


async def test_numbers_that_are_none_cost_one_row_its_answer(
    engine: Seq2SeqEngine, t5: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seq2seq, "WINDOW_SECONDS", 0.5)
    asked = prompts(t5)[1:4]
    expected = [plain(t5, prompt, 12) for prompt in asked]

    def spoil(module: Any, inputs: Any, logits: Any) -> Any:
        logits = logits.clone()
        if len(logits) == 3:
            logits[1, 0, 5] = float("nan")
        return logits

    hook = t5.model.lm_head.register_forward_hook(spoil)
    try:
        results: list[Any] = await asyncio.gather(*(written(engine, prompt, 12) for prompt in asked), return_exceptions=True)
    finally:
        hook.remove()
    assert isinstance(results[1], ModelFailed)
    assert "rubbish" in str(results[1])
    assert [results[0], results[2]] == [expected[0], expected[2]]


async def test_steps_that_break_again_and_again_end_the_process(t5: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    engine = Seq2SeqEngine(t5, ChatSettings(provider="local", model="tiny"), die=lambda: ended.append("died"))

    def breaks(cohort: Cohort) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(Cohort, "step", breaks)
    await engine.start()
    for _ in range(MAX_BREAKS):
        assert ended == []
        with pytest.raises(ModelFailed, match="RuntimeError"):
            await written(engine, prompts(t5)[0], 3)
    await until(lambda: ended == ["died"])
    await engine.close()


@pytest.mark.parametrize("when", ["first", "later"])
async def test_a_step_that_hangs_fails_all_and_ends_the_process(t5: Loaded, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    ended: list[str] = []
    engine = Seq2SeqEngine(t5, ChatSettings(provider="local", model="tiny"), stall_seconds=0.5, die=lambda: ended.append("died"))
    go_on = threading.Event()
    step = Cohort.step

    def hangs(cohort: Cohort) -> None:
        if when == "first" or cohort.rows[0].written:
            go_on.wait(60)
        step(cohort)

    monkeypatch.setattr(Cohort, "step", hangs)
    await engine.start()
    asked = [asyncio.create_task(written(engine, prompt, 9)) for prompt in prompts(t5)[1:4]]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [ModelFailed] * 3
    assert {str(result) for result in results} == {"the model has made no step for 0.5 s"}
    await until(lambda: ended == ["died"])
    go_on.set()
    await engine.close()


async def test_a_stop_ends_what_runs_and_takes_nothing_new(t5: Loaded) -> None:
    engine = engine_of(t5, cache_tokens=10**9)
    engine._decoder.ends = frozenset()
    await engine.start()
    running = [asyncio.create_task(written(engine, prompt, 10**6, temperature=HOT)) for prompt in prompts(t5)[:2]]
    await until(lambda: not engine._incoming)
    await engine.close()
    results = await asyncio.gather(*running, return_exceptions=True)
    assert [type(result) for result in results] == [ModelUnavailable] * 2
    with pytest.raises(ModelUnavailable):
        await written(engine, prompts(t5)[0], 3)


def test_prompt_and_answer_have_the_context_each_for_itself(t5: Loaded) -> None:
    engine = engine_of(t5)
    assert (engine.context, engine.room(1), engine.room(128), engine.room(129)) == (128, 128, 128, 0)
