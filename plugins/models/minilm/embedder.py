"""Batches texts, and runs the ONNX model on them in one thread of its own."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.models import Vectors

FOLDER = Path(__file__).parent

MAX_TOKENS = 256
"""What the model was made for; the rest of a text is not read."""

MAX_CHARACTERS = 8192
"""Cut before the tokenizer, which would read ten megabytes to keep 256 tokens."""

LAYERS = 3

SLICE = 64
"""How many texts of one call are taken at a time, so that a long call lets short ones in between."""

BATCH_TOKENS = 2048
"""Padding included; keeps the memory of one run of the model to some tens of megabytes."""


class _Call(NamedTuple):
    texts: list[str]
    future: Future[Vectors]


class MiniLM:
    """Sentence vectors of 384 dimensions, by onnxruntime on the CPU.

    Loads on first use, in about 0.3 s. Concurrent calls share batches: what waits while the model works is taken as
    its next batch. A text is cut after 256 tokens. Its vector does not depend on the texts it is computed with.
    """

    name = "all-MiniLM-L6-v2/int8-1"
    dimensions = 384

    def __init__(self, *, threads: int = 1, remembered: int = 512) -> None:
        """`threads`: of one run of the model. `remembered`: recent texts that keep their vectors, 5 kB each."""
        self._threads = threads
        self._remembered = remembered
        self._recent: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting: list[_Call] = []
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="minilm")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return (await self.layers(texts))[:, 0]

    async def layers(self, texts: Sequence[str]) -> Vectors:
        """Shape `(len(texts), 3, dimensions)`: the embedding, and the means of the fourth layer and of the word vectors.

        The texts of a long call are taken shortest first, `SLICE` at a time.
        """
        vectors = np.empty((len(texts), LAYERS, self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), SLICE):
            part = order[start : start + SLICE]
            call = _Call([texts[index] for index in part], Future())
            with self._lock:
                self._waiting.append(call)
            self._executor.submit(self._work)
            found = await asyncio.wrap_future(call.future)
            vectors[part] = found
        return vectors

    def _work(self) -> None:
        """Answers all calls that wait now. Runs in the executor's thread, which alone touches model and memory."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        calls = [call for call in waiting if call.future.set_running_or_notify_cancel()]
        if not calls:
            return
        try:
            known = self._vectors({text for call in calls for text in call.texts})
        except BaseException as error:
            for call in calls:
                call.future.set_exception(error)
            return
        for call in calls:
            call.future.set_result(np.stack([known[text] for text in call.texts]))

    def _vectors(self, texts: set[str]) -> dict[str, NDArray[np.float32]]:
        known = {text: self._recent[text] for text in texts if text in self._recent}
        # Sorted: what the model computes must not depend on the order of a set.
        for batch, ids, mask in self._batches(sorted(texts - known.keys())):
            (vectors,) = self._session.run(None, {"ids": ids, "mask": mask})
            # Copies, or one remembered row would keep its whole batch alive.
            known |= {text: vector.copy() for text, vector in zip(batch, vectors, strict=True)}
        for text in texts:
            self._recent[text] = known[text]
            self._recent.move_to_end(text)
        while len(self._recent) > self._remembered:
            self._recent.popitem(last=False)
        return known

    def _batches(self, texts: list[str]) -> Iterator[tuple[list[str], NDArray[np.int64], NDArray[np.float32]]]:
        """Texts of similar length with their padded token ids and mask, both `(texts, tokens)`."""
        encoded = sorted(((text, self._ids(text)) for text in texts), key=lambda pair: len(pair[1]))
        while encoded:
            size = 1
            while size < len(encoded) and (size + 1) * len(encoded[size][1]) <= BATCH_TOKENS:
                size += 1
            batch, encoded = encoded[:size], encoded[size:]
            ids = np.zeros((size, len(batch[-1][1])), np.int64)
            mask = np.zeros(ids.shape, np.float32)
            for row, (_, tokens) in enumerate(batch):
                ids[row, : len(tokens)] = tokens
                mask[row, : len(tokens)] = 1
            yield [text for text, _ in batch], ids, mask

    def _ids(self, text: str) -> list[int]:
        """Never empty: a text without words is its two marks. A lone surrogate, which has no UTF-8, becomes `?`."""
        readable = text[:MAX_CHARACTERS].encode(errors="replace").decode()
        ids: list[int] = self._tokenizer.encode(readable).ids
        return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])
