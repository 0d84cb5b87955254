"""Samples become a voice note: Opus in an Ogg container, which every channel takes and every browser plays."""

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from frontdesk.core.speech import Speech
from frontdesk.plugins.models.audio.reading import RATE, Samples, opened, pyav

BITS = 32_000
"""A second: speech of the quality that Telegram's own voice notes have."""

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def encode(samples: Samples, rate: int) -> Speech:
    """A voice note of mono samples between -1 and 1. Blocks for about 5 ms a second. Raises `MissingExtra` without `voice`."""
    return written([samples], rate)


def to_ogg(path: Path, *, max_seconds: float) -> Speech:
    """Any recording as a voice note; nothing but the note is ever whole in memory. Raises what `opened` and reading it raise."""
    with opened(path, max_seconds=max_seconds) as recording:
        return written(recording, RATE)


def written(chunks: Iterable[Samples], rate: int) -> Speech:
    """As `encode`, of a stream of samples."""
    av = pyav()
    file, total = io.BytesIO(), 0
    with av.open(file, "w", format="ogg") as container:
        # Opus has a few rates of its own; PyAV brings the samples to the nearest one that loses nothing.
        stream = container.add_stream("libopus", rate=next((known for known in OPUS_RATES if known >= rate), OPUS_RATES[-1]))
        stream.bit_rate = BITS
        stream.layout = "mono"
        stream.options = {"application": "voip"}
        resampler = av.AudioResampler("flt", "mono", stream.rate)
        for samples in chunks:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), format="flt", layout="mono")
            frame.sample_rate = rate
            frame.pts = total
            frame.time_base = Fraction(1, rate)
            total += len(samples)
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return Speech(data=file.getvalue(), seconds=total / rate)
