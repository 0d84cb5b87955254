import asyncio
from contextlib import suppress
from itertools import pairwise

from frontdesk.core.pacing import Pace, Rate
from frontdesk.core.sending import Pieces


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_each_key_has_its_own_allowance() -> None:
    pace = Pace(each=Rate(count=1, seconds=0.2))
    started = now()
    await asyncio.gather(*(pace.wait(key) for key in "abcdef"))
    assert now() - started < 0.15
    await pace.wait("a")
    assert now() - started > 0.15


async def test_all_keys_share_the_allowance_of_everything() -> None:
    pace = Pace(overall=Rate(count=2, seconds=0.2))
    times: list[float] = []

    async def wait(key: str) -> None:
        await pace.wait(key)
        times.append(now())

    await asyncio.gather(*(wait(str(number)) for number in range(6)))
    assert times[-1] - times[0] > 0.3
    assert all(later >= earlier for earlier, later in pairwise(times))


async def test_a_pause_that_the_platform_asks_for_is_kept() -> None:
    pace = Pace()
    pace.hold(0.15, "a")
    started = now()
    await pace.wait("b")
    assert now() - started < 0.1
    await pace.wait("a")
    assert now() - started >= 0.14
    pace.hold(0.1)
    started = now()
    await pace.wait("b")
    assert now() - started >= 0.09


async def test_a_reply_in_pieces_goes_on_where_it_stopped() -> None:
    pieces, sent, fail = Pieces(), [], True

    async def send(piece: str) -> str:
        nonlocal fail
        if piece == "b" and fail:
            fail = False
            raise OSError
        sent.append(piece)
        return piece.upper()

    with suppress(OSError):
        await pieces.send("r1", ["a", "b", "c"], send)
    assert await pieces.send("r1", ["a", "b", "c"], send) == ["A", "B", "C"]
    assert sent == ["a", "b", "c"]
