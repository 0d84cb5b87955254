"""Models that say and hear what a test tells them to."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path

from frontdesk.core.chat import ChatPiece, ChatRequest, ChatResult
from frontdesk.core.errors import ModelFailed
from frontdesk.core.models import Abilities, ModelState, whole
from frontdesk.core.speech import Speech, Transcript


class _Scripted:
    """`gate`, if it is set to an event that is not set, holds every call until it is."""

    name = "scripted"

    def __init__(self) -> None:
        self.state = ModelState(status="stopped")
        self.gate: asyncio.Event | None = None

    async def start(self) -> None:
        self.state = ModelState(status="ready")

    async def stop(self) -> None:
        self.state = ModelState(status="stopped")

    async def loaded(self) -> None:
        """It is ready at once."""

    async def _pass(self) -> None:
        if self.gate is not None:
            await self.gate.wait()


class ScriptedChat(_Scripted):
    """Answers in the order of the script: a text, a whole result, or an error to raise. `requests` are what it was asked."""

    def __init__(self, *script: str | ChatResult | Exception, abilities: Abilities = Abilities()) -> None:  # noqa: B008 - frozen
        super().__init__()
        self.abilities = abilities
        self.requests: list[ChatRequest] = []
        self.cancelled = 0
        self._script = list(script)

    async def complete(self, request: ChatRequest) -> ChatResult:
        return await whole(self.stream(request))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        self.requests.append(request)
        try:
            await self._pass()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if not self._script:
            raise ModelFailed("the script of this test has no more answers")
        said = self._script.pop(0)
        if isinstance(said, Exception):
            raise said
        result = ChatResult(text=said, model=self.name) if isinstance(said, str) else said
        for piece in re.findall(r"\s*\S+", result.text):
            yield ChatPiece(text=piece)
        yield ChatPiece(result=result)


class ScriptedTranscriber(_Scripted):
    """Hears in the order of the script. `asked` are the languages that it was given."""

    def __init__(self, *script: str | Transcript | BaseException) -> None:
        super().__init__()
        self.asked: list[str | None] = []
        self._script = list(script)

    async def transcribe(
        self,
        recording: Path,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        self.asked.append(language)
        await self._pass()
        if progress is not None:
            progress(1.0)
        heard: str | Transcript | BaseException = self._script.pop(0) if self._script else ModelFailed("nothing more is heard")
        if isinstance(heard, BaseException):
            raise heard
        return a_transcript(heard, language=language or "en") if isinstance(heard, str) else heard


class ScriptedSpeaker(_Scripted):
    """`spoken` are the texts that it was given, with their languages."""

    def __init__(self, errors: Iterable[BaseException] = ()) -> None:
        super().__init__()
        self.spoken: list[tuple[str, str]] = []
        self._errors = list(errors)

    async def speak(self, text: str, *, language: str) -> Speech:
        await self._pass()
        if self._errors:
            raise self._errors.pop(0)
        self.spoken.append((text, language))
        return Speech(data=b"OggS", seconds=1.0)


def a_transcript(text: str, *, language: str = "en", confidence: float = 0.9, seconds: float = 2.0) -> Transcript:
    return Transcript(text=text, language=language, confidence=confidence, seconds=seconds, peaks=(10, 80, 30))
