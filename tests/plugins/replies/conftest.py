import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from frontdesk.core.models import Vectors
from frontdesk.plugins.replies.knowledge.text import terms


class BagOfWords:
    """A deterministic embedder: texts are as near as they share terms. Counts what it was asked, and raises `error` if set."""

    dimensions = 256

    def __init__(self, name: str = "bag-of-words") -> None:
        self.name = name
        self.texts: list[str] = []
        self.error: Exception | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        if self.error is not None:
            raise self.error
        vectors = np.full((len(texts), self.dimensions), 1e-6, dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                vectors[row, int.from_bytes(hashlib.sha256(term.encode()).digest()[:2]) % self.dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def embedder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "help"
    path.mkdir()
    return path


@pytest.fixture
def write(folder: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
