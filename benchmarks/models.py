"""Language models: many conversations together against one after the other, on the CPU or on a GPU.

    python -m benchmarks --path models                            a decoder and a T5 of 30 million parameters, and Whisper
    python -m benchmarks.models --model google/flan-t5-base       a published one, or a folder

Without `--model` the weights are random: the form of a model decides how long it takes, not what it has learnt. The engines are
those of the bot, in this process; "plain" is transformers' `generate`, one conversation after the other. Rounds are interleaved,
and the median of their ratios counts, so that what else the machine does disturbs both alike.
"""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from frontdesk.plugins.models.local.engine import Engine, Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded, load
from frontdesk.plugins.models.settings import ChatSettings

VOCABULARY = 8000
CONTEXT = 2048
BUDGETS = {"causal": 3.0, "seq2seq": 3.5}
LATE_SECONDS = 0.5
NEWCOMERS = 5


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Rates are tokens/s of all conversations. `late_s` is the longest wait of a late-comer for its first token, while all others
    are being answered; `alone_s` is what one waits who has the model to itself. `same` answers are those of plain `generate`.
    """

    name: str
    kind: str
    device: str
    dtype: str
    threads: int
    parameters: int
    conversations: int
    prompt_tokens: int
    tokens: int
    plain_rate: float
    together_rate: float
    ratio: float
    alone_s: float
    late_s: float
    same: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """`conversations` that begin `stagger` seconds one behind the other, with prompts of about `prompt_tokens`."""

    conversations: int
    prompt_tokens: int
    tokens: int
    stagger: float = 0.02
    rounds: int = 3

    def prompts(self, vocabulary: int, count: int, seed: int = 1) -> list[list[int]]:
        """From half as long to half as long again. Those of another seed are others: nothing of them is in a cache."""
        dice = random.Random(seed)
        lengths = [dice.randrange(self.prompt_tokens // 2, self.prompt_tokens * 3 // 2) for _ in range(count)]
        return [[dice.randrange(3, vocabulary) for _ in range(length)] for length in lengths]


def decoder(device: str, dtype: str) -> Loaded:
    """A Llama of 31 million parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=512,
        intermediate_size=1536,
        num_hidden_layers=8,
        num_attention_heads=8,
        max_position_embeddings=CONTEXT,
        # Or the logits of random weights are so near to each other that their order is chance.
        initializer_range=0.05,
        tie_word_embeddings=True,
    )
    return _made("causal", LlamaForCausalLM(config), device, dtype)


def encoder_decoder(device: str, dtype: str) -> Loaded:
    """A T5 of 30 million parameters."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=512,
        d_kv=64,
        d_ff=1024,
        num_heads=8,
        num_layers=5,
        decoder_start_token_id=0,
        pad_token_id=0,
    )
    return _made("seq2seq", T5ForConditionalGeneration(config), device, dtype)


def _made(kind: Any, model: Any, device: str, dtype: str) -> Loaded:
    import torch

    return Loaded(
        kind=kind,
        model=model.to(device, getattr(torch, dtype)).eval(),
        tokenizer=None,
        processor=None,
        device=device,
        dtype=dtype,
        context=CONTEXT,
        ends=frozenset(),
        parameters=model.num_parameters(),
    )


async def measure(name: str, loaded: Loaded, settings: ChatSettings, wanted: Load, tell: Callable[[str], None]) -> Measured:
    """All answers have the length that is wanted: no token ends them."""
    import torch

    loaded = replace(loaded, ends=frozenset())
    vocabulary = loaded.model.config.get_text_config().vocab_size
    prompts = wanted.prompts(vocabulary, wanted.conversations)
    warm, *others = wanted.prompts(vocabulary, 1 + 2 * NEWCOMERS, seed=2)
    sampling = Sampling(max_tokens=wanted.tokens)
    _plain(loaded, warm, wanted.tokens)
    expected: list[list[int]] = []
    found: list[list[int]] = []
    plain_s, together_s = [], []
    for number in range(wanted.rounds):
        tell(f"{name}: round {number + 1} of {wanted.rounds}")
        began = time.perf_counter()
        expected = [await asyncio.to_thread(_plain, loaded, ids, wanted.tokens) for ids in prompts]
        plain_s.append(time.perf_counter() - began)
        engine = _engine(loaded, settings)
        await engine.start()
        try:
            await _answer(engine, warm, replace(sampling, max_tokens=2))
            began = time.perf_counter()
            found = await _staggered(engine, prompts, sampling, wanted.stagger)
            together_s.append(time.perf_counter() - began)
            if number == wanted.rounds - 1:
                tell(f"{name}: late-comers")
                alone = statistics.median([await _first_token(engine, ids) for ids in others[:NEWCOMERS]])
                late = await _late(engine, prompts[1:], others[NEWCOMERS:])
        finally:
            await engine.close()
    total = wanted.conversations * wanted.tokens
    return Measured(
        name=name,
        kind=loaded.kind,
        device=loaded.device,
        dtype=loaded.dtype,
        threads=torch.get_num_threads(),
        parameters=loaded.parameters,
        conversations=wanted.conversations,
        prompt_tokens=wanted.prompt_tokens,
        tokens=wanted.tokens,
        plain_rate=total / statistics.median(plain_s),
        together_rate=total / statistics.median(together_s),
        ratio=statistics.median(plain / together for plain, together in zip(plain_s, together_s, strict=True)),
        alone_s=alone,
        late_s=late,
        same=sum(a == b for a, b in zip(found, expected, strict=True)),
    )


def _engine(loaded: Loaded, settings: ChatSettings) -> Engine:
    if loaded.kind == "seq2seq":
        from frontdesk.plugins.models.local.seq2seq import Seq2SeqEngine

        return Seq2SeqEngine(loaded, settings)
    from frontdesk.plugins.models.local.causal import CausalEngine

    return CausalEngine(loaded, settings)


def _plain(loaded: Loaded, ids: Sequence[int], tokens: int) -> list[int]:
    import torch

    with torch.inference_mode():
        output = loaded.model.generate(
            torch.tensor([list(ids)], device=loaded.device),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long, device=loaded.device),
            do_sample=False,
            max_new_tokens=tokens,
            eos_token_id=[-1],
            pad_token_id=0,
        )[0].tolist()
    return list(output[1:] if loaded.kind == "seq2seq" else output[len(ids) :])


async def _answer(engine: Engine, ids: Sequence[int], sampling: Sampling) -> list[int]:
    async with aclosing(engine.generate(Prompt(ids=ids), sampling)) as pieces:
        return [token async for piece in pieces for token in piece]


async def _staggered(engine: Engine, prompts: Sequence[Sequence[int]], sampling: Sampling, stagger: float) -> list[list[int]]:
    async def begun(number: int) -> list[int]:
        await asyncio.sleep(number * stagger)
        return await _answer(engine, prompts[number], sampling)

    return await asyncio.gather(*map(begun, range(len(prompts))))


async def _first_token(engine: Engine, ids: Sequence[int]) -> float:
    began = time.perf_counter()
    async with aclosing(engine.generate(Prompt(ids=ids), Sampling(max_tokens=8))) as pieces:
        await anext(pieces)
        return time.perf_counter() - began


async def _late(engine: Engine, prompts: Sequence[Sequence[int]], newcomers: Sequence[Sequence[int]]) -> float:
    """The longest wait of those who come, one after the other, while all others are being answered."""
    begun = [asyncio.Event() for _ in prompts]

    async def talk(ids: Sequence[int], event: asyncio.Event) -> None:
        tokens = min(400, engine.room(len(ids)))
        async with aclosing(engine.generate(Prompt(ids=ids), Sampling(max_tokens=tokens))) as pieces:
            async for _ in pieces:
                event.set()

    talks = [asyncio.create_task(talk(ids, event)) for ids, event in zip(prompts, begun, strict=True)]
    try:
        await asyncio.gather(*(event.wait() for event in begun))
        waits = [await _first_token(engine, ids) for ids in newcomers]
        if any(task.done() for task in talks):
            raise RuntimeError("some were not being answered any more when the late-comers came")
    finally:
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
    return max(waits)


def table(results: Sequence[Measured]) -> Table:
    first = results[0]
    shown = Table(title=f"Tokens/s together, and one after the other ({first.device}, {first.dtype}, {first.threads} threads)")
    columns = ("model", "size", "many", "prompt", "plain/s", "together/s", "ratio", "alone s", "late s", "same")
    for column in columns:
        shown.add_column(column, justify="left" if column == "model" else "right")
    for result in results:
        shown.add_row(
            result.name,
            f"{result.parameters / 1e6:,.0f} M",
            str(result.conversations),
            str(result.prompt_tokens),
            f"{result.plain_rate:,.0f}",
            f"{result.together_rate:,.0f}",
            f"{result.ratio:.2f}",
            f"{result.alone_s:.3f}",
            f"{result.late_s:.3f}",
            f"{result.same}/{result.conversations}",
        )
    return shown


def heard_table(heard: Sequence[Any]) -> Table:
    shown = Table(title="Whisper: seconds for each note of 5 s")
    columns = ("model", "language known", "detected", "detected first", "8 one by one", "8 in a batch", "gain")
    for column in columns:
        shown.add_column(column, justify="left" if column == "model" else "right")
    for one in heard:
        times = (one.known_language, one.detected, one.detected_twice, one.one_by_one, one.in_a_batch)
        shown.add_row(one.model, *(f"{seconds:.2f}" for seconds in times), f"{one.batch_gain:.2f}")
    return shown


def plot(results: Sequence[Measured], heard: Sequence[Any], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2 if heard else 1, figsize=(12 if heard else 6, 4), squeeze=False)
    axis = axes[0][0]
    names = [f"{result.name}\n{result.conversations} x {result.prompt_tokens} tokens" for result in results]
    bars = axis.bar(names, [result.ratio for result in results], width=0.6)
    axis.bar_label(bars, labels=[f"{result.plain_rate:,.0f} → {result.together_rate:,.0f}/s" for result in results], padding=2)
    for number, result in enumerate(results):
        if (budget := _budget(result)) is not None:
            axis.hlines(budget, number - 0.4, number + 0.4, linestyle="--", color="grey")
    axis.set(
        title="tokens/s together, against one after the other", ylabel="times", ylim=(0, 1.2 * max(r.ratio for r in results))
    )
    if heard:
        axis = axes[0][1]
        ways = {"language known": "known_language", "detected": "detected", "8 in a batch": "in_a_batch"}
        for number, (way, field) in enumerate(ways.items()):
            places = [place + 0.25 * number for place in range(len(heard))]
            axis.bar(places, [getattr(one, field) for one in heard], width=0.23, label=way)
        axis.set(title="Whisper: a note of 5 s", ylabel="seconds")
        axis.set_xticks([place + 0.25 for place in range(len(heard))], [one.model for one in heard])
        axis.legend(frameon=False)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)


def _budget(result: Measured) -> float | None:
    """Of the small models on a CPU, with the prompts that it was set for."""
    wanted = {"causal": (24, 64), "seq2seq": (16, 64)}.get(result.kind)
    small = result.device == "cpu" and result.parameters < 100e6
    return BUDGETS[result.kind] if small and wanted == (result.conversations, result.prompt_tokens) else None


def run(  # noqa: PLR0917 - options of the command line
    model: Annotated[str, typer.Option(help="A name on the hub, or a folder; small random models by default.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores by default.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds; the median of their ratios counts.")] = 3,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer.")] = 64,
    speech: Annotated[bool, typer.Option(help="Measure Whisper, too.")] = True,
    folder: Annotated[Path, typer.Option(help="Where models.json and models.png go.")] = Path("reports"),
) -> None:
    """Tokens/s together and one after the other, the wait of a late-comer, and what it costs to hear a voice note."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    if threads is not None:
        torch.set_num_threads(threads)
    console = Console()
    settings = ChatSettings.model_validate(
        {"provider": "local", "model": model or "random", "device": device, "dtype": dtype, "threads": threads}
        | {"concurrent": 32, "cache_tokens": 32768}
    )
    models: list[tuple[str, Loaded, list[Load]]] = []
    short, long = (
        {"prompt_tokens": 64, "tokens": tokens, "rounds": rounds},
        {"prompt_tokens": 400, "tokens": tokens, "rounds": max(1, rounds - 1)},
    )
    if model:
        loaded = load(settings, lambda *_: None)
        count = 16 if loaded.kind == "seq2seq" else 24
        models = [(model, loaded, [Load(conversations=count, **short), Load(conversations=count, **long)])]
    else:
        where = device if device != "auto" else "cuda:0" if torch.cuda.is_available() else "cpu"
        what = dtype if dtype != "auto" else "bfloat16" if where.startswith("cuda") else "float32"
        loads = [Load(conversations=24, **short), Load(conversations=24, **long)]
        models = [
            ("decoder", decoder(where, what), loads),
            ("T5", encoder_decoder(where, what), [Load(conversations=16, **short)]),
        ]
    results, heard = [], []
    with console.status("measuring") as status:
        for name, loaded, loads in models:
            results += [asyncio.run(measure(name, loaded, settings, wanted, status.update)) for wanted in loads]
        if speech:
            from benchmarks.speech import measure_speech

            heard = measure_speech(threads=torch.get_num_threads(), device=device, progress=status.update)
    console.print(table(results))
    for result in results:
        if (budget := _budget(result)) is not None:
            kept = result.ratio >= budget and result.late_s <= LATE_SECONDS
            verdict = "kept" if kept else "missed"
            console.print(f"{result.name}: at least {budget} times, a late-comer within {LATE_SECONDS} s: {verdict}")
    if heard:
        console.print(heard_table(heard))
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"language": [asdict(result) for result in results], "speech": [asdict(one) for one in heard]}
    (folder / "models.json").write_text(json.dumps(figures, indent=2))
    plot(results, heard, folder / "models.png")
    console.print(f"written: {folder / 'models.json'}, {folder / 'models.png'}")


if __name__ == "__main__":
    typer.run(run)
