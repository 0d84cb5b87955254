"""What the tests of engines share: models that are loaded, requests that run, and what `generate` answers."""

import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from frontdesk.plugins.models.local.causal import CausalEngine
from frontdesk.plugins.models.local.engine import Engine, Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded, load
from frontdesk.plugins.models.local.plain import PlainEngine
from frontdesk.plugins.models.settings import ChatSettings

ENDLESS: frozenset[int] = frozenset()
"""No token ends an answer: it runs until it has its `max_tokens`."""


def settings(**options: Any) -> ChatSettings:
    return ChatSettings(provider="local", model="small", **{"cache_tokens": 2048, **options})


def loaded_from(folder: Path, *, ends: frozenset[int] | None = None) -> Loaded:
    found = load(ChatSettings(provider="local", model=str(folder), device="cpu", dtype="float32"), lambda *_: None)
    return found if ends is None else replace(found, ends=ends)


def loaded_model(model: Any, *, ends: frozenset[int] = frozenset({2})) -> Loaded:
    return Loaded(
        kind="causal",
        model=model.eval(),
        tokenizer=None,
        processor=None,
        device="cpu",
        dtype="float32",
        context=512,
        ends=ends,
        parameters=model.num_parameters(),
    )


@asynccontextmanager
async def running(loaded: Loaded, *, plain: bool = False, stall_seconds: float = 120.0, **options: Any) -> AsyncGenerator[Any]:
    """An engine that must not end the process."""

    def die() -> None:
        raise AssertionError("the engine wanted to end the process")

    kind: type[CausalEngine] | type[PlainEngine] = PlainEngine if plain else CausalEngine
    engine = kind(loaded, settings(**options), stall_seconds=stall_seconds, die=die)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def answer(engine: Engine, ids: Sequence[int], max_tokens: int = 40, **sampling: Any) -> list[int]:
    stream = engine.generate(Prompt(ids=ids), Sampling(max_tokens=max_tokens, **sampling))
    async with aclosing(stream) as pieces:
        return [token async for piece in pieces for token in piece]


def generated(loaded: Loaded, ids: Sequence[int], max_tokens: int = 40) -> list[int]:
    """What transformers' plain `generate` answers, greedily."""
    import torch

    output = loaded.model.generate(
        torch.tensor([list(ids)]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        do_sample=False,
        max_new_tokens=max_tokens,
        eos_token_id=sorted(loaded.ends) or -1,
        pad_token_id=0,
    )
    return list(output[0, len(ids) :].tolist())


def prompt(length: int, start: int = 0) -> list[int]:
    """Some tokens of the small models' vocabulary that are no special ones."""
    return [3 + (start * 37 + place * 11) % 200 for place in range(length)]


def held(engine: CausalEngine) -> int:
    """Blocks of the manager's cache that requests hold."""
    assert engine._batcher is not None
    allocators = engine._batcher._manager.batch_processor.cache.cache_allocators.values()
    return sum(len(blocks) for allocator in allocators for blocks in allocator.block_table.values())


def batching_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "_run_generation_loop" in thread.name and thread.is_alive()]
