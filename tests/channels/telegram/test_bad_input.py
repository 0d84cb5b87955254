"""What goes wrong between Telegram and the bot: each with its outcome, against the real channel over HTTP."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from frontdesk.core.app import App
from frontdesk.core.errors import Unavailable
from frontdesk.core.messages import Message
from frontdesk.core.store import Receipt
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram, Fault, User, broken, cut, refused, slow, too_many_requests

from .platform import SECRET, Mode, a_bot

JSON = {"Content-Type": "application/json"}
SIGNED = {**JSON, "X-Telegram-Bot-Api-Secret-Token": SECRET}


@dataclass
class World:
    """A bot by webhook, whose updates a test posts itself."""

    telegram: FakeTelegram
    app: App
    session: aiohttp.ClientSession
    numbers: int = 5000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.app.options.port}/telegram/webhook"

    async def post(self, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> int:
        async with self.session.request(method, self.url, data=body, headers=SIGNED if headers is None else headers) as response:
            await response.read()
            return response.status

    def somebody(self) -> User:
        """Who may be answered."""
        user = self.telegram.user("Ann")
        user.chat.open = True
        return user

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def update(self, user: User, **changed: Any) -> dict[str, Any]:
        """A new message; `changed` replaces its fields, or removes those that are None."""
        message = {"message_id": self.number(), "from": user.data, "chat": user.chat.data, "date": 1763895600, "text": "hello"}
        message = {key: value for key, value in {**message, **changed}.items() if value is not None}
        return {"update_id": self.number(), "message": message}

    async def settled(self) -> None:
        """Returns when all turns and deliveries are done."""

        async def done() -> bool:
            health = await self.app.store.health()
            return not health.inbox and not health.outbox

        await until(done)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("bad_input")
    async with FakeTelegram() as telegram, a_bot(telegram, folder) as app, aiohttp.ClientSession() as session:
        yield World(telegram, app, session)


Make = Callable[[World, User], bytes]


def updated(**changed: Any) -> Make:
    """A message with these fields changed."""
    return lambda world, user: json.dumps(world.update(user, **changed)).encode()


def other(**payload: Any) -> Make:
    """An update that is no message."""
    return lambda world, user: json.dumps({"update_id": world.number(), **payload}).encode()


def raw(body: bytes) -> Make:
    return lambda world, user: body


def rewritten(change: Callable[[str], str]) -> Make:
    """A message whose JSON is rewritten."""
    return lambda world, user: change(json.dumps(world.update(user))).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Case:
    name: str
    body: Make
    status: int
    answers: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=lambda: SIGNED)
    method: str = "POST"


USER = {"id": 5, "is_bot": False, "first_name": "Ann"}
CHANNEL = {"id": -1001432109876, "title": "News", "type": "channel"}
HELLO = ("You said: hello",)

CASES = (
    # Not Telegram: refused, and nothing is kept.
    Case("wrong secret", updated(), 403, headers={**JSON, "X-Telegram-Bot-Api-Secret-Token": "guess"}),
    Case("missing secret", updated(), 403, headers=JSON),
    Case("empty secret", updated(), 403, headers={**JSON, "X-Telegram-Bot-Api-Secret-Token": ""}),
    Case("secret that is no ASCII", updated(), 403, headers={**JSON, "X-Telegram-Bot-Api-Secret-Token": "sécret"}),
    Case("secret that begins right", updated(), 403, headers={**JSON, "X-Telegram-Bot-Api-Secret-Token": SECRET[:-1]}),
    Case("GET", raw(b""), 405, method="GET"),
    Case("PUT", updated(), 405, method="PUT"),
    # No update at all: refused.
    Case("empty body", raw(b""), 400),
    Case("truncated JSON", rewritten(lambda text: text[:-10]), 400),
    Case("array as body", raw(b"[]"), 400),
    Case("array of updates", rewritten(lambda text: f"[{text}]"), 400),
    Case("number as body", raw(b"7"), 400),
    Case("form instead of JSON", raw(b"update_id=7&text=hello"), 400),
    Case("invalid UTF-8", raw(b'{"update_id": 7, "message": "\xff\xfe"}'), 400),
    Case("NaN", raw(b'{"update_id": 7, "message": NaN}'), 400),
    Case("10,000 levels deep", raw(b'{"update_id": 7, "message": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"), 400),
    Case("10,000 levels deep, unclosed", raw(b'{"a":' * 10_000), 400),
    Case("oversize body", raw(b'{"update_id": 7, "message": "' + b"x" * 30_000_000 + b'"}'), 413),
    Case("gzip bomb", raw(gzip.compress(bytes(60_000_000))), 413, headers={**SIGNED, "Content-Encoding": "gzip"}),
    Case("no update_id", raw(b'{"message": {}}'), 400),
    Case("update_id of text", raw(b'{"update_id": "7"}'), 400),
    Case("update_id of true", raw(b'{"update_id": true}'), 400),
    # Odd, but nothing hinders: answered.
    Case("wrong content type", updated(), 200, HELLO, headers={**SIGNED, "Content-Type": "text/plain"}),
    Case("negative update_id", lambda w, u: json.dumps({**w.update(u), "update_id": -7}).encode(), 200, HELLO),
    Case("huge update_id", lambda w, u: json.dumps({**w.update(u), "update_id": 2**62}).encode(), 200, HELLO),
    Case("unknown fields", updated(hologram={"id": [1, None]}), 200, HELLO),
    Case("duplicate keys", rewritten(lambda text: text[:-2] + ', "text": "the last"}}'), 200, ("You said: the last",)),
    Case("sticker", updated(text=None, sticker={**USER, "emoji": "🙏"}), 200),
    Case("NUL", updated(text="a\x00b"), 200, ("You said: a\ufffdb",)),
    Case("lone surrogate", updated(text="half \ud83d"), 200, ("You said: half ?",)),
    Case("raw lone surrogate", rewritten(lambda text: text.replace("hello", "half \ud83d")), 200, ("You said: half ?",)),
    Case("right-to-left override", updated(text="abc\u202edef"), 200, ("You said: abcdef",)),
    Case("HTML", updated(text="<b>x</b> & <script>alert(1)</script>"), 200, ("You said: <b>x</b> & <script>alert(1)</script>",)),
    Case("broken HTML", updated(text="a < b <i"), 200, ("You said: a < b <i",)),
    Case("MarkdownV2", updated(text="1_2_3 \\[x\\] *"), 200, ("You said: 1_2_3 [x] *",)),
    Case("only white space", updated(text=" \n\t "), 200),
    Case("no name", lambda w, u: updated(**{"from": {**u.data, "first_name": ""}})(w, u), 200, HELLO),
    Case("date in the far future", updated(date=4_000_000_000), 200, HELLO),
    Case("date before 1970", updated(date=-5), 200, HELLO),
    # Not understood, or not for the bot: skipped, so that Telegram does not repeat it for ever.
    Case("only an update_id", other(), 200),
    Case("unknown update type", other(hologram={"from": USER}), 200),
    Case("message of null", other(message=None), 200),
    Case("message of text", other(message="hello"), 200),
    Case("no from", updated(**{"from": None}), 200),
    Case("no chat", updated(chat=None), 200),
    Case("no text", updated(text=None), 200),
    Case("no message_id", updated(message_id=None), 200),
    Case("no date", updated(date=None), 200),
    Case("text is a number", updated(text=7), 200),
    Case("date is text", updated(date="yesterday"), 200),
    Case("date that no calendar has", updated(date=10**18), 200),
    Case("entities are text", updated(entities="bold"), 200),
    Case("chat id is text", lambda w, u: updated(chat={**u.chat.data, "id": "x"})(w, u), 200),
    Case("file without id", updated(text=None, document={"file_name": "x.pdf"}), 200),
    Case("channel_post", other(channel_post={"message_id": 1, "date": 1, "chat": CHANNEL, "text": "hello"}), 200),
    Case("callback only", other(callback_query={"id": "1", "from": USER, "chat_instance": "1", "data": "x"}), 200),
    Case("callback without data", other(callback_query={"id": "1", "from": USER, "chat_instance": "1"}), 200),
    Case("negative chat id", updated(chat={"id": -5, "type": "group", "title": "x"}), 200),
    Case("inline query", other(inline_query={"id": "1", "from": USER, "query": "x", "offset": ""}), 200),
)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_posted_to_the_webhook(world: World, case: Case) -> None:
    user = world.somebody()
    with capture_logs() as logs:
        status = await world.post(case.body(world, user), case.headers, case.method)
        assert status == case.status
        await world.settled()
    assert tuple(reply.text for reply in user.chat.replies) == case.answers
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    assert SECRET not in str(logs)
    assert world.telegram.token not in str(logs)
    assert await world.post(updated()(world, user)) == 200
    await until(lambda: bool(user.chat.replies) and user.chat.replies[-1].text == "You said: hello")


def test_there_are_enough_cases() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 40


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("ending", ["cut in mid-body", "cut in a chunk", "no body at all"])
async def test_a_connection_that_ends_early_leaves_nothing(world: World, ending: str) -> None:
    user = world.somebody()
    body = json.dumps(world.update(user)).encode()
    head = f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
    match ending:
        case "cut in mid-body":
            sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-20]
        case "cut in a chunk":
            sent = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body[:-20]
        case _:
            sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode()
    _, writer = await asyncio.open_connection("127.0.0.1", world.app.options.port)
    writer.write(sent)
    await writer.drain()
    writer.transport.abort()
    assert await world.post(body) == 200
    await until(lambda: len(user.chat.replies) == 1)
    await world.settled()
    assert [reply.text for reply in user.chat.replies] == ["You said: hello"]


@pytest.mark.asyncio(loop_scope="module")
async def test_ids_in_any_order_with_gaps_and_repetitions_are_answered_once_each(world: World) -> None:
    """Ids jump to anywhere after a quiet week; they are no high-water mark."""
    user = world.somebody()
    first = world.number()
    updates = [world.update(user, message_id=first + place, text=f"number {place}") for place in range(6)]
    ids = [900_000_000, 17, 900_000_001, 16, 900_000_500, 1]
    bodies = [json.dumps({**update, "update_id": id}).encode() for update, id in zip(updates, ids, strict=True)]
    for body in [bodies[0], *bodies, bodies[2], bodies[5], bodies[0]]:
        assert await world.post(body) == 200
    await until(lambda: len(user.chat.replies) == 6)
    await world.settled()
    assert [reply.text for reply in user.chat.replies] == [f"You said: number {place}" for place in range(6)]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_update_posted_many_times_at_once_is_answered_once(world: World) -> None:
    user = world.somebody()
    body = updated()(world, user)
    assert set(await asyncio.gather(*(world.post(body) for _ in range(20)))) == {200}
    await until(lambda: bool(user.chat.replies))
    await world.settled()
    assert len(user.chat.replies) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_store_that_cannot_keep_anything_answers_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(message: Message) -> Receipt:
        raise Unavailable("the disk is full")

    user = world.somebody()
    body = updated()(world, user)
    with monkeypatch.context() as patch:
        patch.setattr(world.app.store, "accept", full)
        assert await world.post(body) == 503
    assert not user.chat.replies
    assert await world.post(body) == 200
    await until(lambda: len(user.chat.replies) == 1)


@dataclass(frozen=True)
class Trouble:
    """What a call of the bot meets, and what comes of the reply: `sent` in the end, or `dead`."""

    name: str
    fault: Fault
    outcome: str
    times: int = 1
    method: str = "send"


TROUBLES = (
    Trouble("429", too_many_requests(1), "sent"),
    Trouble("429 storm", too_many_requests(1), "sent", times=3),
    Trouble("500", broken(500), "sent"),
    Trouble("502, as a page of HTML", broken(502), "sent", times=2),
    Trouble("connection cut before the call", cut("before"), "sent"),
    Trouble("slow", slow(1.5), "sent"),
    Trouble("401, the token was revoked for a moment", refused("Unauthorized", 401), "sent"),
    Trouble("403, blocked by the customer", refused("Forbidden: bot was blocked by the user", 403), "dead"),
    Trouble("403, the account was deleted", refused("Forbidden: user is deactivated", 403), "dead"),
    Trouble("400, no rights", refused("Bad Request: not enough rights to send text messages to the chat"), "dead"),
    Trouble("400, chat not found", refused("Bad Request: chat not found"), "dead"),
    Trouble("400, entities are refused: sent as plain text", refused("Bad Request: can't parse entities: x"), "sent"),
)


@pytest.mark.parametrize("mode", ["webhook", "polling"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
async def test_what_calls_of_the_bot_meet(telegram: FakeTelegram, tmp_path: Path, trouble: Trouble, mode: Mode) -> None:
    async with a_bot(telegram, tmp_path, mode=mode) as app:
        ann, bob = telegram.user("Ann"), telegram.user("Bob")
        telegram.fail(trouble.fault, method=trouble.method, chat=ann.chat, times=trouble.times)
        await ann.write("**one**")
        await ann.write("two")
        await bob.write("meanwhile")
        await until(lambda: [reply.text for reply in bob.chat.replies] == ["You said: meanwhile"])
        texts = ["You said: one", "You said: two"] if trouble.outcome == "sent" else ["You said: two"]
        await until(lambda: [reply.text for reply in ann.chat.replies] == texts)
        dead = await app.store.dead()
        assert len(dead) == (trouble.outcome == "dead")
        assert all(entry.error and telegram.token not in entry.error for entry in dead)


async def test_a_cut_after_the_call_may_send_twice_but_never_out_of_order(telegram: FakeTelegram, tmp_path: Path) -> None:
    """Telegram takes no idempotency key: an answer that was cut off leaves it open whether the message is out."""
    async with a_bot(telegram, tmp_path):
        ann = telegram.user("Ann")
        telegram.fail(cut("after"), chat=ann.chat)
        await ann.write("one")
        await ann.write("two")
        await until(lambda: bool(ann.chat.replies) and ann.chat.replies[-1].text == "You said: two")
        texts = [reply.text for reply in ann.chat.replies]
        assert texts in (["You said: one", "You said: two"], ["You said: one", "You said: one", "You said: two"])


async def test_a_cut_after_the_call_can_be_left_to_people(telegram: FakeTelegram, tmp_path: Path) -> None:
    async with a_bot(telegram, tmp_path, never_twice=True) as app:
        ann = telegram.user("Ann")
        telegram.fail(cut("after"), chat=ann.chat)
        telegram.fail(too_many_requests(1), chat=ann.chat)
        await ann.write("one")
        await ann.write("two")
        await until(lambda: bool(ann.chat.replies) and ann.chat.replies[-1].text == "You said: two")
        assert [reply.text for reply in ann.chat.replies] == ["You said: one", "You said: two"]
        (entry,) = await app.store.dead()
        assert getattr(entry.body, "text", "") == "You said: one"


async def test_a_pause_that_telegram_asks_for_is_kept(telegram: FakeTelegram, tmp_path: Path) -> None:
    async with a_bot(telegram, tmp_path):
        ann = telegram.user("Ann")
        telegram.fail(too_many_requests(2), chat=ann.chat)
        await ann.write("one")
        await until(lambda: len(ann.chat.replies) == 1)
        refusal, success = telegram.called("sendMessage")
        assert success.at - refusal.at >= 2


async def test_another_poller_is_waited_out(telegram: FakeTelegram, tmp_path: Path) -> None:
    async with a_bot(telegram, tmp_path, mode="polling"), aiohttp.ClientSession() as session:
        await until(lambda: telegram.polled)
        other = f"{telegram.url}/bot{telegram.token}/getUpdates"
        with capture_logs() as logs:
            async with session.post(other, data={"timeout": "0"}) as response:
                assert response.status == 200
            await until(lambda: any(call.status == 409 for call in telegram.called("getUpdates")))
            await until(lambda: any("one process" in str(entry.get("event")) for entry in logs))
        ann = telegram.user("Ann")
        await ann.write("hello")
        await until(lambda: len(ann.chat.replies) == 1, 30)


async def test_polling_ends_a_webhook_that_is_set(telegram: FakeTelegram, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{telegram.url}/bot{telegram.token}/setWebhook"
        async with session.post(url, data={"url": "https://old.example/hook"}) as response:
            assert response.status == 200
    ann = telegram.user("Ann")
    await ann.write("written while the webhook was set")
    async with a_bot(telegram, tmp_path, mode="polling"):
        await until(lambda: len(ann.chat.replies) == 1)


async def test_ids_that_begin_anew_are_polled(telegram: FakeTelegram, tmp_path: Path) -> None:
    async with a_bot(telegram, tmp_path, mode="polling"):
        ann = telegram.user("Ann")
        await ann.write("before")
        await until(lambda: len(ann.chat.replies) == 1)
        for id in (40, 41, 7):
            data = {"message_id": 1000 + id, "from": ann.data, "chat": ann.chat.data, "date": 1763895600, "text": f"id {id}"}
            telegram.deliver({"update_id": id, "message": data})
            await telegram.delivered()
        await until(lambda: len(ann.chat.replies) == 4)
        assert [reply.text for reply in ann.chat.replies[1:]] == ["You said: id 40", "You said: id 41", "You said: id 7"]


async def test_polling_leaves_what_the_store_cannot_keep(
    telegram: FakeTelegram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_bot(telegram, tmp_path, mode="polling") as app:
        accept, refusals = app.store.accept, 0

        async def sometimes(message: Message) -> Receipt:
            nonlocal refusals
            if refusals < 2:
                refusals += 1
                raise Unavailable("the disk is full", retry_after=0.1)
            return await accept(message)

        monkeypatch.setattr(app.store, "accept", sometimes)
        ann = telegram.user("Ann")
        first = await ann.write("hello")
        await until(lambda: refusals == 1)
        assert not telegram.acknowledged(first)
        await until(lambda: len(ann.chat.replies) == 1)
        await telegram.delivered()
        assert refusals == 2


@pytest.mark.parametrize("fault", [broken(502), cut(), too_many_requests(1), refused("Bad Request: x")], ids=lambda f: f.status)
async def test_polling_survives_what_polls_meet(telegram: FakeTelegram, tmp_path: Path, fault: Fault) -> None:
    async with a_bot(telegram, tmp_path, mode="polling"):
        ann = telegram.user("Ann")
        telegram.fail(fault, method="getUpdates", times=2)
        await ann.write("one")
        await until(lambda: len(ann.chat.replies) == 1)
        await ann.write("two")
        await until(lambda: len(ann.chat.replies) == 2)
