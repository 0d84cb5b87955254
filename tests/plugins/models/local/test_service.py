"""`ChatService` in this process: with real models, and with an engine that says what a test wants said."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.conftest import Taught, byte_level_tokenizer

from frontdesk.core.chat import ChatMessage, ChatPiece, ChatRequest, ChatResult, Tool
from frontdesk.core.errors import ConfigurationError, ModelFailed, PromptRejected
from frontdesk.plugins.models.local import service as module
from frontdesk.plugins.models.local.engine import Prompt, Sampling
from frontdesk.plugins.models.local.prompt import TemplatePrompter
from frontdesk.plugins.models.local.service import ChatService
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = needs("torch", "transformers", "jsonschema")

CANCEL = Tool(
    name="cancel",
    description="Cancels an order.",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
)
ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"], "additionalProperties": False}


def settings_of(folder: Path | str, **options: Any) -> ChatSettings:
    return ChatSettings(provider="local", model=str(folder), threads=1, cache_tokens=4096, concurrent=8, **options)


async def opened(folder: Path, **options: Any) -> ChatService:
    service = ChatService(settings_of(folder, **options))
    await service.load(lambda words, share: None)
    return service


async def answered(service: ChatService, request: ChatRequest) -> tuple[list[str], ChatResult]:
    pieces = [piece async for piece in service.answer(request)]
    assert [piece.result is not None for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert "".join(piece.text for piece in pieces) == pieces[-1].result.text
    return [piece.text for piece in pieces[:-1]], pieces[-1].result


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def taught(taught_llama: Taught) -> AsyncIterator[ChatService]:
    service = await opened(taught_llama.folder)
    yield service
    await service.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def t5(t5_folder: Path) -> AsyncIterator[ChatService]:
    service = await opened(t5_folder)
    yield service
    await service.close()


@pytest.mark.asyncio(loop_scope="module")
class TestTaughtModel:
    """A causal model that has learnt its answers by heart."""

    async def test_tells_what_it_is(self, taught_llama: Taught) -> None:
        service = ChatService(settings_of(taught_llama.folder))
        told: list[str] = []
        facts = await service.load(lambda words, share: told.append(words))
        await service.close()
        assert facts["kind"] == "causal"
        assert (facts["context"], facts["tools"], facts["pictures"]) == (512, True, False)
        assert (facts["device"], facts["dtype"], facts["quantization"]) == ("cpu", "float32", "none")
        assert facts["parameters"] > 100_000
        assert told[0] == f"loading {taught_llama.folder}"
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts)) == facts

    @pytest.mark.parametrize("question", ["hello", "我想取消我的订单。", "count"])
    async def test_streams_whole_characters(self, taught: ChatService, taught_llama: Taught, question: str) -> None:
        pieces, result = await answered(taught, ChatRequest.of(question))
        assert result.text == taught_llama.answers[question]
        assert result.finish == "stop"
        assert len(pieces) > 1
        assert "\ufffd" not in "".join(pieces)
        assert result.usage.prompt > 10
        assert result.usage.completion > len(pieces)

    async def test_thoughts_are_not_shown(self, taught: ChatService) -> None:
        pieces, result = await answered(taught, ChatRequest.of("think"))
        assert result.text == "It is on its way."
        assert "".join(pieces) == result.text

    async def test_stop_sequences_end_the_answer_and_the_work(self, taught: ChatService) -> None:
        _, whole = await answered(taught, ChatRequest.of("count"))
        _, result = await answered(taught, ChatRequest.of("count", stop=("seven", " five")))
        assert result.text == "one two three four"
        assert result.finish == "stop"
        assert result.usage.completion < whole.usage.completion

    async def test_an_answer_ends_at_the_limit_of_tokens(self, taught: ChatService, taught_llama: Taught) -> None:
        _, result = await answered(taught, ChatRequest.of("count", max_tokens=3))
        assert (result.text, result.finish, result.usage.completion) == (
            taught_llama.answers["count"][: len(result.text)],
            "length",
            3,
        )

    async def test_many_conversations_at_a_time_each_get_their_own_answer(
        self, taught: ChatService, taught_llama: Taught
    ) -> None:
        questions = ["hello", "count", "我想取消我的订单。", "json"] * 4
        results = await asyncio.gather(*(answered(taught, ChatRequest.of(question)) for question in questions))
        assert [result.text for _, result in results] == [taught_llama.answers[question] for question in questions]

    async def test_a_tool_is_called_with_arguments_that_fit(self, taught: ChatService) -> None:
        pieces, result = await answered(taught, ChatRequest.of("cancel LL-1", tools=(CANCEL,)))
        assert [(call.name, call.arguments) for call in result.calls] == [("cancel", {"order": "LL-1"})]
        assert (result.finish, result.text, pieces) == ("tools", "", [])

    async def test_an_answer_without_a_call_stays_an_answer(self, taught: ChatService) -> None:
        pieces, result = await answered(taught, ChatRequest.of("hello", tools=(CANCEL,)))
        assert (result.text, result.calls, result.finish) == ("Hello! 😀", (), "stop")
        assert pieces == ["Hello! 😀"]

    async def test_prompts_that_do_not_fit_say_how_many_tokens_they_have(self, taught: ChatService) -> None:
        with pytest.raises(PromptRejected, match=r"the prompt has \d{3} tokens, and the model reads 512"):
            await answered(taught, ChatRequest.of("我" * 200))
        with pytest.raises(PromptRejected, match="100000 characters"):
            await answered(taught, ChatRequest.of("我" * 100_000))
        with pytest.raises(PromptRejected, match="empty"):
            await answered(taught, ChatRequest.of(""))

    async def test_an_answer_has_at_most_the_room_that_the_prompt_leaves(self, taught: ChatService) -> None:
        _, result = await answered(taught, ChatRequest.of("x" * 470, max_tokens=1000, temperature=1.0, seed=1))
        assert result.usage.prompt + result.usage.completion <= 512


@pytest.mark.asyncio(loop_scope="module")
class TestT5:
    async def test_answers_what_generate_answers(self, t5: ChatService, t5_folder: Path) -> None:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer, model = AutoTokenizer.from_pretrained(t5_folder), AutoModelForSeq2SeqLM.from_pretrained(t5_folder)
        for text in ("Where is my package?", "abcdef 0123", "我的包裹在哪里？"):
            ids = model.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=25, do_sample=False)[0]
            _, result = await answered(t5, ChatRequest.of(text, max_tokens=25))
            assert result.text == tokenizer.decode(ids, skip_special_tokens=True)

    async def test_speaks_msgpack(self, t5: ChatService) -> None:
        argument = msgspec.msgpack.encode(ChatRequest.of("Where is my package?", max_tokens=5))
        pieces = [msgspec.msgpack.decode(data, type=ChatPiece) async for data in t5.call("chat", argument)]
        assert pieces[-1].result is not None
        with pytest.raises(ModelFailed, match="no such method"):
            [_ async for _ in t5.call("chatter", argument)]

    async def test_tools_are_rejected(self, t5: ChatService) -> None:
        with pytest.raises(PromptRejected, match="no chat template"):
            await answered(t5, ChatRequest.of("Hi", tools=(CANCEL,)))

    async def test_a_prompt_longer_than_the_context_is_rejected(self, t5: ChatService) -> None:
        with pytest.raises(PromptRejected, match=r"the prompt has \d+ tokens, and the model reads 128"):
            await answered(t5, ChatRequest.of("Which order is it? " * 40))


class ScriptedEngine:
    """Says one text after the other, token by token, or endlessly one; keeps what it was asked."""

    context = 2000

    def __init__(self, tokenizer: Any, texts: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._texts = list(texts)
        self.endless = False
        self.prompts: list[str] = []
        self.begun = asyncio.Event()
        self.ends = frozenset({tokenizer.eos_token_id})
        self.open = 0

    def room(self, prompt: int) -> int:
        return self.context - prompt

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        self.open += 1
        self.begun.set()
        self.prompts.append(self._tokenizer.decode(prompt.ids))
        try:
            text = self._texts.pop(0)
            ids = [*self._tokenizer(text).input_ids, self._tokenizer.eos_token_id][: sampling.max_tokens]
            for id in ids[:-1] if self.endless else ids:
                yield [id]
            if self.endless:
                await asyncio.Event().wait()
        finally:
            self.open -= 1


@pytest.fixture
async def scripted(llama_folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Makes a service around a `ScriptedEngine`."""
    services: list[ChatService] = []

    async def make(*texts: str, endless: bool = False) -> tuple[ChatService, ScriptedEngine]:
        tokenizer = byte_level_tokenizer()
        engine = ScriptedEngine(tokenizer, ["Yes", *texts])
        monkeypatch.setattr(module, "_parts", lambda loaded, settings: (TemplatePrompter(tokenizer), engine))
        services.append(ChatService(settings_of(llama_folder)))
        await services[-1].load(lambda words, share: None)
        engine.prompts.clear()
        engine.begun.clear()
        engine.endless = endless
        return services[-1], engine

    yield make
    for service in services:
        await service.close()


async def test_wrong_arguments_are_sent_back_once_with_the_reason(scripted: Any) -> None:
    service, engine = await scripted(
        '<tool_call>{"name": "cancel", "arguments": {"number": 7}}</tool_call>',
        '<tool_call>{"name": "cancel", "arguments": {"order": "LL-7"}}</tool_call>',
    )
    _, result = await answered(service, ChatRequest.of("Cancel order 7", tools=(CANCEL,)))
    assert [call.arguments for call in result.calls] == [{"order": "LL-7"}]
    assert '{"number": 7}' in engine.prompts[1]
    assert "lacks order" in engine.prompts[1]
    alone = len(byte_level_tokenizer()(engine.prompts[0]).input_ids)
    assert result.usage.prompt > 2 * alone


async def test_arguments_that_stay_wrong_fail_without_a_word_of_the_customers(scripted: Any) -> None:
    wrong = '<tool_call>{"name": "cancel", "arguments": {"order": ["SECRET"]}}</tool_call>'
    service, engine = await scripted(wrong, wrong)
    with pytest.raises(ModelFailed, match="arguments of cancel") as raised:
        await answered(service, ChatRequest.of("Cancel order SECRET", tools=(CANCEL,)))
    assert "SECRET" not in str(raised.value)
    assert len(engine.prompts) == 2


async def test_a_call_that_must_be_made_is_asked_for_again(scripted: Any) -> None:
    service, engine = await scripted("Of course!", '{"name": "cancel", "parameters": {"order": "LL-7"}}')
    _, result = await answered(service, ChatRequest.of("Cancel LL-7", tools=(CANCEL,), tool_choice="required"))
    assert result.finish == "tools"
    assert "You must call one of the tools." in engine.prompts[0]


async def test_a_schema_is_told_checked_and_parsed(scripted: Any) -> None:
    service, engine = await scripted('```json\n{"order": "LL-7"}\n```')
    _, result = await answered(service, ChatRequest.of("Which order?", schema=ORDER))
    assert result.data == {"order": "LL-7"}
    assert '"additionalProperties": false' in engine.prompts[0]


async def test_json_that_does_not_fit_is_sent_back_once(scripted: Any) -> None:
    service, engine = await scripted('{"order": 7}', '{"order": "7"}')
    _, result = await answered(service, ChatRequest.of("Which order?", schema=ORDER))
    assert result.data == {"order": "7"}
    assert "must be a string" in engine.prompts[1]
    service, _ = await scripted("I do not know.", '{"order": ')
    with pytest.raises(ModelFailed, match="is no valid JSON"):
        await answered(service, ChatRequest.of("Which order?", schema=ORDER))


async def test_json_that_was_cut_off_is_not_asked_for_again(scripted: Any) -> None:
    service, engine = await scripted('{"order": "LL-7"}')
    with pytest.raises(ModelFailed, match="it was cut off after 5 tokens"):
        await answered(service, ChatRequest.of("Which order?", schema=ORDER, max_tokens=5))
    assert len(engine.prompts) == 1


async def test_a_schema_that_is_none_is_rejected_before_the_model_is_asked(scripted: Any) -> None:
    service, engine = await scripted()
    with pytest.raises(PromptRejected, match="schema"):
        await answered(service, ChatRequest.of("Which order?", schema={"type": "banana"}))
    assert engine.prompts == []


async def test_an_answer_ends_when_its_time_is_up(scripted: Any) -> None:
    service, engine = await scripted("It is on its way", endless=True)
    _, result = await answered(service, ChatRequest.of("Where is it?", seconds=3))
    assert (result.text, result.finish) == ("It is on its way", "length")
    assert engine.open == 0


async def test_a_model_that_says_nothing_in_time_has_failed(scripted: Any) -> None:
    service, engine = await scripted("", endless=True)
    with pytest.raises(ModelFailed, match="said nothing within the time"):
        await answered(service, ChatRequest.of("Where is it?", seconds=0.2))
    assert engine.open == 0


@pytest.mark.parametrize("options", [{}, {"tools": (CANCEL,)}])
async def test_a_call_that_is_cancelled_leaves_the_engine(scripted: Any, options: Any) -> None:
    service, engine = await scripted("It is", endless=True)
    task = asyncio.create_task(answered(service, ChatRequest.of("Where is it?", **options)))
    await engine.begun.wait()
    assert engine.open == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert engine.open == 0


async def test_a_stream_that_is_closed_leaves_the_engine(scripted: Any) -> None:
    service, engine = await scripted("It is on its way", endless=True)
    async with aclosing(service.answer(ChatRequest.of("Where is it?"))) as stream:
        await anext(stream)
        assert engine.open == 1
    assert engine.open == 0


async def test_special_tokens_are_in_no_answer(scripted: Any) -> None:
    service, _ = await scripted("<|im_start|>Hello", "<|im_start|>Hello")
    assert (await answered(service, ChatRequest.of("Hi")))[1].text == "Hello"
    assert (await answered(service, ChatRequest.of("Hi", tools=(CANCEL,))))[1].text == "Hello"


async def test_tools_in_a_conversation_that_may_not_call_them_are_left_out(scripted: Any) -> None:
    service, engine = await scripted('{"name": "cancel", "parameters": {"order": "LL-7"}}')
    asked = (ChatMessage(role="user", text="Hi"),)
    _, result = await answered(service, ChatRequest(messages=asked, tools=(CANCEL,), tool_choice="none"))
    assert result.calls == ()
    assert "cancel" not in engine.prompts[0]


async def test_a_model_that_breaks_when_it_is_tried_is_not_ready(
    llama_folder: Path, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(self: ScriptedEngine, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        raise ModelFailed("the model broke (NotImplementedError)")
        yield []

    monkeypatch.setattr(ScriptedEngine, "generate", breaks)
    with pytest.raises(ConfigurationError, match="breaks when it is asked: the model broke"):
        await scripted()
