"""What can go wrong between Slack and the bot, each with its outcome."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from frontdesk.core.app import App, Options
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.messages import Attachment, FilePart, Message, Outgoing
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import free_port, until
from frontdesk.core.turn import Turn
from frontdesk.testing.slack import FakeSlack, signed

from .platform import PATHS, SlackPlatform, settings_for
from .rig import ANN, BOT, BOT_ID, Rig, a_rig, payload

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Case:
    """What is sent to /slack/events, with a right signature unless `signing` says otherwise; the status; the texts accepted."""

    name: str
    body: bytes | dict[str, Any]
    status: int
    accepted: tuple[str, ...] = ()
    headers: dict[str, str] | None = None
    signing: dict[str, Any] | None = None


def event(text: Any = "hello", **changes: Any) -> dict[str, Any]:
    """A direct message. A change to `...` takes the field away."""
    found = payload("message")
    inner = found["event"] | {"text": text} | changes
    inner.pop("blocks")
    found["event"] = {key: value for key, value in inner.items() if value is not ...}
    return found


GOOD = json.dumps(event()).encode()
CASES = [
    Case("a good one", GOOD, 200, ("hello",)),
    Case("no signature", GOOD, 401, signing={"sign": False}),
    Case("a signature with another secret", GOOD, 401, signing={"secret": "wrong"}),
    Case("a signature of another body", GOOD, 401, headers=signed(b"{}", "x")),
    Case("a signature that is no ASCII", GOOD, 401, headers={"X-Slack-Signature": "v0=ü"}),
    Case("a signature of version 1", GOOD, 401, headers={"X-Slack-Signature": "v1=00"}),
    Case("a timestamp of five minutes ago", GOOD, 403, signing={"timestamp": time.time() - 400}),
    Case("a timestamp of the future", GOOD, 403, signing={"timestamp": time.time() + 86_400}),
    Case("a timestamp that is no number", GOOD, 401, headers={"X-Slack-Request-Timestamp": "soon"}),
    Case("a timestamp without end", GOOD, 401, headers={"X-Slack-Request-Timestamp": "9" * 400}),
    Case("only a signature", GOOD, 401, headers={"X-Slack-Request-Timestamp": ""}),
    Case("the address is verified", payload("url_verification"), 200),
    Case("the address is verified by somebody else", payload("url_verification"), 401, signing={"secret": "wrong"}),
    Case("a retry number without an original", GOOD, 200, ("hello",), {"X-Slack-Retry-Num": "2", "X-Slack-Retry-Reason": "x"}),
    Case("the bot's own message", event(user=BOT, bot_id=BOT_ID), 200),
    Case("the bot's own message, without its mark", event(user=BOT), 200),
    Case("the message of another bot", event(bot_id="B0OTHER12"), 200),
    Case("no text", event(...), 200),
    Case("text that is no text", event({"text": "hello"}), 200),
    Case("no user", event(user=...), 200),
    Case("no channel", event(channel=...), 200),
    Case("no timestamp", event(ts=...), 200),
    Case("a channel that is a path", event(channel="../../etc"), 200),
    Case("a channel that is another conversation", event(channel="C1:1.1"), 200),
    Case("blocks only", payload("message_blocks_only"), 200, ("only in blocks",)),
    Case("blocks that are none", event(blocks=[None, 1, {"type": "rich_text", "elements": "x"}]), 200, ("hello",)),
    Case("an unknown event", payload("an_event_of_tomorrow"), 200),
    Case("an unknown subtype", payload("message_a_new_subtype"), 200),
    Case("an event that is a list", payload("message") | {"event": []}, 400),
    Case("no event", {"type": "event_callback", "team_id": "T0ACME123"}, 400),
    Case("no workspace", {"type": "event_callback", "event": {"type": "message"}}, 400),
    Case("an unknown payload", {"hello": "world"}, 400),
    Case("too many events", payload("app_rate_limited"), 200),
    Case("200 kB of text", event("x" * 200_000), 200),
    Case("more than 1 MB", event("x" * 1_200_000), 413),
    Case("NUL in the text", event("a\x00b"), 200, ("ab",)),
    Case("a lone surrogate", event("a\ud83db"), 200, ("a?b",)),
    Case("no words but spaces", event("  \n "), 200),
    Case("right-to-left marks", event("\u202eabc"), 200, ("\u202eabc",)),
    Case("broken JSON", GOOD[:-10], 400),
    Case("an empty body", b"", 400),
    Case("bytes that are no UTF-8", b"\xff\xfe{}", 400),
    Case("an array", b"[1, 2]", 400),
    Case("a number", b"1e999", 400),
    Case("NaN", GOOD.replace(b"1731421200,", b"NaN,"), 400),
    Case("10,000 levels deep", b'{"type":"event_callback","event":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400),
    Case("a form instead of JSON", urlencode({"payload": GOOD.decode()}).encode(), 200, ("hello",), headers=FORM),
    Case("a form without a payload", b"a=b&c=d", 400, headers=FORM),
    Case("JSON that says it is a form", GOOD, 400, headers=FORM),
    Case("a form of 10,000 fields", urlencode([(f"f{n}", "1") for n in range(10_000)]).encode(), 400, headers=FORM),
    Case("10,000 blocks", event(blocks=[{"type": "divider"}] * 10_000), 200, ("hello",)),
    Case(
        "10,000 files", event(files=[{"id": f"F{n}", "name": "x"} for n in range(5_000)], subtype="file_share"), 200, ("hello",)
    ),
]


def test_there_are_enough() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bad_input(case: Case, tmp_path: Path) -> None:
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    async with a_rig(tmp_path) as rig:
        status, text = await rig.post("/slack/events", body, {**JSON, **(case.headers or {})}, **(case.signing or {}))
        assert (status, tuple(message.text for message in rig.accepted)) == (case.status, case.accepted)
        assert "Traceback" not in text
        # Whatever it was, the next message is taken.
        assert (await rig.send(event("next", ts="1731421999.000100")))[0] == 200
        assert rig.accepted[-1].text == "next"


async def test_a_repeated_event_is_accepted_once(tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        for number in range(3):
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
            assert (await rig.send(event(), **headers))[0] == 200
    assert len(rig.accepted) == 1


@pytest.mark.parametrize(
    ("refusal", "status"), [(Unavailable("the disk is full"), 503), (InvalidInput("too long", status=413), 200)]
)
async def test_the_store_refuses(refusal: Exception, status: int, tmp_path: Path) -> None:
    """What cannot be kept now is sent again by Slack; what can never be kept must not be."""
    async with a_rig(tmp_path) as rig:
        rig.refusal = refusal
        assert (await rig.send(event()))[0] == status
        rig.refusal = None
        await rig.send(event(), **{"X-Slack-Retry-Num": "1"})
    assert len(rig.accepted) == 1


async def test_the_connection_is_cut_in_the_middle_of_a_body(tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        assert rig.client.server.port is not None
        _, writer = await asyncio.open_connection("127.0.0.1", rig.client.server.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed(GOOD, rig.slack.signing_secret).items())
        writer.write(f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD[:50])
        await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert (await rig.send(event("next")))[0] == 200
    assert [message.text for message in rig.accepted] == ["next"]


async def test_other_methods_and_addresses(tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        async with rig.client.get("/slack/events") as response:
            assert response.status == 405
        assert (await rig.post("/slack/nothing", b"{}"))[0] == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"trigger_id": "1.2.3:../x"},
        {"trigger_id": ""},
        {"user_id": ""},
        {"user_id": "U1:2"},
        {"command": ""},
        {"team_id": ""},
        {"text": "\x00\ud800"},
        {"channel_id": "..:.."},
    ],
)
async def test_odd_commands(changes: dict[str, str], tmp_path: Path) -> None:
    found = {key: value.encode("utf-8", "replace").decode() for key, value in (payload("command") | changes).items()}
    async with a_rig(tmp_path) as rig:
        status, _ = await rig.send(found)
    assert status in (200, 400)


class Sent:
    """A bot that answers, and a Slack that has troubles of its own."""

    def __init__(self, folder: Path) -> None:
        self.platform = SlackPlatform()
        self._folder = folder
        plugin = Plugin("bot")

        @plugin.answer
        async def echo(turn: Turn) -> Reply:
            return Reply(turn.text)

        self._plugin = plugin
        self.app: App

    async def __aenter__(self) -> "Sent":
        port = free_port()
        settings = await self.platform.start(port, self._folder)
        self.app = App(
            Options(data_folder=self._folder / "data", port=port, shutdown_seconds=1),
            store=MemoryStore(),
            plugins=[self._plugin],
            transports=[(SlackPlatform.channel, settings)],
        )
        await self.app.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.__aexit__()
        await self.platform.stop()

    def texts(self) -> list[str]:
        return [seen.text for seen in self.platform.seen()]


Trouble = Callable[[FakeSlack], None]


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (lambda slack: slack.fail("chat.postMessage", status=429, retry_after=1, times=3), 3.0),
        (lambda slack: slack.fail("chat.postMessage", error="ratelimited"), 0.0),
        (lambda slack: slack.fail("chat.postMessage", status=500, times=2), 0.0),
        (lambda slack: slack.fail("chat.postMessage", status=503), 0.0),
        (lambda slack: slack.fail("chat.postMessage", drop=True, times=2), 0.0),
        (lambda slack: slack.fail("chat.postMessage", error="internal_error"), 0.0),
        (lambda slack: slack.fail("*", delay=0.3, times=5), 0.0),
    ],
    ids=["a storm of 429", "ratelimited", "500", "503", "cut", "internal_error", "slow"],
)
async def test_what_slack_does_not_take_now_arrives_later(trouble: Trouble, seconds: float, tmp_path: Path) -> None:
    async with Sent(tmp_path) as sent:
        trouble(sent.platform.slack)
        started = time.monotonic()
        for number in range(3):
            await sent.platform.write(f"number {number}")
        await until(lambda: len(sent.texts()) == 3)
        assert sent.texts() == [f"number {number}" for number in range(3)]
        assert time.monotonic() - started >= seconds


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "restricted_action", "invalid_blocks", "account_inactive"])
async def test_what_slack_refuses_is_a_dead_letter(error: str, tmp_path: Path) -> None:
    async with Sent(tmp_path) as sent:
        sent.platform.slack.fail("chat.postMessage", error=error, times=2)
        await sent.platform.write("refused")

        async def dead() -> bool:
            return (await sent.app.store.health()).dead == 1

        await until(dead)
        sent.platform.slack.faults.clear()
        await sent.platform.write("next")
        await until(lambda: sent.texts() == ["next"])
        (entry,) = await sent.app.store.dead()
        assert isinstance(entry.body, Outgoing)
        assert "refused" not in (entry.error or "")


async def _fetched(rig: Rig, remote: str, media_type: str = "image/png") -> bytes:
    await rig.send(payload("message_file_share"))
    message: Message = rig.accepted[-1]
    attachment = Attachment(id="", name="lamp.png", media_type=media_type, size=0, remote=remote)
    return b"".join([chunk async for chunk in rig.channel.fetch(message, attachment)])


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/files-pri/T0ACME123-F1/download/lamp.png",
        "https://files.slack.com.evil.example/lamp.png",
        "https://evil.example/?https://files.slack.com/lamp.png",
        "http://files.slack.com/lamp.png",
        "https://files.slack.com@evil.example/lamp.png",
        "file:///etc/passwd",
        "https:///lamp.png",
        "://",
    ],
)
async def test_the_token_goes_to_slack_alone(address: str, tmp_path: Path) -> None:
    async with a_rig(tmp_path) as rig:
        with pytest.raises(InvalidInput):
            await _fetched(rig, address)


async def test_a_forged_host_on_loopback_sees_no_token(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def take(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"x")

    http = web.Application()
    http.router.add_get("/{path:.*}", take)
    runner = web.AppRunner(http)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    evil = f"http://127.0.0.1:{runner.addresses[0][1]}/lamp.png"
    async with a_rig(tmp_path) as rig:
        with pytest.raises(InvalidInput):
            await _fetched(rig, evil)

        async def lead_away(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(evil)

        rig.slack._runner.app.router._frozen = False
        rig.slack._runner.app.router.add_get("/away", lead_away)
        with pytest.raises(InvalidInput):
            await _fetched(rig, f"{rig.slack.url}/away")
    await runner.cleanup()
    assert seen == []


async def test_a_page_to_sign_in_is_no_file(tmp_path: Path) -> None:
    """Slack answers a wrong token with 200 and a page of HTML."""
    async with a_rig(tmp_path) as rig:
        file = rig.slack.add_file(rig.slack.workspace, "lamp.png", b"PNG", ANN)
        address = f"{rig.slack.url}/files-pri/{file.team}-{file.id}/download/lamp.png"
        assert await _fetched(rig, address) == b"PNG"
        rig.slack.workspace.token = "xoxb-another"
        with pytest.raises(InvalidInput):
            await _fetched(rig, address)


async def test_a_download_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    async with Sent(tmp_path) as sent:
        sent.platform.slack.fail("download", lost=True)
        sent.platform.slack.fail("download", status=429, retry_after=1)
        await sent.platform.write("see", files={"lamp.png": b"PNG" * 50_000})
        await until(lambda: sent.texts() == ["see"])
        (state,) = await sent.app.store.conversations()
        message = (await sent.app.store.transcript(state.id))[0].body
        assert isinstance(message, Message)
        (file,) = [part.attachment for part in message.parts if isinstance(part, FilePart) or hasattr(part, "attachment")]
        assert sent.app.attachments.path(file.id).read_bytes() == b"PNG" * 50_000


async def test_socket_mode_takes_any_envelope(tmp_path: Path) -> None:
    platform = SlackPlatform(socket_mode=True)
    port = free_port()
    settings = await platform.start(port, tmp_path)
    plugin = Plugin("bot")

    @plugin.answer
    async def echo(turn: Turn) -> Reply:
        return Reply(turn.text)

    app = App(
        Options(data_folder=tmp_path / "data", port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[plugin],
        transports=[(SlackPlatform.channel, settings)],
    )
    async with app:
        sockets = platform.slack.sockets
        await sockets.connected()
        for text in ("", "null", "[]", "{", '{"type":"events_api"}', '{"type":"hello","a":"' + "x" * 100_000 + '"}', "\x00"):
            await sockets.send(text)
        for payload in ({}, {"type": "event_callback"}, {"type": "event_callback", "event": []}, {"type": 1, "team_id": {}}):
            delivery = await platform.slack.deliver(payload)
            assert delivery.acknowledged, "what can never be taken must not come again"
        await platform.write("still there")
        await until(lambda: [seen.text for seen in platform.seen()] == ["still there"])
        await sockets.disconnect()
        await sockets.connected(opened=2)
        await platform.write("refreshed")
        await until(lambda: len(platform.seen()) == 2)
        sockets.drop()
        await platform.write("reconnected")
        await until(lambda: len(platform.seen()) == 3)
    await platform.stop()


async def test_nobody_listens_without_a_signing_secret(slack: FakeSlack, tmp_path: Path) -> None:
    """With Socket Mode alone there are no addresses that anybody could send to."""
    port = free_port()
    app = App(
        Options(data_folder=tmp_path / "data", port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[],
        transports=[(SlackPlatform.channel, settings_for(slack, socket_mode=True))],
    )
    async with app, aiohttp.ClientSession() as session:
        for path in PATHS.values():
            async with session.post(f"http://127.0.0.1:{port}{path}", data=GOOD, headers=JSON) as response:
                assert response.status == 404
