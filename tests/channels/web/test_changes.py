"""What is changed after it was said, as a browser gets it."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

from frontdesk.channels.web import WebChannel, WebSettings
from frontdesk.channels.web.render import view
from frontdesk.core.contacts import Identity, proved
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.messages import ReactionPart, TextPart
from frontdesk.core.testing import a_message

from .conftest import Chat


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "edited", "target": "m", "parts": (TextPart("new"),)},
        {"kind": "deleted", "target": "m", "parts": ()},
        {"kind": "reaction", "target": "m", "parts": (ReactionPart("👍"),)},
        {"revision": "deleted", "parts": ()},
    ],
)
def test_events_and_what_was_deleted_are_not_shown(change: dict[str, Any]) -> None:
    assert view(msgspec.structs.replace(a_message("old"), **change)) is None


def test_an_edited_message_is_shown_in_its_new_words() -> None:
    own = view(msgspec.structs.replace(a_message("new"), revision="edited"))
    assert own is not None
    assert own.text == "new"  # type: ignore[union-attr]


async def test_a_correction_says_what_it_replaces(chat: Chat) -> None:
    token = await chat.token()
    conversation = chat.conversation(token)
    first = chat.reply(conversation, "At nien.", author="agent:Ann")
    better = chat.reply(conversation, "At nine.", author="agent:Ann", replaces=first.id)
    async with chat.socket(token) as browser:
        await chat.commit(conversation, first, better)
        await chat.channel.send(first)
        assert await chat.channel.edit(better, first.id) == better.id
        assert "replaces" not in (await browser.hear())["entry"]
        pushed = (await browser.hear())["entry"]
    assert (pushed["text"], pushed["replaces"]) == ("At nine.", first.id)
    history = await chat.get(token)
    assert [entry.get("replaces") for entry in history["entries"]] == [None, first.id]


async def test_the_session_is_proved_by_its_token(chat: Chat) -> None:
    await chat.post(token := await chat.token(), {"type": "message", "id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "text": "hi"})
    (message,) = chat.accepted
    assert proved([message]) == Identity(channel="web", contact=chat.conversation(token), conversation=chat.conversation(token))


async def test_a_channel_that_is_only_looked_at_makes_no_key(chat: Chat, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    channel = WebChannel(WebSettings(), dataclasses.replace(chat.channel.services, folder=folder))
    assert await channel.check() == "https://chat.example/chat"
    assert list(folder.iterdir()) == []
    await channel.start()
    assert [file.name for file in folder.iterdir()] == ["web.key"]


async def test_a_broken_key_stops_the_start(chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "web.key").write_bytes(b"short")
    with pytest.raises(ConfigurationError):
        await WebChannel(WebSettings(), chat.channel.services).start()
