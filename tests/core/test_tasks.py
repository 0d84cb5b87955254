"""Work beside the event loop."""

import asyncio
import threading

import pytest

from frontdesk.core.tasks import in_daemon


async def test_what_a_thread_makes_comes_back() -> None:
    assert await in_daemon(lambda: threading.current_thread().daemon) is True


async def test_so_does_its_error() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_daemon(lambda: 1 // 0)


def test_the_end_of_the_loop_does_not_wait_for_it() -> None:
    hold = threading.Event()

    async def stop_at_once() -> None:
        working = asyncio.create_task(in_daemon(hold.wait))
        await asyncio.sleep(0)
        working.cancel()

    asyncio.run(stop_at_once())
    hold.set()
