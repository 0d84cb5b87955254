"""Fits the intent classifier: a softmax regression, its temperature, and the threshold of "none of these".

The features of a text are its sentence embedding (and further layers of the model, where it offers them) beside its
n-grams. What held-out examples score sets the temperature and the threshold, so that both hold for new texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.dialogue.ngrams import NGrams

Floats = NDArray[np.float32]

NGRAM_WEIGHT = 0.35
"""Of each block of n-grams beside the sentence embedding's 1."""

LAYER_WEIGHT = 0.6
"""Of each further layer of the model."""

NEAREST_WEIGHT = 5.0
"""Of the nearest example's cosine beside the largest logit, in the score that tells "none of these"."""

REGULARIZATION = 30.0
"""Inverse strength, as scikit-learn's `C`."""

MAX_RANK = 1500
"""Dimensions that the n-grams are reduced to while fitting; loses nothing where there are no more examples."""

FEW, MANY = 2_000, 6_000
"""Up to so many examples cross-validation takes ten folds; from so many on, three."""

CENTRE_PRIOR = 30
"""Few examples say little about the centre of all texts: so many more are taken to lie at zero."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted model. Shapes by intents K, layers L, dimensions D, terms T and examples N."""

    intents: tuple[str, ...]
    ngrams: NGrams
    centre: Floats
    """`(L, D)`, taken off every embedding."""
    dense_weights: Floats
    """`(L * D, K)`."""
    ngram_weights: Floats
    """`(T, K)`."""
    bias: Floats
    examples: Floats
    """`(N, D)`, each row of length 1."""
    temperature: float
    threshold: float

    def logits(self, layers: Floats, text: str) -> Floats:
        columns, values = self.ngrams.features(text)
        dense = blocks(layers[None], self.centre)[0] @ self.dense_weights
        logits: Floats = dense + values @ self.ngram_weights[columns] + self.bias
        return logits

    def none_score(self, layers: Floats, logits: Floats) -> float:
        """The higher, the surer the text is meant for one of the intents."""
        nearest = float((self.examples @ directions(layers[None], self.centre)[0]).max())
        return float(logits.max()) + NEAREST_WEIGHT * nearest


def directions(layers: Floats, centre: Floats) -> Floats:
    """The sentence embeddings `(texts, D)` as seen from the centre."""
    return _unit(layers[:, 0] - centre[0])


def blocks(layers: Floats, centre: Floats) -> Floats:
    """`(texts, L, D)` to `(texts, L * D)`: each layer as seen from its centre, weighted."""
    weights = np.full((layers.shape[1], 1), LAYER_WEIGHT, np.float32)
    weights[0] = 1
    return (_unit(layers - centre) * weights).reshape(len(layers), -1)


def fit(texts: Sequence[str], intents: Sequence[str], layers: Floats, *, refuse: float, seed: int) -> Fitted:
    """`texts`, their `intents` and `layers` `(texts, L, D)` belong together. `refuse`: the share of in-scope texts."""
    names, labels = np.unique(np.array(intents, dtype=object).astype(str), return_inverse=True)
    count = len(texts)
    centre = layers.mean(axis=0) * (count / (count + CENTRE_PRIOR))
    ngrams = NGrams.learn(texts)
    dense = blocks(layers, centre)
    basis, reduced = _reduce(ngrams, texts, seed)
    features = np.hstack([dense, NGRAM_WEIGHT * reduced])
    weights, bias = _regression(features, labels, len(names))

    folds = _folds(labels, seed)
    held_out = _held_out_logits(features, labels, len(names), folds)
    nearest = _held_out_nearest(directions(layers, centre), folds)
    tested = folds >= 0
    scores = (held_out.max(axis=1) + NEAREST_WEIGHT * nearest)[tested]
    width = dense.shape[1]
    return Fitted(
        intents=tuple(map(str, names)),
        ngrams=ngrams,
        centre=centre.astype(np.float32),
        dense_weights=weights[:width].astype(np.float32),
        ngram_weights=(NGRAM_WEIGHT * (basis @ weights[width:])).astype(np.float32),
        bias=bias.astype(np.float32),
        examples=directions(layers, centre).astype(np.float32),
        temperature=_temperature(held_out[tested], labels[tested]),
        threshold=float(np.quantile(scores, refuse)) if len(scores) else -np.inf,
    )


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def _reduce(ngrams: NGrams, texts: Sequence[str], seed: int) -> tuple[Floats, Floats]:
    """A basis `(T, R)` of the space that the examples' n-grams span, and their coordinates in it.

    A linear model's weights lie in that space, so fitting there is the same and much faster.
    """
    matrix = ngrams.matrix(texts)
    if matrix.shape[0] <= MAX_RANK:
        gram = (matrix @ matrix.T).toarray().astype(np.float64)
        values, vectors = np.linalg.eigh(gram)
        kept = values > 1e-6
        basis = np.asarray(matrix.T @ (vectors[:, kept] / np.sqrt(values[kept])), np.float32)
    else:
        from sklearn.utils.extmath import randomized_svd

        basis = randomized_svd(matrix, MAX_RANK // 3, random_state=seed)[2].T.astype(np.float32)
    return basis, np.asarray(matrix @ basis, np.float32)


def _regression(features: Floats, labels: NDArray[np.intp], classes: int) -> tuple[Floats, Floats]:
    """Weights `(features, classes)` and bias. A class without a label, or the only one, has weights of zero."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((features.shape[1], classes), np.float32)
    bias = np.zeros(classes, np.float32)
    present = np.unique(labels)
    if len(present) == 1:
        return weights, bias
    model = LogisticRegression(C=REGULARIZATION, max_iter=150, tol=1e-3).fit(features, labels)
    if len(present) == 2:
        # scikit-learn keeps one column for two classes; softmax has two that mirror each other.
        weights[:, present] = np.outer(model.coef_[0], [-0.5, 0.5])
        bias[present] = model.intercept_[0] * np.array([-0.5, 0.5])
    else:
        weights[:, present], bias[present] = model.coef_.T, model.intercept_
    return weights, bias


def _folds(labels: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Deals each class's examples out over the folds. The only example of a class is never held out: -1."""
    generator = np.random.default_rng(seed)
    count = 10 if len(labels) <= FEW else 5 if len(labels) <= MANY else 3
    folds = np.full(len(labels), -1, np.intp)
    for label in range(labels.max() + 1):
        members = generator.permutation(np.flatnonzero(labels == label))
        if len(members) > 1:
            folds[members] = (np.arange(len(members)) + generator.integers(count)) % count
    return folds


def _held_out_logits(features: Floats, labels: NDArray[np.intp], classes: int, folds: NDArray[np.intp]) -> Floats:
    logits = np.zeros((len(labels), classes), np.float32)
    for fold in range(folds.max() + 1):
        held_out = folds == fold
        if held_out.any():
            weights, bias = _regression(features[~held_out], labels[~held_out], classes)
            logits[held_out] = features[held_out] @ weights + bias
    return logits


def _held_out_nearest(vectors: Floats, folds: NDArray[np.intp]) -> Floats:
    """The cosine of each text to the nearest example of another fold."""
    nearest = np.ones(len(vectors), np.float32)
    for fold in range(folds.max() + 1):
        held_out = folds == fold
        if held_out.any():
            nearest[held_out] = (vectors[held_out] @ vectors[~held_out].T).max(axis=1)
    return nearest


def _temperature(logits: Floats, labels: NDArray[np.intp]) -> float:
    """What the logits are divided by so that the probabilities are as frequent as they say (Guo et al. 2017)."""
    if not len(logits):
        return 1.0
    candidates = np.geomspace(0.1, 10, 81)

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(labels)), labels]).mean())

    return float(min(candidates, key=loss))
