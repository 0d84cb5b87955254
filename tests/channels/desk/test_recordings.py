"""Voice messages at the desk: the player, the picture of the sound, and what was heard, side by side."""

import re

import pytest

from frontdesk.core.messages import AudioPart, Unheard

from .conftest import World, message


async def shown(world: World, part: AudioPart) -> str:
    ana = await world.agent()
    await world.conversation("web:1", message("web:1", "", part))
    html = await (await ana.get("/desk/c/web%3A1")).text()
    found = re.search(r'<div class="recording">.*?\n</div>', html, re.DOTALL)
    assert found, html
    return found[0]


async def test_player_waveform_and_transcript_stand_together(world: World) -> None:
    voice = await world.save(b"OggS", "v.ogg", "audio/ogg")
    heard = AudioPart(
        voice, seconds=65.4, transcript="where is <my> order?", language="en", confidence=0.873, peaks=(0, 50, 100, 250)
    )
    html = await shown(world, heard)
    assert re.search(rf'<audio controls [^>]*src="/desk/c/web%3A1/files/\d+/{voice.id}"', html)
    assert 'd="M37.5 49V51M112.5 25V75M187.5 0V100M262.5 0V100"' in html
    assert "where is &lt;my&gt; order?" in html
    assert "87 % sure" in html
    assert "1:05" in html
    assert '<svg class="wave" data-seconds="65.4"' in html
    assert '<bdi lang="en">where is' in html, "its direction is not that of the words before it"


@pytest.mark.parametrize(
    ("unheard", "words"),
    [
        ("no_model", "no speech model answers"),
        ("silence", "Nobody speaks in it"),
        ("unreadable", "It could not be read"),
        ("too_long", "Too long to be transcribed"),
        ("failed", "the speech model failed"),
    ],
)
async def test_why_there_is_no_transcript_is_said_beside_the_player(world: World, unheard: Unheard, words: str) -> None:
    voice = await world.save(b"OggS", "v.ogg", "audio/ogg")
    html = await shown(world, AudioPart(voice, unheard=unheard))
    assert "<audio" in html
    assert words in html
    assert "<svg" not in html


async def test_a_video_note_can_be_seen_too(world: World) -> None:
    note = await world.save(b"....ftyp", "note.mp4", "video/mp4")
    html = await shown(world, AudioPart(note, transcript="hello", language="en", confidence=0.9))
    assert re.search(rf'<video controls [^>]*src="/desk/c/web%3A1/files/\d+/{note.id}"', html)
    ana = await world.agent()
    answer = await ana.get(f"/desk/c/web%3A1/files/1/{note.id}")
    assert answer.headers["Content-Type"] == "video/mp4"


async def test_a_file_that_no_browser_plays_can_be_downloaded(world: World) -> None:
    voice = await world.save(b"#!AMR", "v.amr", "audio/amr")
    ana = await world.agent()
    await world.conversation("web:1", message("web:1", "", AudioPart(voice, transcript="hello", language="en", confidence=0.9)))
    html = await (await ana.get("/desk/c/web%3A1")).text()
    assert "?download" in html
    assert "hello" in html
