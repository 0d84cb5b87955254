"""Whatever breaks in the batch costs those who were in it a defined error, and nobody else: the next request is answered."""

import asyncio
import ctypes
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
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
    prompt,
    running,
    settings,
)

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.local import causal
from frontdesk.plugins.models.local.causal import CausalEngine
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.local.plain import PlainEngine

pytestmark = needs("torch", "transformers")

STALL = 3.0
"""Seconds: no step of a small model takes so long, on a machine however busy."""


@pytest.fixture(scope="module")
def endless(llama_folder: Path) -> Loaded:
    return loaded_from(llama_folder, ends=ENDLESS)


@contextmanager
def broken(loaded: Loaded, act: Callable[[Any, Any, Any], Any]) -> Generator[None]:
    """`act(layer, inputs, output)` on what the model's first layer gives, in the thread that computes."""
    hook = loaded.model.model.layers[0].register_forward_hook(act)
    try:
        yield
    finally:
        hook.remove()


async def begun(engine: Any, count: int = 3) -> list[AsyncGenerator[list[int]]]:
    """Requests that have their first token, and want many more."""
    streams = [engine.generate(Prompt(ids=prompt(20, start)), Sampling(max_tokens=400)) for start in range(count)]
    for stream in streams:
        await anext(stream)
    return streams


async def outcome(stream: AsyncGenerator[list[int]]) -> BaseException | None:
    try:
        async for _ in stream:
            pass
    except Exception as error:
        return error
    return None


async def answers_again(engine: Any, loaded: Loaded) -> None:
    answers = await asyncio.gather(*(answer(engine, prompt(20, start)) for start in range(3)))
    assert answers == [generated(loaded, prompt(20, start)) for start in range(3)]


async def test_a_step_that_raises_fails_its_requests_and_the_next_ones_are_answered(endless: Loaded) -> None:
    def raises(*_: Any) -> None:
        raise ValueError("secret words of a prompt")

    async with running(endless, cache_tokens=4096) as engine:
        streams = await begun(engine)
        with broken(endless, raises):
            errors = [await outcome(stream) for stream in streams]
        assert [type(error) for error in errors] == [ModelFailed] * 3
        assert "secret" not in "".join(map(str, errors))
        await answers_again(engine, endless)
        assert len(batching_threads()) == 1


async def test_memory_that_runs_out_in_a_step_costs_its_requests(endless: Loaded) -> None:
    import torch

    def hungry(*_: Any) -> None:
        torch.empty(2**60)

    async with running(endless, cache_tokens=4096) as engine:
        streams = await begun(engine)
        with broken(endless, hungry):
            assert [type(await outcome(stream)) for stream in streams] == [ModelFailed] * 3
        await answers_again(engine, endless)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_is_killed_is_noticed_and_replaced(endless: Loaded) -> None:
    async with running(endless, cache_tokens=4096) as engine:
        streams = await begun(engine)
        (thread,) = batching_threads()
        # Ends it as nothing else does: it is no `Exception`, and transformers tells nobody.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        assert [type(await outcome(stream)) for stream in streams] == [ModelFailed] * 3
        assert not thread.is_alive()
        await answers_again(engine, endless)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_an_idle_thread_that_was_killed_is_replaced_for_the_next_request(endless: Loaded) -> None:
    async with running(endless) as engine:
        (thread,) = batching_threads()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        await until(lambda: not thread.is_alive())
        await answers_again(engine, endless)


async def test_a_step_that_hangs_is_given_up(endless: Loaded) -> None:
    released = threading.Event()
    hung: list[int | None] = []

    def hang(*_: Any) -> None:
        if not hung:
            hung.append(threading.get_ident())
            released.wait()

    try:
        async with running(endless, stall_seconds=STALL, cache_tokens=4096) as engine:
            streams = await begun(engine)
            with broken(endless, hang):
                errors = [await outcome(stream) for stream in streams]
                assert [type(error) for error in errors] == [ModelFailed] * 3
                assert "no step for 3 s" in str(errors[0])
                await answers_again(engine, endless)
            assert hung[0] in [thread.ident for thread in batching_threads()]
            released.set()
            # When it comes back, it sees that it is not wanted, and ends.
            await until(lambda: hung[0] not in [thread.ident for thread in batching_threads()])
            await answers_again(engine, endless)
    finally:
        released.set()


async def test_a_hang_is_noticed_though_all_who_waited_have_gone(endless: Loaded) -> None:
    released = threading.Event()
    hung: list[int | None] = []

    def hang(*_: Any) -> None:
        if not hung:
            hung.append(threading.get_ident())
            released.wait()

    try:
        async with running(endless, stall_seconds=STALL) as engine:
            (stream,) = await begun(engine, 1)
            with broken(endless, hang):
                await until(lambda: bool(hung))
                await stream.aclose()
                await until(lambda: len(batching_threads()) == 2)
            await answers_again(engine, endless)
    finally:
        released.set()


@pytest.mark.parametrize("kind", [CausalEngine, PlainEngine])
async def test_with_too_many_threads_that_hang_the_process_is_ended(
    kind: type[Any], endless: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causal, "HANGING", 0)
    released = threading.Event()
    ended: list[bool] = []
    engine = kind(endless, settings(), stall_seconds=STALL, die=lambda: ended.append(True))
    await engine.start()
    try:
        with broken(endless, lambda *_: released.wait() and None):
            # One is left alone when requests run one after the other; two are too many.
            for _ in range(1 if kind is CausalEngine else 2):
                with pytest.raises(ModelFailed, match="no step"):
                    await answer(engine, prompt(20))
            await until(lambda: bool(ended))
    finally:
        released.set()
        await engine.close()


async def test_rubbish_fails_the_request_that_it_is_computed_for_and_no_other(endless: Loaded) -> None:
    """Logits that are not a number, in the first row of the batch."""
    async with running(endless) as engine:
        (victim,) = await begun(engine, 1)
        other = asyncio.create_task(answer(engine, prompt(30, 5), 300))
        await until(lambda: len(engine._open) == 2)
        rubbish = endless.model.lm_head.register_forward_hook(poisoned)
        error = await outcome(victim)
        rubbish.remove()
        assert isinstance(error, ModelFailed)
        assert "rubbish" in str(error)
        assert await other == generated(endless, prompt(30, 5), 300)


def poisoned(_: Any, __: Any, logits: Any) -> Any:
    # While there are two: the victim's row is the first, for it was there first.
    if logits.shape[1] > 1:
        logits[0, 0] = float("nan")
    return logits


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
async def test_rubbish_does_not_stay_in_the_cache(value: str, endless: Loaded) -> None:
    """What the cache has kept of a prompt's beginning would be read by the next prompt that begins so."""
    long = prompt(200)

    def spoil(_: Any, __: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        hidden[:] = float(value)
        return output

    async with running(endless) as engine:
        with broken(endless, spoil), pytest.raises(ModelFailed, match="rubbish"):
            await answer(engine, long)
        assert await answer(engine, long) == generated(endless, long)


async def test_requests_that_wait_in_line_when_the_batch_breaks_are_answered_after(endless: Loaded) -> None:
    def raises(*_: Any) -> None:
        raise RuntimeError("broken")

    async with running(endless, concurrent=3, cache_tokens=2048) as engine:
        streams = await begun(engine)
        waiting = [asyncio.create_task(answer(engine, prompt(20, start))) for start in range(3)]
        await until(lambda: engine._line.length == 3)
        hook = endless.model.model.layers[0].register_forward_hook(raises)
        error = await outcome(streams[0])
        hook.remove()
        assert isinstance(error, ModelFailed)
        for stream in streams[1:]:
            assert isinstance(await outcome(stream), ModelFailed)
        assert await asyncio.gather(*waiting) == [generated(endless, prompt(20, start)) for start in range(3)]
        await until(lambda: held(engine) == 0)


async def test_a_batch_that_cannot_be_started_again_refuses_until_it_can(
    endless: Loaded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from frontdesk.plugins.models.local.batcher import Batcher

    def raises(*_: Any) -> None:
        raise RuntimeError("broken")

    make = Batcher._make
    failures = 2

    def no_memory(batcher: Batcher) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise MemoryError
        make(batcher)

    async with running(endless) as engine:
        streams = await begun(engine, 1)
        monkeypatch.setattr(Batcher, "_make", no_memory)
        with caplog.at_level(logging.CRITICAL), broken(endless, raises):
            assert isinstance(await outcome(streams[0]), ModelFailed)
        await until(lambda: engine._down is not None)
        with pytest.raises(ModelUnavailable, match="could not be started again"):
            await answer(engine, prompt(20))
        await until(lambda: engine._down is None)
        await answers_again(engine, endless)


async def test_many_requests_come_and_go_while_the_batch_breaks_again_and_again(endless: Loaded) -> None:
    """Each has the right answer or a defined error, and nothing is left behind."""
    steps = 0

    def sometimes(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if steps % 40 == 0:
            raise RuntimeError("broken")

    wanted = {start: generated(endless, prompt(20, start), 10) for start in range(6)}
    right = failed = 0

    async def customer(number: int) -> None:
        nonlocal right, failed
        for turn in range(6):
            if (number + turn) % 4 == 3:
                stream = engine.generate(Prompt(ids=prompt(20, turn)), Sampling(max_tokens=50))
                try:
                    await anext(stream)
                except ModelFailed:
                    failed += 1
                await stream.aclose()
                continue
            try:
                assert await answer(engine, prompt(20, turn), 10) == wanted[turn]
            except ModelFailed:
                failed += 1
            else:
                right += 1

    async with running(endless, cache_tokens=512, concurrent=5) as engine:
        with broken(endless, sometimes):
            await asyncio.gather(*(customer(number) for number in range(12)))
        assert right > 0
        assert failed > 0
        await answers_again(engine, endless)
        await until(lambda: held(engine) == 0)
        assert engine._line.free == (5, 512)
        assert not engine._open
        assert not engine._batcher.chooser.choices


@pytest.mark.parametrize("error", [ValueError, MemoryError])
async def test_requests_that_run_one_after_the_other_break_for_themselves(error: type[Exception], endless: Loaded) -> None:
    def raises(*_: Any) -> None:
        raise error("secret")

    async with running(endless, plain=True) as engine:
        with broken(endless, raises), pytest.raises(ModelFailed, match=rf"{error.__name__}$"):
            await answer(engine, prompt(20))
        await answers_again(engine, endless)


async def test_a_hang_of_one_after_the_other_costs_one_answer(endless: Loaded) -> None:
    released = threading.Event()
    hung: list[bool] = []

    def hang(*_: Any) -> None:
        if not hung:
            hung.append(True)
            released.wait()

    try:
        async with running(endless, plain=True, stall_seconds=STALL) as engine:
            with broken(endless, hang):
                with pytest.raises(ModelFailed, match="no step"):
                    await answer(engine, prompt(20))
                await answers_again(engine, endless)
    finally:
        released.set()


async def test_an_answer_that_is_given_up_ends_before_the_next_begins(endless: Loaded) -> None:
    async with running(endless, plain=True) as engine:
        stream = engine.generate(Prompt(ids=prompt(20)), Sampling(max_tokens=400))
        await anext(stream)
        await stream.aclose()
        await answers_again(engine, endless)
