"""The fallback without a socket, and what every request passes: tokens, origins, types and sizes."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from frontdesk.channels.web import guard
from frontdesk.core.errors import Unavailable
from frontdesk.core.events import Typing

from .conftest import Chat


def message(text: str = "hello", id: str | None = None) -> dict[str, str]:
    return {"type": "message", "id": id or str(uuid4()), "text": text}


async def test_a_posted_message_is_acknowledged_and_answered_by_long_polling(chat: Chat) -> None:
    token = await chat.token()
    sent = message()
    status, ack = await chat.post(token, sent)
    assert (status, ack["id"], ack["duplicate"]) == (200, sent["id"], False)
    last = (await chat.get(token))["last"]

    waiting = asyncio.create_task(chat.get(token, f"after={last}&wait=10"))
    await chat.connected(1)
    reply = chat.reply(chat.conversation(token), "hi")
    await chat.commit(chat.conversation(token), reply)
    await chat.channel.send(reply)
    history = await asyncio.wait_for(waiting, 60)
    assert [entry["text"] for entry in history["entries"]] == ["hi"]
    assert len(chat.channel._connections) == 0


async def test_a_poll_waits_on_an_empty_conversation_and_hears_typing(chat: Chat) -> None:
    token = await chat.token()
    waiting = asyncio.create_task(chat.get(token, "wait=10"))
    await chat.connected(1)
    chat.events.publish(Typing(chat.conversation(token), "bot"))
    history = await asyncio.wait_for(waiting, 60)
    assert (history["entries"], history["typing"]["active"]) == ([], True)


async def test_without_wait_a_poll_answers_at_once(chat: Chat) -> None:
    assert (await asyncio.wait_for(chat.get(await chat.token(), "after=0"), 60))["entries"] == []


async def test_a_repeated_post_counts_once(chat: Chat) -> None:
    token = await chat.token()
    sent = message()
    answers = await asyncio.gather(*(chat.post(token, sent) for _ in range(5)))
    assert sorted(answer["duplicate"] for _, answer in answers) == [False, True, True, True, True]
    assert len(chat.accepted) == 1


async def test_parallel_posts_are_each_taken_once(chat: Chat) -> None:
    token = await chat.token()
    same, others = message("the same"), [message(f"number {number}") for number in range(10)]
    answers = await asyncio.gather(*(chat.post(token, frame) for frame in [same] * 10 + others))
    assert {status for status, _ in answers} == {200}
    assert [answer["duplicate"] for _, answer in answers[:10]].count(False) == 1
    assert not any(answer["duplicate"] for _, answer in answers[10:])
    assert sorted(taken.text for taken in chat.accepted) == sorted(["the same", *(frame["text"] for frame in others)])


async def test_unavailable_is_503_with_retry_after(chat: Chat) -> None:
    chat.refusal = Unavailable("disk full", retry_after=7)
    token = await chat.token()
    headers = {"Authorization": f"Bearer {token}"}
    async with chat.client.post("/chat/messages", json=message(), headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "7")
        assert await response.json() == {"error": "the chat is busy; please try again"}


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer forged", "Basic dXNlcjpwYXNz", "Bearer a.b.c"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/chat/messages"), ("POST", "/chat/messages"), ("POST", "/chat/files"), ("GET", "/chat/files/abc")],
)
async def test_without_a_valid_token_nothing_is_done(chat: Chat, method: str, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    body = {"json": message()} if method == "POST" else {}
    async with chat.client.request(method, path, headers=headers, **body) as response:  # type: ignore[arg-type]
        assert response.status == 401
        assert "error" in await response.json()
    assert chat.accepted == []


async def test_a_valid_token_is_renewed_for_the_same_conversation(chat: Chat) -> None:
    token = await chat.token()
    async with chat.client.post("/chat/sessions", headers={"Authorization": f"Bearer {token}"}) as response:
        renewed = await response.json()
    assert chat.conversation(renewed["token"]) == chat.conversation(token)
    async with chat.client.post("/chat/sessions", headers={"Authorization": "Bearer forged"}) as response:
        assert response.status == 401


async def test_suggestions_come_in_the_language_of_the_page(chat: Chat) -> None:
    for language, first in (("zh-CN", "我的订单到哪里了？"), ("en", "Where is my order?"), ("xx", None)):
        async with chat.client.post(f"/chat/sessions?language={language}") as response:
            suggestions = (await response.json())["suggestions"]
        assert (suggestions[0] if suggestions else None) == first


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"type":"message"', 400),
        (b'{"id":NaN}', 400),
        (b'{"type":"ping"}', 400),
        (b"[" * 10_000, 400),
        (b"\xff\xfe\x00", 400),
        (json.dumps(message("x" * 4001)).encode(), 413),
        (json.dumps(message("x" * 10_000_000)).encode(), 413),
    ],
)
async def test_bad_bodies_have_a_defined_answer(chat: Chat, body: bytes, status: int) -> None:
    token = await chat.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        answered, problem = await chat.post(token, data=body, headers=headers)
    except ConnectionError:
        assert len(body) > 1_000_000  # refused while it was still being sent
    else:
        assert (answered, list(problem)) == (status, ["error"])
    assert chat.accepted == []


async def test_a_body_without_length_is_cut_off_at_the_limit(chat: Chat) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 16_384
            yield b"x" * 16_384
            await asyncio.sleep(0)

    token = await chat.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        status, _ = await asyncio.wait_for(chat.post(token, data=endless(), headers=headers), 60)
        assert status == 413
    except ConnectionError:
        pass
    assert sent < 20_000_000


async def test_a_body_that_does_not_end_is_given_up(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN", 0.1)

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"type":'
        await asyncio.sleep(90)

    token = await chat.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status, _ = await asyncio.wait_for(chat.post(token, data=slow(), headers=headers), 60)
    assert status == 408


@pytest.mark.parametrize("type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"])
async def test_a_wrong_content_type_is_415(chat: Chat, type: str) -> None:
    token = await chat.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": type}
    status, _ = await chat.post(token, data=json.dumps(message()), headers=headers)
    assert status == 415


async def test_compressed_requests_are_refused(chat: Chat) -> None:
    token = await chat.token()
    bomb = gzip.compress(b"x" * 50_000_000)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _ = await asyncio.wait_for(chat.post(token, data=bomb, headers=headers), 60)
    assert status == 415


@pytest.mark.parametrize("query", ["after=-1", "after=x", "before=1e5", "after=99999999999999999999", "wait=%F0"])
async def test_broken_numbers_are_400(chat: Chat, query: str) -> None:
    token = await chat.token()
    async with chat.client.get(f"/chat/messages?{query}", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 400


class TestOrigins:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"allowed_origins": ("https://Shop.example/",)}

    @pytest.mark.parametrize("origin", ["https://shop.example", "https://chat.example", "http://127.0.0.1:{port}"])
    async def test_allowed_sites_may_read_the_answer(self, chat: Chat, origin: str) -> None:
        origin = origin.format(port=chat.client.port)
        async with chat.client.post("/chat/sessions", headers={"Origin": origin}) as response:
            assert response.status == 201
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert response.headers["Vary"] == "Origin"
            assert "Access-Control-Allow-Credentials" not in response.headers

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example", "", "x"]
    )
    async def test_other_sites_are_refused(self, chat: Chat, origin: str) -> None:
        async with chat.client.post("/chat/sessions", headers={"Origin": origin}) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers

    async def test_a_preflight_names_what_is_allowed(self, chat: Chat) -> None:
        headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        async with chat.client.options("/chat/messages", headers=headers) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
        async with chat.client.options("/chat/messages", headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403


class TestEverySite:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"allowed_origins": ("*",)}

    async def test_every_site_may_embed(self, chat: Chat) -> None:
        async with chat.client.post("/chat/sessions", headers={"Origin": "https://any.example"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://any.example"
