"""Audio clips in Slack, through whole turns."""

from pathlib import Path

from tests.channels.speaking import NOTE, SPOKEN, a_listener, heard

from frontdesk.core.testing.platform import wait_for

from .platform import SlackPlatform


async def test_what_is_spoken_is_answered_and_if_wanted_aloud(tmp_path: Path) -> None:
    platform = SlackPlatform()
    async with a_listener(platform, tmp_path, "hello there", "good bye") as app:
        ann = platform._views["ann"]
        await ann.write(clip=("audio_message.webm", NOTE))
        assert (await wait_for(platform, 1))[0].text.startswith("You said: hello there")
        await ann.write("/voice on")
        await wait_for(platform, 2)
        await ann.write(clip=("audio_message.webm", NOTE))
        seen = (await wait_for(platform, 4))[2:]
        assert seen[0].text.startswith("You said: good bye")
        assert seen[1].files == {"reply.ogg": SPOKEN}
        assert [words for _, words in await heard(app)] == ["hello there", "good bye"]
