import os
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import InvalidInput, ModelFailed
from frontdesk.plugins.models.audio import RATE, opened

pytestmark = needs("av")

RECORDINGS = Path(__file__).parents[1] / "whisper" / "recordings"
CONTAINERS = sorted([*RECORDINGS.glob("cancel.*"), RECORDINGS / "videonote.mp4"])
MINUTE = 60.0


def read(path, *, max_seconds=MINUTE):
    """All samples of a recording, and what is known of it then."""
    with opened(path, max_seconds=max_seconds) as recording:
        chunks = list(recording)
    return np.concatenate(chunks), recording


def wave(data, *, rate=RATE, claimed=None):
    """A WAV file of 16-bit mono samples."""
    size = len(data) if claimed is None else claimed
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size) + data


def similar(one, other):
    """How alike two recordings of nearly the same length sound: the best correlation of their loudness, 1 at most."""
    levels = [np.sqrt(np.add.reduceat(samples**2, np.arange(0, len(samples), 320))) for samples in (one, other)]
    size = min(map(len, levels)) - 8
    moves = [(0, shift) for shift in range(8)] + [(shift, 0) for shift in range(8)]
    return max(np.corrcoef(levels[0][a : a + size], levels[1][b : b + size])[0, 1] for a, b in moves)


def test_there_are_recordings_in_ten_kinds_of_files():
    assert {path.suffix for path in CONTAINERS} == {
        ".3gp", ".aac", ".amr", ".flac", ".m4a", ".mp3", ".mp4", ".ogg", ".wav", ".webm",
    }  # fmt: skip


@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name)
def test_every_container_gives_the_same_sound(path):
    samples, recording = read(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert recording.seconds == pytest.approx(2.1, abs=0.1)
    assert recording.declared == pytest.approx(2.1, abs=0.1)
    assert np.abs(samples).max() <= 1
    reference, _ = read(RECORDINGS / "cancel.flac")
    assert similar(samples, reference) > 0.9


@pytest.mark.parametrize("name", ["a.mp3", "a.txt", "a", "录音.exe", "a.m3u8"])
def test_a_mislabelled_recording_is_read_by_its_content(tmp_path, name):
    path = tmp_path / name
    path.write_bytes((RECORDINGS / "cancel.ogg").read_bytes())
    samples, _ = read(path)
    assert len(samples) == len(read(RECORDINGS / "cancel.ogg")[0])


def test_sound_comes_in_chunks_of_about_a_second():
    with opened(RECORDINGS / "two_languages.ogg", max_seconds=MINUTE) as recording:
        sizes = [len(chunk) for chunk in recording]
    assert len(sizes) == 5
    assert max(sizes) < 1.2 * RATE


def test_the_loudness_along_it_is_a_hundred_percentages():
    _, recording = read(RECORDINGS / "two_languages.ogg")
    peaks = recording.peaks()
    assert len(peaks) == 100
    assert max(peaks) == 100
    assert all(0 <= peak <= 100 for peak in peaks)
    assert max(peaks[40:48]) <= 2  # the pause between the two sentences


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.ogg", b""),
        ("text.ogg", b"I want to cancel my order.\n" * 1000),
        ("page.mp3", b"<!doctype html><html><body>Not found</body></html>"),
        ("picture.ogg", b"\x89PNG\r\n\x1a\n" + bytes(5000)),
        ("zeros.wav", bytes(100_000)),
        ("cut_in_its_header.ogg", (RECORDINGS / "cancel.ogg").read_bytes()[:60]),
        ("without_its_index.m4a", (RECORDINGS / "cancel.m4a").read_bytes()[:3000]),
        ("wave_without_sound.wav", wave(b"")),
        ("absurd_rate.wav", wave(bytes(4_000), rate=100)),
    ],
)
def test_what_is_no_recording_is_refused_in_words_for_the_customer(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"^the recording (is empty|could not be read: )") as raised:
        read(path)
    assert str(tmp_path) not in str(raised.value)
    assert "Errno" not in str(raised.value)


def test_fifty_megabytes_of_rubbish_are_refused(tmp_path):
    path = tmp_path / "voice.ogg"
    path.write_bytes(b"OggS" + os.urandom(50_000_000))
    with pytest.raises(InvalidInput, match="could not be read"):
        read(path)


def test_a_truncated_recording_is_heard_as_far_as_it_goes(tmp_path):
    path = tmp_path / "cut.ogg"
    whole = (RECORDINGS / "cancel.ogg").read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    samples, recording = read(path)
    assert 0.3 < recording.seconds < 2.0
    assert len(samples) == recording.seconds * RATE


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path):
    path = tmp_path / "damaged.mp3"
    data = bytearray((RECORDINGS / "cancel.mp3").read_bytes())
    data[3000:3300] = b"\xff" * 300
    path.write_bytes(data)
    assert read(path)[1].seconds > 1.5


def test_video_without_sound_is_refused(tmp_path):
    import av

    path = tmp_path / "video.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(InvalidInput, match="has no sound"):
        read(path)


def test_common_encryption_is_recognised():
    with pytest.raises(InvalidInput, match="protected"):
        read(RECORDINGS / "protected.mp4")


def test_a_song_from_a_shop_is_recognised_as_protected(tmp_path):
    path = tmp_path / "song.m4p"
    content = (RECORDINGS / "cancel.m4a").read_bytes()
    assert content.count(b"mp4a") == 1
    path.write_bytes(content.replace(b"mp4a", b"drms"))
    with pytest.raises(InvalidInput, match="protected"):
        read(path)


def test_what_says_that_it_is_too_long_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "silence.wav"
    size = 3 * 3600 * RATE * 2
    with path.open("wb") as file:  # three hours of silence, and no space on the disk
        file.write(wave(b"", claimed=size))
        file.truncate(44 + size)
    with (
        pytest.raises(InvalidInput, match="too long: 30 minutes") as raised,
        opened(path, max_seconds=1800) as recording,
    ):
        pytest.fail(f"it was opened: {recording}")
    assert raised.value.status == 413


def test_a_small_file_that_becomes_hours_of_sound_is_refused_while_it_is_read(tmp_path):
    path = bomb(tmp_path / "bomb.flac", minutes=40)
    assert path.stat().st_size < 500_000
    with opened(path, max_seconds=600) as recording:
        assert recording.declared is None
        chunks = iter(recording)
        with pytest.raises(InvalidInput, match="too long: 10 minutes"):
            list(chunks)
        assert 599 <= recording.seconds <= 601


def bomb(path, *, minutes):
    """A FLAC file of silence that does not say how long it is, as one that was made on the fly."""
    import av

    class Pipe:
        """Cannot go back to write the length."""

        def __init__(self):
            self.data = bytearray()

        def write(self, data):
            self.data += data
            return len(data)

    pipe = Pipe()
    with av.open(pipe, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono", format="s16")
        for second in range(0, minutes * 60, 10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 80_000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8000
            frame.pts = second * 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(pipe.data)
    return path


def test_a_recording_with_several_tracks_gives_one_of_them(tmp_path):
    import av

    path = tmp_path / "tracks.mkv"
    with av.open(path, "w") as container:
        streams = [container.add_stream("flac", rate=RATE, layout="mono", format="s16") for _ in range(3)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.full((1, RATE), 3000, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    assert read(path)[1].seconds == pytest.approx(1.0, abs=0.05)


def test_samples_that_are_no_numbers_become_silence(tmp_path):
    import av

    path = tmp_path / "float.wav"
    given = np.zeros((1, RATE), np.float32)
    given[0, :4] = np.nan, np.inf, -np.inf, 1e30
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_f32le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(given, format="flt", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples, recording = read(path)
    assert samples[:4].tolist() == [0.0, 1.0, -1.0, 1.0]
    assert max(recording.peaks()) <= 100


def test_a_playlist_does_not_make_us_open_other_files(tmp_path):
    target = tmp_path / "secret.wav"
    target.write_bytes(wave(bytes(32_000)))
    path = tmp_path / "voice.ogg"
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
    for address in (target.as_uri(), str(target), "http://127.0.0.1:9/a.ts"):
        path.write_text(playlist.format(address))
        with pytest.raises(InvalidInput, match="could not be read"):
            read(path)
    path.write_text(f"ffconcat version 1.0\nfile {target}\n")
    with pytest.raises(InvalidInput, match="could not be read"):
        read(path)


def test_a_recording_that_is_not_on_the_disk_is_not_the_customers_fault(tmp_path):
    with pytest.raises(ModelFailed, match="from the disk"):
        read(tmp_path / "gone.ogg")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([path.name for path in CONTAINERS]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=16)), max_size=12),
    kept=st.floats(0, 1),
)
def test_any_damage_is_heard_or_refused(tmp_path, name, changes, kept):
    content = bytearray((RECORDINGS / name).read_bytes())
    for place, data in changes:
        at = int(place * len(content))
        content[at : at + len(data)] = data
    path = tmp_path / "damaged"
    path.write_bytes(content[: int(kept * len(content)) + 1])
    with suppress(InvalidInput):
        samples, recording = read(path)
        assert 0 < recording.seconds <= MINUTE
        assert np.isfinite(samples).all()
