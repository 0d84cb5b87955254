"""What the customer wants: the intents of all plugins, told apart by one classifier."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from frontdesk.core.models import Embedder
from frontdesk.core.plugin import Intent

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


class IntentMatcher:
    """Learns in the background. Without intents or an embedder nothing ever matches."""

    def __init__(self, intents: Mapping[str, Intent], embedder: Embedder | None, *, cache: Path | None = None) -> None:
        self._examples = {id: list(intent.examples) for id, intent in intents.items()}
        self._embedder = embedder
        self._cache = cache
        self._learning: asyncio.Task[IntentClassifier] | None = None

    def start(self) -> None:
        if self._examples and self._embedder is not None:
            self._learning = asyncio.create_task(self._learn(self._embedder), name="learn-intents")

    async def stop(self) -> None:
        if self._learning is not None and not self._learning.done():
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)

    @property
    def ready(self) -> bool:
        return self._learning is None or self._learning.done()

    async def learnt(self) -> None:
        """Returns when the learning has ended, well or not."""
        if self._learning is not None:
            await asyncio.wait([self._learning])

    async def match(self, text: str) -> Match:
        """Raises what made the learning fail."""
        if self._learning is None or not text.strip():
            return NOTHING
        classifier = await asyncio.shield(self._learning)
        seen = await classifier.predict(text)
        if seen.intent is None:
            return Match(None, ranked=seen.ranked, score=seen.score)
        (_, best), *others = seen.ranked
        rivals = tuple(intent for intent, probability in others[:2] if probability >= RIVAL_SHARE * best)
        return Match(seen.intent, seen.sure, rivals, seen.ranked, seen.score)

    async def _learn(self, embedder: Embedder) -> "IntentClassifier":
        from frontdesk.core.dialogue.classifier import IntentClassifier

        classifier = IntentClassifier(self._examples, embedder, cache=self._cache)
        await classifier.fit()
        log.info("intents learnt", intents=len(self._examples), examples=sum(map(len, self._examples.values())))
        return classifier
