"""Stretches of speech, packed into windows that the model hears at once: 30 s cost the same as 3."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

import numpy as np

from frontdesk.plugins.models.audio.reading import RATE, Samples
from frontdesk.plugins.models.whisper.gate import Stretch

LONGEST = 30 * RATE


@dataclass(frozen=True, kw_only=True)
class Window:
    """Stretches behind one another, without the long pauses between them: never more than 30 s."""

    stretches: tuple[Stretch, ...]

    @property
    def samples(self) -> Samples:
        return np.concatenate([stretch.samples for stretch in self.stretches])

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """Where each stretch begins and ends within `samples`."""
        ends = list(accumulate(len(stretch.samples) for stretch in self.stretches))
        return tuple(zip([0, *ends[:-1]], ends, strict=True))

    @property
    def spoken(self) -> float:
        """Seconds."""
        return sum(len(stretch.samples) for stretch in self.stretches) / RATE

    @property
    def start(self) -> float:
        """Seconds from the beginning of the recording."""
        return self.stretches[0].start / RATE

    @property
    def end(self) -> float:
        return self.stretches[-1].end / RATE

    def parts(self, sizes: Iterable[int]) -> list["Window"]:
        """The window cut into windows of so many stretches each."""
        rest = iter(self.stretches)
        return [Window(stretches=tuple(islice(rest, size))) for size in sizes]


def windows(stretches: Iterable[Stretch]) -> Iterator[Window]:
    """As many stretches as fit in each."""
    held: list[Stretch] = []
    for stretch in stretches:
        if sum(len(one.samples) for one in (*held, stretch)) > LONGEST:
            yield Window(stretches=tuple(held))
            held = []
        held.append(stretch)
    if held:
        yield Window(stretches=tuple(held))
