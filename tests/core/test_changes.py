"""What customers change after they have written it, and what comes in pieces."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from frontdesk.core.app import App
from frontdesk.core.errors import InvalidInput, TransientError
from frontdesk.core.messages import Attachment, FilePart, Message, Part, ReactionPart, TextPart
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.testing import RecordingChannel, a_message
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Turn

ChannelOf = Callable[[App], RecordingChannel]


class Held:
    """A plugin whose turn for "hold" ends when it is told to; it repeats everything else."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.plugin = Plugin("held")

        @self.plugin.answer
        async def answer(turn: Turn) -> Reply:
            if turn.text == "hold":
                await self.go.wait()
            files = "".join(f" [{file.name} {file.size} {file.problem or ''}]" for file in turn.attachments)
            return Reply(f"echo {turn.text}{files}")


def a_change(kind: str, target: str, *parts: Part, id: str = "change") -> Message:
    fields: dict[str, Any] = {"kind": kind, "target": target, "parts": parts, "id": id}
    return msgspec.structs.replace(a_message(), **fields)


def with_file(name: str = "a.txt", *, id: str = "f1", text: str = "", group: str | None = None) -> Message:
    file = FilePart(Attachment(id="", name=name, media_type="text/plain", size=0, remote=f"remote-{name}"))
    parts: Sequence[Part] = (TextPart(text), file) if text else (file,)
    return msgspec.structs.replace(a_message(id=id), parts=tuple(parts), group=group)


async def replies(app: App, channel_of: ChannelOf, count: int) -> list[str]:
    return [reply.text for reply in await channel_of(app).wait_for(count)]


async def record(app: App) -> list[Message]:
    while (health := await app.store.health()).inbox or health.outbox:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return [entry.body for entry in await app.store.transcript("test:1") if isinstance(entry.body, Message)]


async def test_an_edit_that_comes_before_the_turn_is_what_is_answered(make_app, channel_of: ChannelOf) -> None:
    held = Held()
    async with make_app(held.plugin) as app:
        for message in (a_message("hold"), a_message("teh", id="m1"), a_change("edited", "m1", TextPart("the"))):
            await app.intake.accept(message)
        held.go.set()
        assert await replies(app, channel_of, 2) == ["echo hold", "echo the"]
        _, edited, change = await record(app)
        assert (edited.text, edited.revision) == ("the", "edited")
        assert (change.kind, change.parts) == ("edited", ())


async def test_of_several_edits_the_last_one_counts(make_app, channel_of: ChannelOf) -> None:
    held = Held()
    async with make_app(held.plugin) as app:
        await app.intake.accept(a_message("hold"))
        await app.intake.accept(a_message("1", id="m1"))
        for number in ("2", "3"):
            await app.intake.accept(a_change("edited", "m1", TextPart(number), id=number))
        held.go.set()
        assert await replies(app, channel_of, 2) == ["echo hold", "echo 3"]
        assert (await record(app))[1].text == "3"


async def test_an_edit_after_the_answer_changes_the_record_and_is_not_answered(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        await app.intake.accept(a_message("teh", id="m1"))
        await replies(app, channel_of, 1)
        await app.intake.accept(a_change("edited", "m1", TextPart("the")))
        await app.intake.accept(a_message("next"))
        assert await replies(app, channel_of, 2) == ["echo teh", "echo next"]
        assert (await record(app))[0].text == "the"


async def test_what_is_deleted_before_its_turn_is_not_answered_and_not_kept(make_app, channel_of: ChannelOf) -> None:
    held = Held()
    async with make_app(held.plugin) as app:
        for message in (a_message("hold"), a_message("secret", id="m1"), a_change("deleted", "m1"), a_message("next")):
            await app.intake.accept(message)
        held.go.set()
        assert await replies(app, channel_of, 2) == ["echo hold", "echo next"]
        deleted = (await record(app))[1]
        assert (deleted.parts, deleted.revision) == ((), "deleted")


async def test_nobody_changes_the_messages_of_another_conversation(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        await app.intake.accept(a_message("mine", id="m1", conversation="other"))
        await replies(app, channel_of, 1)
        await app.intake.accept(a_change("edited", "m1", TextPart("forged")))
        await record(app)
        (entry,) = [entry for entry in await app.store.transcript("other") if isinstance(entry.body, Message)]
        assert entry.body.text == "mine"


async def test_a_change_of_what_was_never_seen_is_recorded_only(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        await app.intake.accept(a_change("edited", "unknown", TextPart("new text")))
        await app.intake.accept(a_change("deleted", "unknown", id="change2"))
        await app.intake.accept(a_change("reaction", "unknown", ReactionPart("👍"), id="change3"))
        await app.intake.accept(a_message("hi"))
        assert await replies(app, channel_of, 1) == ["echo hi"]
        assert [message.kind for message in await record(app)] == ["edited", "deleted", "reaction", "new"]


async def test_a_reaction_does_not_open_what_is_resolved(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        await app.intake.accept(a_message("hi", id="m1"))
        await replies(app, channel_of, 1)
        await record(app)
        await app.handoff.resolve("test:1", "ann")
        await app.intake.accept(a_change("reaction", "m1", ReactionPart("👍")))
        await record(app)
        assert (await app.store.conversation("test:1")).resolved is not None
        await app.intake.accept(a_message("again"))
        await record(app)
        assert (await app.store.conversation("test:1")).resolved is None


async def test_files_are_fetched_in_the_turn(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        channel = channel_of(app)
        channel.fetch = chunks_of(b"12345")  # type: ignore[method-assign]
        await app.intake.accept(with_file(text="see"))
        assert await replies(app, channel_of, 1) == ["echo see [a.txt 5 ]"]
        (message,) = await record(app)
        (part,) = [part for part in message.parts if isinstance(part, FilePart)]
        assert app.attachments.path(part.attachment.id).read_bytes() == b"12345"


async def test_a_file_that_is_not_to_be_had_says_why(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        channel_of(app).fetch = raising(InvalidInput("it is larger than 20 MB"))  # type: ignore[method-assign]
        await app.intake.accept(with_file(text="see"))
        assert await replies(app, channel_of, 1) == ["echo see [a.txt 0 it is larger than 20 MB]"]


async def test_a_file_that_cannot_be_fetched_is_tried_again_and_then_done_without(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin, limits=TurnLimits(attempts=3)) as app:
        tries: list[None] = []
        channel_of(app).fetch = raising(TransientError("busy", retry_after=0.01), tries)  # type: ignore[method-assign]
        await app.intake.accept(with_file(text="see"))
        assert await replies(app, channel_of, 1) == ["echo see [a.txt 0 the file could not be fetched]"]
        assert len(tries) == 3


async def test_what_was_fetched_is_not_fetched_again_for_a_retry(make_app, channel_of: ChannelOf) -> None:
    plugin, tries, fetched = Plugin("flaky"), [], []

    @plugin.answer
    async def answer(turn: Turn) -> Reply:
        tries.append(turn.text)
        if len(tries) == 1:
            raise TransientError("later", retry_after=0.01)
        return Reply("ok")

    async with make_app(plugin) as app:
        channel_of(app).fetch = chunks_of(b"1", fetched)  # type: ignore[method-assign]
        await app.intake.accept(with_file())
        await replies(app, channel_of, 1)
        assert len(fetched) == 1


async def test_the_files_of_a_deleted_message_are_removed(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        channel_of(app).fetch = chunks_of(b"12345")  # type: ignore[method-assign]
        await app.intake.accept(with_file(id="m1"))
        await replies(app, channel_of, 1)
        (part,) = (await record(app))[0].parts
        assert isinstance(part, FilePart)
        path = app.attachments.path(part.attachment.id)
        await app.intake.accept(a_change("deleted", "m1"))
        await record(app)
        await until(lambda: not path.exists())


async def test_an_album_is_one_turn(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        channel_of(app).fetch = chunks_of(b"1")  # type: ignore[method-assign]
        await app.intake.accept(with_file("a.txt", id="f1", text="both", group="album"))
        await app.intake.accept(with_file("b.txt", id="f2", group="album"))
        await app.intake.accept(with_file("c.txt", id="f3", text="another"))
        assert await replies(app, channel_of, 2) == ["echo both [a.txt 1 ] [b.txt 1 ]", "echo another [c.txt 1 ]"]


async def test_a_silent_turn_fetches_its_files_too(make_app, channel_of: ChannelOf) -> None:
    async with make_app(Held().plugin) as app:
        await app.intake.accept(a_message("hi"))
        await replies(app, channel_of, 1)
        await app.handoff.take("test:1", "ann")
        channel_of(app).fetch = chunks_of(b"12")  # type: ignore[method-assign]
        await app.intake.accept(with_file())
        part = (await record(app))[-1].parts[0]
        assert isinstance(part, FilePart)
        assert part.attachment.size == 2


def chunks_of(data: bytes, calls: list[Any] | None = None) -> Callable[..., AsyncIterator[bytes]]:
    async def fetch(message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        if calls is not None:
            calls.append(attachment)
        yield data

    return fetch


def raising(error: Exception, calls: list[Any] | None = None) -> Callable[..., AsyncIterator[bytes]]:
    async def fetch(message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        if calls is not None:
            calls.append(attachment)
        raise error
        yield b""

    return fetch
