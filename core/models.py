"""What the core asks of language, speech and embedding models.

Every model takes concurrent calls and batches inside; a caller never batches for it. No model at all is a valid set-up:
whoever needs one asks for `Model | None` and says honestly what is missing.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose dot product tells how near their meanings are."""

    @property
    def name(self) -> str:
        """Names model and revision: vectors of different names must never be compared."""

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape `(len(texts), dimensions)`, float32, each row of length 1. Never blocks the event loop."""
