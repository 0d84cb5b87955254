"""The loudness along a recording, for a picture of it."""

import numpy as np
from numpy.typing import NDArray

PEAKS = 100

QUIET = 0.02
"""Loudness (root mean square) that counts as full at least, so that the hiss of a silent recording is no mountain range."""


class Loudness:
    """Listens to a recording of any length in chunks of any size. Keeps 4 bytes for 20 ms."""

    def __init__(self, rate: int) -> None:
        self._step = rate // 50
        self._rest = np.zeros(0, np.float32)
        self._levels: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Takes the next samples, between -1 and 1."""
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // self._step * self._step
        self._rest = samples[whole:]
        if whole:
            self._levels.append(_levels(samples[:whole].reshape(-1, self._step)))

    def peaks(self) -> tuple[int, ...]:
        """At most `PEAKS` values in percent of the loudest one; empty for an empty recording."""
        levels = np.concatenate([*self._levels, _levels(self._rest[None])] if len(self._rest) else self._levels or [self._rest])
        if not len(levels):
            return ()
        starts = np.linspace(0, len(levels), min(PEAKS, len(levels)), endpoint=False).astype(int)
        loudest = np.maximum.reduceat(levels, starts)
        return tuple(np.rint(100 * loudest / max(QUIET, float(loudest.max()))).astype(int).tolist())


def _levels(pieces: NDArray[np.float32]) -> NDArray[np.float32]:
    levels: NDArray[np.float32] = np.sqrt(np.square(pieces).mean(axis=1))
    return levels
