from frontdesk.channels.web.limits import RateLimit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_passes_at_once_and_then_one_for_each_interval() -> None:
    clock = Clock()
    limit = RateLimit(6, clock=clock)
    assert [limit.wait("a") for _ in range(6)] == [0] * 6
    assert limit.wait("a") == 10
    assert limit.wait("b") == 0
    clock.now += 9.9
    assert 0 < limit.wait("a") < 0.2
    clock.now += 0.2
    assert limit.wait("a") == 0
    assert limit.wait("a") > 9


def test_a_refusal_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    assert limit.wait("a") == 0
    assert {limit.wait("a") for _ in range(100)} == {60}
    clock.now += 60
    assert limit.wait("a") == 0


def test_what_is_idle_is_forgotten() -> None:
    clock = Clock()
    limit = RateLimit(60, clock=clock)
    for number in range(10_000):
        clock.now += 1
        assert limit.wait(str(number)) == 0
    assert len(limit._free_at) < 1100
