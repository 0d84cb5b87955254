"""Intent quality on a labelled data set: learns from its training examples, and sends each of its test texts to the router.

The intents become those of a plugin, wired as an application's are; what counts is what the router then does.

A data set is a JSON object of lists of `[text, intent]`, as published with CLINC150 (Larson et al. 2019):
`train` to learn from, `test` to ask, and `oos_test` with texts that are meant for none of the intents. Other keys, such
as `val`, `oos_train` and `oos_val`, are not read.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from frontdesk.core.conversations import Conversation
from frontdesk.core.dialogue.classifier import LayeredEmbedder
from frontdesk.core.dialogue.commands import Commands
from frontdesk.core.dialogue.forms import Forms
from frontdesk.core.dialogue.intents import IntentMatcher, Match
from frontdesk.core.dialogue.training import readable
from frontdesk.core.effects import Open
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.messages import Contact, Entry, Message, TextPart
from frontdesk.core.models import Embedder, Vectors
from frontdesk.core.outcomes import Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.registry import Registry
from frontdesk.core.router import Router
from frontdesk.core.turn import Turn

Example = tuple[str, str]
Progress = Callable[[str, int, int], None]
"""Called with the step, how much of it is done, and its total; a total of 0 is not known."""

NONE = "(none of these)"
EMBEDDED_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Dataset:
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    out_of_scope: tuple[str, ...]
    """Empty where the file has no `oos_test`."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Shares are from 0 to 1. `auroc` and `oos_recall` are None where the data has no out-of-scope texts."""

    accuracy: float
    """Of the likeliest intent, over all in-scope texts, refused or not."""
    accuracy_after_refusal: float
    """Of the intent that the router took; a refused text counts as wrong."""
    auroc: float | None
    """How well the score tells in-scope from out-of-scope texts, whatever the threshold."""
    oos_recall: float | None
    """The share of out-of-scope texts that were taken for none of the intents."""
    refused: float
    """The share of in-scope texts that were."""
    ambiguous: float
    """The share of in-scope texts where the router asked which of two or three intents was meant. The first one counts."""
    p50_ms: float
    """Of matching one text, its embedding included."""
    p99_ms: float
    fit_s: float
    intents: int
    examples: int
    tested: int
    tested_out_of_scope: int
    notes: tuple[str, ...]
    confusions: Counter[tuple[str, str]]
    """How often an intent's texts (first) were taken for an intent or `NONE` (second)."""

    def as_json(self) -> dict[str, Any]:
        """All but the confusions."""
        values = {name: value for name, value in vars(self).items() if name != "confusions"}
        return {name: round(value, 5) if isinstance(value, float) else value for name, value in values.items()}


def read(path: Path) -> Dataset:
    """Raises ConfigurationError, which names the file, the key and the form that is expected."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must be a JSON object with the keys train and test, and may have oos_test")
    return Dataset(
        train=_examples(path, content, "train"),
        test=_examples(path, content, "test"),
        out_of_scope=tuple(text for text, _ in _examples(path, content, "oos_test", optional=True)),
    )


def _examples(path: Path, content: dict[str, Any], key: str, *, optional: bool = False) -> tuple[Example, ...]:
    form = 'a list of [text, intent], such as [["where is my order", "order_status"]]'
    value = content.get(key)
    if optional and (value is None or value == []):
        return ()
    if key not in content:
        raise ConfigurationError(f"{path}: the key {key} is missing; it must be {form}")
    if not isinstance(value, list) or not value:
        raise ConfigurationError(f"{path}: {key} must be {form}")
    for index, item in enumerate(value):
        if not (isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) and part.strip() for part in item)):
            raise ConfigurationError(f"{path}: {key}[{index}] is {json.dumps(item)[:80]}; {key} must be {form}")
    return tuple((text, intent) for text, intent in value)


def sample(train: Sequence[Example], shots: int | None, seed: int) -> tuple[Example, ...]:
    """`shots` examples of each intent, or all of an intent that has no more; everything where `shots` is None."""
    if shots is None:
        return tuple(train)
    generator = random.Random(seed)
    texts = _by_intent(train)
    return tuple(
        (text, intent) for intent in sorted(texts) for text in generator.sample(texts[intent], min(shots, len(texts[intent])))
    )


def _by_intent(examples: Sequence[Example]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for text, intent in examples:
        texts.setdefault(intent, []).append(text)
    return texts


async def evaluate(
    data: Dataset,
    embedder: Embedder,
    *,
    shots: int | None = None,
    seed: int = 0,
    progress: Progress = lambda step, done, total: None,
) -> Evaluation:
    """Learns from the training examples alone, then routes one text after the other, as customers would write them."""
    examples = sample(data.train, shots, seed)
    texts = _by_intent(examples)
    desk = _Desk(texts, _Watched(embedder, progress, len(examples)))
    started = time.perf_counter()
    await desk.learn()
    fit_s = time.perf_counter() - started

    total = len(data.test) + len(data.out_of_scope)
    asked: list[_Seen] = []
    for text in (*(text for text, _ in data.test), *data.out_of_scope):
        asked.append(await desk.ask(text))
        progress("asking", len(asked), total)
    inside, outside = asked[: len(data.test)], asked[len(data.test) :]
    expected = [intent for _, intent in data.test]
    seconds = [seen.seconds for seen in asked]
    return Evaluation(
        accuracy=_share(seen.likeliest == intent for seen, intent in zip(inside, expected, strict=True)),
        accuracy_after_refusal=_share(seen.taken == intent for seen, intent in zip(inside, expected, strict=True)),
        auroc=_auroc(inside, outside) if outside else None,
        oos_recall=_share(seen.taken is None for seen in outside) if outside else None,
        refused=_share(seen.taken is None for seen in inside),
        ambiguous=_share(seen.ambiguous for seen in inside),
        p50_ms=float(np.median(seconds)) * 1e3,
        p99_ms=float(np.quantile(seconds, 0.99)) * 1e3,
        fit_s=fit_s,
        intents=len(texts),
        examples=len(examples),
        tested=len(inside),
        tested_out_of_scope=len(outside),
        notes=tuple(_notes(data, texts, shots)),
        confusions=Counter((intent, seen.taken or NONE) for seen, intent in zip(inside, expected, strict=True)),
    )


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the router did with a text. `taken` is None for none of the intents."""

    taken: str | None
    ambiguous: bool
    likeliest: str | None
    score: float
    seconds: float


class _Observed(IntentMatcher):
    """Keeps what the router was told last, and how long that took."""

    last = Match(None)
    seconds = 0.0

    async def match(self, text: str) -> Match:
        began = time.perf_counter()
        self.last = await super().match(text)
        self.seconds = time.perf_counter() - began
        return self.last


class _Desk:
    """A plugin with the intents, and the router of an application that has this plugin alone."""

    def __init__(self, texts: Mapping[str, Sequence[str]], embedder: Embedder) -> None:
        plugin = Plugin("evaluated")
        self._intents: dict[str, str] = {}
        for number, (intent, examples) in enumerate(sorted(texts.items())):
            name = _plugin_name(intent)
            if not name or name in plugin.intents:
                name = f"i{number}"
            plugin.intent(name, examples=examples)(_taken)
            self._intents[plugin.intents[name].id] = intent
        registry = Registry([plugin])
        self._matcher = _Observed(registry.intents, embedder)
        forms = Forms(registry, timezone=UTC, region="US")
        self._router = Router(registry, forms, self._matcher, Commands(registry, ["en"]))

    async def learn(self) -> None:
        self._matcher.start()
        await self._matcher.learnt()

    async def ask(self, text: str) -> _Seen:
        """As the first message of a conversation. Raises what made the learning fail."""
        self._matcher.last, self._matcher.seconds = Match(None), 0.0
        turn = _first_turn(text)
        routed = await self._router.route(turn)
        taken = turn.intent
        if ambiguous := isinstance(routed.outcome, Open):
            taken = routed.outcome.question.choices[0].value
        match = self._matcher.last
        return _Seen(
            taken=self._intents[taken] if taken else None,
            ambiguous=ambiguous,
            likeliest=self._intents[match.ranked[0][0]] if match.ranked else None,
            score=match.score,
            seconds=self._matcher.seconds,
        )


async def _taken(turn: Turn) -> Reply:
    return Reply("taken")


def _plugin_name(intent: str) -> str:
    """A name that a plugin may use and that still says what is meant; empty where there is none."""
    name = readable(intent).replace(" ", "_")
    return name if name.isascii() and name[:1].isalpha() else ""


def _first_turn(text: str) -> Turn:
    now = datetime.now(UTC)
    contact = Contact(id="evaluation")
    message = Message(
        id="evaluation:1", channel="evaluation", conversation="evaluation", contact=contact, parts=(TextPart(text),), at=now
    )
    state = Conversation(id="evaluation", channel="evaluation", contact=contact, created=now, updated=now)
    return Turn(state, [message], now=now, read_history=_no_history)


async def _no_history(conversation: str, limit: int) -> list[Entry]:
    return []


def _share(true: Iterable[bool]) -> float:
    return float(np.mean(list(true)))


def _notes(data: Dataset, texts: dict[str, list[str]], shots: int | None) -> list[str]:
    notes = []
    if not data.out_of_scope:
        notes.append("auroc and oos_recall are null: the data has no out-of-scope texts (key oos_test)")
    if unknown := sorted({intent for _, intent in data.test} - texts.keys()):
        notes.append(f"test texts of intents without a training example count as wrong: {', '.join(unknown)}")
    if shots is not None and (fewer := sum(len(examples) < shots for examples in texts.values())):
        notes.append(f"{fewer} intents have fewer than {shots} training examples; all of them were used")
    return notes


def _auroc(inside: Sequence[_Seen], outside: Sequence[_Seen]) -> float:
    from sklearn.metrics import roc_auc_score

    # A text that reached no classifier, such as a command, has a score of -inf, which scikit-learn refuses.
    scores = np.nan_to_num([seen.score for seen in (*inside, *outside)])
    return float(roc_auc_score([1] * len(inside) + [0] * len(outside), scores))


class _Watched:
    """An embedder that reports its progress with the training examples."""

    def __init__(self, embedder: Embedder, progress: Progress, total: int) -> None:
        self._embedder = embedder
        self._progress = progress
        self._total = total
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return (await self.layers(texts))[:, 0]

    async def layers(self, texts: Sequence[str]) -> Vectors:
        if isinstance(self._embedder, LayeredEmbedder):
            return await self._in_parts(self._embedder.layers, texts)
        return (await self._in_parts(self._embedder.embed, texts))[:, None]

    async def _in_parts(self, vectors: Callable[[Sequence[str]], Awaitable[Vectors]], texts: Sequence[str]) -> Vectors:
        if len(texts) == 1:
            return await vectors(texts)
        parts = []
        for start in range(0, len(texts), EMBEDDED_AT_ONCE):
            self._progress("embedding", start, self._total)
            parts.append(await vectors(texts[start : start + EMBEDDED_AT_ONCE]))
        self._progress("embedding", self._total, self._total)
        self._progress("fitting", 0, 0)
        return np.concatenate(parts)
