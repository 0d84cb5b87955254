"""Whisper in a process of its own, as the bot uses it."""

import asyncio
import os
import signal

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import InvalidInput, MissingExtra, ModelFailed, ModelUnavailable
from frontdesk.core.metrics import Metrics
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper import WhisperTranscriber

from .polyglot import MICRO

pytestmark = needs("torch", "whisper", "av", "silero_vad")


@pytest.fixture
async def transcriber():
    transcriber = WhisperTranscriber(SpeechSettings(model=str(MICRO), threads=1))
    await transcriber.start()
    yield transcriber
    await transcriber.stop()


async def test_notes_are_heard_at_the_same_time_while_it_still_loads(transcriber, recordings):
    assert transcriber.name == "whisper:micro.pt.gz"
    assert transcriber.state.status == "loading"
    names = ["cancel.ogg", "package.ogg", "human.ogg", "cancel.mp3"]
    found = await asyncio.gather(*(transcriber.transcribe(recordings / name, language="en") for name in names))
    assert [one.text for one in found] == [
        "I want to cancel my order.",
        "Where is my package?",
        "I want to speak to a human.",
        "I want to cancel my order.",
    ]
    assert transcriber.state.status == "ready"


async def test_what_is_wrong_with_a_recording_reaches_the_customer_as_it_is(transcriber, tmp_path, recordings):
    path = tmp_path / "empty.ogg"
    path.write_bytes(b"")
    with pytest.raises(InvalidInput, match="the recording is empty"):
        await transcriber.transcribe(path)
    with pytest.raises(ModelFailed, match="from the disk"):
        await transcriber.transcribe(tmp_path / "gone.ogg")
    assert (await transcriber.transcribe(recordings / "package.ogg")).text == "Where is my package?"


async def test_calls_are_measured(recordings, tmp_path):
    metrics = Metrics()
    transcriber = WhisperTranscriber(SpeechSettings(model=str(MICRO), threads=1), metrics=metrics)
    await transcriber.start()
    try:
        await transcriber.transcribe(recordings / "cancel.ogg")
        with pytest.raises(ModelFailed):
            await transcriber.transcribe(tmp_path / "gone.ogg")
    finally:
        await transcriber.stop()
    name = {"model": "whisper:micro.pt.gz", "operation": "transcribe"}
    for result in ("done", "ModelFailed"):
        assert metrics.registry.get_sample_value("frontdesk_model_seconds_count", {**name, "result": result}) == 1


def test_without_the_packages_the_extra_is_named(monkeypatch):
    from frontdesk.plugins.models.whisper import transcriber

    monkeypatch.setattr(transcriber, "PACKAGES", ("whisper", "no_such_package_as_this"))
    with pytest.raises(MissingExtra, match=r"frontdesk\[voice\]"):
        WhisperTranscriber(SpeechSettings())


async def test_a_long_note_tells_how_far_it_is(transcriber, note):
    shares = []
    heard = await transcriber.transcribe(note(*[part for _ in range(20) for part in ("human.ogg", 0.8)]), progress=shares.append)
    assert len(heard.segments) == 2
    assert len(shares) == 2
    assert shares == sorted(shares)


async def test_a_death_in_the_middle_of_a_note_costs_that_note_only(transcriber, note, recordings):
    await transcriber.loaded()
    shares = []
    path = note(*[part for _ in range(60) for part in ("human.ogg", 0.8)])
    task = asyncio.create_task(transcriber.transcribe(path, progress=shares.append))
    await until(lambda: bool(shares))
    os.kill(transcriber.worker.pid, signal.SIGKILL)
    with pytest.raises(ModelFailed):
        await task
    assert (await transcriber.transcribe(recordings / "package.ogg")).text == "Where is my package?"


async def test_a_note_that_takes_too_long_has_failed(note):
    transcriber = WhisperTranscriber(SpeechSettings(model=str(MICRO), threads=1, seconds=0.3))
    await transcriber.start()
    try:
        with pytest.raises(ModelFailed):
            await transcriber.transcribe(note(*[part for _ in range(120) for part in ("human.ogg", 0.8)]))
    finally:
        await transcriber.stop()


async def test_a_model_that_is_no_model_says_so(tmp_path, recordings):
    path = tmp_path / "model.pt"
    path.write_text("no model")
    transcriber = WhisperTranscriber(SpeechSettings(model=str(path)))
    await transcriber.start()
    try:
        with pytest.raises(ModelUnavailable, match=r"models\.speech\.model"):
            await transcriber.transcribe(recordings / "cancel.ogg")
        assert transcriber.state.status == "failed"
    finally:
        await transcriber.stop()
