import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientResponse

from frontdesk.channels.desk import conversation_pages
from frontdesk.channels.desk.live import EVERYTHING, Live
from frontdesk.core.events import Accepted, Delivered, Events, Missed, Typing

from .conftest import Browser, World, message


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.desk.run())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def read(stream: ClientResponse) -> tuple[str, dict[str, object]]:
    async with asyncio.timeout(60):
        while True:
            event = (await stream.content.readuntil(b"\n\n")).decode()
            if not event.startswith(":"):
                name, data = event.strip().split("\n")
                return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def open_stream(browser: Browser) -> ClientResponse:
    stream = await browser.get("/desk/events")
    assert stream.status == 200
    assert stream.headers["Content-Type"] == "text/event-stream"
    assert await read(stream) == ("everything", {})
    return stream


async def test_a_page_hears_of_changes_soon(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    async with running(world):
        stream = await open_stream(ana)
        await ana.post("/desk/c/web%3A1/take")
        assert await read(stream) == ("changed", {"conversations": ["web:1"]})

        world.events.publish(Accepted("web:2", message("web:2", "secret words")))
        world.events.publish(Delivered("web:1", "o1"))
        assert await read(stream) == ("changed", {"conversations": ["web:1", "web:2"]})

        world.events.publish(Typing("web:1", "contact"))
        assert await read(stream) == ("typing", {"conversation": "web:1", "author": "contact"})
        stream.close()


async def test_an_agents_typing_is_published(world: World) -> None:
    ana = await world.agent()
    await world.conversation()
    with world.events.subscribe("web:1") as subscription:
        assert (await ana.post("/desk/c/web%3A1/typing")).status == 204
        assert await subscription.get() == Typing("web:1", "agent:Ana")


async def test_the_stream_ends_with_the_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_pages, "HEARTBEAT", 0.05)
    ana = await world.agent()
    stream = await open_stream(ana)
    await world.desk.database.run(lambda db: db.execute("DELETE FROM sessions"))
    async with asyncio.timeout(60):
        await stream.read()
    assert (await ana.get("/desk/events")).status == 401


async def test_open_streams_do_not_hold_up_the_end(world: World) -> None:
    ana = await world.agent()
    stream = await open_stream(ana)
    world.desk.live.end()
    async with asyncio.timeout(60):
        await stream.read()


async def test_a_slow_page_is_told_to_read_everything(world: World) -> None:
    events = Events()
    live = Live(events)
    task = asyncio.create_task(live.run())
    await asyncio.sleep(0)
    with live.page() as queue:
        for _ in range(200):
            events.publish(Typing("web:1", "contact"))
        await asyncio.sleep(0.01)
        waiting = [queue.get_nowait() for _ in range(queue.qsize())]
    task.cancel()
    assert len(waiting) <= 64
    assert EVERYTHING in waiting


async def test_what_was_missed_is_not_lost_behind_other_news(world: World) -> None:
    events = Events()
    live = Live(events)
    task = asyncio.create_task(live.run())
    await asyncio.sleep(0)
    with live.page() as queue:
        queue.get_nowait()
        events.publish(Missed())
        events.publish(Typing("web:1", "contact"))
        async with asyncio.timeout(60):
            assert (await queue.get()).startswith(b"event: typing")
            assert await queue.get() == EVERYTHING
    task.cancel()


async def test_very_many_changes_are_one(world: World) -> None:
    events = Events()
    live = Live(events)
    task = asyncio.create_task(live.run())
    await asyncio.sleep(0)
    with live.page() as queue:
        assert await queue.get() == EVERYTHING
        for number in range(300):
            events.publish(Delivered(f"web:{number}", "o"))
        async with asyncio.timeout(60):
            assert await queue.get() == EVERYTHING
        assert queue.empty()
    task.cancel()
