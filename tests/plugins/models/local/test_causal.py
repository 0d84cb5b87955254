"""Conversations that share batches get the answers that they would get alone."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.engines import (
    ENDLESS,
    answer,
    batching_threads,
    generated,
    held,
    loaded_from,
    loaded_model,
    prompt,
    running,
)

from frontdesk.core.errors import ConfigurationError, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded, load
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = needs("torch", "transformers", "peft", "torchao")

SMALL = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
}


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> Loaded:
    return loaded_from(llama_folder)


@pytest.fixture(scope="module")
def endless(llama_folder: Path) -> Loaded:
    return loaded_from(llama_folder, ends=ENDLESS)


async def test_a_batch_answers_as_generate_does(llama: Loaded) -> None:
    """Short and long prompts, those that are read in several steps among them, that come one after the other."""
    prompts = [prompt(length, start) for start, length in enumerate((1, 5, 31, 32, 33, 64, 100, 255, 256, 257, 300, 400))]
    async with running(llama, cache_tokens=4096) as engine:
        assert engine.batches
        tasks = []
        for ids in prompts:
            tasks.append(asyncio.create_task(answer(engine, ids)))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks)
    assert answers == [generated(llama, ids) for ids in prompts]
    assert len({tuple(found) for found in answers}) > len(prompts) / 2
    assert any(found[-1] in llama.ends for found in answers)


async def test_late_comers_join_while_others_are_answered(endless: Loaded) -> None:
    async with running(endless) as engine:
        early = asyncio.create_task(answer(engine, prompt(20), 200))
        stream = engine.generate(Prompt(ids=prompt(30, 1)), Sampling(max_tokens=200))
        async with aclosing(stream):
            found = await anext(stream)
            late = await answer(engine, prompt(25, 2), 10)
            assert not early.done()
            found += [token async for piece in stream for token in piece]
        assert (await early, found, late) == (
            generated(endless, prompt(20), 200),
            generated(endless, prompt(30, 1), 200),
            generated(endless, prompt(25, 2), 10),
        )


async def test_what_prompts_begin_with_is_read_once_and_answered_the_same(llama: Loaded) -> None:
    shop = prompt(96, 5)
    prompts = [[*shop, *prompt(7, start)] for start in range(4)]
    async with running(llama) as engine:
        answers = [await answer(engine, ids) for ids in prompts]
    assert answers == [generated(llama, ids) for ids in prompts]


@pytest.mark.parametrize("settings", [{"temperature": 0.8}, {"temperature": 1.5, "top_p": 0.7}])
async def test_a_seed_gives_the_same_tokens_alone_and_in_a_batch(endless: Loaded, settings: dict[str, float]) -> None:
    async with running(endless) as engine:
        alone = await answer(engine, prompt(20), seed=7, **settings)
        others = [answer(engine, prompt(10 + start, start), temperature=1.0) for start in range(8)]
        together, *_ = await asyncio.gather(answer(engine, prompt(20), seed=7, **settings), *others)
        other = await answer(engine, prompt(20), seed=8, **settings)
        fresh = {tuple(await answer(engine, prompt(20), **settings)) for _ in range(3)}
    async with running(endless, plain=True) as engine:
        plain = await answer(engine, prompt(20), seed=7, **settings)
    assert alone == together == plain
    assert other != alone
    assert len(fresh) == 3


async def test_greedy_requests_are_not_changed_by_those_that_are_sampled(endless: Loaded) -> None:
    async with running(endless) as engine:
        greedy, *_ = await asyncio.gather(
            answer(engine, prompt(20)), *(answer(engine, prompt(20), temperature=2.0) for _ in range(5))
        )
    assert greedy == generated(endless, prompt(20))


async def test_what_the_checkpoint_asks_of_decoding_holds_in_a_batch(llama_folder: Path) -> None:
    loaded = loaded_from(llama_folder, ends=ENDLESS)
    without = generated(loaded, prompt(20))
    loaded.model.generation_config.repetition_penalty = 1.8
    loaded.model.generation_config.suppress_tokens = [without[0]]
    wanted = [generated(loaded, prompt(20 + start, start)) for start in range(3)]
    assert wanted[0] != without
    async with running(loaded) as engine:
        assert await asyncio.gather(*(answer(engine, prompt(20 + start, start)) for start in range(3))) == wanted
    async with running(loaded, plain=True) as engine:
        assert await answer(engine, prompt(20)) == wanted[0]


async def test_a_request_that_is_given_up_frees_its_blocks_at_once(endless: Loaded) -> None:
    async with running(endless, cache_tokens=512) as engine:
        stream = engine.generate(Prompt(ids=prompt(100)), Sampling(max_tokens=400))
        await anext(stream)
        assert held(engine) >= 4
        await stream.aclose()
        await until(lambda: held(engine) == 0)
        # It had been promised the whole cache: nobody else could run.
        assert await answer(engine, prompt(100, 1), 400) == generated(endless, prompt(100, 1), 400)
        task = asyncio.create_task(answer(engine, prompt(100), 400))
        waiting = asyncio.create_task(answer(engine, prompt(90), 400))
        await until(lambda: held(engine) >= 4)
        waiting.cancel()
        task.cancel()
        assert all(
            isinstance(found, asyncio.CancelledError) for found in await asyncio.gather(task, waiting, return_exceptions=True)
        )
        await until(lambda: held(engine) == 0)
        assert engine._line.free == (engine._settings.concurrent, 512)
        assert not engine._open
        assert not engine._batcher.chooser.choices
        assert not engine._batcher._manager.output_router.result_handlers


async def test_a_flood_waits_in_line(llama: Loaded) -> None:
    """More requests than places and than the cache has room for: all are answered, by no more at a time than there may be."""
    sizes = []

    def see(_: Any, __: Any, kwargs: dict[str, Any]) -> None:
        if kwargs.get("cu_seq_lens_q") is not None:
            sizes.append(len(kwargs["cu_seq_lens_q"]) - 1)

    hook = llama.model.register_forward_pre_hook(see, with_kwargs=True)
    prompts = [prompt(20 + start, start) for start in range(40)]
    try:
        async with running(llama, concurrent=4, cache_tokens=512) as engine:
            answers = await asyncio.gather(*(answer(engine, ids) for ids in prompts))
    finally:
        hook.remove()
    assert answers == [generated(llama, ids) for ids in prompts]
    assert max(sizes) == 4


async def test_the_room_for_an_answer_is_bounded_by_cache_and_context(llama: Loaded) -> None:
    async with running(llama, cache_tokens=256) as engine:
        assert (engine.context, engine.room(200), engine.room(300)) == (256, 56, -44)
        assert len(await answer(replace_ends(engine), prompt(200), 56)) <= 56
    async with running(llama, cache_tokens=4096) as engine:
        assert engine.context == 512


def replace_ends(engine: Any) -> Any:
    engine._loaded = replace(engine._loaded, ends=ENDLESS)
    return engine


async def test_the_cache_takes_the_memory_that_its_settings_say(llama: Loaded) -> None:
    config = llama.model.config
    token = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * 4
    async with running(llama, cache_tokens=4096) as engine:
        # Two sectors more are for what is padding.
        assert token * 4096 <= engine._batcher.cache_bytes <= token * 4096 * 1.05


async def test_a_cache_that_cannot_be_had_is_refused_by_the_name_of_its_setting(llama: Loaded) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.chat\.cache_tokens = 1000000000000"):
        async with running(llama, cache_tokens=1_000_000_000_000):
            pass
    assert llama.model.config._attn_implementation == "sdpa"


async def test_a_stopped_engine_takes_nothing_and_ends_what_runs(endless: Loaded) -> None:
    async with running(endless) as engine:
        stream = engine.generate(Prompt(ids=prompt(10)), Sampling(max_tokens=500))
        await anext(stream)
        tasks = [asyncio.create_task(answer(engine, prompt(10), 500)) for _ in range(8)]
        await until(lambda: len(engine._open) > 1)
    with pytest.raises(ModelUnavailable):
        async for _ in stream:
            pass
    assert all(isinstance(error, ModelUnavailable) for error in await asyncio.gather(*tasks, return_exceptions=True))
    with pytest.raises(ModelUnavailable):
        await answer(engine, prompt(10))


@pytest.mark.parametrize("where", ["in the batch", "alone"])
async def test_memory_that_runs_out_when_batches_are_tried_is_told_by_the_name_of_its_setting(
    where: str, llama_folder: Path
) -> None:
    import torch

    loaded = loaded_from(llama_folder)

    def hungry(_: Any, kwargs: dict[str, Any]) -> None:
        if (kwargs.get("cu_seq_lens_q") is not None) == (where == "in the batch"):
            torch.empty(2**60)

    loaded.model.register_forward_pre_hook(lambda model, _, kwargs: hungry(model, kwargs), with_kwargs=True)
    with pytest.raises(ConfigurationError, match=r"models\.chat\.cache_tokens"):
        async with running(loaded):
            pass
    await until(lambda: not batching_threads())


@pytest.mark.parametrize("family", ["Mistral", "Gemma3Text", "Gemma2", "Qwen3"])
async def test_families_with_windows_and_caps_answer_as_alone(family: str) -> None:
    """Sliding windows shorter than the prompts, layers of two kinds, and attention that has a soft cap."""
    import torch
    import transformers

    torch.manual_seed(1)
    options: dict[str, Any] = {"head_dim": 16} if family != "Mistral" else {}
    if family != "Qwen3":
        options["sliding_window"] = 24
    if family == "Gemma3Text":
        options["layer_types"] = ["sliding_attention", "full_attention", "sliding_attention"]
    config = getattr(transformers, f"{family}Config")(**SMALL, **options)
    loaded = loaded_model(transformers.AutoModelForCausalLM.from_config(config))
    prompts = [prompt(length, start) for start, length in enumerate((3, 20, 24, 25, 60, 130, 300))]
    async with running(loaded, cache_tokens=4096) as engine:
        assert engine.batches
        answers = await asyncio.gather(*(answer(engine, ids) for ids in prompts))
    assert answers == [generated(loaded, ids) for ids in prompts]


async def test_quantized_weights_and_an_adapter_beside_them_share_batches(llama_folder: Path, tmp_path: Path) -> None:
    """As `generate` with the same weights answers; an adapter that changes nothing would prove nothing."""
    import torch
    from peft import LoraConfig, get_peft_model

    base = loaded_from(llama_folder)
    torch.manual_seed(1)
    adapted = get_peft_model(base.model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path)
    options = ChatSettings(
        provider="local", model=str(llama_folder), device="cpu", dtype="float32", quantization="int8", adapter=str(tmp_path)
    )
    loaded = load(options, lambda *_: None)
    prompts = [prompt(20 + 10 * start, start) for start in range(4)]
    async with running(loaded) as engine:
        assert engine.batches
        answers = await asyncio.gather(*(answer(engine, ids) for ids in prompts))
    assert answers == [generated(loaded, ids) for ids in prompts]
    assert answers != [generated(loaded_from(llama_folder), ids) for ids in prompts]


@pytest.mark.parametrize("family", ["Bloom", "Mpt", "Falcon", "Mamba"])
async def test_families_that_cannot_be_batched_are_found_out_and_answer_one_after_the_other(family: str) -> None:
    """Bloom and MPT would compute something else in a batch, without a word; Falcon breaks, and Mamba has no attention."""
    import torch
    import transformers

    options: dict[str, dict[str, Any]] = {
        "Bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4, "initializer_range": 0.3},
        "Mpt": {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 512},
        "Falcon": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "initializer_range": 0.3},
        "Mamba": {"hidden_size": 64, "num_hidden_layers": 2},
    }
    torch.manual_seed(1)
    config = getattr(transformers, f"{family}Config")(vocab_size=300, **options[family])
    loaded = loaded_model(transformers.AutoModelForCausalLM.from_config(config))
    prompts = [prompt(length, start) for start, length in enumerate((3, 40, 70))]
    async with running(loaded) as engine:
        assert not engine.batches
        answers = await asyncio.gather(*(answer(engine, ids) for ids in prompts))
    assert answers == [generated(loaded, ids) for ids in prompts]
