"""Loads or reaches each configured model for real, and asks it something tiny."""

import math
import struct
import tempfile
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from frontdesk.config import models
from frontdesk.config.inventory import Configured
from frontdesk.core.chat import ChatRequest
from frontdesk.core.errors import FrontdeskError
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Model
from frontdesk.plugins.models.settings import ChatSettings, EmbeddingsSettings, SpeechSettings
from frontdesk.plugins.models.worker import Worker

ANSWER_SECONDS = 120.0
TOKENS = 64
QUESTION = "Say yes."
RATE = 16_000
SHOWN = 60
"""Characters of an answer."""

Load = Callable[[Model], Awaitable[None]]
"""Starts a model and waits until it is ready."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`says` is what came back, or what is wrong and the fix. Times are in seconds, `memory` in bytes of the model's process."""

    setting: str
    name: str
    right: bool
    says: str
    load: float | None = None
    answer: float | None = None
    memory: int | None = None


async def check_model(one: Configured, data_folder: Path, *, load: Load) -> Checked:
    """Never raises for what is wrong with the model. Fallbacks are models of their own here."""
    try:
        return await (_check_embedder(one, data_folder) if one.setting == "models.embeddings" else _check(one, data_folder, load))
    except FrontdeskError as error:
        says = str(error)
    except Exception as error:
        # Its words may hold a key: of an HTTP error, for example, the whole request.
        says = f"the check itself failed: {type(error).__name__}"
    return Checked(setting=one.setting, name=one.name, right=False, says=says)


async def _check(one: Configured, data_folder: Path, load: Load) -> Checked:
    model, ask = _made(one, data_folder)
    try:
        began = monotonic()
        await load(model)
        ready = monotonic()
        says = await ask()
        answered = monotonic()
        worker = getattr(model, "worker", None)
        return Checked(
            setting=one.setting,
            name=one.name,
            right=True,
            says=says,
            load=ready - began,
            answer=answered - ready,
            memory=worker.resident if isinstance(worker, Worker) else None,
        )
    finally:
        await model.stop()


def _made(one: Configured, data_folder: Path) -> tuple[Model, Callable[[], Awaitable[str]]]:
    """The model, and what asks it."""
    match one.section:
        case ChatSettings() as section:
            chat = models.chat_model(section.model_copy(update={"fallback": None}), data_folder, Metrics(), one.setting)

            async def say() -> str:
                request = ChatRequest.of(QUESTION, max_tokens=TOKENS, seconds=ANSWER_SECONDS)
                text = " ".join((await chat.complete(request)).text.split())
                shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
                return f"asked to say yes, it answered: {shown}" if shown else "it answered, without a word"

            return chat, say
        case SpeechSettings() as section:
            transcriber = models.transcriber(section, data_folder, Metrics())

            async def hear() -> str:
                with tempfile.TemporaryDirectory() as folder:
                    recording = Path(folder) / "tone.wav"
                    _tone(recording)
                    text = (await transcriber.transcribe(recording)).text
                return f"in a second of tone it heard {text[:SHOWN] or 'no words, rightly'}"

            return transcriber, hear
        case EmbeddingsSettings():
            raise AssertionError("embedders are not started")
        case section:
            speaker = models.speaker(section, data_folder, Metrics())

            async def speak() -> str:
                speech = await speaker.speak("Yes.", language="en")
                return f"it spoke for {speech.seconds:.1f} s"

            return speaker, speak


async def _check_embedder(one: Configured, data_folder: Path) -> Checked:
    assert isinstance(one.section, EmbeddingsSettings)
    embedder = models.embedder(one.section, data_folder, Metrics())
    try:
        began = monotonic()
        vectors = await embedder.embed(["yes"])
        answer = monotonic() - began
        says = f"a text becomes {vectors.shape[1]} numbers"
        return Checked(setting=one.setting, name=one.name, right=True, says=says, answer=answer)
    finally:
        close = getattr(embedder, "close", None)
        if close is not None:
            await close()


def _tone(path: Path) -> None:
    """One second of 440 hertz."""
    samples = (round(8000 * math.sin(2 * math.pi * 440 * at / RATE)) for at in range(RATE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
