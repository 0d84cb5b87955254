"""The bot's end of Whisper: the model itself is in a process of its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

from msgspec import msgpack

from frontdesk.core.errors import MissingExtra, ModelFailed
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ModelState
from frontdesk.core.speech import Transcript
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper.service import Answer, Order
from frontdesk.plugins.models.worker.parent import Worker

SERVICE = "frontdesk.plugins.models.whisper.service:WhisperService"

PACKAGES = ("whisper", "torch", "av", "silero_vad", "onnxruntime")

LOAD_SECONDS = 300.0
"""Without a sign of progress; downloads give one all the time."""


class WhisperTranscriber:
    """A `Transcriber`. The recording goes to it by its path, and is read there."""

    def __init__(self, settings: SpeechSettings, *, metrics: Metrics | None = None) -> None:
        """Raises `MissingExtra`."""
        if not all(map(find_spec, PACKAGES)):
            raise MissingExtra("models.speech (whisper)", "voice")
        self._settings = settings
        self._metrics = metrics
        self._worker = Worker(SERVICE, settings, name=self.name, load_seconds=LOAD_SECONDS)

    @property
    def name(self) -> str:
        """A model from a file has the file's name, without its folders."""
        return f"whisper:{Path(self._settings.model).name}"

    @property
    def worker(self) -> Worker:
        """For those who look after the process."""
        return self._worker

    @property
    def state(self) -> ModelState:
        return self._worker.state

    async def start(self) -> None:
        """See `Model`."""
        await self._worker.start()

    async def stop(self) -> None:
        """See `Model`."""
        await self._worker.stop()

    async def loaded(self) -> None:
        """See `Model`."""
        await self._worker.loaded()

    async def transcribe(
        self,
        recording: Path,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """See `Transcriber`. A note that takes longer than `models.speech.seconds`, its wait in line included, has failed."""
        await self.loaded()
        begun, result = time.monotonic(), "done"
        try:
            return await self._transcribed(
                Order(path=str(recording), language=language, languages=tuple(languages)), progress or (lambda share: None)
            )
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        except Exception as error:
            result = type(error).__name__
            raise
        finally:
            if self._metrics is not None:
                self._metrics.model(self.name, "transcribe", result, time.monotonic() - begun)

    async def _transcribed(self, order: Order, progress: Callable[[float], None]) -> Transcript:
        calling = self._worker.call("transcribe", msgpack.encode(order), seconds=self._settings.seconds)
        async with aclosing(calling) as answers:
            async for piece in answers:
                answer = msgpack.decode(piece, type=Answer)
                if answer.transcript is not None:
                    return answer.transcript
                if answer.progress is not None:
                    progress(answer.progress)
        raise ModelFailed("the recording was not transcribed")
