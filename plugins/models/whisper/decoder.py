"""Windows of speech become text: one pass of the encoder for each, which is most of the work, and few of the decoder."""

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

from frontdesk.plugins.models.audio.reading import RATE
from frontdesk.plugins.models.whisper.loops import unlooped
from frontdesk.plugins.models.whisper.windows import Window

POOR = -1.0
"""Mean log probability of the tokens below which a text is not believed. This and the next two are what Whisper's authors use."""

REPETITIVE = 2.4
"""A text that packs better than this is a loop."""

NO_SPEECH = 0.6

TEMPERATURES = (0.2, 0.6)
"""Tried when the best text is poor. More of them gain little and cost as much again each."""

DOUBTED = 0.2
"""A language that is given is doubted where the sound makes it less probable than this."""

SURE = 0.8
"""So probable must a language be to be heard where neither the bot speaks it nor what was said around it is in it."""

STEP = 320
"""Samples for each step of the features."""

IDENTIFIABLE = RATE
"""Samples from which on the language of a stretch can be told: "ja" is a word of many."""

TOKENS_PER_SECOND, TOKENS = 25, 32
"""An answer may have so many tokens for each second of speech, and so many besides; an endless one ends there."""

ALIASES = {"nb": "no", "iw": "he", "in": "id", "fil": "tl", "jv": "jw", "cmn": "zh", "ji": "yi"}
"""Codes under which Whisper knows a language by another one."""


T = TypeVar("T")


class Stopped(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A window to be heard. `language` is a guess, `languages` are those that the bot speaks; both as Whisper's codes."""

    window: Window
    language: str | None = None
    languages: tuple[str, ...] = ()
    stop: threading.Event


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What was said in a window, or in a part of it. `tokens` is the length of the text, `logprob` the mean of its tokens."""

    window: Window
    text: str
    language: str
    logprob: float
    tokens: int

    @property
    def confidence(self) -> float:
        return math.exp(min(0.0, self.logprob))


@dataclass(frozen=True, kw_only=True)
class _Task:
    """`other` is a language that it may be in as well."""

    ask: int
    window: Window
    features: Any
    language: str
    other: str | None = None


class Decoder:
    """Whisper's model at work. One thread may use it at a time: Whisper keeps its cache in the model."""

    def __init__(self, model: Any, *, batch: int) -> None:
        """`batch` windows are computed at once."""
        from whisper.tokenizer import get_tokenizer

        self._model = model
        self._batch = batch
        self._half = model.device.type == "cuda"
        self._tokenizer = get_tokenizer(model.is_multilingual, num_languages=model.num_languages)
        self._asks: Sequence[Ask] = ()
        for module in (*model.encoder.blocks, model.decoder):
            module.register_forward_pre_hook(self._check)

    @property
    def multilingual(self) -> bool:
        return bool(self._model.is_multilingual)

    def known(self, language: str | None) -> str | None:
        """Whisper's code for a language: `zh` for `zh-Hant`. None if the model does not know it."""
        from whisper.tokenizer import LANGUAGES

        code = (language or "").replace("_", "-").split("-")[0].lower()
        code = ALIASES.get(code, code)
        if not self.multilingual:
            return code if code == "en" else None
        return code if code in list(LANGUAGES)[: self._model.num_languages] else None

    def hear(self, asks: Sequence[Ask]) -> list[list[Heard]]:
        """What is said in each, in order; nothing where no words were found. Raises `Stopped` when nobody waits any more."""
        import torch

        self._asks = asks
        try:
            with torch.inference_mode():
                tasks = list(self._tasks(asks))
                heard = [self._settled(task, result) for task, result in zip(tasks, self._decoded(tasks), strict=True)]
        finally:
            self._asks = ()
        found: list[list[Heard]] = [[] for _ in asks]
        for task, one in zip(tasks, heard, strict=True):
            if one.text:
                found[task.ask].append(one)
        return found

    def _tasks(self, asks: Sequence[Ask]) -> Iterator[_Task]:
        """A task for each window; for each of its parts where several languages are spoken in it."""
        for index, (ask, features) in enumerate(zip(asks, self.encode([ask.window for ask in asks]), strict=True)):
            main, guesses = self._guesses(ask, features)
            parts = [(guess, len(list(same))) for guess, same in groupby(guesses)]
            windows, encoded = [ask.window], [features]
            if len(parts) > 1:
                windows = ask.window.parts([size for _, size in parts])
                encoded = self.encode(windows)
            for (guess, _), window, own in zip(parts, windows, encoded, strict=True):
                language, other = self._chosen(own, guess, main, ask.languages)
                yield _Task(ask=index, window=window, features=own, language=language, other=other)

    def encode(self, windows: Sequence[Window]) -> list[Any]:
        """The features of each window, of shape `(1500, width)`."""
        import torch
        from whisper.audio import N_FRAMES, N_SAMPLES, log_mel_spectrogram, pad_or_trim

        device, mels = self._model.device, self._model.dims.n_mels
        features: list[Any] = []
        for some in _sliced(windows, self._batch):
            spectra = [log_mel_spectrogram(window.samples, mels, padding=N_SAMPLES, device=device) for window in some]
            mel = torch.stack([pad_or_trim(spectrum, N_FRAMES) for spectrum in spectra])
            features += self._model.encoder(mel.half() if self._half else mel)
        return features

    def _guesses(self, ask: Ask, features: Any) -> tuple[str, list[str]]:
        """The language that a window should be in, and the one that each of its stretches seems to be in."""
        if not self.multilingual:
            return "en", ["en"] * len(ask.window.stretches)
        main = ask.language or _likeliest(self.probabilities(features), ask.languages)
        if ask.language is None and len(ask.window.stretches) == 1:
            return main, [main]
        guesses = []
        for start, end in ask.window.offsets:
            guess = main
            if end - start >= IDENTIFIABLE:
                # The decoder looks at the features of this stretch only: a hundredth of the work of the encoder.
                probabilities = self.probabilities(features[start // STEP : -(-end // STEP)])
                if probabilities[main] < DOUBTED:
                    guess = _likeliest(probabilities, ask.languages)
            guesses.append(guess)
        return main, guesses

    def _chosen(self, features: Any, guess: str, main: str, languages: Sequence[str]) -> tuple[str, str | None]:
        """The language of a window, and a second one if it is not sure. A guess by a part of the features is not enough."""
        if guess == main:
            return main, None
        probabilities = self.probabilities(features)
        if probabilities[main] >= DOUBTED:
            return main, None
        language = _likeliest(probabilities, languages)
        return language, (main if probabilities[language] < SURE else None)

    def probabilities(self, features: Any) -> dict[str, float]:
        """How probable each language is, from one step of the decoder."""
        import torch

        start = torch.tensor([[self._tokenizer.sot]], device=features.device)
        logits = self._model.decoder(start, features[None])[0, 0, list(self._tokenizer.all_language_tokens)]
        return dict(zip(self._tokenizer.all_language_codes, logits.softmax(dim=-1).tolist(), strict=True))

    def _decoded(self, tasks: Sequence[_Task]) -> list[Any]:
        """The first try of each, in batches of one language."""
        results: dict[int, Any] = {}
        order = sorted(range(len(tasks)), key=lambda index: tasks[index].language)
        for _, same in groupby(order, key=lambda index: tasks[index].language):
            for some in _sliced(list(same), self._batch):
                results |= zip(some, self._tried([tasks[index] for index in some]), strict=True)
        return [results[index] for index in range(len(tasks))]

    def _tried(self, tasks: Sequence[_Task], temperature: float = 0.0) -> list[Any]:
        import torch
        import whisper

        options = whisper.DecodingOptions(
            language=tasks[0].language,
            temperature=temperature,
            without_timestamps=True,
            fp16=self._half,
            sample_len=max(self._most_tokens(task.window) for task in tasks),
        )
        results: list[Any] = whisper.decode(self._model, torch.stack([task.features for task in tasks]), options)
        return results

    def _most_tokens(self, window: Window) -> int:
        return int(min(self._model.dims.n_text_ctx // 2, TOKENS + TOKENS_PER_SECOND * window.spoken))

    def _settled(self, task: _Task, first: Any) -> Heard:
        """The best of the first try and of the others that it gives reason for, each bounded: a second language, temperatures."""
        tries = [first]
        if task.other is None and _poor(first) and self.multilingual:
            ask = self._asks[task.ask]
            best = _likeliest(self.probabilities(task.features), ask.languages)
            task = replace(task, other=best if best != task.language else None)
        if task.other is not None:
            tries += self._tried([replace(task, language=task.other)])
        best = max(tries, key=_rank)
        for temperature in TEMPERATURES:
            if not _poor(best):
                break
            tries += self._tried([replace(task, language=best.language)], temperature)
            best = max(tries, key=_rank)
        silent = best.no_speech_prob > NO_SPEECH and best.avg_logprob < POOR
        text = "" if silent else unlooped(best.text)
        return Heard(window=task.window, text=text, language=best.language, logprob=best.avg_logprob, tokens=len(best.tokens) + 1)

    def _check(self, module: Any, args: Any) -> None:
        """Called before each step of the model: a thread cannot be cancelled from outside."""
        if self._asks and all(ask.stop.is_set() for ask in self._asks):
            raise Stopped


def _sliced(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _likeliest(probabilities: dict[str, float], languages: Sequence[str]) -> str:
    """Of the languages that the bot speaks, if there are any, unless it is surely another one."""
    best = max(probabilities, key=probabilities.__getitem__)
    if probabilities[best] >= SURE or not languages:
        return best
    return max(languages, key=probabilities.__getitem__)


def _poor(result: Any) -> bool:
    return bool(result.avg_logprob < POOR or result.compression_ratio > REPETITIVE)


def _rank(result: Any) -> tuple[bool, float]:
    return result.compression_ratio <= REPETITIVE, result.avg_logprob
