"""A `Speaker` that has a program speak, and makes a voice note of it."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import structlog

from frontdesk.core.errors import (
    ConfigurationError,
    FrontdeskError,
    InvalidInput,
    MissingExtra,
    ModelFailed,
    ModelUnavailable,
    PromptRejected,
)
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ModelState
from frontdesk.core.speech import Speech
from frontdesk.plugins.models.audio.service import AudioWorker
from frontdesk.plugins.models.settings import VoiceSettings
from frontdesk.plugins.models.speaking.programs import PROGRAMS, run
from frontdesk.plugins.models.worker.parent import Worker

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""So many replies are spoken side by side: each takes a core."""
_STOPS = ".!?,:;…。！？，：；、"
MAX_SECONDS = 600.0
"""A program that speaks for longer than this has gone astray."""


class CommandSpeaker:
    def __init__(self, settings: VoiceSettings, *, metrics: Metrics) -> None:
        """Raises `ConfigurationError` where the program or the voice is missing, and `MissingExtra`."""
        self._settings = settings
        self._metrics = metrics
        self._program = PROGRAMS[settings.provider](settings)
        self._program.path()
        if find_spec("av") is None:
            raise MissingExtra("models.voice", "voice")
        self._audio = AudioWorker(name=f"{self.name} (sound)")
        self._free = asyncio.Semaphore(AT_ONCE)

    @property
    def name(self) -> str:
        detail = self._settings.voice or Path(self._settings.model).name
        return f"{self._settings.provider}:{detail}" if detail else self._settings.provider

    @property
    def worker(self) -> Worker:
        """For those who look after the process."""
        return self._audio.worker

    @property
    def state(self) -> ModelState:
        return self._audio.state

    async def start(self) -> None:
        """See `Model`."""
        await self._audio.start()

    async def stop(self) -> None:
        """See `Model`."""
        await self._audio.stop()

    async def loaded(self) -> None:
        """See `Model`."""
        await self._audio.loaded()

    async def speak(self, text: str, *, language: str) -> Speech:
        """See `Speaker`."""
        started, result = perf_counter(), "done"
        try:
            if not text.strip():
                raise PromptRejected("there is nothing to say")
            if len(text) > self._settings.max_characters:
                raise PromptRejected(f"a text of {len(text)} characters is not read aloud (models.voice.max_characters)")
            async with self._free:
                with TemporaryDirectory(prefix="frontdesk-voice-") as folder:
                    return await self._spoken(text, language, Path(folder) / "speech.wav")
        except (FrontdeskError, asyncio.CancelledError) as error:
            result = "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__
            raise
        finally:
            self._metrics.model(self.name, "speak", result, perf_counter() - started)

    async def _spoken(self, text: str, language: str, wave: Path) -> Speech:
        try:
            program = self._program.path()
        except ConfigurationError as error:  # it was there at the start
            raise ModelUnavailable(str(error)) from None
        command = program, *self._program.arguments(await self._program.voice(language), wave)
        await run(*command, text=_in_one_line(text), seconds=self._settings.timeout)
        if not await asyncio.to_thread(wave.exists):
            raise ModelFailed(f"{self._program.name} wrote no sound")
        try:
            note = await self._audio.note(wave, max_seconds=MAX_SECONDS, seconds=self._settings.timeout)
        except InvalidInput as error:
            raise ModelFailed(f"{self._program.name} wrote no sound") from error
        return note.speech


def _in_one_line(text: str) -> str:
    """With a stop between what stood on lines of their own. Piper would make a recording of each line."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return " ".join(line if line[-1] in _STOPS else f"{line}." for line in lines if line)
