"""Which passage fits a question, and how sure that is.

A question is as near to a passage as to the nearest of its keys (title, headings, text). Where the embedder knows the
question's script, the score is the dense one plus a bounded BM25; elsewhere it is BM25 alone. Reciprocal rank fusion
is not used: on questions that people wrote it lost 16 points of recall against the dense score.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.models import Vectors
from frontdesk.plugins.replies.knowledge.index import Snapshot
from frontdesk.plugins.replies.knowledge.text import cjk_share, terms
from frontdesk.plugins.replies.knowledge.values import Hit, Passage

_K1, _B = 1.5, 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Weights of a logistic regression: from how well a passage fits to the probability that it answers.

    A question may be near to a passage and still ask for something that nobody here wrote about ("reset my Gmail
    password"). How familiar its words are tells the two apart better than BM25 does.
    """

    dense: float = 0.0
    lexical: float = 0.0
    familiar: float = 0.0
    bias: float

    def evidence(self, dense: float, lexical: float, familiar: float) -> float:
        return 1 / (1 + exp(-(self.dense * dense + self.lexical * lexical + self.familiar * familiar + self.bias)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """How scores are made. The calibrations were fitted for all-MiniLM-L6-v2 on questions about the demo articles."""

    bm25_weight: float = 0.25
    threshold: float = 0.5
    """The least evidence for an answer."""
    dense_cjk: bool = False
    """Whether the embedder knows Chinese, Japanese and Korean; all-MiniLM-L6-v2 does not."""
    hybrid: Calibration = field(default_factory=lambda: Calibration(dense=6.0, lexical=1.5, familiar=1.5, bias=-4.27))
    lexical_only: Calibration = field(default_factory=lambda: Calibration(lexical=12.0, bias=-1.9))

    def dense_fits(self, text: str) -> bool:
        """Whether the embedder can be trusted with the script of a text."""
        return self.dense_cjk or cjk_share(text) < 0.3


class Ranker:
    """Ranks the passages of one snapshot. Never changes, so threads may share it. Calls block for about a millisecond."""

    def __init__(self, snapshot: Snapshot, scoring: Scoring) -> None:
        import bm25s

        self.snapshot = snapshot
        self._scoring = scoring
        passages = snapshot.passages
        texts = [_passage_terms(passage) for passage in passages]
        self._count = len(texts)
        wanted = {place for place, passage in enumerate(passages) if any(map(scoring.dense_fits, passage.keys))}
        self.knows_meanings = 2 * len(wanted.intersection(snapshot.owners.tolist())) >= len(wanted)
        """Whether passages can be compared by their meaning: half of those that should have a vector have one."""
        self._documents_with: dict[str, int] = {}
        for words in texts:
            for word in set(words):
                self._documents_with[word] = self._documents_with.get(word, 0) + 1
        self._bm25: Any = None
        if self._documents_with:
            self._bm25 = bm25s.BM25(k1=_K1, b=_B, method="lucene")
            self._bm25.index(texts, show_progress=False)

    def weight(self, term: str) -> float:
        """How much a term tells: its inverse document frequency. A term that no passage has tells most."""
        found = self._documents_with.get(term, 0)
        return log(1 + (self._count - found + 0.5) / (found + 0.5))

    def nearness(self, vector: NDArray[np.float32], key: str) -> float:
        """The dot product with the vector of a passage's key; 0 for a key without a vector."""
        row = self.snapshot.rows.get(key)
        return float(self.snapshot.vectors[row] @ vector) if row is not None else 0.0

    def rank(
        self,
        question: str,
        vector: NDArray[np.float32] | None,
        *,
        languages: Collection[str] | None = None,
        tags: Collection[str] = (),
        limit: int = 5,
    ) -> list[Hit]:
        """The best hits first. `vector` is the question's, or None to rank by words alone."""
        passages = self.snapshot.passages
        allowed = np.array([_fits(passage, languages, tags) for passage in passages], dtype=bool)
        if not allowed.any():
            return []
        dense = self._dense(vector)
        lexical, familiar = self._lexical(question)
        score = lexical if vector is None else dense + self._scoring.bm25_weight * lexical
        calibration = self._scoring.lexical_only if vector is None else self._scoring.hybrid
        order = np.lexsort((np.arange(len(passages)), -np.where(allowed, score, -np.inf)))
        return [
            Hit(
                passage=passages[place],
                score=float(score[place]),
                dense=float(dense[place]),
                lexical=float(lexical[place]),
                familiar=familiar,
                evidence=calibration.evidence(float(dense[place]), float(lexical[place]), familiar),
            )
            for place in order[: min(limit, int(allowed.sum()))]
        ]

    def _dense(self, vector: NDArray[np.float32] | None) -> Vectors:
        nearest = np.zeros(len(self.snapshot.passages), dtype=np.float32)
        if vector is not None and len(self.snapshot.owners):
            np.maximum.at(nearest, self.snapshot.owners, self.snapshot.vectors @ vector)
        return nearest

    def _lexical(self, question: str) -> tuple[Vectors, float]:
        """BM25 over the most that the question could reach, and the share of its weight in known words."""
        words = list(dict.fromkeys(terms(question)))
        known = [word for word in words if word in self._documents_with]
        if not known:
            return np.zeros(len(self.snapshot.passages), dtype=np.float32), 0.0
        reachable = sum(map(self.weight, words))
        scores: Vectors = self._bm25.get_scores(known)
        return scores / np.float32(reachable), sum(map(self.weight, known)) / reachable


def _passage_terms(passage: Passage) -> list[str]:
    """The terms of all that is written about a passage."""
    return terms(" \n ".join((passage.title, *passage.headings, *passage.tags, *passage.questions, passage.text)))


def _fits(passage: Passage, languages: Collection[str] | None, tags: Collection[str]) -> bool:
    return (languages is None or passage.language in languages) and set(tags) <= set(passage.tags)
