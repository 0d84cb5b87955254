"""The fake services, asked by the real SDK."""

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.testing.openai import DIALECTS, FakeOpenAI, Fault

pytestmark = needs("openai")

TOOL = {
    "type": "function",
    "function": {"name": "cancel", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}},
}


@pytest.fixture(params=sorted(DIALECTS))
async def service(request):
    async with FakeOpenAI(request.param) as service:
        yield service


@pytest.fixture
async def openai_service():
    async with FakeOpenAI() as service:
        yield service


def sdk(service):
    import openai

    common = {"api_key": service.key or "none", "max_retries": 0}
    if service.dialect is DIALECTS["azure"]:
        return openai.AsyncAzureOpenAI(azure_endpoint=service.url, api_version="2024-10-21", **common)
    return openai.AsyncOpenAI(base_url=service.url, **common)


def say(text):
    return [{"role": "user", "content": text}]


async def test_the_sdk_understands_its_answers(service):
    async with sdk(service) as client:
        service.say("Good morning.")
        answer = await client.chat.completions.create(model=service.model, messages=say("Hello"))
        assert answer.choices[0].message.content == "Good morning."
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1, 2)
        echo = await client.chat.completions.create(model=service.model, messages=say("Hello"), max_tokens=9)
        assert echo.choices[0].message.content == "Hello"


async def test_the_sdk_understands_its_streams(service):
    async with sdk(service) as client:
        service.say("one two\nthree", calls=(("cancel", {"order": "LL-1"}),))
        text, names, arguments, finish = "", "", "", None
        async for chunk in await client.chat.completions.create(
            model=service.model, messages=say("Hello"), tools=[TOOL], stream=True
        ):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
                for call in choice.delta.tool_calls or ():
                    names += call.function.name or ""
                    arguments += call.function.arguments or ""
        assert (text, names, arguments, finish) == ("one two\nthree", "cancel", '{"order": "LL-1"}', "tool_calls")


async def test_the_sdk_understands_its_vectors(service):
    async with sdk(service) as client:
        answer = await client.embeddings.create(model=service.model, input=["a", "b"], encoding_format="float")
        assert sorted(vector.index for vector in answer.data) == [0, 1]
        assert {len(vector.embedding) for vector in answer.data} == {8}


async def test_a_wrong_key_and_an_unknown_model_are_refused(service):
    import openai

    async with sdk(service) as client:
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="gone", messages=say("Hello"))
        service.key = "another"
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model=service.model, messages=say("Hello"))
        assert caught.value.status_code in (400, 401)


@pytest.mark.parametrize(
    ("dialect", "more", "said"),
    [
        ("openai", {"extra_body": {"top_k": 3}}, "Unknown parameter: 'top_k'"),
        ("openai", {"stream_options": {"include_usage": True}}, "stream_options"),
        ("openai", {"tool_choice": "required"}, "tool_choice"),
        ("openai", {"stop": list("abcde")}, "array too long"),
        ("openai", {"response_format": {"type": "json_object", "schema": {}}}, "response_format.schema"),
        ("azure", {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}, "type: "),
        ("gemini", {"seed": 1}, 'Unknown name "seed"'),
        ("gemini", {"tools": [{"type": "function", "function": {"name": "x", "parameters": {"const": 1}}}]}, "const"),
        ("ollama", {"messages": [{"role": "user", "content": None}]}, "invalid message content type"),
        ("llama.cpp", {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}, "grammar"),
        ("llama.cpp", {"response_format": {"type": "json_object", "schema": {"a": 1}}, "tools": [TOOL]}, "with tools"),
        ("transformers", {"extra_body": {"min_p": 0.1}}, "Unexpected fields"),
        ("vllm", {"response_format": {"type": "json_schema"}}, "Field required"),
        ("openai", {"messages": say("word " * 1001)}, "context length"),
        ("llama.cpp", {"messages": say("word " * 1001)}, "available context size"),
    ],
)
async def test_it_refuses_what_the_real_one_refuses(dialect, more, said):
    import openai

    async with FakeOpenAI(dialect) as service, sdk(service) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(**{"model": service.model, "messages": say("Hello")} | more)
        assert said in caught.value.response.text.replace('\\"', '"')


async def test_the_next_calls_go_wrong_until_it_recovers(openai_service):
    import openai

    openai_service.fail(Fault(status=500), times=5)
    async with sdk(openai_service) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model=openai_service.model, messages=say("Hello"))
        openai_service.recover()
        answer = await client.chat.completions.create(model=openai_service.model, messages=say("Hello"))
    assert answer.choices[0].message.content == "Hello"
    assert len(openai_service.requests) == 2


async def test_recordings_and_voices(openai_service):
    openai_service.transcription.text = "Hello."
    openai_service.speech = b"OggS"
    async with sdk(openai_service) as client:
        heard = await client.audio.transcriptions.create(model=openai_service.model, file=("a.ogg", b"OggS"))
        spoken = await client.audio.speech.create(model=openai_service.model, voice="alloy", input="Hello.")
    assert heard.text == "Hello."
    assert await spoken.aread() == b"OggS"
    assert openai_service.requests[0].file == b"OggS"
