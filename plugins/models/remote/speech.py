"""Listening and speaking by a service's `/audio` interfaces. https://platform.openai.com/docs/api-reference/audio"""

import asyncio
import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from frontdesk.core.chat import Usage
from frontdesk.core.dialogue.language import LanguageDetector
from frontdesk.core.errors import InvalidInput, ModelUnavailable, PromptRejected
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ModelState
from frontdesk.core.speech import Segment, Speech, Transcript
from frontdesk.plugins.models.audio.service import AudioWorker, Note
from frontdesk.plugins.models.remote.breaker import Breaker
from frontdesk.plugins.models.remote.client import Client
from frontdesk.plugins.models.remote.containers import FILMS, TAKEN, kind_of, opus_seconds
from frontdesk.plugins.models.remote.languages import code_of
from frontdesk.plugins.models.remote.wire import encodable, estimated_tokens
from frontdesk.plugins.models.settings import SpeechSettings, VoiceSettings

MAX_FILE = 25 * 2**20
"""Bytes of a recording that services take. A larger one is re-encoded: half an hour is 7 MB then."""

SILENT = 5
"""Loudness in percent: where a recording has nothing louder, nobody is asked what is said in it."""

UNKNOWN_CONFIDENCE = 0.75
"""Where the service tells none: with `models.speech.ask_below` above this the bot asks whenever it has heard something."""

NO_SPEECH, UNSURE, LOOPING = 0.6, -1.0, 2.4
"""Whisper's own thresholds for a segment that nobody has said: `no_speech_prob`, `avg_logprob`, `compression_ratio`."""

MAX_CHARACTERS = 4096
"""Of a text that is read aloud."""

DEFAULT_VOICE = "alloy"


class SegmentSaid(Struct):
    text: str = ""
    start: float = 0.0
    end: float = 0.0
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None

    @property
    def spoken(self) -> bool:
        """Whether somebody has said it, and not the model to itself."""
        logprob = 0.0 if self.avg_logprob is None else self.avg_logprob
        silent = (self.no_speech_prob or 0.0) > NO_SPEECH and logprob < UNSURE
        return bool(self.text.strip()) and not silent and (self.compression_ratio or 0.0) <= LOOPING


class LogprobSaid(Struct):
    logprob: float


class AudioUsageSaid(Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class TranscriptSaid(Struct):
    text: str | None = None
    language: str | None = None
    duration: float | None = None
    segments: list[SegmentSaid] | None = None
    logprobs: list[LogprobSaid] | None = None
    usage: AudioUsageSaid | None = None
    error: object = None


class RemoteTranscriber:
    """See `Transcriber`.

    With the extra `voice` each recording is looked into by a child process first, for its length and its loudness, and what
    the service would not take is re-encoded there. Without it, recordings of other kinds than `TAKEN` cannot be heard.
    """

    def __init__(
        self,
        settings: SpeechSettings,
        *,
        folder: Path,
        metrics: Metrics | None = None,
        section: str = "models.speech",
        breaker: Breaker | None = None,
    ) -> None:
        self._settings = settings
        self._client = Client(settings, section=section, folder=folder, metrics=metrics, breaker=breaker)
        self._audio = AudioWorker() if importlib.util.find_spec("av") else None

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def state(self) -> ModelState:
        return self._client.state

    async def start(self) -> None:
        if self._audio is not None:
            await self._audio.start()

    async def stop(self) -> None:
        if self._audio is not None:
            await self._audio.stop()
        await self._client.close()

    async def loaded(self) -> None:
        if self._audio is not None:
            await self._audio.loaded()

    async def transcribe(
        self,
        recording: Path,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """See `Transcriber`. The language is not prescribed to the service unless the bot speaks only one: a wrong one would be
        translated into."""
        with self._client.measured("transcribe"):
            deadline = asyncio.get_running_loop().time() + self._settings.seconds
            note = await self._note(recording)
            if note is not None and note.peaks and max(note.peaks) < SILENT:
                return Transcript(text="", language=language or "", confidence=1.0, seconds=note.speech.seconds, peaks=note.peaks)
            file = await asyncio.to_thread(_file, recording, note)
            async with self._client.place(deadline):
                said = await self._client.retried(lambda: self._once(file, languages, deadline), deadline)
            return await asyncio.to_thread(_transcript, said, note, language, languages)

    async def _note(self, recording: Path) -> Note | None:
        if self._audio is None:
            return None
        await self._audio.loaded()
        return await self._audio.note(recording, max_seconds=60 * self._settings.max_minutes, seconds=self._settings.seconds)

    async def _once(self, file: tuple[str, bytes, str], languages: Sequence[str], deadline: float) -> TranscriptSaid:
        options: dict[str, Any] = {}
        talks = "gpt-4o" in self._settings.model  # https://platform.openai.com/docs/guides/speech-to-text: json only, logprobs
        if self._client.preset.verbose and not talks:
            options["response_format"] = "verbose_json"
        elif talks:
            options |= {"response_format": "json", "include": ["logprobs"]}
        if len(languages) == 1:
            options["language"] = languages[0].partition("-")[0]
        options = {field: value for field, value in options.items() if field not in self._client.refused}
        async with (
            self._client.spending(Usage(), "") as bill,
            self._client.asked(
                lambda sdk: sdk.audio.transcriptions.with_streaming_response.create(
                    file=file, model=self._settings.model, **options
                ),
                deadline=deadline,
                sent=frozenset(options),
            ) as answer,
        ):
            content = await answer.whole()
            try:
                said = msgspec.json.decode(content, type=TranscriptSaid)
            except (msgspec.DecodeError, RecursionError):
                raise self._client.judge.rubbish("answered what is no transcription") from None
            if said.error is not None:
                raise self._client.judge.inside(said.error, options)
            if said.text is None:
                raise self._client.judge.rubbish("answered without a transcription in it")
            if said.usage is not None:
                read, written = said.usage.input_tokens, said.usage.output_tokens
                cost = (read * self._settings.input_price + written * self._settings.output_price) / 1e6
                bill.usage = Usage(prompt=read, completion=written, cost=cost)
            return said


def _file(recording: Path, note: Note | None) -> tuple[str, bytes, str]:
    """What is sent: the file as it is, if services take it. Raises `InvalidInput`, and `ModelUnavailable` without PyAV."""
    with recording.open("rb") as file:
        kind = kind_of(file.read(16))
        size = file.seek(0, 2)
        as_it_is = kind is not None and (note is None or kind[1] not in FILMS)
        if kind is not None and as_it_is and size <= MAX_FILE:
            file.seek(0)
            return kind[0], file.read(MAX_FILE + 1), kind[1]
    if note is not None:
        return "note.ogg", note.speech.data, note.speech.media_type
    if size == 0:
        raise InvalidInput("the recording is empty")
    if size > MAX_FILE:
        raise InvalidInput(f"the recording is larger than {MAX_FILE // 2**20} MB")
    raise ModelUnavailable(
        f'recordings of other kinds than {TAKEN} need an optional package to be heard: pip install "frontdesk[voice]"'
    )


def _transcript(said: TranscriptSaid, note: Note | None, language: str | None, languages: Sequence[str]) -> Transcript:
    """In a thread: finding out the language may load a model."""
    told = [segment for segment in said.segments or () if segment.spoken]
    text = " ".join(segment.text.strip() for segment in told) if said.segments else (said.text or "").strip()
    if said.segments and text.replace(" ", "") == (said.text or "").replace(" ", ""):
        text = (said.text or "").strip()  # without spaces where the script has none
    spoken = code_of(said.language or "")
    if not spoken and text:
        spoken = LanguageDetector(languages).detect(text, language) if languages else language or ""
    segments = tuple(
        Segment(
            start=segment.start,
            end=segment.end,
            text=segment.text.strip(),
            language=spoken,
            confidence=_probability(segment.avg_logprob),
        )
        for segment in told
    )
    return Transcript(
        text=text,
        language=spoken or language or "",
        confidence=_confidence(said, told),
        seconds=note.speech.seconds if note is not None else said.duration or max((part.end for part in told), default=0.0),
        segments=segments,
        peaks=note.peaks if note is not None else (),
    )


def _confidence(said: TranscriptSaid, told: Sequence[SegmentSaid]) -> float:
    """The mean over the letters, or the tokens."""
    if told:
        letters = sum(len(segment.text) for segment in told)
        return sum(_probability(segment.avg_logprob) * len(segment.text) for segment in told) / letters
    if said.logprobs:
        return sum(_probability(token.logprob) for token in said.logprobs) / len(said.logprobs)
    return UNKNOWN_CONFIDENCE


def _probability(logprob: float | None) -> float:
    return UNKNOWN_CONFIDENCE if logprob is None else math.exp(min(0.0, logprob))


class RemoteSpeaker:
    """See `Speaker`. The voices of these services speak every language; which one it is they hear from the text."""

    def __init__(
        self,
        settings: VoiceSettings,
        *,
        folder: Path,
        metrics: Metrics | None = None,
        section: str = "models.voice",
        breaker: Breaker | None = None,
    ) -> None:
        self._settings = settings
        self._client = Client(settings, section=section, folder=folder, metrics=metrics, breaker=breaker)

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def state(self) -> ModelState:
        return self._client.state

    async def start(self) -> None:
        """See `Model`."""

    async def stop(self) -> None:
        await self._client.close()

    async def loaded(self) -> None:
        return

    async def speak(self, text: str, *, language: str) -> Speech:
        if not text.strip():
            raise PromptRejected("there is nothing to be said")
        if len(text) > MAX_CHARACTERS:
            raise PromptRejected(f"a text of more than {MAX_CHARACTERS} characters is not read aloud")
        with self._client.measured("speak"):
            deadline = asyncio.get_running_loop().time() + self._settings.timeout * (self._settings.retries + 1)
            async with self._client.place(deadline):
                return await self._client.retried(lambda: self._once(encodable(text), deadline), deadline)

    async def _once(self, text: str, deadline: float) -> Speech:
        tokens = estimated_tokens(text)
        expected = Usage(prompt=tokens, cost=tokens * self._settings.input_price / 1e6)
        async with (
            self._client.spending(expected, ""),
            self._client.asked(
                lambda sdk: sdk.audio.speech.with_streaming_response.create(
                    input=text,
                    model=self._settings.model,
                    voice=self._settings.voice or DEFAULT_VOICE,
                    response_format="opus",
                ),
                deadline=deadline,
            ) as answer,
        ):
            data = await answer.whole()
            seconds = opus_seconds(data)
            if seconds is None:
                raise self._client.judge.rubbish("answered what is no Opus in an Ogg file" if data else "answered nothing")
            return Speech(data=data, seconds=seconds)
