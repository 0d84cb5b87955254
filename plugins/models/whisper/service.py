"""Whisper in a process of its own: notes come in by their paths, and transcripts go out."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct, msgpack

from frontdesk.core.errors import MissingExtra, ModelFailed
from frontdesk.core.speech import Segment, Transcript
from frontdesk.plugins.models.audio.reading import Recording, opened, pyav
from frontdesk.plugins.models.audio.service import until
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper import checkpoints
from frontdesk.plugins.models.whisper.decoder import Ask, Decoder, Heard, Stopped
from frontdesk.plugins.models.whisper.engine import Engine
from frontdesk.plugins.models.whisper.gate import Gate
from frontdesk.plugins.models.whisper.windows import Window, windows
from frontdesk.plugins.models.worker.service import Report

GPU_BATCH = 8
"""Windows heard together. On a CPU one after the other is as good: measured, eight at once gain 1.2 to 1.75 times at most."""

READERS = 4
"""Recordings that are decoded at the same time."""


class Order(Struct, frozen=True, kw_only=True):
    path: str
    language: str | None = None
    languages: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """How far it is, any number of times, and the transcript at last."""

    progress: float | None = None
    transcript: Transcript | None = None


class WhisperService:
    """The child's end. See `Service`."""

    def __init__(self, settings: SpeechSettings, *, batch: int | None = None) -> None:
        """`batch` windows are heard together; what suits the device, if nothing is given."""
        self._settings = settings
        self._wanted_batch = batch
        self._batch = 1
        self._gate = Gate()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="recording")

    async def load(self, report: Report) -> dict[str, Any]:
        """Downloads the model if need be. Raises `ConfigurationError`, and `ModelUnavailable` without a network."""
        path = await checkpoints.pull(self._settings, report)
        report(f"loading {path.name}", None)
        return await asyncio.to_thread(self._load, path)

    def _load(self, path: Path) -> dict[str, Any]:
        try:
            import torch
            import whisper  # noqa: F401
        except ImportError as error:
            raise MissingExtra("models.speech (whisper)", "voice") from error
        pyav()
        self._gate.load()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        model = checkpoints.load(path, self._settings.device)
        self._batch = self._wanted_batch or (GPU_BATCH if model.device.type == "cuda" else 1)
        self._decoder = Decoder(model, batch=self._batch)
        self._engine = Engine(self._decoder, batch=self._batch)
        return {
            "device": str(model.device),
            "languages": model.num_languages if model.is_multilingual else 1,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        }

    async def call(self, method: str, argument: bytes) -> AsyncIterator[bytes]:
        """`transcribe`: an `Order` is answered by `Answer`s."""
        async with contextlib.aclosing(self._transcribed(msgpack.decode(argument, type=Order))) as answers:
            async for answer in answers:
                yield msgpack.encode(answer)

    async def close(self) -> None:
        if hasattr(self, "_engine"):
            self._engine.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def _transcribed(self, order: Order) -> AsyncGenerator[Answer]:
        """Windows are heard as they are read, as many at once as a batch has: an hour is never in memory."""
        language = self._decoder.known(order.language)
        languages = tuple(filter(None, map(self._decoder.known, order.languages)))
        stop = threading.Event()
        running: deque[asyncio.Task[list[Heard]]] = deque()
        heard: list[Heard] = []
        try:
            async with self._reading(order, stop) as reading:
                position = 0
                while (window := await reading.next()) is not None:
                    ask = Ask(window=window, language=language, languages=languages, stop=stop)
                    running.append(asyncio.create_task(self._engine.hear(ask, position=position)))
                    position += 1
                    if len(running) >= self._batch:
                        heard += await running.popleft()
                        # What a note begins in is the best guess for how it goes on.
                        language = heard[-1].language if heard else language
                        yield Answer(progress=reading.share)
                for task in running:
                    heard += await task
                yield Answer(transcript=_transcript(heard, reading.recording, order))
        except Stopped as error:
            raise ModelFailed("nobody waits for it any more") from error
        finally:
            stop.set()
            for task in running:
                task.cancel()

    @contextlib.asynccontextmanager
    async def _reading(self, order: Order, stop: threading.Event) -> AsyncGenerator["_Reading"]:
        reading = _Reading(order, self._settings.max_minutes * 60, self._gate, self._readers, stop)
        try:
            yield reading
        finally:
            stop.set()
            await reading.close()


class _Reading:
    """A recording that is read in threads, one window at a time."""

    def __init__(self, order: Order, max_seconds: float, gate: Gate, threads: ThreadPoolExecutor, stop: threading.Event) -> None:
        self.recording: Recording
        self._threads = threads
        self._step: asyncio.Future[Window | None] | None = None
        self._windows = self._read(Path(order.path), max_seconds, gate, stop)

    @property
    def share(self) -> float | None:
        """How much of it has been read, if it says how long it is."""
        return min(1.0, self.recording.seconds / self.recording.declared) if self.recording.declared else None

    def _read(self, path: Path, max_seconds: float, gate: Gate, stop: threading.Event) -> Generator[Window]:
        with opened(path, max_seconds=max_seconds) as self.recording:
            yield from windows(gate.stretches(until(self.recording, stop)))

    async def next(self) -> Window | None:
        self._step = asyncio.get_running_loop().run_in_executor(self._threads, next, self._windows, None)
        return await asyncio.shield(self._step)

    async def close(self) -> None:
        """Waits for the thread, which ends with the chunk that it reads, so that the file is closed."""
        if self._step is not None:
            await asyncio.wait([self._step])
            self._step.exception()  # it has been raised already, or nobody waits for it
        await asyncio.get_running_loop().run_in_executor(self._threads, self._windows.close)


def _transcript(heard: list[Heard], recording: Recording, order: Order) -> Transcript:
    tokens = sum(one.tokens for one in heard)
    by_language: dict[str, int] = {}
    for one in heard:
        by_language[one.language] = by_language.get(one.language, 0) + one.tokens
    return Transcript(
        text=" ".join(one.text for one in heard),
        language=max(by_language, key=by_language.__getitem__) if by_language else order.language or "",
        confidence=sum(one.confidence * one.tokens for one in heard) / tokens if tokens else 0.0,
        seconds=recording.seconds,
        segments=tuple(
            Segment(start=one.window.start, end=one.window.end, text=one.text, language=one.language, confidence=one.confidence)
            for one in heard
        ),
        peaks=recording.peaks(),
    )
