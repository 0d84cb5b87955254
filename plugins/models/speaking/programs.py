"""How the programs that speak are called, and what they can speak. Each reads the text from its standard input.

eSpeak NG: https://github.com/espeak-ng/espeak-ng/blob/master/src/espeak-ng.1.ronn
Piper: https://github.com/OHF-Voice/piper1-gpl/blob/main/docs/CLI.md
"""

import asyncio
import json
import re
import shutil
from abc import ABC, abstractmethod
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

from frontdesk.core.errors import ConfigurationError, ModelFailed, PromptRejected
from frontdesk.plugins.models.settings import VoiceSettings

_ESPEAK_NAMES = {"zh": "cmn", "no": "nb", "tl": "fil"}
"""Where eSpeak NG has another name for a language than everybody else."""
_TAG = re.compile(r"[a-z]{2,3}\Z")


class Program(ABC):
    """`name` is the program's usual name, `package` where it comes from."""

    name: str
    package: str

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings

    def path(self) -> str:
        """Raises `ConfigurationError` where the program is missing."""
        wanted = self._settings.program or self.name
        found = shutil.which(wanted)
        if found is None:
            raise ConfigurationError(
                f"models.voice.program = {wanted!r}: there is no such program; install it ({self.package}), "
                "or give its path in models.voice.program (FRONTDESK_MODELS__VOICE__PROGRAM)"
            )
        return found

    @abstractmethod
    def arguments(self, voice: str, wave: Path) -> list[str]:
        """What makes it read standard input and write a WAV file."""

    @abstractmethod
    async def voice(self, language: str) -> str:
        """Who speaks this language. Raises `PromptRejected` if nobody does."""


class Espeak(Program):
    name = "espeak-ng"
    package = "Debian, Ubuntu, Homebrew: espeak-ng"

    def __init__(self, settings: VoiceSettings) -> None:
        super().__init__(settings)
        self._voices: dict[str, str | None] = {}

    def arguments(self, voice: str, wave: Path) -> list[str]:
        return ["--stdin", "-b", "1", "-v", voice, "-w", str(wave)]

    async def voice(self, language: str) -> str:
        if self._settings.voice:
            return self._settings.voice
        tag = language.partition("-")[0].lower()
        if not _TAG.match(tag):
            raise PromptRejected("this is no language")
        wanted = _ESPEAK_NAMES.get(tag, tag)
        if wanted not in self._voices:
            listing = await run(self.path(), f"--voices={wanted}", seconds=self._settings.timeout, read=True)
            self._voices[wanted] = wanted if len(listing.splitlines()) > 1 else None
        if (voice := self._voices[wanted]) is None:
            raise PromptRejected(f"eSpeak NG has no voice for {tag}")
        return voice


class Piper(Program):
    """A Piper voice speaks one language, that of the file beside it: `VOICE.onnx.json`."""

    name = "piper"
    package = "pip install piper-tts"

    def arguments(self, voice: str, wave: Path) -> list[str]:
        return ["--model", voice, "--output_file", str(wave)]

    def path(self) -> str:
        found = super().path()
        model = self._settings.model
        if not Path(model).is_file() or not Path(f"{model}.json").is_file():
            raise ConfigurationError(
                f"models.voice.model = {model!r}: there must be a Piper voice and its .json beside it; "
                "get them with: python -m piper.download_voices en_US-lessac-medium"
            )
        return found

    async def voice(self, language: str) -> str:
        tag, model = language.partition("-")[0].lower(), self._settings.model
        try:
            described = json.loads(await asyncio.to_thread(Path(f"{model}.json").read_text, encoding="utf-8"))
            spoken = str(described.get("language", {}).get("code") or described.get("espeak", {}).get("voice", ""))
        except (OSError, ValueError, AttributeError) as error:
            raise ModelFailed(f"what lies beside the voice of models.voice.model is no description of it: {error}") from None
        if spoken.replace("_", "-").partition("-")[0].lower() != tag:
            raise PromptRejected(f"the Piper voice of models.voice.model speaks {spoken}, not {tag}")
        return model


PROGRAMS: dict[str, type[Program]] = {"espeak": Espeak, "piper": Piper}


async def run(*command: str, text: str = "", seconds: float, read: bool = False) -> str:
    """Runs a program, with a text for its standard input: a command line can be read by everybody on the machine.

    Returns what it prints, if that is `read`. Nothing of it is left when this returns or is cancelled. Raises `ModelFailed`.
    """
    name = Path(command[0]).name
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE if read else DEVNULL, stderr=DEVNULL)
    except OSError as error:
        raise ModelFailed(f"{name} cannot be run: {error.strerror}") from None
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(text.encode())
    except TimeoutError:
        raise ModelFailed(f"{name} did not end in {seconds:g} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise ModelFailed(f"{name} failed with exit code {process.returncode}")
    return said.decode(errors="replace") if read else ""
