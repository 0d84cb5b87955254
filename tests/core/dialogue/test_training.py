"""The two regressions against what they must come to, by slower ways."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from frontdesk.core.dialogue import training


def points(count: int) -> training.Floats:
    vectors = np.random.default_rng(1).normal(size=(count, 12)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_softmax_regression_comes_to_the_same_as_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TOLERANCE", 1e-6)
    features = points(60)
    labels = np.arange(60) % 4
    weights, bias = training._regression(features, labels, 4)
    emphasis = np.where(labels == 3, training.BACKGROUND_WEIGHT, 1.0)
    model = LogisticRegression(C=training.REGULARIZATION, tol=1e-6, max_iter=2000).fit(features, labels, emphasis)
    ours, theirs = features @ weights + bias, model.decision_function(features)
    # The same number on all logits of a text changes no probability.
    np.testing.assert_allclose(
        ours - ours.mean(axis=1, keepdims=True), theirs - theirs.mean(axis=1, keepdims=True), atol=0.02, rtol=0.01
    )


def test_values_left_out_are_those_of_a_fit_without_the_point() -> None:
    vectors = points(30)
    labels = np.arange(30) % 3
    _, left_out = training._kernel_regression(vectors, labels, 3)
    for point in (0, 1, 2):  # the last one is of the background
        others = np.arange(30) != point
        weights, _ = training._kernel_regression(vectors[others], labels[others], 3)
        value = training._kernel(vectors[[point]], vectors[others]) @ weights
        np.testing.assert_allclose(left_out[[point]], value, atol=1e-4)


def test_far_from_all_points_the_kernel_regression_falls_to_zero() -> None:
    near = np.eye(12, dtype=np.float32)[:6] * 2
    weights, _ = training._kernel_regression(near, np.arange(6) % 3, 3)
    far = training._kernel(-near.sum(axis=0, keepdims=True) * 2 / np.sqrt(24), near) @ weights
    assert abs(far).max() < 0.01
    assert (training._kernel(near, near) @ weights).max() > 0.7
