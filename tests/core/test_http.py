import asyncio
from pathlib import Path

import aiohttp
import pytest

from frontdesk.core.app import App, Options
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.models import Models, ModelState
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import ScriptedChat
from frontdesk.core.testing.platform import free_port


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(Options(data_folder=tmp_path, port=free_port()), store=MemoryStore(), plugins=[], transports=[])


async def test_the_operators_end_points_answer(app: App) -> None:
    async with app, aiohttp.ClientSession(f"http://127.0.0.1:{app.options.port}") as session:
        async with session.get("/healthz") as response:
            assert (await response.json())["status"] == "ok"
        async with session.get("/readyz") as response:
            assert await response.json() == {"status": "ok", "inbox": 0, "outbox": 0, "dead": 0, "models": {}}
        async with session.get("/metrics") as response:
            assert 'frontdesk_queue_depth{queue="inbox"} 0.0' in await response.text()


async def test_they_tell_how_the_models_do(tmp_path: Path) -> None:
    chat = ScriptedChat()
    options = Options(data_folder=tmp_path, port=free_port())
    app = App(options, store=MemoryStore(), plugins=[], transports=[], models=Models(chat=chat))
    async with app, aiohttp.ClientSession(f"http://127.0.0.1:{options.port}") as session:
        chat.state = ModelState(status="loading", detail="reads the weights", progress=0.25)
        async with session.get("/readyz") as response:
            loading = {"status": "loading", "detail": "reads the weights", "progress": 0.25}
            assert (await response.json())["models"] == {"scripted": loading}
        async with session.get("/metrics") as response:
            assert 'frontdesk_model_ready{model="scripted"} 0.0' in await response.text()


async def test_headers_that_never_end_are_given_up(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.core.app.HEADER_SECONDS", 0.5)
    async with app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.options.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: shop\r\nX-Slow: ")
        async with asyncio.timeout(60):
            while not reader.at_eof():
                await asyncio.sleep(0.1)
                writer.write(b"a")
        writer.close()


async def test_a_taken_port_is_named_with_the_fix(app: App, tmp_path: Path) -> None:
    async with app:
        other = App(Options(data_folder=tmp_path, port=app.options.port), store=MemoryStore(), plugins=[], transports=[])
        with pytest.raises(ConfigurationError, match="FRONTDESK_WEB__PORT"):
            await other.__aenter__()
