"""Whatever a service does has one outcome, in words that are safe to log."""

import json
import logging
import socket
import traceback

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatRequest
from frontdesk.core.errors import ModelError, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.plugins.models.remote import client as client_module
from frontdesk.plugins.models.remote.breaker import Breaker
from frontdesk.testing.openai import FakeOpenAI, Fault

pytestmark = needs("openai", "jsonschema")

PROMPT = "my parcel number is PX-778899"
ANSWER = "zebra crossing"


@pytest.fixture
async def service():
    async with FakeOpenAI("compatible") as service:
        yield service


async def whole(chat, request):
    return await chat.complete(request)


async def in_pieces(chat, request):
    result = None
    async for piece in chat.stream(request):
        result = piece.result
    return result


@pytest.fixture(params=[whole, in_pieces])
def ask(request):
    return request.param


def error_body(code: str, message: str = PROMPT) -> bytes:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}).encode()


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


PAGE = f"<!doctype html><h1>Bad gateway</h1>{PROMPT} {ANSWER}".encode()
EVENTS = "text/event-stream"

OUTCOMES = {
    "401": (Fault(status=401, body=error_body("invalid_api_key")), ModelUnavailable, "models.chat.api_key"),
    "403": (Fault(status=403, body=error_body("")), ModelUnavailable, "models.chat.api_key"),
    "404": (Fault(status=404, body=error_body("model_not_found")), ModelUnavailable, "test-model"),
    "404 page": (Fault(status=404, body=PAGE, media_type="text/html"), ModelUnavailable, "models.chat.base_url"),
    "400": (Fault(status=400, body=error_body("bad_thing")), ModelFailed, "HTTP 400.*bad_thing"),
    "400 page": (Fault(status=400, body=PAGE, media_type="text/html"), ModelFailed, "HTTP 400"),
    "413": (Fault(status=413, body=PAGE, media_type="text/html"), PromptRejected, "too long"),
    "too long": (Fault(status=400, body=error_body("context_length_exceeded")), PromptRejected, "too long"),
    "filtered": (Fault(status=400, body=error_body("content_filter")), PromptRejected, "filter"),
    "429": (Fault(status=429, body=error_body("rate_limit_exceeded")), ModelUnavailable, "too often"),
    "quota": (Fault(status=429, body=error_body("insufficient_quota")), ModelUnavailable, "quota"),
    "500": (Fault(status=500, body=error_body("server_error")), ModelFailed, "HTTP 500"),
    "502 page": (Fault(status=502, body=PAGE, media_type="text/html"), ModelUnavailable, "HTTP 502"),
    "503": (Fault(status=503), ModelUnavailable, "HTTP 503"),
    "no tools": (Fault(status=400, body=error_body("", "m does not support tools")), PromptRejected, "calls no tools"),
    "no jinja": (Fault(status=500, body=error_body("", "tools param requires --jinja flag")), PromptRejected, "--jinja"),
    "418": (Fault(status=418, body=PAGE), ModelFailed, "HTTP 418"),
    "page": (Fault(body=PAGE, media_type="text/html"), ModelFailed, "a page"),
    "page as JSON": (Fault(body=PAGE), ModelFailed, "a page"),
    "page as events": (Fault(body=PAGE, media_type=EVENTS), ModelFailed, "answered"),
    "nothing": (Fault(), ModelFailed, "answered nothing"),
    "nothing as events": (Fault(media_type=EVENTS), ModelFailed, "answered nothing"),
    "no JSON": (Fault(body=ANSWER.encode()), ModelFailed, "no chat completion"),
    "half of a JSON": (
        Fault(body=b'{"choices": [{"message": {"content": "' + ANSWER.encode()),
        ModelFailed,
        "no chat completion",
    ),
    "deep JSON": (Fault(body=b"[" * 100_000), ModelFailed, "no chat completion"),
    "another JSON": (Fault(body=b'{"hello": "zebra crossing"}'), ModelFailed, "answered"),
    "an empty list": (Fault(body=b"[]"), ModelFailed, "answered"),
    "a string": (Fault(body=b'"zebra crossing"'), ModelFailed, "no chat completion"),
    "no choice": (Fault(body=b'{"choices": []}'), ModelFailed, "answered"),
    "wrong types": (Fault(body=b'{"choices": [{"message": {"content": 5}}]}'), ModelFailed, "no chat completion"),
    "no text": (
        Fault(body=b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}'),
        ModelFailed,
        "said nothing",
    ),
    "used up": (Fault(body=b'{"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}'), ModelFailed, "used up"),
    "error inside": (Fault(body=error_body("server_error")), ModelFailed, "broke"),
    "rate limit inside": (Fault(body=b'{"error": {"code": 429, "message": "zebra crossing"}}'), ModelUnavailable, "too often"),
    "Google's list": (Fault(body=b'[{"error": {"code": 503, "message": "zebra crossing"}}]'), ModelUnavailable, "503"),
    "error as words": (Fault(body=b'{"error": "zebra crossing"}'), ModelFailed, "broke"),
    "cut": (Fault(body=b'{"choices": [{"message": {"content": "zebra crossing"}}]}', cut=True), ModelFailed, "broke off"),
    "dropped": (Fault(drop=True), ModelFailed, "broke off"),
    "compressed": (Fault(body=b"0" * 100_000, compressed=True), ModelFailed, "compresses"),
    "endless": (Fault(body=b" " * 65_536, endless=True), ModelFailed, "more than 1048576 bytes"),
    "endless error": (Fault(status=500, body=PAGE * 500, endless=True), ModelFailed, "more than 1048576 bytes"),
    "endless line": (
        Fault(body=b"data: " + b"x" * 65_536, endless=True, media_type=EVENTS),
        ModelFailed,
        "1048576 bytes|answered",
    ),
    "200 kB": (
        Fault(body=json.dumps({"choices": [{"message": {"content": f"{ANSWER} " * 13_000}}]}).encode()),
        ModelFailed,
        "far more than the 512 tokens",
    ),
}
IN_PIECES = {
    "cut": (Fault(body=chunk(ANSWER) * 4, cut=True, media_type=EVENTS), ModelFailed, "broke off"),
    "ends early": (Fault(body=chunk(ANSWER), media_type=EVENTS), ModelFailed, "broke off"),
    "error later": (Fault(body=chunk(ANSWER) + b'data: {"error": "x"}\n\n', media_type=EVENTS), ModelFailed, "broke"),
    "rubbish later": (Fault(body=chunk(ANSWER) + b"data: <html>\n\n", media_type=EVENTS), ModelFailed, "page"),
    "no data": (Fault(body=b": hello\n\nevent: x\n\n", media_type=EVENTS), ModelFailed, "answered nothing"),
    "endless text": (Fault(body=chunk(ANSWER), endless=True, media_type=EVENTS), ModelFailed, "far more than the 512 tokens"),
    "only the end": (Fault(body=b"data: [DONE]\n\n", media_type=EVENTS), ModelFailed, "said nothing"),
}


def safe(error: BaseException, log: str, service: FakeOpenAI) -> None:
    told = "".join(traceback.format_exception(error)) + log
    for secret in (PROMPT, "PX-778899", ANSWER, service.key):
        assert secret not in told


@pytest.fixture
def small_answers(monkeypatch):
    monkeypatch.setattr("frontdesk.plugins.models.remote.responses.MAX_ANSWER_BYTES", 2**20)


@pytest.mark.parametrize("name", OUTCOMES)
async def test_a_broken_service_has_one_outcome(name, ask, service, chat_with, caplog, small_answers):
    fault, kind, said = OUTCOMES[name]
    caplog.set_level(logging.DEBUG)
    service.fail(fault)
    with pytest.raises(ModelError, match=said) as caught:
        await ask(chat_with(service, "compatible"), ChatRequest.of(PROMPT))
    assert type(caught.value) is kind
    safe(caught.value, caplog.text, service)


@pytest.mark.parametrize("name", IN_PIECES)
async def test_a_broken_stream_has_one_outcome(name, service, chat_with, caplog, small_answers):
    fault, kind, said = IN_PIECES[name]
    caplog.set_level(logging.DEBUG)
    service.fail(fault)
    with pytest.raises(ModelError, match=said) as caught:
        await in_pieces(chat_with(service, "compatible"), ChatRequest.of(PROMPT))
    assert type(caught.value) is kind
    safe(caught.value, caplog.text, service)


async def test_a_service_that_is_not_there_is_out_of_reach(ask, service, chat_with):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        chat = chat_with(service, "compatible", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        with pytest.raises(ModelUnavailable, match="out of reach"):
            await ask(chat, ChatRequest.of("Hello"))


async def test_a_service_that_hangs_is_left_when_time_is_up(ask, service, chat_with):
    service.fail(Fault(hang=True))
    with pytest.raises(ModelFailed, match="took longer"):
        await ask(chat_with(service, "compatible"), ChatRequest.of("Hello", seconds=0.3))


async def test_signs_of_life_without_an_answer_are_left_when_time_is_up(service, chat_with):
    service.fail(Fault(body=b": processing\n\n", endless=True, media_type=EVENTS))
    with pytest.raises(ModelFailed, match=r"took longer|more than"):
        await in_pieces(chat_with(service, "compatible"), ChatRequest.of("Hello", seconds=0.3))


async def test_a_text_that_is_not_finished_in_time_ends_there(service, chat_with):
    service.say("one two three four five", pause=0.2)
    result = await in_pieces(chat_with(service, "compatible"), ChatRequest.of("Count", seconds=0.7))
    assert result.finish == "length"
    assert "one two three four five".startswith(result.text)
    assert result.text


async def test_an_answer_that_never_closes_is_taken_once_it_has_ended(service, chat_with, monkeypatch):
    monkeypatch.setattr("frontdesk.plugins.models.remote.chat.USAGE_SECONDS", 0.1)
    body = chunk("All well.", "stop")
    service.fail(Fault(body=body, endless=True, media_type=EVENTS))
    result = await in_pieces(chat_with(service, "compatible"), ChatRequest.of("Hello"))
    assert result.finish == "stop"
    assert result.text.startswith("All well.")


async def test_json_of_another_name_is_taken(ask, service, chat_with):
    body = b'{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}'
    service.fail(Fault(body=body, media_type="text/plain"))
    assert (await ask(chat_with(service, "compatible"), ChatRequest.of("Hello"))).text == "Hello."


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_takes_neither_key_nor_prompt_elsewhere(ask, status, service, chat_with):
    async with FakeOpenAI("compatible") as elsewhere:
        service.fail(Fault(status=status, headers={"Location": f"{elsewhere.url}/chat/completions"}))
        with pytest.raises(ModelUnavailable, match=r"elsewhere.*models\.chat\.base_url"):
            await ask(chat_with(service, "compatible"), ChatRequest.of("Hello"))
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=503), Fault(status=429, headers={"Retry-After": "0"}), Fault(drop=True)]
)
async def test_what_may_go_better_is_tried_again(ask, fault, service, chat_with, monkeypatch):
    monkeypatch.setattr(client_module.random, "uniform", lambda low, high: 0.0)
    service.fail(fault, times=2)
    service.say("There you are.")
    assert (await ask(chat_with(service, "compatible", retries=2), ChatRequest.of("Hello"))).text == "There you are."
    assert len(service.requests) == 3


async def test_tries_end(ask, service, chat_with, monkeypatch):
    monkeypatch.setattr(client_module.random, "uniform", lambda low, high: 0.0)
    service.fail(Fault(status=500), times=5)
    with pytest.raises(ModelFailed):
        await ask(chat_with(service, "compatible", retries=2), ChatRequest.of("Hello"))
    assert len(service.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_what_will_go_no_better_is_not_tried_again(ask, status, service, chat_with):
    service.fail(Fault(status=status))
    with pytest.raises(ModelError):
        await ask(chat_with(service, "compatible", retries=3), ChatRequest.of("Hello"))
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "3600"}, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, {"retry-after-ms": "3600000"}]
)
async def test_a_pause_longer_than_the_turn_is_told_instead(ask, headers, service, chat_with):
    service.fail(Fault(status=429, headers=headers))
    with pytest.raises(ModelUnavailable) as caught:
        await ask(chat_with(service, "compatible", retries=3), ChatRequest.of("Hello"))
    assert caught.value.retry_after >= 3600
    assert len(service.requests) == 1


async def test_a_stream_is_not_begun_anew_once_it_was_passed_on(service, chat_with):
    service.say("one two three", pieces=2)
    service.say("something else")
    stream = chat_with(service, "compatible", retries=3).stream(ChatRequest.of("Count"))
    assert (await anext(stream)).text == "one"
    with pytest.raises(ModelFailed, match="broke off"):
        await anext(stream)
    assert len(service.requests) == 1


async def test_a_stream_that_breaks_before_its_first_word_is_begun_anew(service, chat_with, monkeypatch):
    monkeypatch.setattr(client_module.random, "uniform", lambda low, high: 0.0)
    service.say("one", pieces=1)
    service.say("one")
    assert (await in_pieces(chat_with(service, "compatible", retries=1), ChatRequest.of("Count"))).text == "one"


async def test_a_service_that_fails_again_and_again_is_left_alone(ask, service, chat_with):
    now = 0.0
    breaker = Breaker("m", failures=3, seconds=30, clock=lambda: now)
    chat = chat_with(service, "compatible", breaker=breaker)
    service.fail(Fault(status=503), times=4)
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="HTTP 503"):
            await ask(chat, ChatRequest.of("Hello"))
    with pytest.raises(ModelUnavailable, match="3 times in a row") as caught:
        await ask(chat, ChatRequest.of("Hello"))
    assert caught.value.retry_after == 30
    assert len(service.requests) == 3
    assert "does not answer" in chat.state.detail
    now = 31.0  # one more is let through, and fails
    with pytest.raises(ModelUnavailable, match="HTTP 503"):
        await ask(chat, ChatRequest.of("Hello"))
    with pytest.raises(ModelUnavailable, match="in a row"):
        await ask(chat, ChatRequest.of("Hello"))
    now = 62.0  # and the next one does not
    assert (await ask(chat, ChatRequest.of("Hello"))).text == "Hello"
    assert chat.state.detail == ""
    assert (await ask(chat, ChatRequest.of("Hello"))).text == "Hello"


async def test_a_wrong_request_says_nothing_about_the_service(ask, service, chat_with):
    chat = chat_with(service, "compatible", breaker=Breaker("m", failures=1))
    service.fail(Fault(status=400), times=3)
    for _ in range(3):
        with pytest.raises(ModelFailed):
            await ask(chat, ChatRequest.of("Hello"))
    assert (await ask(chat, ChatRequest.of("Hello"))).text == "Hello"
