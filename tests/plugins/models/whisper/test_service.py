"""Whisper's service in this process, with real if tiny models on real sound."""

import asyncio
from itertools import pairwise

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import ConfigurationError, InvalidInput
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.audio import RATE

from .conftest import sounds, write_untrained
from .polyglot import MICRO

pytestmark = needs("torch", "whisper", "av", "silero_vad")

CONTAINERS = [
    "cancel.3gp",
    "cancel.aac",
    "cancel.amr",
    "cancel.flac",
    "cancel.m4a",
    "cancel.mp3",
    "cancel.ogg",
    "cancel.wav",
    "cancel.webm",
    "videonote.mp4",
]


@pytest.mark.parametrize("name", CONTAINERS)
async def test_a_note_is_heard_from_every_container(start, recordings, name):
    ears = await start()
    heard = await ears.hear(recordings / name, language="en")
    assert heard.text == "I want to cancel my order."
    assert heard.language == "en"
    assert 0.5 < heard.confidence <= 1
    assert heard.seconds == pytest.approx(2.1, abs=0.1)
    assert len(heard.peaks) == 100
    assert ears.encoded == 1
    (segment,) = heard.segments
    assert (segment.text, segment.language) == (heard.text, "en")
    assert 0 <= segment.start < segment.end <= heard.seconds + 0.05
    assert segment.confidence == pytest.approx(heard.confidence)


async def test_nothing_is_invented_for_what_is_no_speech(start, note):
    ears = await start()
    for name, samples in sounds().items():
        heard = await ears.hear(note(samples), language="en")
        assert (heard.text, heard.segments, heard.confidence) == ("", (), 0.0), name
        assert heard.seconds == pytest.approx(10, abs=0.05)
        assert heard.language == "en"
    assert ears.encoded == 0


async def test_three_hours_of_silence_are_refused_or_heard_as_nothing_without_the_model(start, tmp_path):
    size = 3 * 3600 * RATE * 2
    path = tmp_path / "silence.wav"
    with path.open("wb") as file:
        file.write(
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data"
            + size.to_bytes(4, "little")
        )
        file.truncate(44 + size)
    ears = await start()
    with pytest.raises(InvalidInput, match="too long: 30 minutes"):
        await ears.hear(path)
    patient = await start(max_minutes=200)
    heard = await patient.hear(path)
    assert (heard.text, heard.seconds) == ("", 3 * 3600)
    assert ears.encoded == patient.encoded == 0


async def test_words_are_found_between_long_silences(start, note):
    ears = await start()
    heard = await ears.hear(note(40, "cancel.ogg", 50))
    assert heard.text == "I want to cancel my order."
    assert heard.segments[0].start == pytest.approx(40, abs=0.5)
    assert heard.seconds == pytest.approx(92, abs=0.5)
    assert ears.encoded == 1


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("cancel.ogg", "en", "I want to cancel my order."),
        ("german.ogg", "de", "Ich möchte meine Bestellung stornieren."),
        ("chinese.ogg", "zh", "我想取消我的订单。"),
    ],
)
@pytest.mark.parametrize("given", [None, "en", "de", "zh-Hant", "xx"])
async def test_the_language_is_found_whatever_was_guessed_in_one_pass_of_the_encoder(
    start, recordings, polyglot, name, language, text, given
):
    ears = await start(polyglot)
    heard = await ears.hear(recordings / name, language=given)
    assert (heard.text, heard.language) == (text, language)
    assert heard.segments[0].language == language
    assert ears.encoded == 1


async def test_a_language_that_is_given_costs_no_look_at_the_whole_sound(start, recordings, polyglot, monkeypatch):
    from frontdesk.plugins.models.whisper.decoder import Decoder

    looks = []
    original = Decoder.probabilities
    monkeypatch.setattr(Decoder, "probabilities", lambda self, features: looks.append(len(features)) or original(self, features))
    ears = await start(polyglot)
    await ears.hear(recordings / "cancel.ogg", language="en")
    assert looks
    assert max(looks) < 150  # three seconds of thirty
    looks.clear()
    await ears.hear(recordings / "cancel.ogg")
    assert max(looks) == 1500


@pytest.mark.parametrize("given", [None, "en", "de"])
async def test_two_languages_in_one_note_are_both_heard(start, recordings, polyglot, given):
    ears = await start(polyglot)
    heard = await ears.hear(recordings / "two_languages.ogg", language=given, languages=("en", "de"))
    assert [(segment.text, segment.language) for segment in heard.segments] == [
        ("Where is my package?", "en"),
        ("Ich möchte meine Bestellung stornieren.", "de"),
    ]
    assert heard.text == "Where is my package? Ich möchte meine Bestellung stornieren."
    assert heard.language == "de"
    first, second = heard.segments
    assert first.end <= second.start
    assert second.end <= heard.seconds + 0.05


async def test_the_languages_of_the_bot_are_preferred_where_it_is_not_sure(start, recordings, polyglot, monkeypatch):
    from frontdesk.plugins.models.whisper.decoder import Decoder

    unsure = dict.fromkeys(("en", "de", "zh", "nl"), 0.0) | {"nl": 0.5, "de": 0.4, "en": 0.1}
    monkeypatch.setattr(Decoder, "probabilities", lambda self, features: unsure)
    ears = await start(polyglot)
    assert (await ears.hear(recordings / "german.ogg", languages=("en", "de"))).language == "de"
    assert (await ears.hear(recordings / "german.ogg")).language == "nl"
    unsure |= {"nl": 0.95, "de": 0.05, "en": 0.0}
    assert (await ears.hear(recordings / "german.ogg", languages=("en", "de"))).language == "nl"


async def test_a_long_note_is_heard_in_windows_with_progress(start, note, monkeypatch):
    from frontdesk.plugins.models.whisper import windows

    monkeypatch.setattr(windows, "LONGEST", 3 * RATE)  # the tiny model knows one sentence at a time
    ears = await start()
    names = ["cancel.ogg", "package.ogg", "human.ogg"] * 5
    heard = await ears.hear(note(*[part for name in names for part in (name, 0.8)]))
    assert heard.text == " ".join(["I want to cancel my order. Where is my package? I want to speak to a human."] * 5)
    assert ears.encoded == 15
    assert len(ears.progress) == 15
    assert ears.progress == sorted(ears.progress)
    assert 0 < ears.progress[0] < 0.5
    assert all(one.end <= following.start for one, following in pairwise(heard.segments))


async def test_a_minute_of_speech_takes_two_passes(start, note):
    ears = await start()
    heard = await ears.hear(note(*[part for _ in range(20) for part in ("cancel.ogg", 0.8)]))
    assert ears.encoded == 2
    first, second = heard.segments
    assert first.start < 1
    assert 29 < second.start < 42
    assert heard.segments[-1].end == pytest.approx(heard.seconds, abs=1.2)


async def test_notes_heard_in_a_batch_are_heard_as_one_by_one(start, recordings, polyglot):
    names = [
        "cancel.ogg",
        "german.ogg",
        "chinese.ogg",
        "package.ogg",
        "human.ogg",
        "two_languages.ogg",
        "cancel.mp3",
        "cancel.amr",
    ]
    alone, together = await start(polyglot, batch=1), await start(polyglot, batch=8)
    expected = [await alone.hear(recordings / name) for name in names]
    batches = []
    together.service._decoder._model.encoder.register_forward_hook(lambda module, args, output: batches.append(len(output)))
    found = await asyncio.gather(*(together.hear(recordings / name) for name in names))
    assert [one.text for one in found] == [one.text for one in expected]
    assert [one.language for one in found] == [one.language for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=0.01)
    assert max(batches) > 1


async def test_a_short_note_does_not_wait_for_the_whole_of_a_long_one(start, note, recordings):
    ears = await start()
    path = note(*[part for _ in range(60) for part in ("cancel.ogg", 0.8)])
    ended = []

    async def hear(name, path):
        await ears.hear(path)
        ended.append(name)

    long = asyncio.create_task(hear("long", path))
    await until(lambda: ears.encoded >= 1)
    await hear("short", recordings / "package.ogg")
    await long
    assert ended == ["short", "long"]


async def test_a_note_that_nobody_waits_for_any_more_ends_and_the_next_is_heard(start, note, recordings):
    ears = await start()
    path = note(*[part for _ in range(60) for part in ("cancel.ogg", 0.8)])
    task = asyncio.create_task(ears.hear(path))
    await until(lambda: ears.encoded >= 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ears.hear(recordings / "package.ogg")).text == "Where is my package?"
    assert ears.encoded <= 4  # of eight: the one that was running, and one that had begun


async def test_rubbish_of_the_model_is_bounded_and_not_believed(start, recordings, untrained, monkeypatch):
    import whisper

    tries = []
    decode = whisper.decode

    def counted(model, mel, options):
        tries.append((options.language, options.temperature, options.sample_len))
        return decode(model, mel, options)

    monkeypatch.setattr(whisper, "decode", counted)
    ears = await start(untrained)
    heard = await ears.hear(recordings / "cancel.ogg", language="en")
    assert ears.encoded == 1
    assert 1 < len(tries) <= 4
    assert {temperature for _, temperature, _ in tries} > {0.0}
    assert all(tokens <= 32 for _, _, tokens in tries)
    assert heard.confidence < 0.4


async def test_a_loop_of_the_model_is_cut(start, recordings, monkeypatch):
    import dataclasses

    import whisper

    decode = whisper.decode

    def looping(model, mel, options):
        return [
            dataclasses.replace(result, text="I want a refund. " + "Thank you. " * 30, compression_ratio=9.0)
            for result in decode(model, mel, options)
        ]

    monkeypatch.setattr(whisper, "decode", looping)
    ears = await start()
    assert (await ears.hear(recordings / "cancel.ogg")).text == "I want a refund. Thank you."


async def test_what_the_model_itself_takes_for_no_speech_is_dropped(start, recordings, monkeypatch):
    import dataclasses

    import whisper

    decode = whisper.decode

    def doubtful(model, mel, options):
        return [
            dataclasses.replace(result, text="Thank you for watching!", no_speech_prob=0.9, avg_logprob=-1.5)
            for result in decode(model, mel, options)
        ]

    monkeypatch.setattr(whisper, "decode", doubtful)
    ears = await start()
    heard = await ears.hear(recordings / "cancel.ogg")
    assert (heard.text, heard.confidence) == ("", 0.0)


async def test_a_bad_recording_is_refused_and_the_next_is_heard(start, recordings, tmp_path):
    ears = await start()
    bad = tmp_path / "bad.ogg"
    bad.write_text("I am no sound")
    for path in (bad, recordings / "protected.mp4"):
        with pytest.raises(InvalidInput, match="the recording"):
            await ears.hear(path)
    assert (await ears.hear(recordings / "package.ogg")).text == "Where is my package?"


async def test_facts_say_what_was_loaded(start, polyglot):
    assert (await start()).facts == {"device": "cpu", "languages": 1, "parameters": 7652352}
    assert (await start(polyglot)).facts["languages"] == 99


async def test_a_model_of_large_v3s_form_is_loaded(start, tmp_path, recordings):
    path = tmp_path / "large.pt"
    write_untrained(path, n_mels=128, n_vocab=51866)
    ears = await start(path)
    assert ears.facts["languages"] == 100
    heard = await ears.hear(recordings / "cancel.ogg", language="yue")
    assert heard.seconds > 2


async def test_a_wrong_file_is_said_when_it_is_loaded(start, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(MICRO.read_bytes()[:1000])
    with pytest.raises(ConfigurationError, match=r"models.speech.model: .*model\.pt"):
        await start(path)
