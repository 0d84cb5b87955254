import asyncio
import base64
from contextlib import aclosing

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatMessage, ChatRequest, Picture, Tool
from frontdesk.core.errors import ConfigurationError, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.testing.platform import until
from frontdesk.plugins.models.remote.client import Client
from frontdesk.testing.openai import FakeOpenAI, Fault

pytestmark = needs("openai", "jsonschema")

TOOL = Tool(
    name="cancel",
    description="Cancels an order.",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
)
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.fixture
async def service():
    async with FakeOpenAI("openai") as service:
        yield service


@pytest.fixture
def chat(service, chat_with):
    return chat_with(service)


async def streamed(chat, request):
    pieces = [piece async for piece in chat.stream(request)]
    return "".join(piece.text for piece in pieces), pieces[-1].result


async def test_it_is_ready_at_once_and_asks_nobody(chat, service):
    await chat.start()
    await chat.loaded()
    assert chat.state.status == "ready"
    assert service.requests == []


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ({"api_key": None}, "models.chat.api_key: openai needs a key"),
        ({"api_key": "  "}, "models.chat.api_key"),
        ({"provider": "azure", "base_url": None}, "models.chat.base_url: azure needs the address"),
        ({"provider": "azure", "api_version": None}, "models.chat.api_version"),
        ({"provider": "compatible", "base_url": None}, "models.chat.base_url"),
        ({"base_url": "localhost:8000"}, "models.chat.base_url"),
        ({"base_url": "https://user:secret@host/v1"}, "models.chat.base_url"),
        ({"daily_budget": 5}, "models.chat.daily_budget: set input_price"),
    ],
)
async def test_what_is_wrong_is_known_at_the_start(more, setting, service, chat_with):
    given = {"provider": "openai"} | more
    with pytest.raises(ConfigurationError, match=setting):
        await chat_with(service, **given).start()


@pytest.mark.parametrize("text", ["", "  \n", None])
async def test_an_empty_prompt_is_rejected_unasked(text, chat, service):
    request = ChatRequest(messages=()) if text is None else ChatRequest.of(text)
    with pytest.raises(PromptRejected, match="nothing in the prompt"):
        await chat.complete(request)
    with pytest.raises(PromptRejected, match="nothing in the prompt"):
        await streamed(chat, request)
    assert service.requests == []


async def test_a_prompt_that_fits_into_no_model_is_rejected_unasked(service, chat_with):
    with pytest.raises(PromptRejected, match="too long"):
        await chat_with(service).complete(ChatRequest.of("x" * 4_000_001))
    with pytest.raises(PromptRejected, match="too long"):
        await chat_with(service, context=1000).complete(ChatRequest.of("x" * 16_001))
    assert service.requests == []


async def test_a_hundred_thousand_tokens_are_the_service_s_to_refuse(chat, service):
    with pytest.raises(PromptRejected, match="too long"):
        await chat.complete(ChatRequest.of("word " * 100_000))
    assert len(service.requests) == 1


async def test_pictures_are_for_models_that_see(service, chat_with):
    seen = ChatRequest(messages=(ChatMessage(role="user", pictures=(Picture(data=b"x", media_type="image/png"),)),))
    blind = chat_with(service)
    assert not blind.abilities.pictures
    with pytest.raises(PromptRejected, match=r"models\.chat\.vision"):
        await blind.complete(seen)
    assert chat_with(service, model="gpt-5-mini").abilities.pictures
    assert not chat_with(service, model="gpt-5-mini", vision=False).abilities.pictures
    assert chat_with(service, "ollama", model="qwen2.5vl:7b").abilities.pictures
    huge = Picture(data=bytes(21 * 2**20), media_type="image/png")
    with pytest.raises(PromptRejected, match="20 MiB"):
        await chat_with(service, vision=True).complete(ChatRequest(messages=(ChatMessage(role="user", pictures=(huge,)),)))
    service.say("A cup.")
    await chat_with(service, vision=True).complete(seen)
    (part,) = service.requests[-1].body["messages"][0]["content"]
    assert base64.b64decode(part["image_url"]["url"].partition(",")[2]) == b"x"


async def test_text_without_an_encoding_is_sent_as_a_question_mark(chat):
    assert (await chat.complete(ChatRequest.of("a \ud800 b"))).text == "a ? b"


async def test_a_limit_of_tokens_ends_the_answer(chat, service):
    service.say("one two three four")
    service.say("one two three four")
    assert (await chat.complete(ChatRequest.of("Count", max_tokens=2))).finish == "length"
    text, result = await streamed(chat, ChatRequest.of("Count", max_tokens=2))
    assert (text, result.finish) == ("one two", "length")


@pytest.mark.parametrize("finish", ["content_filter", "stop"])
async def test_a_refusal_is_told_as_such(finish, chat, service):
    for _ in range(2):
        service.say("", finish=finish, refusal="I cannot help with that." if finish == "stop" else None)
    assert (await chat.complete(ChatRequest.of("Hello"))).finish == "filtered"
    assert (await streamed(chat, ChatRequest.of("Hello")))[1].finish == "filtered"


async def test_stop_sequences_are_obeyed_also_where_the_service_does_not(chat, service):
    for _ in range(2):
        service.say("The answer is four. User: and now? User: hello")
    request = ChatRequest.of("2+2", stop=("#1", "#2", "#3", "#4", "User: "))
    whole = await chat.complete(request)
    text, result = await streamed(chat, request)
    assert whole.text == text == result.text == "The answer is four. "
    assert whole.finish == result.finish == "stop"


async def test_what_only_looks_like_a_stop_sequence_is_said(chat, service):
    service.say("one two thr")
    text, result = await streamed(chat, ChatRequest.of("Count", stop=("three",)))
    assert text == result.text == "one two thr"


async def test_thoughts_are_not_shown(chat, service):
    for _ in range(2):
        service.say("<think>\nWhat does she want? #1\n</think>\n\nGood morning.")
    whole = await chat.complete(ChatRequest.of("Hello", stop=("#1",)))
    text, result = await streamed(chat, ChatRequest.of("Hello", stop=("#1",)))
    assert whole.text == text == result.text == "Good morning."
    service.say("<think> She wants to know where her", finish="length")
    with pytest.raises(ModelFailed, match="used up its 512 tokens"):
        await chat.complete(ChatRequest.of("Hello"))


async def test_json_that_does_not_fit_is_sent_back_once(chat, service):
    service.say('{"age": "seven"}')
    service.say('{"age": 7}')
    result = await chat.complete(ChatRequest.of("How old?", schema=SCHEMA))
    assert result.data == {"age": 7}
    assert result.text == '{"age": 7}'
    _, second = service.requests
    assert [message["role"] for message in second.body["messages"]] == ["user", "assistant", "user"]
    assert "at $.age: must be an integer" in second.body["messages"][-1]["content"]
    assert result.usage.completion == 4


async def test_json_that_never_fits_is_a_failure(chat, service):
    for _ in range(2):
        service.say("I would rather not, my name is Zebra.")
    with pytest.raises(ModelFailed, match="twice what does not fit: is no valid JSON") as caught:
        await chat.complete(ChatRequest.of("How old?", schema=SCHEMA))
    assert "Zebra" not in str(caught.value)
    assert len(service.requests) == 2


async def test_json_that_was_cut_off_is_not_asked_for_again(chat, service):
    service.say('{ "age" : 7 , "more" : 8 }')
    with pytest.raises(ModelFailed, match="cut off at 4 tokens"):
        await chat.complete(ChatRequest.of("How old?", schema=SCHEMA, max_tokens=4))
    assert len(service.requests) == 1


@pytest.mark.parametrize("arguments", ["", "{", "[1]", '{"order": 7}', "{}"])
async def test_a_call_with_wrong_arguments_is_sent_back_once(arguments, chat, service):
    for ask in (chat.complete, lambda request: streamed(chat, request)):
        service.call("cancel", arguments)
        service.call("cancel", {"order": "LL-1"})
        result = await ask(ChatRequest.of("Cancel", tools=(TOOL,)))
        result = result[1] if isinstance(result, tuple) else result
        assert [call.arguments for call in result.calls] == [{"order": "LL-1"}]
        assert "arguments of cancel" in service.requests[-1].body["messages"][-1]["content"]


async def test_a_call_that_stays_wrong_never_leaves(chat, service):
    service.call("destroy", {})
    service.call("cancel", {"order": 5})
    with pytest.raises(ModelFailed, match="arguments of cancel"):
        await chat.complete(ChatRequest.of("Cancel", tools=(TOOL,)))


async def test_a_required_call_is_asked_for_again(chat_with):
    async with FakeOpenAI("ollama") as service:  # it has no tool_choice
        service.say("Shall I?")
        service.call("cancel", {"order": "LL-1"})
        result = await chat_with(service, "ollama").complete(ChatRequest.of("Cancel", tools=(TOOL,), tool_choice="required"))
        assert result.finish == "tools"


async def test_without_a_choice_no_tool_is_offered(chat, service):
    await chat.complete(ChatRequest.of("Cancel", tools=(TOOL,), tool_choice="none"))
    assert "tools" not in service.requests[-1].body


async def test_a_bad_schema_is_rejected_unasked(chat, service):
    with pytest.raises(PromptRejected, match="schema"):
        await chat.complete(ChatRequest.of("Hello", schema={"type": "thing"}))
    assert service.requests == []


async def test_text_before_a_call_is_streamed(chat, service):
    service.say("One moment.", calls=(("cancel", {"order": "LL-1"}),))
    text, result = await streamed(chat, ChatRequest.of("Cancel", tools=(TOOL,)))
    assert text == result.text == "One moment."
    assert result.finish == "tools"


async def test_calls_run_side_by_side_up_to_the_limit(service, chat_with):
    chat = chat_with(service, concurrent=3)
    for number in range(9):
        service.say(f"answer {number} is here", pause=0.02)
    texts = await asyncio.gather(*(streamed(chat, ChatRequest.of("Hello")) for _ in range(9)))
    assert sorted(text for text, _ in texts) == [f"answer {number} is here" for number in range(9)]
    assert service.most_running == 3


async def test_who_finds_no_place_in_time_is_told(service, chat_with):
    chat = chat_with(service, concurrent=1)
    service.fail(Fault(hang=True))
    first = asyncio.create_task(chat.complete(ChatRequest.of("Hello", seconds=30)))
    await until(lambda: service.running == 1)
    with pytest.raises(ModelUnavailable, match=r"models\.chat\.concurrent"):
        await chat.complete(ChatRequest.of("Hello", seconds=0.1))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await chat.complete(ChatRequest.of("Hello"))).text == "Hello"


async def test_cancelling_ends_the_call_at_the_service(chat, service):
    service.fail(Fault(hang=True), times=2)
    for work in (chat.complete(ChatRequest.of("Hello")), streamed(chat, ChatRequest.of("Hello"))):
        task = asyncio.create_task(work)
        await until(lambda: service.running == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: service.running == 0)


async def test_closing_a_stream_ends_it_at_the_service(chat, service):
    service.say("word " * 500, pause=0.01)
    async with aclosing(chat.stream(ChatRequest.of("Talk"))) as pieces:
        async for _ in pieces:
            break
    await until(lambda: service.running == 0)
    assert (await chat.complete(ChatRequest.of("Hello"))).text == "Hello"


async def test_a_slow_reader_is_not_cancelled_when_time_is_up(chat, service):
    service.say("ready")
    service.say("one two")
    await chat.complete(ChatRequest.of("Hello"))
    pieces = chat.stream(ChatRequest.of("Count", seconds=3))
    assert (await anext(pieces)).text == "one"
    await asyncio.sleep(3.2)  # whoever reads takes longer than the model may
    assert [piece.text async for piece in pieces][-1] == ""


async def test_keys_of_the_environment_go_nowhere(service, chat_with, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "sk-of-another-service")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    service.key = ""
    await chat_with(service, "vllm", api_key=None).complete(ChatRequest.of("Hello"))
    assert "sk-of-another-service" not in str(service.requests[-1].headers)


async def test_the_package_is_not_imported_on_the_event_loop(chat, service, monkeypatch):
    import threading

    where = []
    make = Client._make
    monkeypatch.setattr(Client, "_make", lambda self: where.append(threading.current_thread()) or make(self))
    await asyncio.gather(*(chat.complete(ChatRequest.of("Hello")) for _ in range(3)))
    assert len(where) == 1
    assert where[0] is not threading.main_thread()


async def test_a_second_event_loop_gets_a_client_of_its_own(chat, service):
    await chat.complete(ChatRequest.of("Hello"))

    def elsewhere():
        with asyncio.Runner() as runner:
            return runner.run(chat.complete(ChatRequest.of("Hello again")))

    assert (await asyncio.to_thread(elsewhere)).text == "Hello again"


async def test_calls_and_their_cost_are_counted(service, chat_with, metrics):
    chat = chat_with(service, input_price=1e6, output_price=2e6)
    for conversation in ("a", "a", "b", ""):
        service.say("two words")
        result = await chat.complete(ChatRequest.of("one two three", conversation=conversation))
        assert (result.usage.prompt, result.usage.completion, result.usage.cost) == (3, 2, 7.0)
    service.fail(Fault(status=400))
    with pytest.raises(ModelFailed):
        await chat.complete(ChatRequest.of("Hello"))
    value = metrics.registry.get_sample_value
    labels = {"model": chat.name}
    assert value("frontdesk_model_cost_total", labels) == 28.0
    assert value("frontdesk_model_conversations_total", labels) == 2
    assert value("frontdesk_model_tokens_total", labels | {"direction": "prompt"}) == 12
    assert value("frontdesk_model_seconds_count", labels | {"operation": "chat", "result": "done"}) == 4
    assert value("frontdesk_model_seconds_count", labels | {"operation": "chat", "result": "ModelFailed"}) == 1
