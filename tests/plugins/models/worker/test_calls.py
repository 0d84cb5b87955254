"""Calls of a model in a child process, and what misbehaving answers cost."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from frontdesk.core.errors import InvalidInput, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.worker import Worker
from frontdesk.plugins.models.worker.parent import Patience

from .conftest import Make

SECONDS = 60.0


async def pieces(worker: Worker, method: str, argument: bytes = b"", *, seconds: float = SECONDS) -> list[bytes]:
    return [piece async for piece in worker.call(method, argument, seconds=seconds)]


async def test_an_answer_comes_in_the_pieces_that_the_service_gave(ready: Worker) -> None:
    assert await pieces(ready, "echo", b"one two three") == [b"one", b"two", b"three"]


async def test_an_answer_may_have_no_pieces(ready: Worker) -> None:
    assert await pieces(ready, "silent") == []


async def test_a_first_piece_is_there_while_the_answer_goes_on(ready: Worker) -> None:
    async with aclosing(ready.call("waits", b"", seconds=SECONDS)) as answer:
        assert await anext(answer) == b"begun"


async def test_many_calls_run_side_by_side(ready: Worker) -> None:
    waiting = [ready.call("waits", b"", seconds=SECONDS) for _ in range(50)]
    for answer in waiting:
        assert await anext(answer) == b"begun"
    answers = await asyncio.gather(*(pieces(ready, "echo", b"%d" % number) for number in range(50)))
    assert answers == [[b"%d" % number] for number in range(50)]
    for answer in waiting:
        await answer.aclose()


async def test_megabytes_pass_in_both_directions(ready: Worker) -> None:
    picture = b"\x00\xff" * 10_000_000
    assert await pieces(ready, "echo", picture) == [picture]
    (huge,) = await pieces(ready, "huge", b"60000000")
    assert len(huge) == 60_000_000


async def test_what_the_service_raises_reaches_the_caller(ready: Worker) -> None:
    with pytest.raises(InvalidInput, match="this is no recording") as invalid:
        await pieces(ready, "breaks", b"invalid")
    assert invalid.value.status == 415
    with pytest.raises(ModelUnavailable, match="no room") as unavailable:
        await pieces(ready, "breaks", b"busy")
    assert unavailable.value.retry_after == 7.0
    with pytest.raises(PromptRejected, match="sings is unknown"):
        await pieces(ready, "sings")


async def test_an_error_of_a_library_reaches_the_caller_without_its_words(ready: Worker) -> None:
    with pytest.raises(ModelFailed, match=r"it broke: RuntimeError at fake_services\.py:\d+") as failed:
        await pieces(ready, "breaks", b"words")
    assert "4111" not in str(failed.value)


@pytest.mark.parametrize("how", ["sys.exit", "interrupt", "memory", "text"])
async def test_an_answer_that_breaks_costs_itself_alone(ready: Worker, how: str) -> None:
    pid = ready.pid
    with pytest.raises(ModelFailed, match="it broke"):
        await pieces(ready, "breaks", how.encode())
    assert await pieces(ready, "echo", b"again") == [b"again"]
    assert ready.pid == pid


async def test_a_piece_beyond_the_limit_is_refused_in_the_child(ready: Worker) -> None:
    with pytest.raises(ModelFailed, match="a piece of 70000000 bytes"):
        await pieces(ready, "huge", b"70000000")
    assert await pieces(ready, "echo", b"again") == [b"again"]


async def test_an_argument_beyond_the_limit_is_refused_before_it_is_sent(ready: Worker) -> None:
    with pytest.raises(PromptRejected, match="more than local:fake takes at once"):
        await pieces(ready, "echo", bytes(70_000_000))


async def test_a_call_that_takes_longer_than_it_may_fails_and_is_cancelled_in_the_child(ready: Worker) -> None:
    with pytest.raises(ModelFailed, match=r"took longer than 0\.2 s"):
        await pieces(ready, "waits", seconds=0.2)
    await until(lambda: was_cancelled(ready, 1))


async def test_closing_an_answer_ends_the_work_on_it(ready: Worker) -> None:
    answer = ready.call("waits", b"", seconds=SECONDS)
    await anext(answer)
    await answer.aclose()
    await until(lambda: was_cancelled(ready, 1))


async def test_a_storm_of_cancellations_leaves_nothing_behind(make: Make) -> None:
    worker = make(max_calls=120)
    await worker.start()
    await worker.loaded()
    begun = 0

    async def ask() -> None:
        nonlocal begun
        async for _ in worker.call("waits", b"", seconds=SECONDS):
            begun += 1

    tasks = [asyncio.create_task(ask()) for _ in range(100)]
    await until(lambda: begun == 100)
    # Others are cancelled before the child has heard of them.
    tasks += [asyncio.create_task(pieces(worker, "waits")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until(lambda: was_cancelled(worker, 100, or_more=True))
    assert await asyncio.gather(*(pieces(worker, "echo", b"x") for _ in range(100))) == [[b"x"]] * 100


async def was_cancelled(worker: Worker, times: int, *, or_more: bool = False) -> bool:
    try:
        (count,) = await pieces(worker, "was_cancelled")
    except ModelUnavailable:
        return False
    return int(count) == times or (or_more and int(count) > times)


async def test_more_calls_than_allowed_are_refused(make: Make) -> None:
    worker = make(max_calls=2)
    await worker.start()
    await worker.loaded()
    running = [worker.call("waits", b"", seconds=SECONDS) for _ in range(2)]
    for answer in running:
        await anext(answer)
    with pytest.raises(ModelUnavailable, match="has 2 calls already"):
        await pieces(worker, "echo", b"x")
    for answer in running:
        await answer.aclose()

    async def free() -> bool:
        try:
            return await pieces(worker, "echo", b"x") == [b"x"]
        except ModelUnavailable:
            return False

    await until(free)


async def test_a_flood_that_nobody_reads_fails_and_stops(make: Make) -> None:
    worker = make(patience=Patience(unread_pieces=100))
    await worker.start()
    await worker.loaded()
    answer = worker.call("floods", b"drop", seconds=SECONDS)
    pid = worker.pid
    with pytest.raises(ModelFailed, match="sent more than was read"):
        await read_slowly(answer)
    assert await pieces(worker, "echo", b"again") == [b"again"]
    assert worker.pid == pid


async def test_a_flood_of_bytes_is_bounded_too(make: Make) -> None:
    worker = make(patience=Patience(unread_bytes=1_000_000))
    await worker.start()
    await worker.loaded()
    answer = worker.call("floods", bytes(300_000), seconds=SECONDS)
    with pytest.raises(ModelFailed, match="sent more than was read"):
        await read_slowly(answer)


async def read_slowly(answer: AsyncGenerator[bytes]) -> None:
    async for _ in answer:
        await asyncio.sleep(0.05)


async def test_a_flood_that_is_read_ends_at_the_time_limit(ready: Worker) -> None:
    with pytest.raises(ModelFailed, match="took longer"):
        await pieces(ready, "floods", b"drop", seconds=0.5)
    assert await pieces(ready, "echo", b"again") == [b"again"]


async def test_what_libraries_print_does_not_disturb_the_answer(ready: Worker) -> None:
    pid = ready.pid
    assert await pieces(ready, "prints") == [b"answered"]
    assert await pieces(ready, "prints_much") == [b"answered"]
    assert ready.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
async def test_the_memory_of_the_child_can_be_looked_at(ready: Worker) -> None:
    before = ready.resident
    assert before is not None
    answer = ready.call("holds", b"100000000", seconds=SECONDS)
    await anext(answer)
    assert (ready.resident or 0) > before + 90_000_000
    await answer.aclose()
    await ready.stop()
    assert ready.resident is None
