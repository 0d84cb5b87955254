"""Photos, sounds and documents, both ways; albums as one message."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from frontdesk.core.attachments import Attachments
from frontdesk.core.messages import AudioPart, Choice, FilePart, ImagePart, Message, Outgoing
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.testing.platform import until
from frontdesk.core.turn import Turn
from frontdesk.testing.telegram import FakeTelegram, broken, cut, refused, slow, too_many_requests
from frontdesk.testing.telegram.world import FileKind

from .platform import Bot, Mode, Texts

JPEG = b"\xff\xd8\xff picture"
PNG = b"\x89PNG\r\n\x1a\n picture"


def a_keeper(files: Sequence[tuple[str, str, bytes]] = (), text: str = "Here.") -> tuple[Plugin, list[Any]]:
    """Notes each file that comes as its part, name and bytes, or its problem, by turn; sends `files` when told to."""
    plugin, turns = Plugin("keeper"), []

    @plugin.pattern(r"^send$")
    async def send(turn: Turn, attachments: Attachments) -> Reply:
        saved = []
        for name, media_type, data in files:

            async def chunks(data: bytes = data) -> AsyncIterator[bytes]:
                yield data

            saved.append(await attachments.save(chunks(), name=name, media_type=media_type))
        return Reply(text, attachments=saved)

    @plugin.answer
    async def keep(turn: Turn, attachments: Attachments) -> Reply:
        found = []
        for message in turn.messages:
            for part in message.parts:
                if isinstance(part, ImagePart | AudioPart | FilePart):
                    kind, file = type(part).__name__.removesuffix("Part").lower(), part.attachment
                    found.append((kind, file.name, attachments.path(file.id).read_bytes() if file.id else file.problem))
        turns.append(found)
        return Reply(f"{turn.text or 'nothing said'}, {len(found)} files")

    return plugin, turns


@pytest.mark.parametrize("mode", ["webhook", "polling"])
@pytest.mark.parametrize(
    ("kind", "name", "media_type", "expected"),
    [
        ("photo", "", "", ("image", "photo.jpg")),
        ("document", "bill.pdf", "application/pdf", ("file", "bill.pdf")),
        ("document", "IMG_1.png", "image/png", ("image", "IMG_1.png")),
        ("voice", "", "audio/ogg", ("audio", "voice.ogg")),
        ("audio", "song.mp3", "audio/mpeg", ("audio", "song.mp3")),
        ("video", "v.mp4", "video/mp4", ("file", "v.mp4")),
        ("video_note", "", "", ("audio", "video-note.mp4")),
        ("document", "/etc/../päß\u202efdp.exe", "text/plain", ("file", "päß_fdp.exe")),
    ],
)
async def test_files_come_in_whole(
    telegram: FakeTelegram,
    bot: Bot,
    texts: Texts,
    mode: Mode,
    kind: FileKind,
    name: str,
    media_type: str,
    expected: tuple[str, str],
) -> None:
    plugin, turns = a_keeper()
    data = JPEG + bytes(range(256)) * 1000
    async with bot(plugin=plugin, mode=mode) as app:
        ann = telegram.user("Ann")
        await ann.send_file(data, kind=kind, name=name, media_type=media_type, caption="my file")
        assert await texts(app, ann.chat, 1) == ["my file, 1 files"]
        assert turns == [[(*expected, data)]]


async def test_an_album_is_one_message(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, turns = a_keeper()
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        photos = [JPEG + bytes([number]) for number in range(4)]
        await ann.send_album(photos, caption="from all sides")
        assert await texts(app, ann.chat, 1) == ["from all sides, 4 files"]
        assert [data for _, _, data in turns[0]] == photos
        await ann.send_album([JPEG, JPEG])
        assert (await texts(app, ann.chat, 2))[1:] == ["nothing said, 2 files"]


async def test_an_album_in_a_group_is_wanted_whole(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    telegram.privacy = False
    plugin, _ = a_keeper()
    async with bot(plugin=plugin) as app:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.send_album([JPEG, JPEG, JPEG], caption="@shop_bot all of them", chat=group)
        assert await texts(app, group, 1) == ["all of them, 3 files"]
        await ann.send_album([JPEG, JPEG], caption="not for the bot", chat=group)
        await ann.write("@shop_bot next", chat=group)
        assert (await texts(app, group, 2))[1:] == ["next, 0 files"]


async def test_a_file_that_is_too_large_is_named_and_not_fetched(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, turns = a_keeper()
    async with bot(plugin=plugin, max_download=1000) as app:
        ann = telegram.user("Ann")
        await ann.send_file(bytes(1001), name="film.bin", caption="see")
        await ann.send_file(bytes(1000), name="small.bin", caption="and this")
        assert await texts(app, ann.chat, 2) == ["see, 1 files", "and this, 1 files"]
        ((_, name, problem),), ((_, _, data),) = turns
        assert name == "film.bin"
        assert "larger than" in problem
        assert data == bytes(1000)


async def test_a_file_larger_than_was_said_is_cut_off(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, turns = a_keeper()
    async with bot(plugin=plugin, max_download=1000) as app:
        ann = telegram.user("Ann")
        media = {**telegram.files.media("document", bytes(5000), name="x.bin"), "file_size": 10}
        await ann.post({"document": media, "caption": "see"})
        assert await texts(app, ann.chat, 1) == ["see, 1 files"]
        assert "larger than" in turns[0][0][2]
        assert not [path for path in (app.options.data_folder / "attachments").rglob("*") if path.is_file()]


@pytest.mark.parametrize("fault", [broken(502), cut(), too_many_requests(1)], ids=["502", "cut in the middle", "429"])
@pytest.mark.parametrize("method", ["getFile", "file"])
async def test_a_file_that_is_not_to_be_had_now_is_waited_for(
    telegram: FakeTelegram, bot: Bot, texts: Texts, fault: Any, method: str
) -> None:
    plugin, turns = a_keeper()
    data = bytes(range(256)) * 4000
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        telegram.fail(fault, method=method)
        await ann.send_file(data, name="x.bin", caption="see")
        await ann.write("after it")
        assert await texts(app, ann.chat, 2) == ["see, 1 files", "after it, 0 files"]
        assert turns[0] == [("file", "x.bin", data)]


async def test_a_file_that_is_gone_is_a_problem_of_the_file_only(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, turns = a_keeper()
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.post({"document": {"file_id": "gone", "file_unique_id": "g", "file_name": "x.bin"}, "caption": "see"})
        telegram.fail(refused("Bad Request: file is too big"), method="getFile")
        await ann.send_file(b"x", name="y.bin", caption="and this")
        replies = await texts(app, ann.chat, 2)
        assert replies == ["see, 1 files", "and this, 1 files"]
        assert all(problem for ((_, _, problem),) in turns)


async def test_a_slow_download_holds_no_other_chat(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, _ = a_keeper()
    async with bot(plugin=plugin) as app:
        ann, bob = telegram.user("Ann"), telegram.user("Bob")
        telegram.fail(slow(5), method="file")
        await ann.send_file(b"data", name="x.bin", caption="see")
        await bob.write("quick")
        await until(lambda: bool(bob.chat.replies))
        assert not ann.chat.replies
        await texts(app, ann.chat, 1)


@pytest.mark.parametrize(
    ("name", "media_type", "data", "kind"),
    [
        ("map.png", "image/png", PNG, "photo"),
        ("photo.jpg", "image/jpeg", JPEG, "photo"),
        ("not really.jpg", "image/jpeg", b"no picture at all", "document"),
        ("cat.gif", "image/gif", b"GIF89a", "animation"),
        ("hello.ogg", "audio/ogg", b"OggS", "voice"),
        ("song.mp3", "audio/mpeg", b"ID3", "audio"),
        ("film.mp4", "video/mp4", b"ftyp", "video"),
        ('päper "1".pdf', "application/pdf", b"%PDF", "document"),
    ],
)
async def test_files_go_out_as_what_they_are(
    telegram: FakeTelegram, bot: Bot, texts: Texts, name: str, media_type: str, data: bytes, kind: str
) -> None:
    plugin, _ = a_keeper([(name, media_type, data)], "Here is **it**.")
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.write("send")
        await texts(app, ann.chat, 1)
        (reply,) = ann.chat.replies
        assert kind in reply.data
        assert list(reply.files.values()) == [data]
        assert (reply.text, reply.formatted("bold")) == ("Here is it.", ["it"])


@pytest.mark.parametrize(
    ("media_type", "good", "fault"),
    [("image/png", PNG, None), ("audio/mpeg", b"ID3", refused("Bad Request: wrong file type"))],
    ids=["photos", "music"],
)
async def test_an_album_that_is_refused_goes_out_as_files(
    telegram: FakeTelegram, bot: Bot, texts: Texts, media_type: str, good: bytes, fault: Any
) -> None:
    plugin, _ = a_keeper([("good", media_type, good), ("bad", media_type, b"neither picture nor sound")])
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        if fault:
            telegram.fail(fault, method="sendMediaGroup")
        await ann.write("send")
        await texts(app, ann.chat, 3)
        text, *rest = ann.chat.replies
        assert text.text == "Here."
        assert all("document" in reply.data for reply in rest)
        assert [data for reply in rest for data in reply.files.values()] == [good, b"neither picture nor sound"]
        assert not (await app.store.health()).dead


async def test_several_files_go_out_as_an_album(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    files = [(f"{number}.png", "image/png", PNG + bytes([number])) for number in range(12)]
    plugin, _ = a_keeper([*files, ("bill.pdf", "application/pdf", b"%PDF")])
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.write("send")
        await texts(app, ann.chat, 14)
        text, *rest = ann.chat.replies
        assert text.text == "Here."
        assert [data for reply in rest for data in reply.files.values()] == [data for _, _, data in files] + [b"%PDF"]
        assert [len({reply.album for reply in part}) for part in (rest[:10], rest[10:12])] == [1, 1]
        assert rest[0].album != rest[10].album


async def test_a_caption_is_edited_with_its_buttons(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, _ = a_keeper([("map.png", "image/png", PNG)])
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.write("send")
        await texts(app, ann.chat, 1)
        (state,) = await app.store.conversations()
        sent = (await app.store.transcript(state.id))[-1]
        assert isinstance(sent.body, Outgoing)
        assert sent.platform_id
        choices = (Choice("Blue", "blue"),)
        better = Outgoing(
            id="2",
            channel="telegram",
            conversation=state.id,
            contact=state.contact,
            text="*Or* here.",
            at=sent.body.at,
            choices=choices,
        )
        await app.channels["telegram"].edit(better, sent.platform_id)
        (reply,) = ann.chat.replies
        assert (reply.text, reply.formatted("italic"), [label for label, _ in reply.buttons]) == ("Or here.", ["Or"], ["Blue"])
        assert "photo" in reply.data


async def test_a_text_too_long_for_a_caption_goes_before_the_file(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, _ = a_keeper([("bill.pdf", "application/pdf", b"%PDF")], "long " * 300)
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.write("send")
        first, second = await texts(app, ann.chat, 2)
        assert (first.split(), second) == (["long"] * 300, "")


async def test_pieces_that_are_out_are_not_sent_again(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin, _ = a_keeper([("a.pdf", "application/pdf", b"%PDF"), ("b.mp3", "audio/mpeg", b"ID3")], "Both:")
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        telegram.fail(broken(), method="sendAudio", times=2)
        await ann.write("send")
        await texts(app, ann.chat, 3)
        assert [next(iter(reply.files), reply.text) for reply in ann.chat.replies] == ["Both:", "a.pdf", "b.mp3"]


async def test_places_and_phone_numbers_come_in(telegram: FakeTelegram, bot: Bot) -> None:
    plugin, _ = a_keeper()
    async with bot(plugin=plugin) as app:
        ann = telegram.user("Ann")
        await ann.post({"location": {"latitude": 52.5, "longitude": 13.4}})
        await ann.post({"contact": {"phone_number": "4915112345678", "first_name": "Ann", "user_id": ann.id}})
        await until(lambda: len(ann.chat.replies) == 2)
        (state,) = await app.store.conversations()
        assert (state.contact.phone, state.contact.verified) == ("+4915112345678", True)
        place = (await app.store.transcript(state.id))[0].body
        assert isinstance(place, Message)
        assert (place.parts[0].latitude, place.parts[0].longitude) == (52.5, 13.4)  # type: ignore[union-attr]
