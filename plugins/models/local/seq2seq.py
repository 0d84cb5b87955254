"""Encoder-decoder models (T5 and its like) for many requests at a time.

transformers' continuous batching is for decoders only, so the decoding is done here, on the models' own `forward`: a token for
every row, again and again. Short answers leave the batch at once, and who comes late joins it before the next token (T5's
family) or is decoded in turns with it (models with absolute positions). The tokens are those of `generate`.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from frontdesk.core.errors import ModelError, ModelFailed, ModelUnavailable
from frontdesk.plugins.models.local.cohort import Cohort, Decoder, Row
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.settings import LocalOptions

WINDOW_SECONDS = 0.004
"""An idle engine waits so long for others before it begins."""

MAX_ENCODED = 4096
"""Tokens, padding counted, that are encoded at once: a late-comer waits for them, and so do those who are being answered."""


class Seq2SeqEngine:
    def __init__(self, loaded: Loaded, settings: LocalOptions) -> None:
        self._decoder = Decoder(loaded.model, loaded.ends)
        self._settings = settings
        self._context = loaded.context
        self._incoming: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="seq2seq", daemon=True)

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

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        request = _Request(prompt, sampling)
        with self._changed:
            if self._closing:
                raise ModelUnavailable("the model is being stopped")
            self._incoming.append(request)
            self._changed.notify()
        left = sampling.max_tokens
        try:
            while left > 0:
                tokens = await request.tokens()
                yield tokens
                left = 0 if tokens[-1] in self.ends else left - len(tokens)
        finally:
            request.row.done = True

    async def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        import torch

        cohorts: list[Cohort] = []
        requests: dict[Row, _Request] = {}
        with torch.inference_mode():
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing or self._incoming or cohorts)
                    if self._closing:
                        break
                if not cohorts:
                    time.sleep(WINDOW_SECONDS)
                newcomers = self._admitted(list(requests))
                requests.update({request.row: request for request in newcomers})
                if newcomers:
                    self._begin([request.row for request in newcomers], cohorts, requests)
                for cohort in tuple(cohorts):
                    _guarded(cohort.step, cohort, cohorts, requests)
                staying = {row for cohort in cohorts for row in cohort.rows if not row.done}
                requests = {row: request for row, request in requests.items() if row in staying}
        for request in (*requests.values(), *self._incoming):
            request.fail(ModelUnavailable("the model is being stopped"))

    def _admitted(self, running: list[Row]) -> list["_Request"]:
        """Those who may begin now, in the order of their coming."""
        admitted: list[_Request] = []
        taken = sum(map(_tokens, running))
        longest = 0
        with self._changed:
            while self._incoming:
                row = self._incoming[0].row
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

    def _begin(self, rows: list[Row], cohorts: list[Cohort], requests: dict[Row, "_Request"]) -> None:
        """A late-comer gets its first token before those who are being answered get their next."""
        try:
            fresh = Cohort(self._decoder, rows)
            fresh.step()
        except Exception as error:
            _fail(rows, requests, error)
            return
        if self._decoder.relative and cohorts:
            _guarded(lambda: cohorts[0].join(fresh), cohorts[0], cohorts, requests, also=rows)
        else:
            cohorts.append(fresh)


class _Request:
    """A row, and the way of its tokens from the engine's thread to the event loop."""

    def __init__(self, prompt: Prompt, sampling: Sampling) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[int | ModelError] = asyncio.Queue()
        self.row = Row(prompt=prompt.ids, sampling=sampling, tell=self._put)

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

    def fail(self, error: ModelError) -> None:
        self.row.done = True
        self._put(error)

    def _put(self, item: int | ModelError) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


def _tokens(row: Row) -> int:
    return len(row.prompt) + row.sampling.max_tokens


def _guarded(
    act: Callable[[], None],
    cohort: Cohort,
    cohorts: list[Cohort],
    requests: dict[Row, _Request],
    also: list[Row] | None = None,
) -> None:
    """What breaks while a cohort is computed (out of memory, for one) costs its rows their answers, and nobody else."""
    try:
        act()
    except Exception as error:
        cohorts.remove(cohort)
        _fail([*cohort.rows, *(also or ())], requests, error)
        return
    if not cohort.rows:
        cohorts.remove(cohort)


def _fail(rows: list[Row], requests: dict[Row, _Request], error: Exception) -> None:
    for row in rows:
        if not row.done:
            failure = ModelFailed(f"the model broke ({type(error).__name__})")
            failure.__cause__ = error
            requests[row].fail(failure)
