"""Encoder-decoder models (T5 and its like) for many requests at a time.

transformers' continuous batching is for decoders only, so the decoding is done here, on the models' own `forward`: a token for
every row, again and again. Short answers leave the batch at once, and who comes late joins it before the next token (T5's
family) or is decoded in turns with it (models with absolute positions). The tokens are those of `generate`.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from frontdesk.core.errors import ModelError, ModelFailed, ModelUnavailable
from frontdesk.core.tasks import cancelled
from frontdesk.plugins.models.local.cohort import Cohort, Decoder, Row
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.settings import LocalOptions

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 0.004
"""An idle engine waits so long for others before it begins."""

STALL_SECONDS = 300.0
"""Of one step; the largest models take minutes to read long prompts on a CPU."""

MAX_BREAKS = 5
"""So many steps that break in a row, and the process is ended: some errors of a GPU are only mended by a new one."""

MAX_ENCODED = 4096
"""Tokens, padding counted, that are encoded at once: a late-comer waits for them, and so do those who are being answered."""


class Seq2SeqEngine:
    """An `Engine`. A step that breaks (out of memory, for one) costs those in it their answers, and nobody else.

    A step that hangs cannot be ended: `die` ends the process, and the worker starts another one.
    """

    def __init__(
        self,
        loaded: Loaded,
        settings: LocalOptions,
        *,
        stall_seconds: float = STALL_SECONDS,
        die: Callable[[], object] = lambda: os._exit(70),
    ) -> None:
        self._decoder = Decoder(loaded.model, loaded.ends)
        self._settings = settings
        self._context = loaded.context
        self._stall_seconds = stall_seconds
        self._die = die
        self._incoming: deque[Row] = deque()
        self._beginning: list[Row] = []
        self._cohorts: list[Cohort] = []
        self._changed = threading.Condition()
        self._closing = False
        self._broken = 0
        self._step_began: float | None = None
        self._thread = threading.Thread(target=self._run, name="seq2seq", daemon=True)
        self._watching: asyncio.Task[None] | None = None

    @property
    def ends(self) -> frozenset[int]:
        return self._decoder.ends

    @property
    def context(self) -> int:
        return self._context

    def room(self, prompt: int) -> int:
        """An encoder's text and a decoder's are two."""
        return self._context if prompt <= self._context else 0

    async def start(self) -> None:
        self._thread.start()
        self._watching = asyncio.create_task(self._watch())

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        answer = _Answer()
        row = Row(prompt=prompt.ids, sampling=sampling, tell=answer.put)
        with self._changed:
            if self._closing:
                raise ModelUnavailable("the model is being stopped")
            self._incoming.append(row)
            self._changed.notify()
        left = sampling.max_tokens
        try:
            while left > 0:
                tokens = await answer.tokens()
                yield tokens
                left = 0 if tokens[-1] in self.ends else left - len(tokens)
        finally:
            row.done = True

    async def close(self) -> None:
        await cancelled(self._watching)
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        import torch

        with torch.inference_mode():
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing or self._incoming or self._cohorts)
                    if self._closing:
                        break
                if not self._cohorts:
                    time.sleep(WINDOW_SECONDS)
                self._beginning = self._admitted()
                if self._beginning:
                    self._guarded(self._begin, self._beginning)
                    self._beginning = []
                for cohort in self._cohorts:
                    self._guarded(cohort.step, cohort.rows)
                self._cohorts = [cohort for cohort in self._cohorts if not all(row.done for row in cohort.rows)]
        self._fail_all(ModelUnavailable("the model is being stopped"))

    def _admitted(self) -> list[Row]:
        """Those who may begin now, in the order of their coming."""
        running = [row for cohort in self._cohorts for row in cohort.rows if not row.done]
        admitted: list[Row] = []
        taken = sum(map(_tokens, running))
        longest = 0
        with self._changed:
            while self._incoming:
                row = self._incoming[0]
                if row.done:
                    self._incoming.popleft()
                    continue
                taken += _tokens(row)
                longest = max(longest, len(row.prompt))
                rows = len(running) + len(admitted)
                full = rows >= self._settings.concurrent or taken > self._settings.cache_tokens
                if rows and (full or (admitted and longest * (len(admitted) + 1) > MAX_ENCODED)):
                    break
                admitted.append(self._incoming.popleft())
        return admitted

    def _begin(self) -> None:
        """A late-comer gets its first token before those who are being answered get their next."""
        fresh = Cohort(self._decoder, self._beginning)
        fresh.step()
        if self._decoder.relative and self._cohorts:
            running = self._cohorts[0]
            self._guarded(lambda: running.join(fresh), [*running.rows, *fresh.rows])
        else:
            self._cohorts.append(fresh)

    def _guarded(self, act: Callable[[], None], rows: list[Row]) -> None:
        self._step_began = time.monotonic()
        try:
            act()
            self._broken = 0
        except Exception as error:
            self._broken += 1
            logger.error("a step of the model broke (%s)", type(error).__name__)
            for row in rows:
                row.fail(ModelFailed(f"the model broke ({type(error).__name__})"))
            if self._broken >= MAX_BREAKS:
                logger.error("%d steps broke in a row: this process is ended", self._broken)
                self._die()
        finally:
            self._step_began = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._stall_seconds / 10)
            began = self._step_began
            if began is not None and time.monotonic() - began > self._stall_seconds:
                logger.error("the model has made no step for %g s: this process is ended", self._stall_seconds)
                self._fail_all(ModelFailed(f"the model has made no step for {self._stall_seconds:g} s"))
                self._die()
                return

    def _fail_all(self, error: ModelError) -> None:
        for row in (*self._beginning, *(row for cohort in self._cohorts for row in cohort.rows), *self._incoming):
            row.fail(error)


class _Answer:
    """The way of a row's tokens from the engine's thread to the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[int | ModelError] = asyncio.Queue()

    async def tokens(self) -> list[int]:
        """All that have come, one at least."""
        found = [await self._queue.get()]
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        tokens = [item for item in found if isinstance(item, int)]
        if not tokens and isinstance(found[0], ModelError):
            raise found[0]
        if len(tokens) < len(found):
            self._queue.put_nowait(found[-1])
        return tokens

    def put(self, item: int | ModelError) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


def _tokens(row: Row) -> int:
    return len(row.prompt) + row.sampling.max_tokens
