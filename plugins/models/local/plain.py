"""Models that cannot share batches, or read more than token ids: one request after the other, by transformers' `generate`."""

import asyncio
import copy
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.line import Line
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.settings import LocalOptions

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.1


class PlainEngine:
    """An `Engine` with one thread. A thread that hangs is left alone once; when a second one hangs, the process is ended."""

    def __init__(
        self,
        loaded: Loaded,
        settings: LocalOptions,
        *,
        stall_seconds: float = 120.0,
        die: Callable[[], object] = lambda: os._exit(70),
    ) -> None:
        self._loaded = loaded
        self._settings = settings
        self._stall_seconds = stall_seconds
        self._die = die
        self._line = Line(places=1, tokens=1)
        self._executor = self._thread()
        self._hanging = 0
        self._run: _Run | None = None
        self._closed = False

    @staticmethod
    def _thread() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="model")

    @property
    def ends(self) -> frozenset[int]:
        return self._loaded.ends

    @property
    def context(self) -> int:
        return min(self._loaded.context, self._settings.cache_tokens)

    def room(self, prompt: int) -> int:
        return self.context - prompt

    async def start(self) -> None:
        """There is nothing to start."""

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        async with self._line.place(1):
            if self._closed:
                raise ModelUnavailable("the model is being stopped")
            run = _Run(self._loaded.model, self.ends, prompt, sampling)
            self._run = run
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._executor, run)
            work.add_done_callback(lambda done: run.over(None if done.cancelled() else done.exception()))
            seen = 0
            try:
                while True:
                    if not await self._until(run.news, run):
                        raise ModelFailed(f"the model has made no step for {self._stall_seconds:g} s")
                    run.news.clear()
                    if len(run.tokens) > seen:
                        tokens = run.tokens[seen:]
                        seen += len(tokens)
                        yield tokens
                    elif run.error is not None:
                        raise run.error
                    elif run.ended.is_set():
                        return
            finally:
                run.cancelled.set()
                await self._until_free(run)

    async def close(self) -> None:
        self._closed = True
        closed = ModelUnavailable("the model is being stopped")
        self._line.turn_away(closed)
        if self._run is not None:
            self._run.cancelled.set()
            self._run.fail(closed)
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _until(self, event: asyncio.Event, run: "_Run") -> bool:
        """Waits for it. False if the run hangs."""
        while not event.is_set():
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await event.wait()
            except TimeoutError:
                if run.hangs(self._stall_seconds):
                    return False
        return True

    async def _until_free(self, run: "_Run") -> None:
        """The next request waits until the step that runs is done; if it hangs, it gets another thread."""
        if await self._until(run.ended, run) or self._closed:
            return
        logger.error("the model has made no step for %g s: it is left alone", self._stall_seconds)
        self._hanging += 1
        if self._hanging > 1:
            self._die()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._thread()


class _Run:
    """One call of `generate`: called in the thread, and looked at on the event loop. Transformers sees it as a streamer."""

    def __init__(self, model: Any, ends: frozenset[int], prompt: Prompt, sampling: Sampling) -> None:
        self._model, self._ends, self._prompt, self._sampling = model, ends, prompt, sampling
        self._loop = asyncio.get_running_loop()
        self._sign = time.monotonic()
        self._prompted = False
        self.tokens: list[int] = []
        self.news = asyncio.Event()
        self.cancelled = threading.Event()
        self.ended = asyncio.Event()
        self.error: ModelFailed | ModelUnavailable | None = None

    def __call__(self) -> None:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        from frontdesk.plugins.models.local.chooser import Choice

        self._sign = time.monotonic()
        if self.cancelled.is_set():
            return
        choice = Choice(self._sampling)

        def chosen(_: Any, scores: Any) -> Any:
            # `generate` has done what the checkpoint asks for.
            choice(scores[0], ())
            if choice.rubbish:
                raise ModelFailed("the model computed rubbish: numbers that are none")
            return scores

        def unwanted(ids: Any, _: Any, **__: Any) -> Any:
            return torch.full((len(ids),), self.cancelled.is_set(), device=ids.device)

        ids = torch.tensor([list(self._prompt.ids)], device=self._model.device)
        config = copy.deepcopy(self._model.generation_config)
        config.update(
            do_sample=False,
            num_beams=1,
            num_return_sequences=1,
            max_length=None,
            max_new_tokens=self._sampling.max_tokens,
            # None would be the checkpoint's.
            eos_token_id=sorted(self._ends) or [-1],
            pad_token_id=min(self._ends, default=0),
        )
        with torch.inference_mode():
            self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=config,
                logits_processor=LogitsProcessorList([chosen]),
                stopping_criteria=StoppingCriteriaList([unwanted]),
                streamer=self,
                **{name: self._moved(tensor) for name, tensor in self._prompt.tensors.items()},
            )

    def _moved(self, tensor: Any) -> Any:
        if not hasattr(tensor, "to"):
            return tensor
        model = self._model
        return tensor.to(model.device, model.dtype) if tensor.is_floating_point() else tensor.to(model.device)

    def put(self, value: Any) -> None:
        """Transformers gives the prompt first, then each token."""
        self._sign = time.monotonic()
        if not self._prompted:
            self._prompted = True
            return
        self.tokens.extend(value.flatten().tolist())
        self._loop.call_soon_threadsafe(self.news.set)

    def end(self) -> None:
        """Transformers has given the last token."""

    def hangs(self, seconds: float) -> bool:
        return not self.ended.is_set() and time.monotonic() - self._sign > seconds

    def fail(self, error: ModelFailed | ModelUnavailable) -> None:
        self.error = self.error or error
        self.news.set()

    def over(self, error: BaseException | None) -> None:
        """The thread is done with it."""
        self.ended.set()
        if isinstance(error, ModelFailed):
            self.fail(error)
        elif error is not None:
            self.fail(ModelFailed(f"the model broke in a step: {type(error).__name__}"))
        self.news.set()
