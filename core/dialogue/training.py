"""Fits the intent classifier: a softmax regression, its temperature, and the threshold of "none of these".

The features of a text are its sentence embedding (and further layers of the model, where it offers them) beside its
n-grams. Beside the intents it learns one more class, the background: general questions and remarks that no bot of a
business is made for.

The regression ranks the intents, but is just as sure far from all examples. A kernel regression falls to 0 there:
"none of these" is told by both together. What held-out examples score sets the temperature and the threshold, so that
both hold for new texts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.dialogue.ngrams import NGrams, cjk_share

Floats = NDArray[np.float32]

NGRAM_WEIGHT = 0.35
"""Of each block of n-grams beside the sentence embedding's 1."""

LAYER_WEIGHT = 0.6
"""Of each further layer of the model."""

KERNEL_WEIGHT = 20.0
"""Of the kernel regression's value, from 0 to about 1, beside the largest logit in the score that tells "none of these"."""

SHARPNESS = 1.0
"""Of the Gaussian kernel: how fast it falls with the squared distance."""

RIDGE = 0.1
"""How far the kernel regression may miss its examples."""

BACKGROUND_SHARE = 0.4
"""Of the background's logit and kernel value in that score, against the largest ones of an intent."""

BACKGROUND_WEIGHT = 0.3
"""Of a text of the background beside an example, while fitting."""

REGULARIZATION = 30.0
"""Inverse strength, as scikit-learn's `C`."""

TOLERANCE = 2e-4

FEW = 3_000
"""Up to so many texts cross-validation takes ten folds and n-grams are reduced exactly; beyond, five and by sampling."""

HEADROOM = {"few": 0.75, "many": 0.6}
"""Of the share that may be refused: customers' texts differ from the examples more than the examples do among each other,
the more so the more there are, since then most examples have a twin."""

RANK = {"exact": 1_000, "sampled": 500}
"""Dimensions that the n-grams are reduced to while fitting."""

MOSTLY_CJK = 0.5
"""Texts that the kernel regression says less than this about are mostly Chinese or Japanese characters."""

UNSURE = 0.4
"""The share of texts meant for an intent whose score leaves a doubt."""

MAX_KEPT = 4_000
"""Examples that a text is compared with; of more, a sample is kept."""


@cache
def background() -> tuple[str, ...]:
    """Written for this purpose, in English and Chinese; no data set is part of it."""
    return tuple((Path(__file__).parent / "background.txt").read_text(encoding="utf-8").splitlines())


def readable(intent: str) -> str:
    """An intent's name as words, which say what is meant: `orders.cancel_order` is "cancel order".

    Empty for a name that says nothing, such as a number.
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", re.split(r"[.:/]", intent)[-1]).strip().lower()
    return words if re.search(r"[^\W\d_]{2}|[^\x00-\u2fff]{2}", words) else ""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted model. Shapes by intents K, layers L, dimensions D, terms T and kept texts N.

    The last of the K + 1 columns is the background.
    """

    intents: tuple[str, ...]
    ngrams: NGrams
    centre: Floats
    """`(L, D)`, taken off every embedding."""
    dense_weights: Floats
    """`(L * D, K + 1)`."""
    ngram_weights: Floats
    """`(T, K + 1)`."""
    bias: Floats
    kept: Floats
    """`(N, L * D)`: what a text is compared with."""
    kernel_weights: Floats
    """`(N, K + 1)`."""
    temperature: float
    threshold: float
    sure: float
    """Scores from here on leave no doubt; more than half of the texts meant for an intent have them."""
    sure_cjk: float
    """The same for texts that are mostly Chinese or Japanese characters, whose scores lack the kernel regression."""

    def logits(self, layers: Floats, text: str) -> Floats:
        """Of one text with its layers `(L, D)`: shape `(K + 1,)`."""
        columns, values = self.ngrams.features(text)
        dense = blocks(layers[None], self.centre)[0] @ self.dense_weights
        logits: Floats = dense + values @ self.ngram_weights[columns] + self.bias
        return logits

    def is_sure(self, score: float, text: str) -> bool:
        return score >= (self.sure_cjk if _trust([text])[0] < MOSTLY_CJK else self.sure)

    def score(self, layers: Floats, logits: Floats, text: str) -> float:
        """The higher, the surer the text is meant for one of the intents."""
        values = _kernel(blocks(layers[None], self.centre), self.kept) @ self.kernel_weights
        return float(_scores(logits[None], values, _trust([text]))[0])


def blocks(layers: Floats, centre: Floats) -> Floats:
    """`(texts, L, D)` to `(texts, L * D)`: each layer as seen from its centre, weighted."""
    weights = np.full((layers.shape[1], 1), LAYER_WEIGHT, np.float32)
    weights[0] = 1
    return (_unit(layers - centre) * weights).reshape(len(layers), -1)


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """All texts to learn from: the examples first, then the readable names of intents, then the background."""

    examples: tuple[str, ...]
    intents: tuple[str, ...]
    """Of the examples."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.intents)))

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.examples, *filter(None, map(readable, self.names)), *background())

    def labels(self) -> NDArray[np.intp]:
        """The number of each text's intent; the background's is the number of intents."""
        number = {name: index for index, name in enumerate(self.names)}
        named = [number[name] for name in self.names if readable(name)]
        unnamed = [len(number)] * len(background())
        return np.array([*(number[intent] for intent in self.intents), *named, *unnamed], np.intp)


def fit(lessons: Lessons, layers: Floats, *, refuse: float, seed: int) -> Fitted:
    """`layers` `(texts, L, D)` belong to `lessons.texts`. `refuse`: at most this share of in-scope texts."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the matrices are small: more threads only wait for each other, twenty times as long
        return _fit(lessons, layers, refuse=refuse, seed=seed)


def _fit(lessons: Lessons, layers: Floats, *, refuse: float, seed: int) -> Fitted:
    generator = np.random.default_rng(seed)
    labels, count, classes = lessons.labels(), len(lessons.examples), len(lessons.names) + 1
    centre = layers.mean(axis=0)
    ngrams = NGrams.learn(lessons.texts)
    dense = blocks(layers, centre)
    basis, reduced = _reduce(ngrams, lessons.texts, seed)
    features = np.hstack([dense, NGRAM_WEIGHT * reduced])
    weights, bias = _regression(features, labels, classes)

    kept = np.concatenate([np.sort(generator.permutation(count)[:MAX_KEPT]), np.arange(count, len(labels))])
    kernel_weights, left_out = _kernel_regression(dense[kept], labels[kept], classes)
    values = _kernel(dense, dense[kept]) @ kernel_weights
    values[kept] = left_out

    folds = np.full(len(labels), -1, np.intp)
    folds[:count] = _folds(labels[:count], generator)
    tested = folds >= 0
    held_out = _held_out_logits(features, labels, classes, folds)[tested]
    trust = _trust(lessons.texts)[tested]
    scores = _scores(held_out, values[tested], trust)
    cjk = trust < MOSTLY_CJK
    width = dense.shape[1]
    return Fitted(
        intents=lessons.names,
        ngrams=ngrams,
        centre=centre,
        dense_weights=weights[:width],
        ngram_weights=NGRAM_WEIGHT * (basis @ weights[width:]),
        bias=bias,
        kept=dense[kept],
        kernel_weights=kernel_weights,
        temperature=_temperature(held_out[:, :-1], labels[tested]),
        threshold=_threshold(scores, HEADROOM["few" if len(labels) <= FEW else "many"] * refuse),
        sure=_threshold(scores[~cjk], UNSURE) if not cjk.all() else _threshold(scores, UNSURE),
        sure_cjk=_threshold(scores[cjk], UNSURE) if cjk.any() else _threshold(scores, UNSURE),
    )


def _trust(texts: Sequence[str]) -> Floats:
    """How much the kernel regression says about each text.

    Nothing about Chinese and Japanese characters: rare ones all look the same to the embedder.
    """
    return np.array([1 - cjk_share(text) for text in texts], np.float32)


def _scores(logits: Floats, values: Floats, trust: Floats) -> Floats:
    def lead(columns: Floats) -> Floats:
        ahead: Floats = columns[:, :-1].max(axis=1) - BACKGROUND_SHARE * columns[:, -1]
        return ahead

    scores: Floats = lead(logits) + KERNEL_WEIGHT * trust * lead(values)
    return scores


def _threshold(scores: Floats, share: float) -> float:
    """The score that this share of the held-out texts stays under; -inf where nothing was held out."""
    if not len(scores):
        return -np.inf
    return float(np.quantile(scores, share))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def _reduce(ngrams: NGrams, texts: Sequence[str], seed: int) -> tuple[Floats, Floats]:
    """A basis `(T, R)` of the space that the examples' n-grams span, and their coordinates in it.

    A linear model's weights lie in that space, so fitting there is the same and much faster.
    """
    matrix = ngrams.matrix(texts)
    if matrix.shape[0] <= FEW:
        gram = (matrix @ matrix.T).toarray().astype(np.float64)
        values, vectors = np.linalg.eigh(gram)
        kept = (values > 1e-6) & (np.arange(len(values)) >= len(values) - RANK["exact"])
        basis = np.asarray(matrix.T @ (vectors[:, kept] / np.sqrt(values[kept])), np.float32)
    else:
        from sklearn.utils.extmath import randomized_svd

        basis = randomized_svd(matrix, RANK["sampled"], random_state=seed)[2].T.astype(np.float32)
    return basis, np.asarray(matrix @ basis, np.float32)


def _regression(features: Floats, labels: NDArray[np.intp], classes: int) -> tuple[Floats, Floats]:
    """Weights `(features, classes)` and bias, by softmax regression; the last class is the background.

    scikit-learn's LogisticRegression comes to the same, and takes a second to import.
    """
    from scipy.optimize import minimize

    rows = np.arange(len(labels))
    emphasis = _emphasis(labels, classes)
    emphasis /= emphasis.sum()
    penalty = (emphasis.max() / REGULARIZATION).astype(np.float32)
    inputs = np.hstack([features, np.ones((len(labels), 1), np.float32)])

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, classes).astype(np.float32)
        logits = inputs @ weights
        logits -= logits.max(axis=1, keepdims=True)
        exponents = np.exp(logits)
        sums = exponents.sum(axis=1)
        errors = exponents * (emphasis / sums)[:, None]
        errors[rows, labels] -= emphasis
        gradient = inputs.T @ errors
        gradient[:-1] += penalty * weights[:-1]
        value = emphasis @ (np.log(sums) - logits[rows, labels]) + penalty / 2 * (weights[:-1] ** 2).sum()
        return float(value), gradient.ravel().astype(np.float64)

    start = np.zeros(inputs.shape[1] * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": TOLERANCE})
    weights = found.x.reshape(-1, classes).astype(np.float32)
    return weights[:-1], weights[-1]


def _kernel_regression(points: Floats, labels: NDArray[np.intp], classes: int) -> tuple[Floats, Floats]:
    """Weights `(points, classes)`, and what each point's value would be had it been left out (Rasmussen and Williams
    2006, section 5.4.2): no further fit is needed for that."""
    from scipy.linalg import cho_factor, cho_solve

    targets = np.eye(classes)[labels]
    matrix = _kernel(points, points).astype(np.float64) + np.diag(RIDGE / _emphasis(labels, classes))
    inverse = cho_solve(cho_factor(matrix), np.eye(len(labels)), overwrite_b=True)
    weights = inverse @ targets
    left_out = targets - weights / np.diag(inverse)[:, None]
    return weights.astype(np.float32), left_out.astype(np.float32)


def _kernel(texts: Floats, points: Floats) -> Floats:
    """Of Gauss, `(texts, points)`; all rows are of one length."""
    length = points[0] @ points[0]
    values: Floats = np.exp(2 * SHARPNESS * (texts @ points.T - length))
    return values


def _emphasis(labels: NDArray[np.intp], classes: int) -> Floats:
    return np.where(labels == classes - 1, BACKGROUND_WEIGHT, 1.0).astype(np.float32)


def _folds(labels: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
    """Deals each class's examples out over the folds. The only example of a class is never held out: -1."""
    count = 10 if len(labels) <= FEW else 5
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
