"""`LocalChat` with its model in a real process of its own."""

import asyncio
import importlib.util
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatMessage, ChatRequest, Picture
from frontdesk.core.errors import MissingExtra, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Abilities
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.local import LocalChat
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = [needs("torch", "transformers", "jsonschema"), pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(scope="module")
def folder(t5_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 that never ends by itself, since a special token is never the likeliest."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("models") / "endless-t5"
    tokenizer, model = AutoTokenizer.from_pretrained(t5_folder), AutoModelForSeq2SeqLM.from_pretrained(t5_folder)
    model.lm_head.weight.data[tokenizer.all_special_ids] = 0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chat(folder: Path, metrics: Metrics) -> AsyncIterator[LocalChat]:
    options = {"threads": 1, "context": 10**5, "cache_tokens": 10**8, "input_price": 100.0, "output_price": 1000.0}
    settings = ChatSettings.model_validate({"provider": "local", "model": str(folder), **options})
    chat = LocalChat(settings, metrics=metrics)
    assert chat.abilities == Abilities()
    with pytest.raises(ModelUnavailable):
        await chat.complete(ChatRequest.of("Hi"))
    await chat.start()
    assert chat.state.status == "loading"
    await chat.loaded()
    yield chat
    await chat.stop()
    assert chat.state.status == "stopped"


def endless(*, seconds: float = 600) -> ChatRequest:
    return ChatRequest.of("Where is my order?", max_tokens=10**5, seconds=seconds)


def metric(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def calls(metrics: Metrics, chat: LocalChat, result: str) -> float:
    return metric(metrics, "frontdesk_model_seconds_count", model=chat.name, operation="chat", result=result)


async def test_is_ready_with_its_abilities(chat: LocalChat, folder: Path) -> None:
    assert chat.name == f"local:{folder}"
    assert chat.state.status == "ready"
    assert chat.abilities == Abilities(pictures=False, tools=False, context=10**5)


async def test_streams_and_books_what_it_took(chat: LocalChat, metrics: Metrics) -> None:
    pieces = [piece async for piece in chat.stream(ChatRequest.of("Where is my order?", max_tokens=9, conversation="web:1"))]
    result = pieces[-1].result
    assert result is not None
    assert result.model == chat.name
    assert "".join(piece.text for piece in pieces) == result.text
    usage = result.usage
    assert usage.prompt > 5
    assert 0 < usage.completion <= 9
    assert usage.cost == pytest.approx(usage.prompt * 1e-4 + usage.completion * 1e-3)
    assert metric(metrics, "frontdesk_model_tokens_total", model=chat.name, direction="prompt") == usage.prompt
    assert metric(metrics, "frontdesk_model_tokens_total", model=chat.name, direction="completion") == usage.completion
    assert metric(metrics, "frontdesk_model_conversations_total", model=chat.name) == 1
    await chat.complete(ChatRequest.of("Where?", max_tokens=2, conversation="web:1"))
    await chat.complete(ChatRequest.of("Where?", max_tokens=2, conversation="web:2"))
    assert metric(metrics, "frontdesk_model_conversations_total", model=chat.name) == 2
    assert calls(metrics, chat, "done") == 3


async def test_many_at_a_time_get_what_they_get_alone(chat: LocalChat) -> None:
    requests = [
        ChatRequest.of(f"order {place}", max_tokens=30, temperature=60.0 * (place % 2), top_p=0.9, seed=place)
        for place in range(12)
    ]
    alone = [(await chat.complete(request)).text for request in requests]
    together = await asyncio.gather(*(chat.complete(request) for request in requests))
    assert [result.text for result in together] == alone
    assert len(set(alone)) > 3


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (ChatRequest.of(""), "empty"),
        (ChatRequest.of("word " * 300_000), "1500000 characters"),
        (
            ChatRequest(messages=(ChatMessage(role="user", text="?", pictures=(Picture(data=b"x", media_type="image/png"),)),)),
            "cannot see",
        ),
    ],
)
async def test_what_can_never_be_answered_is_rejected_and_costs_nobody_else(
    chat: LocalChat, metrics: Metrics, request_: ChatRequest, reason: str
) -> None:
    with pytest.raises(PromptRejected, match=reason):
        await chat.complete(request_)
    assert (await chat.complete(ChatRequest.of("order", max_tokens=3))).usage.completion > 0
    assert calls(metrics, chat, "PromptRejected") > 0


async def test_a_customer_who_writes_again_stops_the_answer(chat: LocalChat, metrics: Metrics) -> None:
    before = calls(metrics, chat, "cancelled")
    async with aclosing(chat.stream(endless())) as stream:
        await anext(stream)
    task = asyncio.create_task(chat.complete(endless()))
    await asyncio.sleep(0.05)
    task.cancel()
    assert [type(error) for error in await asyncio.gather(task, return_exceptions=True)] == [asyncio.CancelledError]
    assert calls(metrics, chat, "cancelled") == before + 2
    life = chat.worker._life
    await until(lambda: life is not None and life.busy == 0, 60)


async def test_an_answer_that_takes_too_long_ends_where_it_is(chat: LocalChat) -> None:
    result = await chat.complete(endless(seconds=3))
    assert result.finish == "length"
    assert 0 < result.usage.completion < 10**5


async def test_a_death_costs_one_answer_and_the_model_comes_back(chat: LocalChat) -> None:
    pid = chat.worker.pid
    assert pid is not None
    async with aclosing(chat.stream(endless())) as stream:
        await anext(stream)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ModelFailed):
            async for _ in stream:
                pass
    await until(lambda: chat.state.status == "loading", 60)
    await chat.loaded()
    assert not psutil.pid_exists(pid)
    assert (await chat.complete(ChatRequest.of("order", max_tokens=3))).usage.completion > 0


async def test_a_model_that_is_not_here_says_what_to_do(tmp_path: Path) -> None:
    chat = LocalChat(ChatSettings(provider="local", model="google/flan-t5-xxl", offline=True))
    await chat.start()
    try:
        with pytest.raises(ModelUnavailable, match="run `frontdesk models pull google/flan-t5-xxl`"):
            await chat.loaded()
        with pytest.raises(ModelUnavailable, match="frontdesk models pull"):
            await chat.complete(ChatRequest.of("我想取消我的订单。"))
    finally:
        await chat.stop()


async def test_without_its_packages_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("frontdesk.plugins.models.local.chat.find_spec", lambda name: None if name == "torch" else found(name))
    with pytest.raises(MissingExtra, match=r'models.chat.provider = .local. .*pip install "frontdesk\[local-models\]"'):
        await LocalChat(ChatSettings(provider="local", model="any")).start()
