"""Re-encodes recordings in a child process, for models that are not local: what breaks in FFmpeg breaks there."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from msgspec import Struct, msgpack
from pydantic import BaseModel

from frontdesk.core.errors import ModelFailed
from frontdesk.core.models import ModelState
from frontdesk.core.speech import Speech
from frontdesk.plugins.models.audio.reading import RATE, Samples, opened, pyav
from frontdesk.plugins.models.audio.writing import written
from frontdesk.plugins.models.worker.parent import Worker
from frontdesk.plugins.models.worker.service import Report


class Note(Struct, frozen=True, kw_only=True):
    """A recording as a voice note, and the loudness along it."""

    speech: Speech
    peaks: tuple[int, ...]


class Order(Struct, frozen=True, kw_only=True):
    path: str
    max_seconds: float


class AudioSettings(BaseModel):
    """There is nothing to set."""


class AudioService:
    """The child's end. See `Service`."""

    def __init__(self, settings: AudioSettings) -> None: ...

    async def load(self, report: Report) -> dict[str, Any]:
        """Raises `MissingExtra`."""
        await asyncio.to_thread(pyav)
        return {}

    async def call(self, method: str, argument: bytes) -> AsyncIterator[bytes]:
        """`note`: an `Order` is answered by a `Note`."""
        stop = threading.Event()
        try:
            yield msgpack.encode(await asyncio.to_thread(note, msgpack.decode(argument, type=Order), stop))
        finally:
            stop.set()

    async def close(self) -> None: ...


class AudioWorker:
    """The bot's end, with a life like a `Model`'s."""

    def __init__(self, *, name: str = "audio") -> None:
        self._worker = Worker(
            "frontdesk.plugins.models.audio.service:AudioService", AudioSettings(), name=name, load_seconds=60.0
        )

    @property
    def worker(self) -> Worker:
        """For those who look after the process."""
        return self._worker

    @property
    def state(self) -> ModelState:
        return self._worker.state

    async def start(self) -> None:
        await self._worker.start()

    async def stop(self) -> None:
        await self._worker.stop()

    async def loaded(self) -> None:
        await self._worker.loaded()

    async def note(self, path: Path, *, max_seconds: float, seconds: float) -> Note:
        """Re-encodes the file at `path` within so many `seconds`. Raises `InvalidInput` for what is no recording, or too long
        a one, its words fit for customers; and `ModelUnavailable` and `ModelFailed`."""
        order = Order(path=str(path), max_seconds=max_seconds)
        async with aclosing(self._worker.call("note", msgpack.encode(order), seconds=seconds)) as pieces:
            async for piece in pieces:
                return msgpack.decode(piece, type=Note)
        raise ModelFailed("the recording was not re-encoded")


def note(order: Order, stop: threading.Event) -> Note:
    """Blocks; ends early, by `ModelFailed`, when `stop` is set."""
    with opened(Path(order.path), max_seconds=order.max_seconds) as recording:
        speech = written(until(recording, stop), RATE)
        return Note(speech=speech, peaks=recording.peaks())


def until(chunks: Iterable[Samples], stop: threading.Event) -> Iterator[Samples]:
    """The chunks, while `stop` is not set: a thread cannot be cancelled. Raises `ModelFailed` then."""
    for chunk in chunks:
        if stop.is_set():
            raise ModelFailed("nobody waits for it any more")
        yield chunk
