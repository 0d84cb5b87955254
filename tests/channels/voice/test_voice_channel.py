"""The end point as a program uses it: recordings in, what was heard and said out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from frontdesk.channels.voice import VoiceChannel, VoiceChannelSettings, adapter
from frontdesk.channels.voice.adapter import RECENT
from frontdesk.core.app import App, Options
from frontdesk.core.errors import Unavailable
from frontdesk.core.messages import Attachment, AudioPart, Message
from frontdesk.core.models import Models
from frontdesk.core.outcomes import Confirm, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.store import Store
from frontdesk.core.testing import ScriptedTranscriber, a_transcript
from frontdesk.core.testing.platform import free_port, until
from frontdesk.core.turn import Turn

KEY = "a-key-for-the-tests"
SOUND = b"OggS" + bytes(2000)


@dataclass
class Line:
    """A caller's line to a bot whose ears hear what the test says."""

    app: App
    session: aiohttp.ClientSession
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, data: Any = SOUND, status: int = 200, **query: str) -> Any:
        headers = {"Content-Type": "audio/ogg"}
        async with self.session.post("/voice", data=data, params=query, headers=headers) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def send(self, status: int = 200, **request: Any) -> Any:
        async with self.session.post("/voice", **request) as response:
            assert response.status == status, await response.text()
            return await response.json()

    @property
    def channel(self) -> VoiceChannel:
        found = self.app.channels["voice"]
        assert isinstance(found, VoiceChannel)
        return found

    def recordings(self) -> list[Path]:
        return [path for path in self.app.attachments.folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def line(tmp_path: Path, *script: Any, store: Store | None = None, **settings: Any) -> AsyncIterator[Line]:
    plugin = Plugin("shop")
    hold = asyncio.Event()

    @plugin.pattern("cancel")
    async def cancel(turn: Turn) -> Outcome:
        return Confirm("Cancel it **now**?", then=cancelled)

    @plugin.step
    async def cancelled(turn: Turn) -> Outcome:
        return Reply("It is cancelled.")

    @plugin.pattern("slow")
    async def slow(turn: Turn) -> Outcome:
        await hold.wait()
        return Reply("Done at last.")

    @plugin.pattern(".+")
    async def echo(turn: Turn) -> Outcome:
        return Reply(f"You said: {turn.text}")

    port = free_port()
    app = App(
        Options(data_folder=tmp_path, port=port, shutdown_seconds=1),
        store=store or MemoryStore(),
        plugins=[plugin],
        transports=[(VoiceChannel, VoiceChannelSettings.model_validate({"keys": [KEY], **settings}))],
        models=Models(transcriber=ScriptedTranscriber(*script)),
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    async with app, aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        yield Line(app, session, hold)


async def test_a_recording_comes_back_as_words_with_the_reply(tmp_path: Path) -> None:
    async with line(tmp_path, a_transcript("hello there", confidence=0.9)) as caller:
        answer = await caller.say(conversation="call-7", id="1")
        assert (answer["conversation"], answer["id"], answer["pending"]) == ("call-7", "1", False)
        assert answer["heard"] == {
            "transcript": "hello there", "language": "en", "confidence": 0.9, "unheard": None, "problem": None, "seconds": 2.0,
        }  # fmt: skip
        assert [reply["text"] for reply in answer["replies"]] == ["You said: hello there"]
        (recording,) = caller.recordings()
        assert recording.read_bytes() == SOUND


async def test_a_dialogue_goes_on_by_voice_by_button_and_in_writing(tmp_path: Path) -> None:
    async with line(tmp_path, "please cancel", "please cancel", "yes") as caller:
        (asked,) = (await caller.say(conversation="c"))["replies"]
        assert (asked["text"], asked["plain"]) == ("Cancel it **now**?", "Cancel it now?")
        pressed = {"conversation": "c", "choice": asked["choices"][0]["value"], "question": asked["question"]}
        assert [reply["text"] for reply in (await caller.send(json=pressed))["replies"]] == ["It is cancelled."]
        await caller.say(conversation="c")
        assert [reply["text"] for reply in (await caller.say(conversation="c"))["replies"]] == ["It is cancelled."]
        written = await caller.send(json={"conversation": "c", "text": "thanks"})
        assert written["heard"] is None
        assert [reply["text"] for reply in written["replies"]] == ["You said: thanks"]


async def test_a_form_carries_the_recording_beside_its_fields(tmp_path: Path) -> None:
    async with line(tmp_path, "hello") as caller:
        form = aiohttp.FormData({"conversation": "c", "id": "1", "language": "en", "name": "Ann", "aloud": "true"})
        form.add_field("audio", SOUND, filename="note.ogg", content_type="audio/ogg; codecs=opus")
        answer = await caller.send(data=form)
        assert answer["replies"][0]["text"] == "You said: hello"
        entry = await caller.app.store.entry("voice:c:1")
        assert entry is not None
        message = entry.body
        assert isinstance(message, Message)
        assert (message.contact.name, message.language, message.aloud) == ("Ann", "en", True)
        (part,) = message.parts
        assert isinstance(part, AudioPart)
        assert (part.attachment.name, part.attachment.media_type) == ("note.ogg", "audio/ogg")


async def test_a_repetition_gets_the_same_answer_and_is_not_heard_again(tmp_path: Path) -> None:
    async with line(tmp_path, "hello") as caller:
        first = await caller.say(conversation="c", id="1")
        again = await caller.say(conversation="c", id="1")
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        assert again["replies"] == first["replies"]
        assert again["heard"] == first["heard"]


async def test_a_turn_that_takes_longer_is_fetched_later(tmp_path: Path) -> None:
    async with line(tmp_path, "slow", wait_seconds=0.1) as caller:
        answer = await caller.say(conversation="c", status=202)
        assert (answer["pending"], answer["replies"]) == (True, [])
        caller.hold.set()

        async def fetched() -> bool:
            async with caller.session.get("/voice/c") as response:
                return [reply["text"] for reply in (await response.json())["replies"]] == ["Done at last."]

        await until(fetched)


async def test_without_a_conversation_a_new_one_begins(tmp_path: Path) -> None:
    async with line(tmp_path, "one", "two") as caller:
        first, second = await caller.say(), await caller.say()
        assert first["conversation"] != second["conversation"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \xff"])
async def test_a_caller_without_a_key_is_turned_away(tmp_path: Path, authorization: str) -> None:
    async with line(tmp_path) as caller, aiohttp.ClientSession(str(caller.session._base_url)) as stranger:
        headers = {"Authorization": authorization} if authorization else {}
        for method, path in (("POST", "/voice"), ("GET", "/voice/c"), ("GET", "/voice/c/files/0")):
            async with stranger.request(method, path, headers=headers) as response:
                assert response.status == 401
                assert "channels.voice.keys" in (await response.json())["error"]
        assert not caller.recordings()


def form(**fields: Any) -> aiohttp.FormData:
    made = aiohttp.FormData(fields)
    made.add_field("audio", SOUND, filename="note.ogg")
    return made


def two_recordings() -> aiohttp.FormData:
    made = form()
    made.add_field("audio", SOUND, filename="second.ogg")
    return made


AUDIO = {"Content-Type": "audio/ogg"}
BROKEN = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        pytest.param({"data": b"", "headers": AUDIO}, 400, "the recording is empty", id="0 bytes"),
        pytest.param({"data": bytes(60_000), "headers": AUDIO}, 413, "larger than", id="too large"),
        pytest.param({"data": b"<html>", "headers": {"Content-Type": "text/html"}}, 415, "send audio", id="a page"),
        pytest.param({"data": b"x", "headers": {**AUDIO, "Content-Encoding": "gzip"}}, 415, "compressed", id="compressed"),
        pytest.param({"data": SOUND, "headers": AUDIO, "params": {"id": "a b"}}, 400, "`id`", id="an id with a space"),
        pytest.param({"data": SOUND, "headers": AUDIO, "params": {"conversation": "x" * 101}}, 400, "`conv", id="long name"),
        pytest.param({"data": SOUND, "headers": AUDIO, "params": {"language": "<b>"}}, 400, "`language`", id="no language"),
        pytest.param({"data": SOUND, "headers": AUDIO, "params": {"who": "me"}}, 400, "not understood", id="unknown field"),
        pytest.param({"data": SOUND, "headers": AUDIO, "params": {"aloud": "perhaps"}}, 400, "not understood", id="no boolean"),
        pytest.param({"json": {}}, 400, "send a recording", id="nothing in it"),
        pytest.param({"json": ["text"]}, 400, "not understood", id="an array"),
        pytest.param({"json": {"text": 1}}, 400, "not understood", id="a number for a text"),
        pytest.param({"json": {"text": "x" * 20_001}}, 413, "too long", id="a long text"),
        pytest.param({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "not valid JSON", id="half JSON"),
        pytest.param(
            {"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400, "not valid JSON", id="deep JSON"
        ),
        pytest.param({"data": b'{"text": "\xff"}', "headers": {"Content-Type": "application/json"}}, 400, "", id="not UTF-8"),
        pytest.param({"data": b"--x\r\nnot a part", "headers": BROKEN}, 400, "broken", id="a broken form"),
        pytest.param({"data": two_recordings}, 400, "more than one", id="two recordings"),
        pytest.param({"data": lambda: form(name="x" * 201)}, 400, "`name`", id="a long name"),
        pytest.param({"data": lambda: form(**{f"f{n}": "x" for n in range(30)})}, 400, "not understood", id="many fields"),
        pytest.param({"data": lambda: form(text="x" * 500_000)}, 413, "", id="a field of half a megabyte"),
    ],
)
async def test_bad_input_is_refused_and_leaves_nothing(tmp_path: Path, request_: dict[str, Any], status: int, error: str) -> None:
    async with line(tmp_path, "hello", max_upload=50_000) as caller:
        arguments = {name: value() if callable(value) else value for name, value in request_.items()}
        answer = await caller.send(status=status, **arguments)
        assert error in answer["error"]
        assert not caller.recordings()
        assert not (await caller.app.store.health()).inbox
        assert (await caller.say(conversation="c"))["replies"][0]["text"] == "You said: hello"


async def test_half_an_upload_is_not_a_recording(tmp_path: Path) -> None:
    async with line(tmp_path, "hello") as caller:
        host, port = caller.session._base_url.host, caller.session._base_url.port  # type: ignore[union-attr]
        _, writer = await asyncio.open_connection(host, port)
        head = (
            "POST /voice HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {KEY}",
            "Content-Type: audio/ogg",
            "Content-Length: 9000",
        )
        writer.write("\r\n".join((*head, "", "")).encode() + SOUND)
        await writer.drain()
        writer.close()
        assert (await caller.say(conversation="c"))["replies"][0]["text"] == "You said: hello"
        await until(lambda: len(caller.recordings()) == 1)
        assert len(await caller.app.store.conversations()) == 1


async def test_what_cannot_be_kept_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with line(tmp_path) as caller:

        async def full(message: Message) -> None:
            raise Unavailable("the disk is full", retry_after=7)

        monkeypatch.setattr(caller.app.store, "accept", full)
        async with caller.session.post("/voice", json={"text": "hello"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "7")


class TestRepetitions:
    async def test_two_at_once_are_heard_once_and_get_the_same_answer(self, tmp_path: Path) -> None:
        async with line(tmp_path, "hello") as caller:
            answers = await asyncio.gather(*[caller.say(conversation="c", id="1") for _ in range(5)])
            assert sorted(answer["duplicate"] for answer in answers) == [False, True, True, True, True]
            assert [[reply["text"] for reply in answer["replies"]] for answer in answers] == [["You said: hello"]] * 5
            assert len(caller.recordings()) == 1

    async def test_one_of_long_ago_gets_the_answer_of_then(self, tmp_path: Path) -> None:
        async with line(tmp_path) as caller:
            first = await caller.send(json={"conversation": "c", "id": "first", "text": "one"})
            for number in range(RECENT + 10):
                await caller.send(json={"conversation": "c", "text": f"more {number}"})
            again = await caller.send(json={"conversation": "c", "id": "first", "text": "one"})
            assert again["replies"] == first["replies"]

    async def test_the_same_id_in_another_conversation_is_another_message(self, tmp_path: Path) -> None:
        async with line(tmp_path) as caller:
            for conversation in ("a", "b"):
                answer = await caller.send(json={"conversation": conversation, "id": "1", "text": conversation})
                assert [reply["text"] for reply in answer["replies"]] == [f"You said: {conversation}"]


async def test_each_of_two_messages_at_once_gets_its_own_reply(tmp_path: Path) -> None:
    async with line(tmp_path) as caller:
        slow = asyncio.create_task(caller.send(json={"conversation": "c", "id": "1", "text": "slow"}))

        async def begun() -> bool:
            return await caller.app.store.entry("voice:c:1") is not None

        await until(begun)
        quick = asyncio.create_task(caller.send(json={"conversation": "c", "id": "2", "text": "quick"}))
        await until(lambda: caller.channel.waiting == 2)
        caller.hold.set()
        assert [reply["text"] for reply in (await slow)["replies"]] == ["Done at last."]
        assert [reply["text"] for reply in (await quick)["replies"]] == ["You said: quick"]


class TestWaiting:
    async def test_a_stop_waits_for_nobody_who_waits_and_loses_nothing(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "frontdesk.db")
        async with line(tmp_path, "slow", store=store) as caller:
            waiting = asyncio.create_task(caller.say(conversation="c", id="1", status=202))
            await until(lambda: caller.channel.waiting == 1)
            stopping = asyncio.create_task(caller.app.__aexit__(None, None, None))
            answer = await waiting
            assert (answer["pending"], answer["replies"]) == (True, [])
            assert not stopping.done()
            await stopping
        async with line(tmp_path, "slow", store=SqliteStore(tmp_path / "frontdesk.db")) as caller:
            caller.hold.set()
            answer = await caller.say(conversation="c", id="1")
            assert [reply["text"] for reply in answer["replies"]] == ["Done at last."]
            assert answer["duplicate"]

    async def test_whoever_comes_when_too_many_wait_fetches_the_reply_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapter, "MAX_WAITING", 2)
        async with line(tmp_path) as caller:
            waiting = [asyncio.create_task(caller.send(json={"conversation": name, "text": "slow"})) for name in "ab"]
            await until(lambda: caller.channel.waiting == 2)
            assert (await caller.send(json={"conversation": "c", "text": "slow"}, status=202))["pending"]
            caller.hold.set()
            for answer in await asyncio.gather(*waiting):
                assert [reply["text"] for reply in answer["replies"]] == ["Done at last."]

    async def test_a_caller_who_has_hung_up_loses_nothing(self, tmp_path: Path) -> None:
        async with line(tmp_path) as caller:
            waiting = asyncio.create_task(caller.send(json={"conversation": "c", "id": "1", "text": "slow"}))
            await until(lambda: caller.channel.waiting == 1)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            caller.hold.set()
            answer = await caller.send(json={"conversation": "c", "id": "1", "text": "slow"})
            assert (answer["duplicate"], answer["replies"][0]["text"]) == (True, "Done at last.")


@pytest.mark.parametrize("head", ["Content-Type: audio/ogg", "Content-Type: multipart/form-data; boundary=x"])
async def test_an_upload_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    monkeypatch.setattr(adapter, "STALLED", 0.1)
    async with line(tmp_path) as caller:
        host, port = caller.session._base_url.host, caller.session._base_url.port  # type: ignore[union-attr]
        reader, writer = await asyncio.open_connection(host, port)
        lines = ("POST /voice HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}", head, "Content-Length: 9000", "", "")
        part = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.ogg"\r\n\r\n' if "form" in head else b""
        writer.write("\r\n".join(lines).encode() + part + SOUND)
        await writer.drain()
        assert b" 408 " in await reader.readline()
        writer.close()
        assert not caller.recordings()


async def test_what_cannot_be_kept_leaves_no_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with line(tmp_path) as caller:

        async def full(message: Message) -> None:
            raise Unavailable("the disk is full", retry_after=7)

        monkeypatch.setattr(caller.app.store, "accept", full)
        await caller.say(conversation="c", status=503)
        assert not caller.recordings()


async def test_only_files_of_replies_are_handed_out(tmp_path: Path) -> None:
    async with line(tmp_path, "hello") as caller:
        await caller.say(conversation="c", id="1")
        (recording,) = caller.recordings()
        for address in (f"/voice/c/files/{recording.name}", "/voice/c/files/..%2f..%2fetc", "/voice/other/files/0"):
            async with caller.session.get(address) as response:
                assert response.status == 404
        (state,) = await caller.app.store.conversations()
        spoken = Attachment(id=recording.name, name="reply.ogg", media_type="audio/ogg", size=len(SOUND))
        await caller.app.handoff.reply(state.id, "Ann", "Listen.", attachments=(spoken,))
        async with caller.session.get("/voice/c?after=1") as response:
            reply = (await response.json())["replies"][-1]
        assert (reply["agent"], reply["audio"]["media_type"]) == ("Ann", "audio/ogg")
        async with caller.session.get(urlsplit(reply["audio"]["url"]).path) as response:
            assert await response.read() == SOUND


@pytest.mark.parametrize("keys", [[], ["short"]])
def test_a_key_that_can_be_guessed_is_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="keys"):
        VoiceChannelSettings.model_validate({"keys": keys})
