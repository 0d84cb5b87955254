import math
import wave
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.plugins.models.conftest import needs
from tests.plugins.models.remote.conftest import settings_for

from frontdesk.core.errors import ConfigurationError, InvalidInput, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.plugins.models.remote import RemoteSpeaker, RemoteTranscriber, speech
from frontdesk.plugins.models.remote.containers import kind_of, opus_seconds
from frontdesk.plugins.models.remote.languages import code_of
from frontdesk.plugins.models.settings import SpeechSettings, VoiceSettings
from frontdesk.testing.openai import DIALECTS, FakeOpenAI, Fault

pytestmark = needs("openai", "jsonschema")

RECORDINGS = Path(__file__).parents[1] / "whisper" / "recordings"


@pytest.fixture
async def service():
    async with FakeOpenAI("openai", model="whisper-1") as service:
        service.transcription.text = "I want to cancel my order."
        service.speech = (RECORDINGS / "cancel.ogg").read_bytes()
        yield service


@pytest.fixture
async def transcriber_with(tmp_path, metrics):
    async with AsyncExitStack() as open:

        async def make(service, provider="openai", **more):
            transcriber = RemoteTranscriber(
                SpeechSettings(**settings_for(service, provider, **more)), folder=tmp_path, metrics=metrics
            )
            open.push_async_callback(transcriber.stop)
            await transcriber.start()
            return transcriber

        yield make


@pytest.fixture
async def speaker_with(tmp_path, metrics):
    async with AsyncExitStack() as open:

        async def make(service, provider="openai", **more):
            speaker = RemoteSpeaker(VoiceSettings(**settings_for(service, provider, **more)), folder=tmp_path, metrics=metrics)
            open.push_async_callback(speaker.stop)
            await speaker.start()
            return speaker

        yield make


@pytest.fixture
def without_av(monkeypatch):
    found = speech.importlib.util.find_spec
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda name: None if name == "av" else found(name))


def segment(text, logprob=-0.1, silence=0.0, loops=1.0, start=0.0):
    return {
        "start": start,
        "end": start + 1.0,
        "text": text,
        "avg_logprob": logprob,
        "no_speech_prob": silence,
        "compression_ratio": loops,
    }


@needs("av")
async def test_what_is_said_comes_with_language_confidence_and_loudness(service, transcriber_with):
    service.transcription.segments = [
        segment(" I want to", math.log(0.9)),
        segment(" cancel my order.", math.log(0.6), start=1.0),
    ]
    heard = await (await transcriber_with(service)).transcribe(RECORDINGS / "cancel.ogg", language="de", languages=["en", "de"])
    assert (heard.text, heard.language) == ("I want to cancel my order.", "en")
    assert heard.confidence == pytest.approx((0.9 * 10 + 0.6 * 17) / 27)
    assert heard.seconds == pytest.approx(2.1, abs=0.1)
    assert len(heard.peaks) == 100
    assert [(part.text, part.start, round(part.confidence, 2)) for part in heard.segments] == [
        ("I want to", 0.0, 0.9),
        ("cancel my order.", 1.0, 0.6),
    ]
    (request,) = service.requests
    assert request.path == "/v1/audio/transcriptions"
    assert request.file == (RECORDINGS / "cancel.ogg").read_bytes()
    assert request.body == {"model": "whisper-1", "response_format": "verbose_json"}


@needs("av")
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("cancel.ogg", "note.ogg"),
        ("cancel.mp3", "note.mp3"),
        ("cancel.wav", "note.wav"),
        ("cancel.flac", "note.flac"),
        ("cancel.amr", None),
        ("cancel.3gp", None),
        ("videonote.mp4", None),
        ("cancel.webm", None),
    ],
)
async def test_a_recording_is_sent_as_it_is_or_as_a_voice_note(name, sent, service, transcriber_with):
    await (await transcriber_with(service)).transcribe(RECORDINGS / name)
    (request,) = service.requests
    assert request.file_name == (sent or "note.ogg")
    assert (request.file == (RECORDINGS / name).read_bytes()) == (sent is not None)
    if sent is None:
        assert opus_seconds(request.file) == pytest.approx(2.1, abs=0.3)


@needs("av")
async def test_what_is_too_large_is_sent_as_a_voice_note(service, transcriber_with, monkeypatch):
    monkeypatch.setattr(speech, "MAX_FILE", 10_000)
    await (await transcriber_with(service)).transcribe(RECORDINGS / "cancel.wav")
    assert service.requests[0].file[:4] == b"OggS"


@needs("av")
async def test_silence_is_not_sent(service, transcriber_with, tmp_path):
    with wave.open(str(tmp_path / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    heard = await (await transcriber_with(service)).transcribe(tmp_path / "silence.wav")
    assert (heard.text, heard.seconds) == ("", 1.0)
    assert service.requests == []


@needs("av")
@pytest.mark.parametrize("content", [b"", b"hello", b"OggS" + b"\0" * 100])
async def test_what_is_no_recording_is_told_in_words_for_customers(content, service, transcriber_with, tmp_path):
    path = tmp_path / "note.ogg"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="the recording"):
        await (await transcriber_with(service)).transcribe(path)
    assert service.requests == []


async def test_without_pyav_known_kinds_are_sent_as_they_are(service, transcriber_with, without_av, tmp_path, monkeypatch):
    service.transcription.duration = 2.5
    transcriber = await transcriber_with(service)
    heard = await transcriber.transcribe(RECORDINGS / "cancel.m4a")
    assert (heard.text, heard.seconds, heard.peaks) == ("I want to cancel my order.", 2.5, ())
    with pytest.raises(ModelUnavailable, match=r"frontdesk\[voice\]"):
        await transcriber.transcribe(RECORDINGS / "cancel.amr")
    (tmp_path / "empty.ogg").touch()
    with pytest.raises(InvalidInput, match="empty"):
        await transcriber.transcribe(tmp_path / "empty.ogg")
    monkeypatch.setattr(speech, "MAX_FILE", 10_000)
    with pytest.raises(InvalidInput, match="larger"):
        await transcriber.transcribe(RECORDINGS / "cancel.wav")


@pytest.fixture
async def plain(service, transcriber_with, without_av):
    return await transcriber_with(service)


async def test_what_nobody_has_said_is_left_out(service, plain):
    service.transcription.segments = [
        segment(" Thanks for watching!", -1.5, silence=0.9),
        segment(" no no no no no", loops=9.0),
        segment(" My order.", -0.2, start=3.0),
    ]
    heard = await plain.transcribe(RECORDINGS / "cancel.ogg")
    assert heard.text == "My order."
    service.transcription.segments = service.transcription.segments[:1]
    service.transcription.text = "Thanks for watching!"
    assert (await plain.transcribe(RECORDINGS / "cancel.ogg")).text == ""


async def test_scripts_without_spaces_get_none(service, plain):
    service.transcription.text = "我想取消我的订单。"
    service.transcription.language = "chinese"
    service.transcription.segments = [segment("我想取消"), segment("我的订单。")]
    heard = await plain.transcribe(RECORDINGS / "cancel.ogg")
    assert (heard.text, heard.language) == ("我想取消我的订单。", "zh")


async def test_without_segments_the_confidence_is_unknown_and_the_language_guessed(transcriber_with, without_av):
    async with FakeOpenAI("transformers") as service:
        service.transcription.text = "Ich möchte gerne meine letzte Bestellung stornieren."
        transcriber = await transcriber_with(service, "transformers")
        heard = await transcriber.transcribe(RECORDINGS / "cancel.ogg", language="en", languages=["en", "de"])
        assert (heard.confidence, heard.language) == (speech.UNKNOWN_CONFIDENCE, "de")
        assert service.requests[0].body == {"model": "test-model"}


async def test_newer_models_tell_the_probability_of_each_token(transcriber_with, without_av):
    async with FakeOpenAI("openai", model="gpt-4o-mini-transcribe") as service:
        service.transcription.text = "Hello."
        service.transcription.extra = {
            "logprobs": [{"token": "Hello", "logprob": math.log(0.5)}, {"token": ".", "logprob": 0.0}],
            "usage": {"type": "tokens", "input_tokens": 30, "output_tokens": 4},
        }
        heard = await (await transcriber_with(service)).transcribe(RECORDINGS / "cancel.ogg", languages=["de"])
        assert heard.confidence == 0.75
        body = service.requests[0].body
        assert body["response_format"] == "json"
        assert body["language"] == "de"


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
async def test_every_dialect_takes_recordings(dialect, transcriber_with, without_av):
    async with FakeOpenAI(dialect) as service:
        service.transcription.text = "Hello."
        heard = await (await transcriber_with(service, dialect)).transcribe(RECORDINGS / "cancel.ogg", languages=["en"])
        assert heard.text == "Hello."


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"text": 5}', b'{"error": "no"}', b"[]"])
async def test_rubbish_instead_of_words_is_a_failure(body, service, plain):
    service.fail(Fault(body=body))
    with pytest.raises(ModelFailed):
        await plain.transcribe(RECORDINGS / "cancel.ogg")


async def test_a_service_that_cannot_listen_says_so(service, plain):
    service.fail(Fault(status=404))
    with pytest.raises(ModelUnavailable, match=r"models\.speech\.model"):
        await plain.transcribe(RECORDINGS / "cancel.ogg")


async def test_a_text_is_read_aloud(service, speaker_with):
    speech = await (await speaker_with(service, voice="nova")).speak("Your order is cancelled.", language="en")
    assert speech.media_type == "audio/ogg"
    assert speech.data == service.speech
    assert speech.seconds == pytest.approx(2.1, abs=0.1)
    (request,) = service.requests
    assert request.body == {
        "input": "Your order is cancelled.",
        "model": "whisper-1",
        "voice": "nova",
        "response_format": "opus",
    }


@pytest.mark.parametrize(("text", "reason"), [("  ", "nothing"), ("x" * 4097, "4096")])
async def test_what_cannot_be_read_aloud_is_rejected(text, reason, service, speaker_with):
    with pytest.raises(PromptRejected, match=reason):
        await (await speaker_with(service)).speak(text, language="en")
    assert service.requests == []


@pytest.mark.parametrize("body", [b"", b"RIFF....WAVE", b"<html>", b"OggS" + b"\0" * 50])
async def test_what_is_no_voice_note_is_a_failure(body, service, speaker_with):
    service.fail(Fault(body=body, media_type="audio/ogg"))
    with pytest.raises(ModelFailed):
        await (await speaker_with(service)).speak("Hello", language="en")


async def test_the_settings_are_named(service, speaker_with, transcriber_with):
    with pytest.raises(ConfigurationError, match=r"models\.voice\.api_key"):
        await speaker_with(service, api_key=None)
    with pytest.raises(ConfigurationError, match=r"models\.speech\.api_key"):
        await transcriber_with(service, api_key=None)


@pytest.mark.parametrize("name", [path.name for path in RECORDINGS.glob("cancel.*")])
def test_kinds_are_told_by_content(name):
    kind = kind_of((RECORDINGS / name).read_bytes()[:16])
    ending = {"m4a": "mp4"}.get(name.partition(".")[2], name.partition(".")[2])
    assert (kind and kind[0]) == (None if ending in ("amr", "3gp", "aac") else f"note.{ending}")


def test_languages_are_known_by_name_and_code():
    assert [code_of(name) for name in ("english", "Chinese", "de", "pt-BR", "", "klingon")] == ["en", "zh", "de", "pt", "", ""]


def test_an_unknown_confidence_is_believed_unless_the_operator_asks_for_more():
    assert SpeechSettings().ask_below < speech.UNKNOWN_CONFIDENCE
