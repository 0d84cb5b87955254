"""Causal models: all conversations share batches, through transformers' continuous batching."""

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.line import Line
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.local.plain import PlainEngine
from frontdesk.plugins.models.settings import LocalOptions

if TYPE_CHECKING:
    from frontdesk.plugins.models.local.batcher import Batcher
    from frontdesk.plugins.models.local.chooser import Choice

logger = logging.getLogger(__name__)

STALL_SECONDS = 120.0
"""Longer than any step of a model that is of use to anybody."""

WATCH_SECONDS = 0.1
HANGING = 2
"""With more threads that hang than so many, the process is ended: its parent starts another one."""

RUBBISH = 3
"""After so many answers of rubbish the cache is emptied, even if others are being answered from it."""

ATTEMPTS = 3
"""At giving a request to a manager."""


@dataclass(eq=False)
class _Request:
    """What has come of a request. Only the event loop touches it."""

    id: str
    tokens: list[int] = field(default_factory=list)
    finished: bool = False
    error: ModelFailed | ModelUnavailable | None = None
    choice: "Choice | None" = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def deliver(self, output: Any) -> None:
        """Transformers' output: all tokens until now, or an error."""
        self.tokens = output.generated_tokens
        if output.error is not None:
            self.fail(ModelFailed("the model broke in a step"))
        self.finished = output.is_finished()
        self.news.set()

    def fail(self, error: ModelFailed | ModelUnavailable) -> None:
        if self.error is None and not self.finished:
            self.error = error
        self.news.set()


class CausalEngine:
    """An `Engine`. Requests beyond `concurrent`, or beyond the cache, wait in line.

    A manager whose thread has died or hangs fails the requests that it had, and is made anew. Prompts that are more than ids,
    and models that transformers cannot batch, run one after the other, beside the batch.
    """

    def __init__(
        self,
        loaded: Loaded,
        settings: LocalOptions,
        *,
        stall_seconds: float = STALL_SECONDS,
        die: Callable[[], object] = lambda: os._exit(70),
    ) -> None:
        self._loaded = loaded
        self._settings = settings
        self._stall_seconds = stall_seconds
        self._die = die
        self._ids = itertools.count()
        self._open: dict[str, _Request] = {}
        self._running = asyncio.Event()
        self._down: str | None = None
        self._rubbish = 0
        self._closed = False
        self._watcher: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._batcher: Batcher | None = None
        self._plain = PlainEngine(loaded, settings, stall_seconds=stall_seconds, die=die)
        self._capacity = settings.cache_tokens
        self._line: Line | None = None

    @property
    def ends(self) -> frozenset[int]:
        return self._loaded.ends

    @property
    def context(self) -> int:
        return min(self._loaded.context, self._capacity)

    @property
    def batches(self) -> bool:
        """Whether conversations share batches."""
        return self._batcher is not None

    def room(self, prompt: int) -> int:
        return self.context - prompt

    async def start(self) -> None:
        """Raises `ConfigurationError` if the cache does not fit into memory."""
        from frontdesk.plugins.models.local.batcher import Batcher, NotBatchable

        batcher = Batcher(
            self._loaded.model,
            cache_tokens=self._settings.cache_tokens,
            concurrent=self._settings.concurrent,
            stall_seconds=self._stall_seconds,
        )
        try:
            await asyncio.to_thread(batcher.start)
            await asyncio.to_thread(batcher.check, self._loaded.model.config.get_text_config().vocab_size)
            if self._loaded.kind == "vision" and not batcher.beside:
                raise NotBatchable("its attention cannot be computed for pictures at the same time")
        except NotBatchable as error:
            logger.warning("conversations wait for each other, for transformers cannot batch this model: %s", error)
            await asyncio.to_thread(batcher.stop)
            return
        except BaseException:
            await asyncio.to_thread(batcher.stop)
            raise
        self._batcher = batcher
        self._capacity = batcher.capacity
        self._line = Line(places=self._settings.concurrent, tokens=self._capacity)
        self._running.set()
        self._watcher = asyncio.create_task(self._watch())

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        self._check_open()
        if self._line is None or prompt.tensors:
            async with aclosing(self._plain.generate(prompt, sampling)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        async with self._line.place(self._needed(len(prompt.ids) + sampling.max_tokens)):
            request = await self._submit(prompt, sampling)
            seen = 0
            try:
                while True:
                    await request.news.wait()
                    request.news.clear()
                    if request.choice is not None and request.choice.rubbish:
                        self._rubbish += 1
                        raise ModelFailed("the model computed rubbish: numbers that are none")
                    if request.error is not None:
                        raise request.error
                    tokens, finished = request.tokens, request.finished
                    if len(tokens) > seen:
                        seen, new = len(tokens), tokens[seen:]
                        yield new
                    if finished:
                        return
            finally:
                self._release(request)

    async def close(self) -> None:
        self._closed = True
        closed = ModelUnavailable("the model is being stopped")
        if self._watcher is not None:
            self._watcher.cancel()
        if self._renewal is not None:
            await asyncio.wait([self._renewal])
        if self._line is not None:
            self._line.turn_away(closed)
        self._fail_all(closed)
        if self._batcher is not None:
            await asyncio.to_thread(self._batcher.stop)
        await self._plain.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ModelUnavailable("the model is being stopped")
        if self._down is not None:
            raise ModelUnavailable(self._down, retry_after=5.0)

    def _needed(self, tokens: int) -> int:
        """Blocks are given whole."""
        from frontdesk.plugins.models.local.batcher import PAGE

        return min(-(-tokens // PAGE) * PAGE, self._capacity)

    async def _submit(self, prompt: Prompt, sampling: Sampling) -> _Request:
        assert self._batcher is not None
        request = _Request(f"request-{next(self._ids)}")
        for _ in range(ATTEMPTS):
            await self._running.wait()
            self._check_open()
            if self._rubbish >= RUBBISH or (self._rubbish and not self._open):
                # What the cache has kept of old prompts may be rubbish, too.
                self._renew("the model computed rubbish")
                continue
            request.choice = self._batcher.add(request.id, prompt.ids, sampling, self.ends, request.deliver)
            if request.choice is not None:
                self._open[request.id] = request
                return request
            # It has died since it was last looked at.
            self._renew(self._batcher.problem(running=1) or "the model takes no requests")
        raise ModelFailed("the model broke again and again")

    def _release(self, request: _Request) -> None:
        assert self._batcher is not None
        if self._open.pop(request.id, None) is None:
            return
        if request.finished:
            self._batcher.forget(request.id)
        else:
            self._batcher.cancel(request.id)

    def _fail_all(self, error: ModelFailed | ModelUnavailable) -> None:
        for request in self._open.values():
            request.fail(error)
        # What is in the next manager has nothing to do with them.
        self._open.clear()

    async def _watch(self) -> None:
        assert self._batcher is not None
        pause = WATCH_SECONDS
        while True:
            await asyncio.sleep(pause)
            await self._running.wait()
            problem = self._batcher.problem(running=len(self._open))
            if problem is not None:
                self._renew(problem)
            pause = WATCH_SECONDS if self._down is None else min(2 * pause, 30.0)

    def _renew(self, problem: str) -> None:
        """Fails what is open and begins to make a new manager; until there is one, requests wait."""
        if not self._running.is_set():
            return
        logger.error("%s: it is started again, and %d requests have failed", problem, len(self._open))
        self._running.clear()
        self._rubbish = 0
        self._fail_all(ModelFailed(problem))
        self._renewal = asyncio.create_task(self._renewed(problem))

    async def _renewed(self, problem: str) -> None:
        """If it cannot be made, requests are refused until it can."""
        assert self._batcher is not None
        try:
            await asyncio.to_thread(self._batcher.renew)
            self._down = None
        except Exception as error:
            logger.error("the model's batch cannot be started again: %s", type(error).__name__)
            self._down = f"{problem}, and it could not be started again"
        finally:
            self._running.set()
        if self._batcher.abandoned > HANGING:
            logger.error("%d threads hang: this process is ended", self._batcher.abandoned)
            self._die()
