"""Who waits, and who is let in."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.errors import ModelUnavailable
from frontdesk.plugins.models.local.line import Line


async def test_no_more_are_let_in_than_there_are_places() -> None:
    line = Line(places=2, tokens=100)
    async with line.place(1), line.place(1):
        third = asyncio.ensure_future(anext(hold(line, 1)))
        await asyncio.sleep(0)
        assert not third.done()
        assert line.length == 1
    await third


async def hold(line: Line, tokens: int):  # type: ignore[no-untyped-def]
    async with line.place(tokens):
        yield


async def test_those_behind_a_large_one_do_not_overtake_it() -> None:
    line = Line(places=10, tokens=10)
    order = []

    async def take(name: str, tokens: int) -> None:
        async with line.place(tokens):
            order.append(name)

    async with line.place(5):
        tasks = [asyncio.create_task(take("large", 8)), asyncio.create_task(take("small", 1))]
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["large", "small"]


async def test_who_leaves_the_line_lets_those_behind_in() -> None:
    line = Line(places=10, tokens=10)
    async with line.place(5):
        large = asyncio.ensure_future(anext(hold(line, 8)))
        small = asyncio.ensure_future(anext(hold(line, 1)))
        await asyncio.sleep(0)
        large.cancel()
        await small
    assert line.length == 0


async def test_all_can_be_turned_away() -> None:
    line = Line(places=1, tokens=10)
    async with line.place(1):
        waiting = [asyncio.ensure_future(anext(hold(line, 1))) for _ in range(3)]
        await asyncio.sleep(0)
        line.turn_away(ModelUnavailable("closed"))
        for task in waiting:
            with pytest.raises(ModelUnavailable):
                await task
    assert line.free == (1, 10)


@given(
    requests=st.lists(st.tuples(st.integers(1, 10), st.integers(0, 5), st.booleans()), max_size=30),
    places=st.integers(1, 5),
)
def test_nothing_is_promised_twice_and_all_is_given_back(requests: list[tuple[int, int, bool]], places: int) -> None:
    """Requests of some tokens, that stay for some turns of the loop; some are cancelled on the way."""

    async def everybody() -> None:
        line = Line(places=places, tokens=10)
        inside: list[int] = []

        async def one(tokens: int, turns: int) -> None:
            async with line.place(tokens):
                inside.append(tokens)
                try:
                    assert sum(inside) <= 10
                    assert len(inside) <= places
                    for _ in range(turns):
                        await asyncio.sleep(0)
                finally:
                    inside.remove(tokens)

        tasks = []
        for tokens, turns, cancelled in requests:
            task = asyncio.create_task(one(tokens, turns))
            tasks.append(task)
            for _ in range(turns % 3):
                await asyncio.sleep(0)
            if cancelled:
                task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(error is None or isinstance(error, asyncio.CancelledError) for error in found)
        assert (line.free, line.length) == ((places, 10), 0)

    asyncio.run(everybody())
