"""The WebSocket: what is acknowledged was accepted, and what was missed is read from the history."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import WSCloseCode, WSServerHandshakeError

from frontdesk.channels.web.limits import RateLimit
from frontdesk.channels.web.sockets import CLOSE_REPLACED, CLOSE_SESSION
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.events import Missed, Typing
from frontdesk.core.messages import Choice, Note, Source

from .conftest import Chat


async def test_a_message_is_acknowledged_once_it_was_accepted(chat: Chat) -> None:
    async with chat.socket() as browser:
        assert browser.history["entries"] == []
        id = await browser.write("hello")
        ack = await browser.hear()
    assert (ack["type"], ack["id"], ack["duplicate"]) == ("ack", id, False)
    (message,) = chat.accepted
    assert (message.text, message.channel) == ("hello", "web")
    assert message.id == f"{message.conversation}:{id}"


async def test_a_reply_reaches_every_tab_and_is_in_the_history_afterwards(chat: Chat) -> None:
    token = await chat.token()
    reply = chat.reply(
        chat.conversation(token),
        "**Sure?**",
        author="agent:Ann",
        choices=(Choice("Yes", "y"),),
        question="q",
        sources=(Source(title="Terms", url="https://x.example", text="t" * 1000, score=0.5),),
    )
    async with chat.socket(token) as first, chat.socket(token) as second:
        await chat.commit(chat.conversation(token), reply)
        assert await chat.channel.send(reply) == reply.id
        pushed = [await browser.hear() for browser in (first, second)]
    expected = {
        "kind": "reply",
        "id": reply.id,
        "at": reply.at.isoformat().replace("+00:00", "Z"),
        "text": "**Sure?**",
        "agent": "Ann",
        "question": "q",
        "choices": [{"label": "Yes", "value": "y"}],
        "sources": [{"title": "Terms", "url": "https://x.example", "text": "t" * 400}],
    }
    assert pushed == [{"type": "entry", "entry": expected}] * 2
    async with chat.socket(token) as browser:
        assert browser.history["entries"] == [expected]


async def test_a_message_is_shown_in_the_other_tabs(chat: Chat) -> None:
    token = await chat.token()
    async with chat.socket(token) as first, chat.socket(token) as second:
        id = await first.write("hello")
        assert (await first.hear())["type"] == "ack"
        assert (await second.hear())["entry"] | {"at": 0} == {"kind": "message", "id": id, "text": "hello", "at": 0}


async def test_a_repeated_id_counts_once_and_its_first_text_stands(chat: Chat) -> None:
    token = await chat.token()
    async with chat.socket(token) as browser:
        id = await browser.write("first")
        await browser.write("second", id=id)
        await browser.write("third", id=id.upper())
        assert [(await browser.hear())["duplicate"] for _ in range(3)] == [False, True, True]
    assert [message.text for message in chat.accepted] == ["first"]
    assert [entry["text"] for entry in (await chat.get(token))["entries"]] == ["first"]


async def test_messages_are_kept_in_the_order_in_which_they_came(chat: Chat) -> None:
    """A replay in another order changes nothing."""
    token = await chat.token()
    ids = [str(uuid4()) for _ in range(5)]
    async with chat.socket(token) as browser:
        for id in [*ids, *reversed(ids)]:
            await browser.write(id, id=id)
        for _ in range(10):
            assert (await browser.hear())["type"] == "ack"
    assert [entry["text"] for entry in (await chat.get(token))["entries"]] == ids


async def test_nothing_is_acknowledged_while_nothing_can_be_kept(chat: Chat) -> None:
    async with chat.socket() as browser:
        chat.refusal = Unavailable("disk full: /secret/path", retry_after=3)
        id = await browser.write("hello")
        error = await browser.hear()
        chat.refusal = None
        assert error == {
            "type": "error",
            "error": "the chat is busy; please try again",
            "status": 503,
            "id": id,
            "retry_after": 3,
        }
        await browser.write("hello", id=id)
        assert (await browser.hear())["duplicate"] is False


@pytest.mark.parametrize(
    ("frame", "status", "word"),
    [
        ({"text": "x" * 4001}, 413, "too long"),
        ({"text": "  "}, 400, "empty"),
        ({"text": "a", "files": ["forged.ticket"]}, 400, "not uploaded"),
    ],
)
async def test_what_cannot_be_taken_is_refused_under_its_id(chat: Chat, frame: dict[str, Any], status: int, word: str) -> None:
    async with chat.socket() as browser:
        id = str(uuid4())
        await browser.say(type="message", id=id, **frame)
        error = await browser.hear()
        assert (error["id"], error["status"]) == (id, status)
        assert word in error["error"]
        await browser.write("still here")
        assert (await browser.hear())["type"] == "ack"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"type":"message","id":NaN}', b"[" * 10_000, b'{"type":"hello","token":"again"}', b"\0"],
)
@pytest.mark.parametrize("binary", [True, False])
async def test_a_broken_frame_is_answered_and_harms_nothing(chat: Chat, data: bytes, binary: bool) -> None:
    async with chat.socket() as browser:
        if binary:
            await browser.ws.send_bytes(data)
        else:
            await browser.ws.send_frame(data, 1)  # type: ignore[arg-type]
        assert (await browser.hear())["status"] == 400
        await browser.write("still here")
        assert (await browser.hear())["type"] == "ack"


async def test_broken_utf_8_is_refused(chat: Chat) -> None:
    """In a text frame the protocol asks for close code 1007 (RFC 6455, section 8.1)."""
    async with chat.socket() as browser:
        await browser.ws.send_bytes(b'{"type":"message","text":"\xff"}')
        assert await browser.hear() == {"type": "error", "error": "this is not UTF-8", "status": 400}
        await browser.ws.send_frame(b"\xff\xfe", 1)  # type: ignore[arg-type]
        assert await browser.closed() == WSCloseCode.INVALID_TEXT


async def test_ten_megabytes_of_text_close_the_socket_and_nothing_else(chat: Chat) -> None:
    async with chat.socket() as neighbour:
        async with chat.socket() as browser:
            with suppress(ConnectionError):
                await browser.write("x" * 10_000_000)
            assert await browser.closed() in {WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.ABNORMAL_CLOSURE}
        await neighbour.write("hello")
        assert (await neighbour.hear())["type"] == "ack"
    assert [message.text for message in chat.accepted] == ["hello"]


@pytest.mark.parametrize("token", ["", "forged", "web:someone.ffffffff.signature"])
async def test_a_forged_session_is_closed(chat: Chat, token: str) -> None:
    async with chat.client.ws_connect("/chat/socket") as ws:
        await ws.send_json({"type": "hello", "token": token})
        assert (await ws.receive_json())["status"] == 401
        await ws.receive()
        assert ws.close_code == CLOSE_SESSION


async def test_an_expired_session_is_closed(chat: Chat) -> None:
    expired = chat.channel.chat.signer.session("web:abc", datetime.now(UTC) - timedelta(seconds=1))
    async with chat.client.ws_connect("/chat/socket") as ws:
        await ws.send_json({"type": "hello", "token": expired})
        assert "expired" in (await ws.receive_json())["error"]
        await ws.receive()
        assert ws.close_code == CLOSE_SESSION


async def test_the_first_frame_must_be_hello(chat: Chat) -> None:
    async with chat.client.ws_connect("/chat/socket") as ws:
        await ws.send_json({"type": "message", "id": str(uuid4()), "text": "hello"})
        await ws.receive()
        await ws.receive()
        assert ws.close_code == CLOSE_SESSION
    assert chat.accepted == []


async def test_a_token_in_the_address_is_not_read(chat: Chat) -> None:
    token = await chat.token()
    async with chat.client.ws_connect(f"/chat/socket?token={token}") as ws:
        await ws.send_json({"type": "ping"})
        assert (await ws.receive_json())["status"] == 401


async def test_nobody_hears_another_conversation(chat: Chat) -> None:
    async with chat.socket() as mine, chat.socket() as theirs:
        await theirs.write("my secret")
        await theirs.hear()
        await mine.say(type="ping")
        assert await mine.hear() == {"type": "pong"}
        await mine.say(type="history")
        assert (await mine.hear())["entries"] == []


async def test_a_browser_that_comes_back_gets_what_it_missed(chat: Chat) -> None:
    token = await chat.token()
    await chat.post(token, {"type": "message", "id": str(uuid4()), "text": "one"})
    async with chat.socket(token) as browser:
        seen = browser.history["last"]
    reply = chat.reply(chat.conversation(token), "two")
    await chat.commit(chat.conversation(token), reply)
    await chat.channel.send(reply)
    async with chat.socket(token, after=seen) as browser:
        assert [entry["text"] for entry in browser.history["entries"]] == ["two"]


async def test_long_histories_are_read_page_by_page(chat: Chat) -> None:
    token = await chat.token()
    conversation = chat.conversation(token)
    await chat.commit(conversation, *(chat.reply(conversation, str(number)) for number in range(120)))
    async with chat.socket(token) as browser:
        texts: list[str] = []
        page = browser.history
        while True:
            texts = [entry["text"] for entry in page["entries"]] + texts
            if not page["more"]:
                break
            await browser.say(type="history", before=page["first"])
            page = await browser.hear()
            assert page["back"]
    assert texts == [str(number) for number in range(120)]


async def test_changes_are_shown_and_notes_never_are(chat: Chat) -> None:
    async with chat.socket() as browser:
        await browser.write("hello")
        await browser.hear()
        conversation = chat.accepted[0].conversation
        await chat.commit(conversation)
        await chat.channel.services.handoff.note(conversation, "Ann", "a difficult customer")
        assert (await browser.hear()) == {"type": "typing", "active": False, "agent": None, "heard": None}
        await chat.channel.services.handoff.take(conversation, "Ann")
        mark = (await browser.hear())["entry"]
        assert (mark["kind"], mark["event"], mark["agent"]) == ("mark", "taken", "Ann")
        await browser.hear()
        await browser.say(type="history")
        history = await browser.hear()
    note = Note(id="n", conversation=conversation, text="a difficult customer", author="agent:Ann", at=datetime.now(UTC))
    assert note.text not in json.dumps(history)
    assert [entry["kind"] for entry in history["entries"]] == ["message", "mark"]


async def test_typing_is_shown_both_ways(chat: Chat) -> None:
    token = await chat.token()
    async with chat.socket(token) as browser:
        chat.events.publish(Typing(chat.conversation(token), "bot"))
        assert await browser.hear() == {"type": "typing", "active": True, "agent": None, "heard": None}
        chat.events.publish(Typing(chat.conversation(token), "agent:Ann"))
        assert await browser.hear() == {"type": "typing", "active": True, "agent": "Ann", "heard": None}
        chat.events.publish(Typing(chat.conversation(token), "bot", heard=0.4))
        assert await browser.hear() == {"type": "typing", "active": True, "agent": None, "heard": 0.4}
        with chat.events.subscribe(chat.conversation(token)) as events:
            await browser.say(type="typing")
            assert await events.get() == Typing(chat.conversation(token), "contact")


async def test_after_missed_events_browsers_read_again(chat: Chat) -> None:
    async with chat.socket() as browser:
        chat.events.publish(Missed())
        assert await browser.hear() == {"type": "sync"}


async def test_html_travels_as_text(chat: Chat) -> None:
    token = await chat.token()
    text = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    async with chat.socket(token) as browser:
        await browser.write(text)
        await browser.hear()
    assert [entry["text"] for entry in (await chat.get(token))["entries"]] == [text]


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"messages_per_minute": 3, "sockets_per_session": 2}

    async def test_messages_over_the_rate_are_to_be_sent_later(self, chat: Chat) -> None:
        async with chat.socket() as browser:
            for number in range(4):
                await browser.write(str(number))
            answers = [await browser.hear() for _ in range(4)]
        assert [answer["type"] for answer in answers] == ["ack"] * 3 + ["error"]
        assert answers[3]["status"] == 429
        assert 0 < answers[3]["retry_after"] <= 20

    async def test_the_rate_is_for_a_session_not_for_a_socket_or_a_transport(self, chat: Chat) -> None:
        token = await chat.token()
        async with chat.socket(token) as browser:
            for _ in range(3):
                await browser.write("hello")
                await browser.hear()
        status, problem = await chat.post(token, {"type": "message", "id": str(uuid4()), "text": "one more"})
        assert (status, problem["error"]) == (429, "too many messages; please wait a moment")

    async def test_the_oldest_tab_makes_room(self, chat: Chat) -> None:
        token = await chat.token()
        async with chat.socket(token) as first, chat.socket(token) as second, chat.socket(token) as third:
            assert await first.closed() == CLOSE_REPLACED
            reply = chat.reply(chat.conversation(token), "hello")
            await chat.channel.send(reply)
            for browser in (second, third):
                assert (await browser.hear())["entry"]["text"] == "hello"

    async def test_a_flood_of_frames_is_closed(self, chat: Chat) -> None:
        async with chat.socket() as browser:
            for _ in range(300):
                await browser.say(type="ping")
            assert await browser.closed() == WSCloseCode.POLICY_VIOLATION


async def test_a_session_that_never_stops_reconnecting_is_refused(chat: Chat) -> None:
    chat.channel.chat._frames = RateLimit(5)
    token = await chat.token()
    for _ in range(5):
        async with chat.socket(token) as browser:
            assert browser.history["type"] == "history"
    async with chat.socket(token) as browser:
        assert (browser.history["type"], browser.history["status"]) == ("error", 429)
        assert await browser.closed() == WSCloseCode.POLICY_VIOLATION


class TestHeartbeat:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"heartbeat": 1.0}

    async def test_a_browser_that_answers_stays_and_a_dead_one_is_cut_off(self, chat: Chat) -> None:
        token = await chat.token()
        async with chat.socket(token) as alive, chat.client.ws_connect("/chat/socket", autoping=False) as dead:
            await dead.send_json({"type": "hello", "token": token})
            await chat.connected(2)
            listening = asyncio.create_task(alive.hear())
            await chat.connected(1)
            await asyncio.sleep(2)
            await chat.channel.send(chat.reply(chat.conversation(token), "still there?"))
            assert (await listening)["entry"]["text"] == "still there?"

    @pytest.mark.parametrize("autoping", [False, True])
    async def test_a_socket_without_hello_is_ended(self, chat: Chat, autoping: bool) -> None:
        async with chat.client.ws_connect("/chat/socket", autoping=autoping) as ws, asyncio.timeout(60):
            async for _ in ws:
                pass
            while chat.channel._sockets._open:  # noqa: ASYNC110 - production code needs no event here
                await asyncio.sleep(0.01)


async def test_a_message_may_come_in_pieces(chat: Chat) -> None:
    """Frames, and the bytes of frames, can be cut anywhere."""
    id = str(uuid4())
    whole = json.dumps({"type": "message", "id": id, "text": "您好 " * 50}, ensure_ascii=False).encode()
    async with chat.socket() as browser:
        transport = browser.ws._conn.transport  # type: ignore[union-attr]
        pieces = [whole[:7], whole[7:80], whole[80:]]
        for number, piece in enumerate(pieces):
            first = (0 if number else 1) | (0x80 if number == len(pieces) - 1 else 0)
            length = bytes([0x80 | len(piece)]) if len(piece) < 126 else bytes([0x80 | 126]) + len(piece).to_bytes(2, "big")
            for byte in bytes([first]) + length + b"\0\0\0\0" + piece:
                transport.write(bytes([byte]))
                await asyncio.sleep(0)
        assert (await browser.hear())["id"] == id
    assert chat.accepted[0].text == ("您好 " * 50).strip()


async def test_a_frame_without_a_mask_closes_the_socket(chat: Chat) -> None:
    async with chat.socket() as browser:
        browser.ws._conn.transport.write(b"\x81\x02{}")  # type: ignore[union-attr]
        assert await browser.closed() == WSCloseCode.PROTOCOL_ERROR


async def test_a_storm_of_reconnections_leaves_nothing_behind(chat: Chat) -> None:
    token = await chat.token()

    async def visit() -> None:
        async with chat.socket(token):
            pass

    for _ in range(10):
        await asyncio.gather(*(visit() for _ in range(8)))
    await chat.connected(0)


async def test_a_browser_that_does_not_read_is_cut_off_and_delays_nobody(chat: Chat) -> None:
    token = await chat.token()
    reply = chat.reply(chat.conversation(token), "x" * 100_000)
    async with chat.socket(token) as slow, chat.socket(token) as quick:
        slow.ws._conn.protocol.pause_reading()  # type: ignore[union-attr]
        async with asyncio.timeout(60):
            for _ in range(100):
                await chat.channel.send(reply)
                assert (await quick.hear())["entry"]["id"] == reply.id
        await chat.connected(1)
        slow.ws._conn.protocol.resume_reading()  # type: ignore[union-attr]


async def test_unavailable_history_is_tried_again_later(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: Any, **kwargs: Any) -> None:
        raise Unavailable("down")

    token = await chat.token()
    monkeypatch.setattr(chat.store, "transcript", fail)
    async with chat.client.ws_connect("/chat/socket") as ws:
        await ws.send_json({"type": "hello", "token": token})
        await ws.receive()
        assert ws.close_code == WSCloseCode.TRY_AGAIN_LATER
    await chat.connected(0)


async def test_a_message_that_the_intake_refuses_is_an_error_frame(chat: Chat) -> None:
    async with chat.socket() as browser:
        chat.refusal = InvalidInput("no such thing", status=422)
        await browser.write("hello")
        error = await browser.hear()
        assert (error["status"], error["error"]) == (422, "no such thing")


async def test_at_shutdown_browsers_are_told_to_come_back(chat: Chat) -> None:
    async with chat.socket() as browser:
        chat.channel._sockets.close()
        assert await browser.closed() == WSCloseCode.GOING_AWAY


async def test_another_site_cannot_open_a_socket(chat: Chat) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await chat.client.ws_connect("/chat/socket", origin="https://evil.example")
    assert refused.value.status == 403


async def test_a_plain_request_for_the_socket_is_refused(chat: Chat) -> None:
    async with chat.client.get("/chat/socket") as response:
        assert response.status == 400
