"""Tells which intent a text is meant for, and when it is meant for none of them."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable
from zipfile import BadZipFile

import numpy as np
import structlog

from frontdesk.core.dialogue import training
from frontdesk.core.dialogue.ngrams import NGrams
from frontdesk.core.dialogue.training import Fitted, Floats, Lessons
from frontdesk.core.models import Embedder, Vectors
from frontdesk.core.tasks import in_daemon

log = structlog.get_logger(__name__)

VERSION = 7
"""Of the algorithm: another one fits anew whatever is in the cache."""

REFUSE = 0.05
"""The share of texts meant for an intent that may be taken for none of them."""


@runtime_checkable
class LayeredEmbedder(Protocol):
    """What an embedder may offer beside `embed`: earlier layers keep wording that the last one has abstracted from."""

    async def layers(self, texts: Sequence[str]) -> Vectors:
        """Shape `(len(texts), layers, dimensions)`; the first layer is what `embed` returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """`intent` is None for "none of these"; `sure` leaves no doubt. `ranked` has all intents with their probabilities, the
    likeliest first, as if one of them were meant. `score` is compared with the classifier's threshold."""

    intent: str | None
    sure: bool
    ranked: tuple[tuple[str, float], ...]
    score: float


class IntentClassifier:
    """Learns from example utterances, in any number from one intent with one example on.

    `cache`: a folder that keeps fitted models, by the checksum of all that they were made from. Raises ValueError
    when there is no example at all.
    """

    def __init__(
        self,
        examples: Mapping[str, Sequence[str]],
        embedder: Embedder,
        *,
        cache: Path | None = None,
        refuse: float = REFUSE,
        seed: int = 0,
    ) -> None:
        pairs = {(text.strip(), intent): None for intent, texts in examples.items() for text in texts if text.strip()}
        if not pairs:
            raise ValueError("a classifier needs at least one intent with an example")
        # Sorted: the order of plugins and examples changes neither the model nor its place in the cache.
        texts, intents = zip(*sorted(pairs), strict=True)
        self._lessons = Lessons(examples=texts, intents=intents)
        self._embedder = embedder
        self._cache = cache
        self._refuse = refuse
        self._seed = seed
        self._fitted: Fitted | None = None

    @property
    def threshold(self) -> float:
        return self._model.threshold

    async def fit(self) -> None:
        """Takes the model from the cache, or fits it in a thread and keeps it there."""
        path = self._cache and self._cache / f"intents-{self._checksum()}.npz"
        fitted = await asyncio.to_thread(load, path) if path else None
        if fitted is None:
            layers = await self._layers(self._lessons.texts)
            fitted = await in_daemon(partial(training.fit, self._lessons, layers, refuse=self._refuse, seed=self._seed))
            if path:
                await asyncio.to_thread(save, fitted, path)
        self._fitted = fitted

    async def predict(self, text: str) -> Prediction:
        """Raises RuntimeError before `fit`."""
        model = self._model
        layers = (await self._layers([text]))[0]
        logits = model.logits(layers, text)
        score = model.score(layers, logits, text)
        inside = logits[:-1] / model.temperature
        exponents = np.exp(inside - inside.max())
        probabilities = exponents / exponents.sum()
        ranked = tuple((model.intents[index], float(probabilities[index])) for index in np.argsort(-inside, kind="stable"))
        intent = ranked[0][0] if score >= model.threshold else None
        return Prediction(intent=intent, sure=model.is_sure(score, text), ranked=ranked, score=score)

    @property
    def _model(self) -> Fitted:
        if self._fitted is None:
            raise RuntimeError("the classifier is not fitted yet: await fit() first")
        return self._fitted

    async def _layers(self, texts: Sequence[str]) -> Floats:
        if isinstance(self._embedder, LayeredEmbedder):
            return await self._embedder.layers(texts)
        return (await self._embedder.embed(texts))[:, None]

    def _checksum(self) -> str:
        made_from = [VERSION, self._embedder.name, self._refuse, self._seed, *vars(self._lessons).values(), training.background()]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


def save(model: Fitted, path: Path) -> None:
    """Writes the model as plain arrays, in one step: a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = {
        "intents": model.intents,
        "terms": model.ngrams.terms,
        "temperature": model.temperature,
        "threshold": model.threshold,
        "sure": model.sure,
        "sure_cjk": model.sure_cjk,
    }
    handle, scratch = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        np.savez(
            file,
            words=np.frombuffer(json.dumps(words).encode(), np.uint8),
            idf=model.ngrams.idf,
            centre=model.centre,
            dense_weights=model.dense_weights,
            ngram_weights=model.ngram_weights,
            bias=model.bias,
            kept=model.kept,
            kernel_weights=model.kernel_weights,
        )
    Path(scratch).replace(path)


def load(path: Path) -> Fitted | None:
    """The model that `save` wrote; None where there is none, or none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            words = json.loads(arrays["words"].tobytes())
            return Fitted(
                intents=tuple(words["intents"]),
                ngrams=NGrams(terms=tuple(words["terms"]), idf=arrays["idf"]),
                centre=arrays["centre"],
                dense_weights=arrays["dense_weights"],
                ngram_weights=arrays["ngram_weights"],
                bias=arrays["bias"],
                kept=arrays["kept"],
                kernel_weights=arrays["kernel_weights"],
                temperature=words["temperature"],
                threshold=words["threshold"],
                sure=words["sure"],
                sure_cjk=words["sure_cjk"],
            )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        log.warning("cached intent model cannot be read, fitting anew", path=str(path), error=type(error).__name__)
        return None
