"""What the customer wants: the intents of all plugins, told apart by one classifier."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from frontdesk.core.errors import ModelError
from frontdesk.core.models import Embedder
from frontdesk.core.plugin import Intent
from frontdesk.core.tasks import backoff

if TYPE_CHECKING:
    from frontdesk.core.dialogue.classifier import IntentClassifier

log = structlog.get_logger(__name__)

RIVAL_SHARE = 0.6
"""A second intent with at least this share of the first one's probability is a rival: the customer is asked which."""


@dataclass(frozen=True, slots=True)
class Match:
    """`intent` is None for "none of these". `rivals` are nearly as probable, the likeliest first.

    An intent that is not `sure` may still be meant as a question that an article answers better. `ranked` and `score` are
    the classifier's, see `Prediction`: also those of a text that is meant for none.
    """

    intent: str | None
    sure: bool = False
    rivals: tuple[str, ...] = ()
    ranked: tuple[tuple[str, float], ...] = ()
    score: float = -math.inf


NOTHING = Match(None)

LEARN_AGAIN, LEARN_AGAIN_AT_MOST = 5.0, 300.0
"""Seconds until learning is tried again with an embedder that does not answer, doubled each time."""


class IntentMatcher:
    """Learns in the background. Without intents or an embedder nothing ever matches, nor while the embedder does not answer."""

    def __init__(self, intents: Mapping[str, Intent], embedder: Embedder | None, *, cache: Path | None = None) -> None:
        self._examples = {id: list(intent.examples) for id, intent in intents.items()}
        self._embedder = embedder
        self._cache = cache
        self._classifier: IntentClassifier | None = None
        self._learning: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    def start(self) -> None:
        if self._examples and self._embedder is not None:
            self._learning = asyncio.create_task(self._learn(self._embedder), name="learn-intents")

    async def stop(self) -> None:
        if self._learning is not None and not self._learning.done():
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)

    @property
    def ready(self) -> bool:
        return self._learning is None or self._tried.is_set()

    async def learnt(self) -> None:
        """Returns when the learning has ended, well or not. With an embedder that does not answer, it goes on after that."""
        if self._learning is not None:
            await self._tried.wait()

    async def match(self, text: str) -> Match:
        """Raises what made the learning fail."""
        if self._learning is None or not text.strip():
            return NOTHING
        await self.learnt()
        if self._classifier is None:
            if self._learning.done():
                self._learning.result()
            return NOTHING
        try:
            seen = await self._classifier.predict(text)
        except ModelError as error:
            log.warning("intents cannot be told", error=f"{type(error).__name__}: {error}")
            return NOTHING
        if seen.intent is None:
            return Match(None, ranked=seen.ranked, score=seen.score)
        (_, best), *others = seen.ranked
        rivals = tuple(intent for intent, probability in others[:2] if probability >= RIVAL_SHARE * best)
        return Match(seen.intent, seen.sure, rivals, seen.ranked, seen.score)

    async def _learn(self, embedder: Embedder) -> None:
        try:
            from frontdesk.core.dialogue.classifier import IntentClassifier

            classifier = IntentClassifier(self._examples, embedder, cache=self._cache)
            await self._fitted(classifier)
            self._classifier = classifier
            log.info("intents learnt", intents=len(self._examples), examples=sum(map(len, self._examples.values())))
        finally:
            self._tried.set()

    async def _fitted(self, classifier: "IntentClassifier") -> None:
        """Tries until the embedder answers: only then is it known what the customers want."""
        attempt = 0
        while True:
            try:
                return await classifier.fit()
            except ModelError as error:
                log.error("intents are not learnt yet: none is understood", error=f"{type(error).__name__}: {error}")
            self._tried.set()
            await asyncio.sleep(backoff(attempt, base=LEARN_AGAIN, most=LEARN_AGAIN_AT_MOST))
            attempt += 1
