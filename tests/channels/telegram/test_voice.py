"""Voice messages and video notes on Telegram, through whole turns."""

from pathlib import Path

import pytest
from tests.channels.speaking import NOTE, SPOKEN, a_listener, heard

from frontdesk.core.testing.platform import wait_for
from frontdesk.testing.telegram.world import FileKind

from .platform import TelegramPlatform


@pytest.mark.parametrize(("kind", "media_type"), [("voice", "audio/ogg"), ("video_note", "video/mp4"), ("audio", "audio/mpeg")])
async def test_what_is_spoken_is_answered_and_if_wanted_aloud(tmp_path: Path, kind: FileKind, media_type: str) -> None:
    platform = TelegramPlatform("webhook")
    async with a_listener(platform, tmp_path, "hello there", "good bye") as app:
        ann = platform.telegram.user("Ann")
        platform._users["ann"] = ann
        await ann.send_file(NOTE, kind=kind, media_type=media_type)
        assert (await wait_for(platform, 1))[0].text.startswith("You said: hello there")
        await ann.write("/voice on")
        await wait_for(platform, 2)
        await ann.send_file(NOTE, kind=kind, media_type=media_type)
        await wait_for(platform, 3)
        reply = ann.chat.replies[2]
        assert reply.text.startswith("You said: good bye")
        assert reply.data["voice"]
        assert list(reply.files.values()) == [SPOKEN]
        assert await heard(app) == [(media_type, "hello there"), (media_type, "good bye")]
