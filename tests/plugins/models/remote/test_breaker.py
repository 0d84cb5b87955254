import pytest

from frontdesk.core.errors import ModelUnavailable
from frontdesk.plugins.models.remote.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker("m", failures=2, seconds=10, clock=clock)


def fail(breaker, times):
    for _ in range(times):
        breaker.admit()
        breaker.failed()


def test_failures_with_a_success_between_them_open_nothing(breaker):
    fail(breaker, 1)
    breaker.admit()
    breaker.succeeded()
    fail(breaker, 1)
    breaker.admit()
    assert not breaker.open


def test_one_probe_at_a_time(breaker, clock):
    fail(breaker, 2)
    with pytest.raises(ModelUnavailable) as caught:
        breaker.admit()
    assert caught.value.retry_after == 10
    clock.now = 10
    breaker.admit()
    with pytest.raises(ModelUnavailable):
        breaker.admit()
    breaker.succeeded()
    breaker.admit()
    breaker.admit()


def test_a_probe_that_was_cancelled_makes_place_for_another(breaker, clock):
    fail(breaker, 2)
    clock.now = 10
    breaker.admit()
    breaker.abandoned()
    breaker.admit()
    breaker.failed()
    clock.now = 19
    with pytest.raises(ModelUnavailable):
        breaker.admit()
