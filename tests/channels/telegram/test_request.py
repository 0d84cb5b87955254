"""The request class under python-telegram-bot, against a server that answers what it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from telegram import InputFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from frontdesk.channels.telegram.api import Api, refused
from frontdesk.channels.telegram.request import NotReached
from frontdesk.channels.telegram.settings import TelegramSettings
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected, DeliveryUncertain
from frontdesk.core.testing.platform import free_port

TOKEN = "123456789:AAsecret-of-the-bot"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers every request with `handler`."""

    def __init__(self) -> None:
        self.handler: Handler = self.nothing
        self.url = ""

    @staticmethod
    async def nothing(request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True, "result": True})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await self.handler(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    api = Api(TelegramSettings.model_validate({"token": TOKEN, "api_url": server.url}))
    await api.open()
    yield api
    await api.close()


def answering(status: int, body: object) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handler


async def test_values_travel_as_plain_json(server: Server, api: Api) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert (request.method, request.path) == ("POST", f"/bot{TOKEN}/sendMessage")
        assert await request.json() == {"chat_id": 1, "entities": [{"type": "bold", "offset": 0, "length": 1}], "text": "ü😀"}
        return web.json_response({"ok": True, "result": {"message_id": 5}})

    server.handler = handler
    values = {"chat_id": 1, "text": "ü😀", "entities": [{"type": "bold", "offset": 0, "length": 1}]}
    assert await api.call("sendMessage", values) == {"message_id": 5}


async def test_the_librarys_calls_take_the_same_way(server: Server, api: Api) -> None:
    server.handler = answering(
        200, {"ok": True, "result": {"id": 5, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}}
    )
    assert (await api.bot.get_me()).username == "shop_bot"


async def test_files_are_sent_from_the_disk(server: Server, api: Api, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000
    (tmp_path / "large.bin").write_bytes(data)

    async def handler(request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        file = fields["document"]
        assert isinstance(file, web.FileField)
        assert (file.filename, file.file.read()) == ("grüße.bin", data)
        assert (fields["chat_id"], fields["caption"]) == ("1", "see")
        return web.json_response({"ok": True, "result": {"message_id": 5, "date": 1, "chat": {"id": 1, "type": "private"}}})

    server.handler = handler
    with (tmp_path / "large.bin").open("rb") as file:
        sent = await api.bot.send_document(1, InputFile(file, filename="grüße.bin", read_file_handle=False), caption="see")
    assert sent.message_id == 5


@pytest.mark.parametrize(
    ("status", "body", "error", "meaning"),
    [
        (400, {"description": "Bad Request: chat not found"}, BadRequest, DeliveryRejected),
        (400, {"description": "moved", "parameters": {"migrate_to_chat_id": -1001}}, ChatMigrated, DeliveryRejected),
        (401, {"description": "Unauthorized"}, InvalidToken, DeliveryDeferred),
        (403, {"description": "Forbidden: bot was blocked by the user"}, Forbidden, DeliveryRejected),
        (404, {"description": "Not Found"}, InvalidToken, DeliveryDeferred),
        (409, {"description": "Conflict"}, Conflict, DeliveryUncertain),
        (413, {"description": "Request Entity Too Large"}, BadRequest, DeliveryRejected),
        (429, {"description": "Too Many Requests", "parameters": {"retry_after": 7}}, RetryAfter, DeliveryDeferred),
        (500, {"description": "Internal Server Error"}, NetworkError, DeliveryUncertain),
        (502, "<html>Bad Gateway</html>", NetworkError, DeliveryUncertain),
        (200, "nonsense", TelegramError, DeliveryUncertain),
        (200, "{}", TelegramError, DeliveryUncertain),
        (400, {"description": "Bad Request", "parameters": ["odd"]}, BadRequest, DeliveryRejected),
        # Whoever stands between may refuse in another way, and quote what it was asked for.
        (400, f"Cannot POST /bot{TOKEN}/sendMessage", NetworkError, DeliveryUncertain),
        (403, "<html>The office's proxy forbids it</html>", NetworkError, DeliveryUncertain),
        (404, f'{{"path": "/bot{TOKEN}/sendMessage"}}', NetworkError, DeliveryUncertain),
        (429, "<html>Slower</html>", RetryAfter, DeliveryDeferred),
        (429, {"description": "Too Many Requests"}, RetryAfter, DeliveryDeferred),
        (503, f"GET /bot{TOKEN} failed", NetworkError, DeliveryUncertain),
    ],
)
async def test_what_goes_wrong(
    server: Server, api: Api, status: int, body: object, error: type[TelegramError], meaning: type[Exception]
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response({"ok": False, "error_code": status, **body}, status=status)

    server.handler = handler
    with pytest.raises(error) as raised:
        await api.call("sendMessage", {})
    meant = refused(raised.value)
    assert type(meant) is meaning
    assert TOKEN not in f"{raised.value!r} {raised.value} {meant}"
    if isinstance(meant, DeliveryDeferred) and error is RetryAfter:
        assert meant.retry_after == (7 if "parameters" in body else 5)


async def test_half_an_emoji_in_an_answer(server: Server, api: Api) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=rb'{"ok": true, "result": [{"update_id": 1, "message": {"text": "half \ud83d"}}]}')

    server.handler = handler
    assert await api.call("getUpdates", {}) == [{"update_id": 1, "message": {"text": "half ?"}}]


async def test_a_connection_that_is_cut_leaves_it_uncertain(server: Server, api: Api) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server.handler = handler
    with pytest.raises(NetworkError) as raised:
        await api.call("sendMessage", {})
    assert type(refused(raised.value)) is DeliveryUncertain


async def test_no_answer_in_time_leaves_it_uncertain(server: Server, api: Api) -> None:
    done = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await done.wait()
        return web.Response()

    server.handler = handler
    with pytest.raises(TimedOut) as raised:
        await api.call("sendMessage", {}, seconds=0.2)
    done.set()
    assert type(refused(raised.value)) is DeliveryUncertain


async def test_what_was_never_sent_is_certain() -> None:
    api = Api(TelegramSettings.model_validate({"token": TOKEN, "api_url": f"http://127.0.0.1:{free_port()}"}))
    with pytest.raises(NotReached):
        await api.call("sendMessage", {})
    await api.open()
    try:
        with pytest.raises(NotReached) as raised:
            await api.call("sendMessage", {})
        assert type(refused(raised.value)) is DeliveryDeferred
        assert TOKEN not in str(raised.value)
    finally:
        await api.close()


async def test_downloads_come_in_pieces(server: Server, api: Api) -> None:
    data = bytes(range(256)) * 4000

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.path == f"/file/bot{TOKEN}/documents/a b.bin"
        return web.Response(body=data)

    server.handler = handler
    pieces = [piece async for piece in api.download("documents/a b.bin")]
    assert len(pieces) > 1
    assert b"".join(pieces) == data


@pytest.mark.parametrize(("status", "error"), [(404, BadRequest), (502, NetworkError)])
async def test_downloads_that_fail(server: Server, api: Api, status: int, error: type[TelegramError]) -> None:
    server.handler = answering(status, {})
    with pytest.raises(error) as raised:
        async for _ in api.download("x"):
            pass
    assert type(raised.value) is error
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("api_url", "no_proxy", "asked"),
    [
        ("https://api.telegram.example", "", ["api.telegram.example:443"]),
        ("https://127.0.0.1:9", "127.0.0.1", []),
        ("http://127.0.0.1:9", "", []),
    ],
)
async def test_telegram_is_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, api_url: str, no_proxy: str, asked: list[str]
) -> None:
    """In some countries and offices there is no other way."""
    heard: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, no_proxy)
        api = Api(TelegramSettings.model_validate({"token": TOKEN, "api_url": api_url}))
        await api.open()
        try:
            with pytest.raises(NotReached) as raised:
                await api.call("getMe", {}, seconds=5)
        finally:
            await api.close()
    assert heard == asked
    assert TOKEN not in f"{raised.value!r}"
