"""The bot's end of Whisper: the model itself is in a process of its own."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from msgspec import msgpack

from frontdesk.core.errors import ModelFailed
from frontdesk.core.models import ModelState
from frontdesk.core.speech import Transcript
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper.service import Answer, Order
from frontdesk.plugins.models.worker.parent import Worker

SERVICE = "frontdesk.plugins.models.whisper.service:WhisperService"

LOAD_SECONDS = 300.0


class WhisperTranscriber:
    """A `Transcriber`. The recording goes to it by its path, and is read there."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self._worker = Worker(SERVICE, settings, name=self.name, load_seconds=LOAD_SECONDS)

    @property
    def name(self) -> str:
        """A model from a file has the file's name, without its folders."""
        return f"whisper:{Path(self._settings.model).name}"

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
        order = Order(path=str(recording), language=language, languages=tuple(languages))
        calling = self._worker.call("transcribe", msgpack.encode(order), seconds=self._settings.seconds)
        async with aclosing(calling) as answers:
            async for piece in answers:
                answer = msgpack.decode(piece, type=Answer)
                if answer.transcript is not None:
                    return answer.transcript
                if answer.progress is not None and progress is not None:
                    progress(answer.progress)
        raise ModelFailed("the recording was not transcribed")
