"""Makes the recordings in recordings/, with espeak-ng in voices that neither tiny model has heard in training, and PyAV.

python -m tests.plugins.models.whisper.make_recordings
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from tests.plugins.models.whisper.make_polyglot import spoken

from frontdesk.plugins.models.audio import encode

FOLDER = Path(__file__).parent / "recordings"

CANCEL = ("I want to cancel my order.", "en-gb+m7")

# name: container format, encoder, rate, bits a second, sample format
CONTAINERS = {
    "cancel.ogg": ("ogg", "libopus", 16000, 24000, "s16"),
    "cancel.webm": ("webm", "libopus", 16000, 24000, "s16"),
    "cancel.m4a": ("ipod", "aac", 16000, 24000, "fltp"),
    "cancel.aac": ("adts", "aac", 16000, 24000, "fltp"),
    "cancel.mp3": ("mp3", "libmp3lame", 16000, 24000, "fltp"),
    "cancel.wav": ("wav", "adpcm_ima_wav", 16000, None, "s16p"),
    "cancel.flac": ("flac", "flac", 16000, None, "s16"),
    "cancel.amr": ("amr", "libopencore_amrnb", 8000, 12200, "s16"),
    "cancel.3gp": ("3gp", "libopencore_amrnb", 8000, 12200, "s16"),
}
SPEECH = {
    "package.ogg": ("Where is my package?", "en-us+f3"),
    "human.ogg": ("I want to speak to a human.", "en-gb-scotland+m7"),
    "german.ogg": ("Ich möchte meine Bestellung stornieren.", "de+m7"),
    "chinese.ogg": ("我想取消我的订单。", "cmn+m7"),
}


def write(path, samples, format, codec, rate, bits, shape, *, options=None, video=False):
    """Mono samples at 16 kHz into any container; with `video`, a moving square is beside them."""
    with av.open(path, "w", format=format, options=options or {}) as container:
        if video:
            picture = container.add_stream("libx264", rate=10)
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout="mono", format=shape)
        if bits:
            stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = 16000
        frame.pts, frame.time_base = 0, Fraction(1, 16000)
        resampler = av.AudioResampler(shape, "mono", rate, frame_size=stream.codec_context.frame_size or 1024)
        if video:
            for index in range(int(len(samples) / 1600)):
                image = np.zeros((64, 64, 3), np.uint8)
                image[index % 48 : index % 48 + 16, 24:40] = 200
                container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(picture.encode(None))
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def main():
    FOLDER.mkdir(exist_ok=True)
    cancel = spoken(*CANCEL, 150)
    for name, kind in CONTAINERS.items():
        write(FOLDER / name, cancel, *kind)
    write(FOLDER / "videonote.mp4", cancel, "mp4", "aac", 16000, 24000, "fltp", video=True)
    write(FOLDER / "protected.mp4", cancel, "mp4", "aac", 16000, 24000, "fltp", options={
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    })  # fmt: skip
    parts = {name: spoken(text, voice, 150) for name, (text, voice) in SPEECH.items()}
    for name, samples in parts.items():
        (FOLDER / name).write_bytes(encode(samples, 16000).data)
    pause = np.zeros(16000, np.float32)
    both = np.concatenate((parts["package.ogg"], pause, parts["german.ogg"]))
    (FOLDER / "two_languages.ogg").write_bytes(encode(both, 16000).data)


if __name__ == "__main__":
    main()
