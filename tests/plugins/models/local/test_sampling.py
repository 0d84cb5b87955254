"""Which token comes next."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs

from frontdesk.plugins.models.local.engine import Sampling

pytestmark = needs("torch")


def drawn(logits: list[float], count: int = 1, **options: float) -> list[int]:
    import torch

    from frontdesk.plugins.models.local.sampling import choose, generator

    sampling = Sampling(max_tokens=1, **options)  # type: ignore[arg-type]
    randomness = generator(sampling)
    return [choose(torch.tensor(logits), sampling, randomness) for _ in range(count)]


def test_without_a_temperature_the_most_probable_token_comes() -> None:
    assert drawn([0.1, 3.0, 2.9], 5) == [1] * 5


def test_tokens_come_as_often_as_they_are_probable() -> None:
    counts = Counter(drawn([0.0, 1.0, 2.0], 4000, temperature=1.0, seed=3))
    assert [round(counts[token] / 4000, 1) for token in range(3)] == [0.1, 0.2, 0.7]


def test_a_higher_temperature_makes_them_more_equal() -> None:
    counts = Counter(drawn([0.0, 1.0, 2.0], 4000, temperature=100.0, seed=3))
    assert [round(counts[token] / 4000, 1) for token in range(3)] == [0.3, 0.3, 0.3]


@pytest.mark.parametrize(("top_p", "kept"), [(0.05, {2}), (0.7, {1, 2}), (0.95, {0, 1, 2}), (1.0, {0, 1, 2})])
def test_only_the_tokens_within_top_p_come(top_p: float, kept: set[int]) -> None:
    """The probabilities are 0.09, 0.24 and 0.67."""
    assert set(drawn([0.0, 1.0, 2.0], 500, temperature=1.0, top_p=top_p, seed=3)) == kept


def test_a_nucleus_larger_than_what_is_looked_at_first_is_kept_whole() -> None:
    logits = [0.0] * 5000
    found = drawn(logits, 2000, temperature=1.0, top_p=0.9, seed=1)
    assert len(set(found)) > 1400


def test_a_seed_gives_the_same_tokens_and_none_gives_others() -> None:
    logits = [0.0] * 1000
    assert drawn(logits, 10, temperature=1.0, seed=5) == drawn(logits, 10, temperature=1.0, seed=5)
    assert drawn(logits, 10, temperature=1.0, seed=5) != drawn(logits, 10, temperature=1.0, seed=6)
    assert drawn(logits, 10, temperature=1.0) != drawn(logits, 10, temperature=1.0)


@given(
    logits=st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=60),
    temperature=st.floats(0.01, 5),
    top_p=st.floats(0.0, 1.0),
    seed=st.integers(-(2**70), 2**70),
)
def test_any_setting_chooses_a_token_that_is_no_less_probable_than_it_may_be(
    logits: list[float], temperature: float, top_p: float, seed: int
) -> None:
    (token,) = drawn(logits, temperature=temperature, top_p=top_p, seed=seed)
    assert 0 <= token < len(logits)
    if top_p == 0:
        assert logits[token] == pytest.approx(max(logits), abs=1e-5)  # more than single precision tells apart


@given(logits=st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=60), seed=st.integers(0, 2**32))
def test_rounding_errors_of_a_batch_hardly_ever_change_the_choice(logits: list[float], seed: int) -> None:
    noisy = [value + (1e-6 if place % 2 else -1e-6) for place, value in enumerate(logits)]
    exact = drawn(logits, 20, temperature=1.0, seed=seed)
    other = drawn(noisy, 20, temperature=1.0, seed=seed)
    assert sum(a != b for a, b in zip(exact, other, strict=True)) <= 1
