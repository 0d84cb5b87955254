"""The real `transformers serve`, with a small model that has learnt a few answers by heart."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.conftest import CANCEL, byte_level_tokenizer, learn_by_heart

from frontdesk.core.chat import ChatMessage, ChatRequest, Tool
from frontdesk.core.errors import ModelFailed, ModelUnavailable
from frontdesk.plugins.models.remote import RemoteChat
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = [
    needs("openai", "jsonschema", "torch", "transformers", "fastapi", "uvicorn"),
    pytest.mark.timeout(600),
]

START_SECONDS = 300

TOOL = Tool(
    name=CANCEL["function"]["name"], description=CANCEL["function"]["description"], parameters=CANCEL["function"]["parameters"]
)
HELLO = "Hello! How can I help you?"
DONE = "Both orders are cancelled."
CALLS = "".join(f'<tool_call>\n{{"name": "cancel", "arguments": {{"order": "LL-{number}"}}}}\n</tool_call>' for number in (1, 2))


def qwen(folder: Path) -> Path:
    """Serve knows how Qwen writes its calls."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for each other, where other tests run beside
    torch.manual_seed(7)
    tokenizer = byte_level_tokenizer()
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    calls = [{"type": "function", "function": {"name": "cancel", "arguments": {"order": order}}} for order in ("LL-1", "LL-2")]
    results = [{"role": "assistant", "content": "", "tool_calls": calls}, *[{"role": "tool", "content": "done"}] * 2]
    lessons = [
        (tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, tokenize=False), f"{answer}<|im_end|>")
        for messages, tools, answer in (
            ([{"role": "user", "content": "hello"}], None, HELLO),
            ([{"role": "user", "content": "cancel both"}], [CANCEL], CALLS),
            ([{"role": "user", "content": "cancel both"}, *results], [CANCEL], DONE),
            ([{"role": "system", "content": "x"}, {"role": "user", "content": "count"}], None, "one two three four five six"),
        )
    ]
    learn_by_heart(model, tokenizer, lessons)
    torch.set_num_threads(threads)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a server, and the name of its model."""
    folder = qwen(tmp_path_factory.mktemp("models") / "qwen")
    port = free_port()
    log = tmp_path_factory.mktemp("log") / "serve.log"
    command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", str(folder)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"transformers serve does not answer: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
async def chat(address, tmp_path):
    url, model = address
    chat = RemoteChat(ChatSettings(provider="transformers", model=model, base_url=url, timeout=120, retries=0), folder=tmp_path)
    await chat.start()
    yield chat
    await chat.stop()


async def streamed(chat, request):
    pieces = [piece async for piece in chat.stream(request)]
    return [piece.text for piece in pieces[:-1]], pieces[-1].result


def asked(text, **options):
    return ChatRequest.of(text, seconds=120, **options)


async def test_it_answers_whole_and_in_pieces(chat):
    whole = await chat.complete(asked("hello"))
    assert (whole.text, whole.finish) == (HELLO, "stop")
    pieces, result = await streamed(chat, asked("hello"))
    assert "".join(pieces) == result.text == HELLO
    assert len(pieces) > 3
    assert result.usage.completion > 5
    assert result.usage.prompt == whole.usage.prompt > 5


async def test_tools_are_called(chat):
    for result in (
        await chat.complete(asked("cancel both", tools=(TOOL,))),
        (await streamed(chat, asked("cancel both", tools=(TOOL,))))[1],
    ):
        assert result.finish == "tools"
        assert [call.arguments for call in result.calls] == [{"order": "LL-1"}, {"order": "LL-2"}]
        assert result.text.strip() == ""


async def test_the_results_of_tools_are_understood(chat):
    request = asked("cancel both", tools=(TOOL,))
    first = await chat.complete(request)
    said = ChatMessage(role="assistant", calls=first.calls)
    results = tuple(ChatMessage(role="tool", text="done", call=call.id) for call in first.calls)
    answer = await chat.complete(replace(request, messages=(*request.messages, said, *results)))
    assert (answer.text, answer.finish, answer.calls) == (DONE, "stop", ())


async def test_limits_stops_and_seeds_are_taken(chat):
    count = asked("count", system="x", max_tokens=4)
    short = await chat.complete(count)
    assert short.finish == "length"
    assert "one two three four five six".startswith(short.text)
    stopped = await chat.complete(asked("count", system="x", stop=("three",)))
    assert (stopped.text, stopped.finish) == ("one two ", "stop")
    pieces, result = await streamed(chat, asked("count", system="x", stop=("three",)))
    assert "".join(pieces) == result.text == "one two "
    drawn = [await chat.complete(asked("hello", temperature=5.0, seed=3, max_tokens=12)) for _ in range(2)]
    assert drawn[0].text == drawn[1].text


async def test_a_stream_can_be_left(chat):
    stream = chat.stream(asked("hello"))
    await anext(stream)
    await stream.aclose()
    assert (await chat.complete(asked("hello"))).text == HELLO


async def test_another_model_is_refused(address, tmp_path):
    url, _ = address
    chat = RemoteChat(ChatSettings(provider="transformers", model="another", base_url=url, retries=0), folder=tmp_path)
    with pytest.raises((ModelFailed, ModelUnavailable), match="transformers:another"):
        await chat.complete(asked("hello"))
    await chat.stop()
