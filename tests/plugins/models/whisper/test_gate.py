from itertools import pairwise

import numpy as np
import pytest
from tests.plugins.models.conftest import needs

from frontdesk.plugins.models.audio import RATE
from frontdesk.plugins.models.whisper.gate import FRAME, Gate
from frontdesk.plugins.models.whisper.windows import windows

from .conftest import sounds

pytestmark = needs("av", "silero_vad")

SPEECH = ["cancel.ogg", "package.ogg", "human.ogg", "german.ogg", "chinese.ogg", "cancel.amr", "cancel.mp3"]


@pytest.fixture(scope="module")
def gate():
    return Gate()


def seconds(count):
    return np.zeros(int(count * RATE), np.float32)


def with_noise(samples, kind, decibels):
    """The samples, in noise that is so many decibels weaker than they are."""
    noise = np.resize(sounds()[kind], len(samples))
    scale = np.sqrt((samples**2).mean() / (noise**2).mean()) / 10 ** (decibels / 20)
    return (samples + scale * noise).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize("name", sounds())
def test_nobody_speaks_in_silence_noise_and_tones(gate, name):
    assert list(gate.stretches([sounds()[name]])) == []


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize(
    ("kind", "decibels"), [(None, 0), ("white noise", 20), ("white noise", 5), ("pink noise", 5), ("pink noise", 0), ("hum", 0)]
)
def test_speech_is_found_in_any_voice_with_and_without_noise(gate, samples_of, name, kind, decibels):
    speech = samples_of(name)
    sound = np.concatenate((seconds(1), speech, seconds(1)))
    found = list(gate.stretches([sound if kind is None else with_noise(sound, kind, decibels)]))
    assert found
    assert found[0].start >= 0.6 * RATE
    assert found[0].start <= 1.3 * RATE
    assert found[-1].end <= len(sound) - 0.5 * RATE
    assert sum(len(stretch.samples) for stretch in found) >= 0.6 * len(speech)


def test_silence_is_not_shown_to_the_network(gate, monkeypatch):
    shown = []

    class Session:
        def run(self, names, given):
            shown.append(len(given["input"]))
            raise AssertionError("it was shown silence")

    quiet = Gate()
    monkeypatch.setattr(Gate, "_session", Session())
    hours = (seconds(1) for _ in range(3 * 3600))
    assert list(quiet.stretches(hours)) == []
    assert shown == []


def test_what_is_found_does_not_depend_on_the_chunks(gate, samples_of):
    sound = np.concatenate((seconds(0.7), samples_of("package.ogg"), seconds(1), samples_of("german.ogg"), seconds(0.3)))
    whole = list(gate.stretches([sound]))
    pieces = list(gate.stretches(np.array_split(sound, 91)))
    assert len(whole) == 2
    assert [(one.start, one.end) for one in whole] == [(one.start, one.end) for one in pieces]
    for stretch in whole[:-1]:
        np.testing.assert_array_equal(stretch.samples, sound[stretch.start : stretch.end])


def test_a_pause_of_a_second_parts_stretches_and_a_short_one_does_not(gate, samples_of):
    speech = samples_of("package.ogg")
    voice = next(gate.stretches([speech]))
    core = voice.samples
    assert len(list(gate.stretches([np.concatenate((core, seconds(1), core))]))) == 2
    assert len(list(gate.stretches([np.concatenate((core[:-4000], core[4000:]))]))) == 1


def test_speech_without_a_pause_is_cut_before_thirty_seconds_and_nothing_is_lost(gate, samples_of):
    core = next(gate.stretches([samples_of("chinese.ogg")])).samples[3000:-6000]
    sound = np.tile(core, 30)
    found = list(gate.stretches([sound]))
    assert len(found) >= 3
    assert all(len(stretch.samples) <= 28 * RATE for stretch in found)
    for one, following in pairwise(found):
        assert abs(following.start - one.end) <= FRAME
    assert sum(len(stretch.samples) for stretch in found) >= len(sound) - RATE


def test_windows_hold_several_stretches_and_never_more_than_the_model_hears(gate, samples_of):
    sound = np.concatenate([part for _ in range(20) for part in (samples_of("human.ogg"), seconds(3))])
    packed = list(windows(gate.stretches([sound])))
    assert sum(len(window.stretches) for window in packed) == 20
    assert len(packed) == 2
    for window in packed:
        assert len(window.samples) <= 30 * RATE
        assert len(window.samples) == window.offsets[-1][1]
        assert window.spoken == pytest.approx(len(window.samples) / RATE)
        assert window.start < window.end
    assert packed[1].start >= packed[0].end
