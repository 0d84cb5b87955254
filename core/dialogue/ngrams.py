"""TF-IDF over words and n-grams of characters, as plain arrays: prediction needs neither scikit-learn nor SciPy.

Characters carry what a sentence embedding blurs: order codes, product names, misspellings, and languages that the
embedder hardly knows. A text is two blocks of features, words and characters, each of the same length.
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_TERMS = 30_000
MAX_CHARACTERS = 2_000

CJK_LENGTH = 2.5
"""Of the features of a text in Chinese or Japanese characters, against 1. There n-grams are as good as words, and the
default embedder knows few of the characters."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A Chinese or Japanese character is a word by itself: nothing between them tells where words end.
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_WORD_MARK = "\t"  # no term of characters contains it: those are taken from between white space


def _words(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    for word in words:
        yield _WORD_MARK + word
    for first, second in itertools.pairwise(words):
        yield f"{_WORD_MARK}{first} {second}"


def _characters(text: str) -> Iterator[str]:
    for word in text.split():
        padded = f" {word} "
        for size in range(2, 6):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]


def _counts(text: str) -> tuple[Counter[str], Counter[str]]:
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).lower()
    return Counter(_words(folded)), Counter(_characters(folded))


def cjk_share(text: str) -> float:
    """Of Chinese and Japanese characters among the letters of a text, from 0 to 1."""
    start = text[:MAX_CHARACTERS]
    return len(_IS_CJK.findall(start)) / max(sum(map(str.isalpha, start)), 1)


@dataclass(frozen=True, kw_only=True)
class NGrams:
    """The terms of the examples with their inverse document frequencies, in the same order."""

    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {term: index for index, term in enumerate(self.terms)})

    @classmethod
    def learn(cls, texts: Sequence[str]) -> "NGrams":
        """Keeps the most frequent terms where there are more than `MAX_TERMS`."""
        documents: Counter[str] = Counter()
        for text in texts:
            for counts in _counts(text):
                documents.update(counts.keys())
        kept = sorted(sorted(documents), key=lambda term: -documents[term])[:MAX_TERMS]
        frequencies = np.array([documents[term] for term in kept], np.float64)
        idf = np.log((1 + len(texts)) / (1 + frequencies)) + 1
        return cls(terms=tuple(kept), idf=idf.astype(np.float32))

    def features(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The columns of the terms that occur in the text, and their values."""
        columns: list[int] = []
        values: list[NDArray[np.float32]] = []
        length = 1 + (CJK_LENGTH - 1) * cjk_share(text)
        for counts in _counts(text):
            known = [(self._index[term], count) for term, count in counts.items() if term in self._index]
            if not known:
                continue
            block, frequencies = np.array(known).T
            weights = (1 + np.log(frequencies)) * self.idf[block]
            columns.extend(block)
            values.append((weights * (length / np.linalg.norm(weights))).astype(np.float32))
        return np.array(columns, np.intp), np.concatenate(values) if values else np.empty(0, np.float32)

    def matrix(self, texts: Sequence[str]) -> Any:
        """The features of all texts as a SciPy CSR matrix; only fitting needs it."""
        from scipy.sparse import csr_matrix

        rows = [self.features(text) for text in texts]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([columns for columns, _ in rows])
        values = np.concatenate([values for _, values in rows])
        return csr_matrix((values, columns, starts), shape=(len(texts), len(self.terms)), dtype=np.float32)
