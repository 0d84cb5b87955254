"""Vectors of texts, by a service's `/embeddings`."""

import asyncio
import base64
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from frontdesk.core.chat import Usage
from frontdesk.core.errors import ModelFailed, TransientError
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Vectors
from frontdesk.plugins.models.remote.breaker import Breaker
from frontdesk.plugins.models.remote.client import Client
from frontdesk.plugins.models.remote.wire import UsageSaid, encodable, estimated_tokens
from frontdesk.plugins.models.settings import EmbeddingsSettings

BATCH = 64
"""Texts of one call. Google takes a hundred, OpenAI two thousand."""

QUESTION, QUESTION_SECONDS = 8, 5.0
"""So few texts are what a customer asks: the turn that waits for them has other ways to go on, and little time."""

MAX_CHARACTERS = 8000
"""Of one text; the rest is not read. Most models read 8192 tokens, and a character may be one."""


class VectorSaid(Struct):
    embedding: list[float] | str
    index: int | None = None


class VectorsSaid(Struct):
    data: list[VectorSaid] | None = None
    usage: UsageSaid | None = None
    error: object = None


class RemoteEmbedder:
    """See `Embedder`. The length of its vectors is configured, or known once it was asked for the first time: until then it is 0,
    and nobody can have a vector of it. It is kept in `models.db`."""

    def __init__(
        self,
        settings: EmbeddingsSettings,
        *,
        folder: Path,
        metrics: Metrics | None = None,
        section: str = "models.embeddings",
        breaker: Breaker | None = None,
    ) -> None:
        """Raises `ConfigurationError`, for an embedder has no start."""
        self._settings = settings
        self._section = section
        self._client = Client(settings, section=section, folder=folder, metrics=metrics, breaker=breaker)
        self._dimensions: int | None = settings.dimensions

    @property
    def name(self) -> str:
        chosen = f"/{self._settings.dimensions}" if self._settings.dimensions else ""
        return f"{self._client.name}{chosen}"

    @property
    def dimensions(self) -> int:
        if self._dimensions is None:
            self._dimensions = self._client.ledger.dimensions(self.name)
        return self._dimensions or 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises `ModelError`."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        with self._client.measured("embed"):
            batches = [await self._batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        vectors: Vectors = np.concatenate(batches)
        return vectors

    async def close(self) -> None:
        await self._client.close()

    async def _batch(self, texts: Sequence[str]) -> Vectors:
        # Services refuse a text without anything in it.
        inputs = [encodable(text[:MAX_CHARACTERS]) if text.strip() else "." for text in texts]
        seconds = self._settings.timeout * (self._settings.retries + 1)
        if len(texts) <= QUESTION:
            seconds = min(seconds, QUESTION_SECONDS)
        deadline = asyncio.get_running_loop().time() + seconds
        async with self._client.place(deadline):
            vectors = await self._client.retried(lambda: self._once(inputs, deadline), deadline)
        if vectors.shape[1] != self.dimensions:
            if self.dimensions:
                raise ModelFailed(
                    f"{self._client.name} answers vectors of {vectors.shape[1]} numbers: set {self._section}.dimensions to that"
                )
            self._dimensions = vectors.shape[1]
            with suppress(TransientError):
                await self._client.ledger.remember_dimensions(self.name, self._dimensions)
        return vectors

    async def _once(self, inputs: list[str], deadline: float) -> Vectors:
        made: dict[str, Any] = {"model": self._settings.model, "input": inputs, "encoding_format": "float"}
        if self._settings.dimensions:
            made["dimensions"] = self._settings.dimensions
        made = {field: value for field, value in made.items() if field not in self._client.refused}
        optional = {"dimensions"} & made.keys()
        tokens = sum(map(estimated_tokens, inputs))
        expected = Usage(prompt=tokens, cost=tokens * self._settings.input_price / 1e6)
        async with (
            self._client.spending(expected, "") as bill,
            self._client.asked(
                lambda sdk: sdk.embeddings.with_streaming_response.create(**made), deadline=deadline, sent=optional
            ) as answer,
        ):
            content = await answer.whole()
            try:
                said = msgspec.json.decode(content, type=VectorsSaid)
            except (msgspec.DecodeError, RecursionError):
                raise self._client.judge.rubbish("answered what are no embeddings") from None
            if said.error is not None:
                raise self._client.judge.inside(said.error, optional)
            if said.usage is not None and said.usage.prompt_tokens is not None:
                tokens = said.usage.prompt_tokens
            bill.usage = Usage(prompt=tokens, cost=tokens * self._settings.input_price / 1e6)
            return self._normal(said.data or [], len(inputs))

    def _normal(self, said: list[VectorSaid], count: int) -> Vectors:
        """In the order of the texts, each of length 1."""
        places = [vector.index if vector.index is not None else place for place, vector in enumerate(said)]
        ordered = [vector for _, vector in sorted(zip(places, said, strict=True), key=lambda pair: pair[0])]
        try:
            rows = [_numbers(vector.embedding) for vector in ordered]
            if sorted(places) != list(range(count)):
                raise ValueError
            vectors: NDArray[np.float32] = np.stack(rows)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            if not (np.isfinite(lengths).all() and (lengths > 0).all()):
                raise ValueError
        except ValueError:
            raise self._client.judge.rubbish(f"answered no {count} vectors for {count} texts") from None
        normal: Vectors = (vectors / lengths).astype(np.float32)
        return normal


def _numbers(embedding: list[float] | str) -> NDArray[np.float32]:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.array(embedding, dtype=np.float32)
