"""Any container that a customer sends, decoded by its content to mono samples at 16 kHz, a second at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.errors import InvalidInput, MissingExtra, ModelFailed
from frontdesk.plugins.models.audio.loudness import Loudness

Samples = NDArray[np.float32]
"""Mono, between -1 and 1."""

RATE = 16_000
"""Samples in a second, which is what speech models hear."""

RATES = range(4_000, 384_001)
"""Sample rates that a recording may have: one of a few hertz would turn a small file into hours."""

MAX_STREAMS = 32

CONTAINERS = "aac,aiff,amr,asf,au,avi,caf,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,wav,w64,webm"
"""No playlist is among them (hls, dash, concat, sdp): it would make FFmpeg open the files and addresses that it names."""

CODECS = (
    "aac,aac_fixed,aac_latm,ac3,adpcm_g722,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_yamaha,alac,amrnb,amrwb,eac3,flac,gsm,gsm_ms,"
    "ilbc,libgsm,libgsm_ms,libilbc,libopencore_amrnb,libopencore_amrwb,libopus,libspeex,libvorbis,mp1,mp1float,mp2,mp2float,mp3,"
    "mp3adu,mp3adufloat,mp3float,nellymoser,opus,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,"
    "pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,speex,vorbis,wmalossless,wmapro,wmav1,wmav2,wmavoice"
)
"""Decoders that may run: sound only, so that no picture in a file of a stranger reaches a decoder."""

ENCRYPTED = ("enca", "drms", "drmi", "aavd")
"""Codes under which MP4 files keep what is protected against copying: common encryption, FairPlay, Audible."""


class Recording:
    """Iterated once, it yields about a second of samples at a time. Raises `InvalidInput`, in words for the customer."""

    def __init__(self, container: Any, stream: Any, *, max_seconds: float) -> None:
        self._container = container
        self._stream = stream
        self._max_seconds = max_seconds
        self._loudness = Loudness(RATE)
        self._samples = 0
        self.declared = _declared(container, stream)
        """Seconds that it claims to have, None if it does not say."""
        if self.declared is not None and self.declared > max_seconds:
            raise _too_long(max_seconds)

    @property
    def seconds(self) -> float:
        """What has been read so far."""
        return self._samples / RATE

    def peaks(self) -> tuple[int, ...]:
        """Loudness along what has been read so far: a hundred values or fewer, in percent."""
        return self._loudness.peaks()

    def __iter__(self) -> Iterator[Samples]:
        waiting: list[Samples] = []
        for samples in self._resampled():
            self._samples += len(samples)
            if self.seconds > self._max_seconds:
                raise _too_long(self._max_seconds)
            self._loudness.feed(samples)
            waiting.append(samples)
            if sum(map(len, waiting)) >= RATE:
                yield np.concatenate(waiting)
                waiting = []
        if waiting:
            yield np.concatenate(waiting)
        if not self._samples:
            raise InvalidInput("the recording could not be read: it is damaged")

    def _resampled(self) -> Iterator[Samples]:
        from av import FFmpegError
        from av.audio.resampler import AudioResampler

        resampler, shape = AudioResampler("flt", "mono", RATE), None
        try:
            for frame in self._frames():
                if frame.sample_rate not in RATES:
                    raise InvalidInput(f"the recording could not be read: {frame.sample_rate} samples a second are not supported")
                now = (frame.sample_rate, frame.format.name, frame.layout.name)
                if shape not in (None, now):  # a chained stream may go on in another form
                    yield from map(_samples, resampler.resample(None))
                    resampler = AudioResampler("flt", "mono", RATE)
                shape = now
                # What it claims about time is not used: it may jump by hours.
                frame.pts = None
                yield from map(_samples, resampler.resample(frame))
            yield from map(_samples, resampler.resample(None))
        except (FFmpegError, ValueError) as error:
            raise InvalidInput("the recording could not be read: it is damaged") from error

    def _frames(self) -> Iterator[Any]:
        """A damaged packet is left out; where the file breaks off, what came before it counts."""
        from av import FFmpegError

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, FFmpegError):
                return
            if packet.has_sidedata("encryption_info"):
                raise InvalidInput("the recording is protected against copying")
            try:
                frames = packet.decode()
            except FFmpegError:
                continue
            yield from frames


@contextmanager
def opened(path: Path, *, max_seconds: float) -> Iterator[Recording]:
    """The recording in the file, which may have any name. What is longer than `max_seconds` is refused, early where it says so.

    Raises `InvalidInput`, in words for the customer, `ModelFailed` if the disk does not give it, and `MissingExtra` without the
    extra `voice`. Blocks.
    """
    av = pyav()
    try:
        named = path.open("rb")
    except OSError as error:
        raise ModelFailed(f"the recording cannot be read from the disk: {error.strerror}") from error
    # The number instead of the name: FFmpeg would guess from the name.
    with named, open(named.fileno(), "rb", closefd=False) as file:
        if not file.seek(0, os.SEEK_END):
            raise InvalidInput("the recording is empty")
        file.seek(0)
        try:
            container = av.open(
                file,
                options={
                    "format_whitelist": CONTAINERS,
                    "codec_whitelist": CODECS,
                    "protocol_whitelist": "none",
                    "max_streams": str(MAX_STREAMS),
                },
                metadata_errors="replace",
            )
        except (av.FFmpegError, ValueError) as error:
            raise InvalidInput("the recording could not be read: it is no sound of a known kind, or damaged") from error
        with container:
            yield Recording(container, _stream(container), max_seconds=max_seconds)


def pyav() -> Any:
    """The package `av`. Raises `MissingExtra` without it."""
    try:
        import av
    except ImportError as error:
        raise MissingExtra("reading and writing recordings", "voice") from error
    return av


def _stream(container: Any) -> Any:
    """The sound that FFmpeg takes for the main one."""
    stream = container.streams.best("audio")
    if stream is None:
        raise InvalidInput("the recording has no sound in it" if len(container.streams) else "the recording is empty")
    if stream.codec_context is None or stream.codec_context.codec_tag in ENCRYPTED:
        raise InvalidInput("the recording is protected against copying, or of a kind that is not supported")
    return stream


def _declared(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    return None if container.duration is None else max(0.0, container.duration / 1_000_000)


def _samples(frame: Any) -> Samples:
    """A file with floating point samples may hold anything."""
    samples: Samples = np.nan_to_num(frame.to_ndarray().reshape(-1), nan=0.0, posinf=1.0, neginf=-1.0)
    return samples.clip(-1.0, 1.0)


def _too_long(max_seconds: float) -> InvalidInput:
    limit = f"{max_seconds / 60:g} minutes" if max_seconds >= 120 else f"{max_seconds:g} seconds"
    return InvalidInput(f"the recording is too long: {limit} can be listened to", status=413)
