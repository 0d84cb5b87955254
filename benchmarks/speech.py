"""What it costs to hear a voice note, with and without its language known, one by one and in a batch.

The form of the model decides the time, not its weights: without the published ones, random weights in the form of `base` are
measured honestly but for the length of the text, which is set to that of the tiny real model's sentence.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frontdesk.plugins.models.audio import RATE, opened
from frontdesk.plugins.models.whisper import checkpoints
from frontdesk.plugins.models.whisper.decoder import Ask, Decoder
from frontdesk.plugins.models.whisper.gate import Gate, Stretch
from frontdesk.plugins.models.whisper.windows import Window, windows

FIXTURES = Path(__file__).parents[1] / "tests" / "plugins" / "models" / "whisper"

BASE = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 512,
    "n_audio_head": 8,
    "n_audio_layer": 6,
    "n_vocab": 51865,
    "n_text_ctx": 448,
    "n_text_state": 512,
    "n_text_head": 8,
    "n_text_layer": 6,
}
"""The form of the published model of this name, as its authors print it."""

NOTES = 8
SECONDS = 5
TOKENS = 24
"""What a sentence or two of five seconds has."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Seconds for a note, the shortest of several. `detected_twice` is Whisper's own way: an encoder pass for each."""

    model: str
    device: str
    known_language: float
    detected: float
    detected_twice: float
    one_by_one: float
    in_a_batch: float
    """Both of `NOTES` notes, for each."""

    @property
    def batch_gain(self) -> float:
        return self.one_by_one / self.in_a_batch


@dataclass(frozen=True, kw_only=True)
class Read:
    """How many times faster than it is spoken a recording is read: decoded, and looked at by the voice-activity gate."""

    decoded: float
    gated: float


def measure_speech(
    *, rounds: int = 5, threads: int = 1, device: str = "auto", progress: Callable[[str], None] = lambda words: None
) -> list[Heard]:
    """The tiny real model, and random weights in the form of `base`. Takes about three minutes."""
    import torch

    torch.set_num_threads(threads)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base.pt"
        _write_base(base)
        for name, path in (("micro (real, English)", FIXTURES / "micro.pt.gz"), ("base (its form, random weights)", base)):
            progress(name)
            found.append(_measured(name, checkpoints.load(path, device), rounds))
    return found


def measure_reading() -> Read:
    """Of half an hour of speech in Opus, on one core."""
    from frontdesk.plugins.models.audio import encode

    with opened(FIXTURES / "recordings" / "human.ogg", max_seconds=60) as recording:
        speech = np.concatenate([*recording, np.zeros(RATE, np.float32)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.ogg"
        path.write_bytes(encode(np.tile(speech, 1800 * RATE // len(speech)), RATE).data)
        gate = Gate()
        gate.load()
        begun = time.perf_counter()
        with opened(path, max_seconds=3600) as recording:
            chunks = list(recording)
            decoded, seconds = time.perf_counter() - begun, recording.seconds
        begun = time.perf_counter()
        stretches = list(gate.stretches(chunks))
        gated = time.perf_counter() - begun
    if len(stretches) < 100:
        raise RuntimeError(f"{len(stretches)} stretches of speech were found in half an hour of it")
    return Read(decoded=seconds / decoded, gated=seconds / gated)


def _write_base(path: Path) -> None:
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(0)
    model = Whisper(ModelDimensions(**BASE))
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.02)
    torch.save({"dims": BASE, "model_state_dict": model.state_dict()}, path)


def _note() -> Window:
    """Five seconds of speech."""
    with opened(FIXTURES / "recordings" / "two_languages.ogg", max_seconds=60) as recording:
        samples = np.resize(np.concatenate(list(recording)), SECONDS * RATE)
    (window,) = windows([Stretch(start=0, samples=samples)])
    return window


def _measured(name: str, model: Any, rounds: int) -> Heard:
    """The shortest times: what else the machine does can only lengthen them."""
    import torch
    import whisper

    language, note = "en", _note()
    alone, together = _Timed(model, batch=1), _Timed(model, batch=NOTES)
    times: dict[str, list[float]] = {key: [] for key in ("known", "detected", "twice", "one", "batch")}
    original = whisper.decode

    def bounded(model: Any, mel: Any, options: Any) -> Any:
        """Random weights would go on to the limit, and be tried again at other temperatures."""
        from dataclasses import replace

        results = original(model, mel, replace(options, sample_len=TOKENS))
        return [replace(result, avg_logprob=-0.1, compression_ratio=1.0) for result in results]

    whisper.decode = bounded
    try:
        for attempt in range(rounds + 1):
            took = {
                "known": alone.hear([note], language),
                "detected": alone.hear([note], None),
                "one": sum(alone.hear([note], language) for _ in range(NOTES)) / NOTES,
                "batch": together.hear([note] * NOTES, language) / NOTES,
            }
            begun = time.perf_counter()
            if model.is_multilingual:
                with torch.inference_mode():
                    alone.decoder.encode([note])
            took["twice"] = took["detected"] + time.perf_counter() - begun
            if attempt:  # the first round warms up
                for key, seconds in took.items():
                    times[key].append(seconds)
    finally:
        whisper.decode = original
    best = {key: min(values) for key, values in times.items()}
    return Heard(
        model=name,
        device=str(model.device),
        known_language=best["known"],
        detected=best["detected"],
        detected_twice=best["twice"],
        one_by_one=best["one"],
        in_a_batch=best["batch"],
    )


class _Sure(Decoder):
    """Random weights doubt every language, which costs more tries: this one works out the same, and is sure."""

    def probabilities(self, features: Any) -> dict[str, float]:
        return dict.fromkeys(super().probabilities(features), 0.0) | {"en": 1.0}


class _Timed:
    def __init__(self, model: Any, *, batch: int) -> None:
        self.decoder = _Sure(model, batch=batch)
        self._device = model.device.type

    def hear(self, notes: list[Window], language: str | None) -> float:
        """Seconds that it takes."""
        import torch

        asks = [Ask(window=note, language=language, stop=threading.Event()) for note in notes]
        begun = time.perf_counter()
        self.decoder.hear(asks)
        if self._device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begun


if __name__ == "__main__":
    import sys

    print(measure_reading())
    for heard in measure_speech(progress=lambda words: print(words, "...", file=sys.stderr)):
        print(heard, f"batch gain {heard.batch_gain:.2f}")
