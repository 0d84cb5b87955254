"""Lets through where somebody speaks: silence, noise and tones never reach a model that would invent words for them.

The voices are recognised by Silero's network, of the package silero-vad, run by onnxruntime. It looks at 32 ms at a time.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.errors import MissingExtra
from frontdesk.plugins.models.audio.reading import RATE, Samples

FRAME = 512
BLOCK = 32 * FRAME
"""Samples shown to the network at a time: about a second. Always as many, so that the result does not depend on the chunks."""

CONTEXT = 64
"""Samples of the frame before that the network wants to see with each frame."""

MODEL = "data/silero_vad_16k_sequence.onnx"

VOICE, QUIET = 0.5, 0.35
"""Probabilities: a voice begins at the one and goes on down to the other."""

SHORTEST = 4
"""Frames of voice that a word has at least: 128 ms."""

PAUSE = 16
"""Frames of quiet that end a stretch: half a second."""

MARGIN = 7
"""Frames kept before and after a voice: its first consonant is not yet a voice for the network."""

LONGEST = 28 * RATE // FRAME
"""A longer stretch is cut where the voice is least sure in its last third: the model hears 30 s at once."""

SILENT = 0.001
"""Amplitude (-60 dB) below which a block is not even shown to the network: hours of silence cost nothing."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Somebody speaks here. `start` is in samples from the beginning."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


class Gate:
    """Can be used by several threads at once."""

    def stretches(self, chunks: Iterable[Samples]) -> Iterator[Stretch]:
        """What is spoken in a recording, each as soon as its end is known, in memory for no longer than 28 s of sound."""
        before: deque[Samples] = deque(maxlen=MARGIN)
        held: list[Samples] = []
        voices: list[float] = []
        quiet = 0
        for index, (frame, voice) in enumerate(self._frames(chunks)):
            if not held:
                if voice < VOICE:
                    before.append(frame)
                    continue
                held, voices, quiet = list(before), [0.0] * len(before), 0
            held.append(frame)
            voices.append(voice)
            quiet = quiet + 1 if voice < QUIET else 0
            if quiet == PAUSE:
                yield from _stretch(held, voices, end=index + 1, quiet=quiet)
                before.extend(held[-MARGIN:])
                held = []
            elif len(held) == LONGEST:
                cut = LONGEST * 2 // 3 + int(np.argmin(voices[LONGEST * 2 // 3 :]))
                yield from _stretch(held[:cut], voices[:cut], end=index + 1 - len(held) + cut, quiet=0)
                held, voices = held[cut:], voices[cut:]
        if held:
            yield from _stretch(held, voices, end=index + 1, quiet=quiet)

    def _frames(self, chunks: Iterable[Samples]) -> Iterator[tuple[Samples, float]]:
        """Every frame with the probability of a voice in it. The last one is filled up with silence."""
        memory = cell = np.zeros((1, 1, 128), np.float32)
        context = np.zeros(CONTEXT, np.float32)
        for frames in _framed(chunks):
            if np.abs(frames).max() < SILENT:
                memory = cell = np.zeros_like(memory)
                probabilities = np.zeros(len(frames), np.float32)
            else:
                contexts = np.concatenate((context[None], frames[:-1, -CONTEXT:]))
                given = {"input": np.concatenate((contexts, frames), axis=1), "h": memory, "c": cell}
                probabilities, memory, cell = self._session.run(["speech_probs", "hn", "cn"], given)
            context = frames[-1, -CONTEXT:]
            yield from zip(frames, probabilities.reshape(-1).tolist(), strict=True)

    def load(self) -> None:
        """Reads the network from the disk, which otherwise the first use does. Raises `MissingExtra`."""
        self._session  # noqa: B018

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        # The package itself is not imported: it sets the number of torch's threads to 1.
        package = find_spec("silero_vad")
        if package is None or package.origin is None:
            raise MissingExtra("recognising voices", "voice")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(Path(package.origin).parent / MODEL, options, providers=["CPUExecutionProvider"])


def _framed(chunks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
    """Shape `(frames, FRAME)`: blocks, the last of which may be shorter."""
    rest = np.zeros(0, np.float32)
    for chunk in chunks:
        samples = np.concatenate((rest, chunk))
        whole = len(samples) // BLOCK * BLOCK
        rest = samples[whole:]
        for start in range(0, whole, BLOCK):
            yield samples[start : start + BLOCK].reshape(-1, FRAME)
    if len(rest):
        yield np.pad(rest, (0, -len(rest) % FRAME)).reshape(-1, FRAME)


def _stretch(held: list[Samples], voices: list[float], *, end: int, quiet: int) -> Iterator[Stretch]:
    """The frames up to `end`, the last ones of which are `quiet`; nothing if there is too little voice in them."""
    if sum(voice >= VOICE for voice in voices) >= SHORTEST:
        start = end - len(held)
        kept = held[: len(held) - max(0, quiet - MARGIN)]
        yield Stretch(start=start * FRAME, samples=np.concatenate(kept))
