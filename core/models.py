"""What the core asks of language, speech and embedding models.

Every model takes concurrent calls and batches inside; a caller never batches for it. No model at all is a valid set-up:
whoever needs one asks for `ChatModel | None` and says honestly what is missing. A model may also be there and not answer:
every call may raise `ModelError`.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from frontdesk.core.chat import ChatPiece, ChatRequest, ChatResult
from frontdesk.core.errors import ModelFailed
from frontdesk.core.speech import Speech, Transcript

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose dot product tells how near their meanings are."""

    @property
    def name(self) -> str:
        """Names model and revision: vectors of different names must never be compared."""

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape `(len(texts), dimensions)`, float32, each row of length 1. Never blocks the event loop. Raises `ModelError`."""


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """`detail` says what it is doing, or what is wrong and the fix. `progress` is between 0 and 1 where it is known."""

    status: Literal["stopped", "loading", "ready", "failed"]
    detail: str = ""
    progress: float | None = None


class Model(Protocol):
    """A model with a life of its own: it loads beside everything else, and may die and come back."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> ModelState: ...

    async def start(self) -> None:
        """Begins to load, and returns at once. Raises `ConfigurationError` for what can be known to be wrong."""

    async def stop(self) -> None: ...

    async def loaded(self) -> None:
        """Waits until it is ready. Raises `ModelUnavailable` if it has failed to load."""


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """`context` is how many tokens prompt and answer may have together, None if it is not known."""

    pictures: bool = False
    tools: bool = False
    context: int | None = None


class ChatModel(Model, Protocol):
    """Completes conversations."""

    @property
    def abilities(self) -> Abilities: ...

    async def complete(self, request: ChatRequest) -> ChatResult:
        """Cancelling the task ends the work on it.

        Raises `ModelUnavailable` (also while it loads), `PromptRejected` and `ModelFailed`.
        """

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        """As `complete`, in pieces; closing the generator ends the work on it. The last piece has the `result`.

        Tool calls, and answers with a `schema`, come whole with the result.
        """


class Transcriber(Model, Protocol):
    """Writes down what is said in a recording."""

    async def transcribe(
        self,
        recording: Path,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """Waits while the model loads. `language` is what the conversation has been in, `languages` what the bot speaks.

        `progress` is told a share between 0 and 1 now and then. Raises `InvalidInput` for what is no recording or too long a
        one, its words fit for customers, and `ModelUnavailable` or `ModelFailed`.
        """


class Speaker(Model, Protocol):
    """Reads a text aloud."""

    async def speak(self, text: str, *, language: str) -> Speech:
        """`text` has no markup. Raises `ModelUnavailable`, `PromptRejected` (a language it does not speak) and `ModelFailed`."""


@dataclass(frozen=True, kw_only=True)
class Models:
    """Those of an application. What is None is not configured."""

    embedder: Embedder | None = None
    chat: ChatModel | None = None
    transcriber: Transcriber | None = None
    speaker: Speaker | None = None

    def __iter__(self) -> Iterator[Model]:
        """Those that are started and stopped."""
        return (model for model in (self.chat, self.transcriber, self.speaker) if model is not None)


async def whole(stream: AsyncGenerator[ChatPiece]) -> ChatResult:
    """The result of a streamed answer, for models whose `complete` is their `stream`. Raises `ModelFailed` without one."""
    async with aclosing(stream):
        async for piece in stream:
            if piece.result is not None:
                return piece.result
    raise ModelFailed("the answer ended before it was whole")
