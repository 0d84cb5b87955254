"""Every service is asked in its own dialect, and refuses what the real one refuses."""

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatMessage, ChatRequest, Picture, Tool, ToolCall
from frontdesk.core.errors import ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.plugins.models.remote.presets import PRESETS
from frontdesk.testing.openai import DIALECTS, FakeOpenAI, Said

pytestmark = needs("openai", "jsonschema")

CANCEL = Tool(
    name="cancel",
    description="Cancels an order.",
    parameters={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"order": {"type": "string"}, "kind": {"const": "all"}},
        "required": ["order"],
        "additionalProperties": False,
    },
)
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}},
    "required": ["mood"],
    "additionalProperties": False,
}
EVERYTHING = {"temperature": 0.5, "top_p": 0.9, "stop": ("#1", "#2", "#3", "#4", "#5"), "seed": 7, "max_tokens": 50}


@pytest.fixture(params=sorted(DIALECTS))
def dialect(request):
    return request.param


@pytest.fixture
async def service(dialect):
    async with FakeOpenAI(dialect) as service:
        yield service


@pytest.fixture
def chat(service, dialect, chat_with):
    return chat_with(service, dialect)


def test_every_preset_has_a_server_that_speaks_its_dialect():
    assert PRESETS.keys() == DIALECTS.keys()


async def both(chat, request):
    """The answers of `complete` and of `stream`, whose pieces are the answer."""
    whole = await chat.complete(request)
    pieces = [piece async for piece in chat.stream(request)]
    result = pieces[-1].result
    assert all(piece.result is None for piece in pieces[:-1])
    return whole, result, [piece.text for piece in pieces[:-1]]


async def test_answers_whole_and_in_pieces(chat, service):
    for _ in range(2):
        service.say("Good morning, how can I help?")
    whole, streamed, pieces = await both(chat, ChatRequest.of("Hello", system="You are kind.", **EVERYTHING))
    assert len(pieces) > 3
    assert "".join(pieces) == whole.text == streamed.text == "Good morning, how can I help?"
    assert whole.finish == streamed.finish == "stop"
    assert whole.model == streamed.model == chat.name
    assert (whole.usage.prompt, whole.usage.completion) == (4, 6)
    assert streamed.usage == whole.usage


async def test_tools_are_called_and_their_results_answered(chat, service):
    calls = Said(calls=(("cancel", {"order": "LL-1"}), ("cancel", {"order": "LL-2"})))
    request = ChatRequest.of("Cancel both", tools=(CANCEL,), tool_choice="required")
    for _ in range(2):
        service.say(calls=calls.calls)
    whole, streamed, pieces = await both(chat, request)
    for result in (whole, streamed):
        assert result.finish == "tools"
        assert [(call.name, call.arguments) for call in result.calls] == [
            ("cancel", {"order": "LL-1"}),
            ("cancel", {"order": "LL-2"}),
        ]
        assert len({call.id for call in result.calls}) == 2
    assert pieces == []
    service.say("Both are cancelled.")
    answers = tuple(ChatMessage(role="tool", text="done", call=call.id) for call in whole.calls)
    said = ChatMessage(role="assistant", calls=whole.calls)
    result = await chat.complete(ChatRequest(messages=(*request.messages, said, *answers), tools=(CANCEL,)))
    assert (result.text, result.finish, result.calls) == ("Both are cancelled.", "stop", ())


async def test_answers_in_json(chat, service):
    service.say('{"mood": "good"}')
    service.say('```json\n{"mood": "bad"}\n```')
    whole, streamed, pieces = await both(chat, ChatRequest.of("How is it?", schema=SCHEMA))
    assert whole.data == {"mood": "good"}
    assert streamed.data == {"mood": "bad"}
    assert pieces == []


async def test_answers_in_json_beside_tools(chat, service):
    service.say('{"mood": "good"}')
    assert (await chat.complete(ChatRequest.of("How is it?", schema=SCHEMA, tools=(CANCEL,)))).data == {"mood": "good"}


async def test_sees_pictures(service, dialect, chat_with):
    chat = chat_with(service, dialect, vision=True)
    picture = Picture(data=b"\x89PNG\r\n\x1a\n", media_type="image/png")
    await chat.complete(ChatRequest(messages=(ChatMessage(role="user", text="What is it?", pictures=(picture,)),)))
    content = service.requests[-1].body["messages"][-1]["content"]
    assert content[0] == {"type": "text", "text": "What is it?"}
    assert content[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


async def test_a_wrong_key_names_the_setting(service, dialect, chat_with):
    service.key = "sk-another"
    with pytest.raises(ModelUnavailable, match=r"models\.chat\.api_key"):
        await chat_with(service, dialect, api_key="sk-wrong").complete(ChatRequest.of("Hello"))


async def test_an_unknown_model_is_named(service, dialect, chat_with):
    with pytest.raises(ModelUnavailable, match=r"gone.*models\.chat\.model"):
        await chat_with(service, dialect, model="gone").complete(ChatRequest.of("Hello"))


async def test_a_prompt_that_is_too_long_is_rejected(chat, service, dialect):
    # transformers serve has no limit of its own: it breaks.
    outcome, said = (ModelFailed, "HTTP 500") if dialect == "transformers" else (PromptRejected, "too long")
    with pytest.raises(outcome, match=said):
        await chat.complete(ChatRequest.of("word " * 2000))


SENT = {
    "openai": {"temperature", "top_p", "stop", "seed", "max_completion_tokens", "tool_choice", "stream_options"},
    "azure": {"temperature", "top_p", "stop", "seed", "max_completion_tokens", "tool_choice", "stream_options"},
    "gemini": {"temperature", "top_p", "stop", "max_tokens", "tool_choice", "stream_options"},
    "vertex": {"temperature", "top_p", "stop", "seed", "max_tokens", "tool_choice", "stream_options"},
    "vllm": {"temperature", "top_p", "stop", "seed", "max_tokens", "tool_choice", "stream_options"},
    "ollama": {"temperature", "top_p", "stop", "seed", "max_tokens", "stream_options"},
    "llama.cpp": {"temperature", "top_p", "stop", "seed", "max_tokens", "tool_choice", "stream_options"},
    "transformers": {"temperature", "top_p", "stop", "seed", "max_tokens"},
    "compatible": {"temperature", "top_p", "stop", "seed", "max_tokens", "tool_choice", "stream_options"},
}


async def test_sends_what_the_service_takes_and_nothing_else(chat, service, dialect):
    service.call("cancel", {"order": "LL-1"})
    async for _ in chat.stream(ChatRequest.of("Cancel", tools=(CANCEL,), tool_choice="required", **EVERYTHING)):
        pass
    (request,) = service.requests
    assert request.body.keys() - {"model", "messages", "stream", "tools"} == SENT[dialect]
    assert len(request.body["stop"]) == 4


FORMS = {
    "llama.cpp": {"type": "json_object", "schema": SCHEMA},
    "transformers": None,
    "gemini": {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]},
            "strict": False,
        },
    },
}
FORMS["vertex"] = FORMS["gemini"]


async def test_sends_a_schema_in_the_form_that_the_service_knows(chat, service, dialect):
    service.say('{"mood": "good"}')
    await chat.complete(ChatRequest.of("How is it?", schema=SCHEMA))
    (request,) = service.requests
    usual = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    assert request.body.get("response_format") == FORMS.get(dialect, usual)
    told = "JSON Schema" in request.body["messages"][0]["content"]
    assert told == (dialect == "transformers")


async def test_the_key_is_sent_where_the_service_looks_for_it(chat, service, dialect):
    await chat.complete(ChatRequest.of("Hello"))
    (request,) = service.requests
    if dialect == "azure":
        assert request.headers["api-key"] == service.key
        assert request.query["api-version"] == "2024-10-21"
        assert request.path == "/openai/deployments/test-model/chat/completions"
    else:
        assert request.headers["Authorization"] == f"Bearer {service.key or 'none'}"


async def test_a_call_in_the_history_goes_back_as_it_came(chat, service):
    call = ToolCall(id="c1", name="cancel", arguments={"order": "LL-1"})
    messages = (
        ChatMessage(role="user", text="Cancel it"),
        ChatMessage(role="assistant", calls=(call,)),
        ChatMessage(role="tool", text="", call="c1"),
    )
    service.say("Done.")
    await chat.complete(ChatRequest(messages=messages, tools=(CANCEL,)))
    sent = service.requests[-1].body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[1]["tool_calls"][0]["function"] == {"name": "cancel", "arguments": '{"order": "LL-1"}'}
    assert sent[2]["tool_call_id"] == "c1"


@pytest.mark.parametrize("model", ["gpt-5-mini", "o3"])
async def test_what_a_reasoning_model_refuses_is_left_out_from_then_on(chat_with, model):
    async with FakeOpenAI("openai", model=model) as service:
        chat = chat_with(service, "openai")
        for _ in range(2):
            service.say("Fine.")
            assert (await chat.complete(ChatRequest.of("Hello", temperature=0.3, top_p=0.5))).text == "Fine."
        assert len(service.requests) == 4
        assert service.requests[-1].body.keys() == {"model", "messages", "stream", "max_completion_tokens"}


async def test_the_other_name_of_the_limit_is_tried(chat_with):
    async with FakeOpenAI("openai", model="gpt-5") as service:
        chat = chat_with(service, "compatible")
        service.say("Fine.")
        await chat.complete(ChatRequest.of("Hello", max_tokens=33, temperature=1.0))
        assert [request.body.get("max_completion_tokens") for request in service.requests] == [None, 33]
