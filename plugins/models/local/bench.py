"""How much faster a local model answers many conversations together than one after the other. Greedy, in child processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from time import perf_counter
from typing import Any, Literal

import msgspec

from frontdesk.core.chat import ChatPiece, ChatRequest
from frontdesk.core.errors import ModelFailed
from frontdesk.plugins.models.local.engine import Engine
from frontdesk.plugins.models.local.loading import Loaded
from frontdesk.plugins.models.local.prompt import Prompter
from frontdesk.plugins.models.local.service import ChatService
from frontdesk.plugins.models.settings import ChatSettings
from frontdesk.plugins.models.worker import Worker

Way = Literal["together", "one after the other", "plain generate"]
Load = Callable[[Worker], Awaitable[None]]
"""Starts a worker and waits until it is ready."""

SECONDS = 3600.0
QUESTIONS = (
    "Where is my parcel? It should have been here on Monday.",
    "I want to cancel my order LL-10423, please.",
    "How long does delivery to the Netherlands take?",
    "The lamp arrived broken. What do I do now?",
    "Can I pay by invoice?",
    "我想取消我的订单。",
    "Do you have the kettle in green, and in the larger size?",
    "My address has changed since I ordered. Can you send it to the new one?",
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`seconds` are from the first question to the last token, `first_token` the median time to the first one of an answer, and
    `slowest` the longest.
    """

    way: Way
    conversations: int
    tokens: int
    seconds: float
    first_token: float
    slowest: float

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`facts` are the model's; `same` tells how many answers of `together` are those of plain `generate`, word for word."""

    facts: dict[str, Any]
    ways: Sequence[Measured]
    same: int


@dataclass(frozen=True, kw_only=True)
class _Answer:
    text: str
    tokens: int
    first_token: float


class PlainService(ChatService):
    """Transformers' `generate`, one request after the other."""

    def _made(self, loaded: Loaded) -> tuple[Prompter, Engine]:
        from frontdesk.plugins.models.local.plain import PlainEngine

        prompter, _ = super()._made(loaded)
        return prompter, PlainEngine(loaded, self._settings)


async def measure(
    settings: ChatSettings,
    *,
    conversations: int,
    tokens: int,
    stagger: float,
    load: Load,
    tell: Callable[[str, float | None], None] = lambda _what, _share: None,
) -> Bench:
    """Each way with the same questions, those of `together` beginning `stagger` seconds one behind the other.

    Raises `ModelError`, and `ConfigurationError` for a model that cannot be loaded.
    """
    requests = [
        ChatRequest.of(question, max_tokens=tokens, seconds=SECONDS) for question in islice(cycle(QUESTIONS), conversations)
    ]
    async with _running(ChatService, settings, load) as worker:
        facts = worker.facts
        await _together(worker, requests[:2], 0.0, lambda _done: None)  # what is compiled or allocated once is not measured
        together, batched = await _together(
            worker, requests, stagger, lambda done: tell(f"{conversations} conversations together", done / conversations)
        )
        alone, _ = await _in_turn(worker, requests, "one after the other", tell)
    async with _running(PlainService, settings, load) as worker:
        await _in_turn(worker, requests[:1], "plain generate", lambda _what, _share: None)
        plain, expected = await _in_turn(worker, requests, "plain generate", tell)
    same = sum(one.text == other.text for one, other in zip(batched, expected, strict=True))
    return Bench(facts=facts, ways=(together, alone, plain), same=same)


@asynccontextmanager
async def _running(service: type[ChatService], settings: ChatSettings, load: Load) -> AsyncIterator[Worker]:
    name, path = f"local:{settings.model}", f"{service.__module__}:{service.__name__}"
    worker = Worker(path, settings, name=name, load_seconds=settings.load_seconds, max_calls=10_000)
    try:
        await load(worker)
        yield worker
    finally:
        await worker.stop()


async def _together(
    worker: Worker, requests: Sequence[ChatRequest], stagger: float, tell: Callable[[int], None]
) -> tuple[Measured, list[_Answer]]:
    done = 0

    async def ask(number: int, request: ChatRequest) -> _Answer:
        nonlocal done
        await asyncio.sleep(number * stagger)
        answer = await _ask(worker, request)
        done += 1
        tell(done)
        return answer

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(number, request)) for number, request in enumerate(requests)]
    answers = [task.result() for task in tasks]
    return _measured("together", answers, perf_counter() - began), answers


async def _in_turn(
    worker: Worker, requests: Sequence[ChatRequest], way: Way, tell: Callable[[str, float | None], None]
) -> tuple[Measured, list[_Answer]]:
    began = perf_counter()
    answers = []
    for request in requests:
        answers.append(await _ask(worker, request))
        tell(way, len(answers) / len(requests))
    return _measured(way, answers, perf_counter() - began), answers


async def _ask(worker: Worker, request: ChatRequest) -> _Answer:
    began = perf_counter()
    first = None
    async with aclosing(worker.call("chat", msgspec.msgpack.encode(request), seconds=SECONDS)) as pieces:
        async for data in pieces:
            first = first or perf_counter() - began
            result = msgspec.msgpack.decode(data, type=ChatPiece).result
            if result is not None:
                return _Answer(text=result.text, tokens=result.usage.completion, first_token=first)
    raise ModelFailed("the answer ended before it was whole")


def _measured(way: Way, answers: Sequence[_Answer], seconds: float) -> Measured:
    waits = [answer.first_token for answer in answers]
    return Measured(
        way=way,
        conversations=len(answers),
        tokens=sum(answer.tokens for answer in answers),
        seconds=seconds,
        first_token=median(waits),
        slowest=max(waits),
    )
