from pathlib import Path

import numpy as np
import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import InvalidInput
from frontdesk.plugins.models.audio import RATE, Loudness, encode, opened, to_ogg

pytestmark = needs("av")

RECORDINGS = Path(__file__).parents[1] / "whisper" / "recordings"


def tone(seconds, rate, frequency=440.0):
    return (0.3 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def pitch(samples):
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * RATE / len(samples)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_samples_of_any_rate_become_a_voice_note_of_the_same_length_and_pitch(tmp_path, rate):
    speech = encode(tone(1.5, rate), rate)
    assert speech.media_type == "audio/ogg"
    assert speech.data[:4] == b"OggS"
    assert b"OpusHead" in speech.data[:64]
    assert speech.seconds == pytest.approx(1.5, abs=0.01)
    path = tmp_path / "note.ogg"
    path.write_bytes(speech.data)
    with opened(path, max_seconds=10) as recording:
        samples = np.concatenate(list(recording))
    assert len(samples) / RATE == pytest.approx(1.5, abs=0.05)
    assert pitch(samples) == pytest.approx(440, abs=5)


def test_a_note_of_speech_is_small():
    speech = to_ogg(RECORDINGS / "cancel.flac", max_seconds=60)
    assert len(speech.data) < 10_000
    assert speech.seconds == pytest.approx(2.1, abs=0.05)


def test_any_recording_can_be_rewritten(tmp_path):
    path = tmp_path / "again.ogg"
    path.write_bytes(to_ogg(RECORDINGS / "videonote.mp4", max_seconds=60).data)
    assert to_ogg(path, max_seconds=60).seconds == pytest.approx(2.1, abs=0.1)


def test_what_is_no_recording_is_not_rewritten(tmp_path):
    path = tmp_path / "text.ogg"
    path.write_text("hello")
    with pytest.raises(InvalidInput):
        to_ogg(path, max_seconds=60)


def test_loudness_does_not_depend_on_how_the_sound_is_cut_into_chunks():
    samples = tone(3, RATE) * np.linspace(0, 1, 3 * RATE, dtype=np.float32)
    whole, pieces = Loudness(RATE), Loudness(RATE)
    whole.feed(samples)
    for piece in np.array_split(samples, 37):
        pieces.feed(piece)
    assert whole.peaks() == pieces.peaks()
    assert len(whole.peaks()) == 100
    assert list(whole.peaks()) == sorted(whole.peaks())


def test_silence_has_no_peaks_and_hiss_is_no_mountain_range():
    silent, hiss = Loudness(RATE), Loudness(RATE)
    silent.feed(np.zeros(RATE, np.float32))
    hiss.feed((1e-3 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32))
    assert set(silent.peaks()) == {0}
    assert max(hiss.peaks()) <= 6
    assert Loudness(RATE).peaks() == ()


def test_a_recording_of_a_tenth_of_a_second_has_as_many_peaks_as_it_has_steps():
    short = Loudness(RATE)
    short.feed(tone(0.1, RATE))
    assert len(short.peaks()) == 5
