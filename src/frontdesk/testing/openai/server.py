"""The server. What it says is written by the test."""

import asyncio
import hashlib
import json
import re
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from frontdesk.testing.openai.dialects import DIALECTS, Refusal
from frontdesk.testing.openai.faults import Fault

KEY = "sk-loopback-0123456789"
MODEL = "test-model"


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer. `calls` are names with their arguments, as an object or as the JSON that the model has written.

    Before each piece of a streamed one are `pause` seconds; after `pieces` of them the stream breaks off.
    """

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    finish: str | None = None
    refusal: str | None = None
    pause: float = 0.0
    pieces: int | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked. A form's fields are the `body` of a recording that was sent, its bytes are `file`."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    file: bytes = b""
    file_name: str = ""


@dataclass
class Transcription:
    """What recordings are answered with. `segments` have `start`, `end`, `text`, `avg_logprob` and `no_speech_prob`."""

    text: str = ""
    language: str = "english"
    duration: float = 1.0
    segments: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


class FakeOpenAI:
    """A service on loopback that speaks one of `DIALECTS`: it refuses what the real one refuses, in its words.

        async with FakeOpenAI("ollama") as service:
            service.say("Good morning.")
            ...
            assert service.requests[-1].body["messages"][-1]["content"] == "Hello"

    `url` is its base_url, `key` the key that it wants (Ollama, llama.cpp and `transformers serve` want none). Answers are said
    in the order they were given; without one it repeats the last message. `fail` lets the next calls go wrong. Prompts of more
    words than `context` are refused. Embeddings are of 8 numbers, or as many as are asked for; `speech` is what texts sound like.
    """

    def __init__(self, dialect: str = "openai", *, model: str = MODEL, context: int = 1000, key: str | None = None) -> None:
        self.dialect = DIALECTS[dialect]
        self.model = model
        self.context = context
        self.key = key if key is not None else "" if dialect in ("ollama", "llama.cpp", "transformers", "vllm") else KEY
        self.requests: list[Request] = []
        self.running = 0
        self.most_running = 0
        self.transcription = Transcription()
        self.speech = b""
        self._answers: deque[Said] = deque()
        self._faults: deque[Fault] = deque()
        self._deployments = dialect == "azure"

    def say(self, text: str = "", **more: Any) -> None:
        """The next answer that nobody has got yet; see `Said`."""
        self._answers.append(Said(text=text, **more))

    def call(self, name: str, arguments: Mapping[str, Any] | str) -> None:
        """The next answer calls a tool."""
        self._answers.append(Said(calls=((name, arguments),)))

    def fail(self, fault: Fault, times: int = 1) -> None:
        self._faults.extend([fault] * times)

    def recover(self) -> None:
        self._faults.clear()

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=64 * 2**20)
        prefix = f"{self.dialect.path}/deployments/{{deployment}}" if self._deployments else self.dialect.path
        for path, handler in (
            ("/chat/completions", self._chat),
            ("/embeddings", self._embeddings),
            ("/audio/transcriptions", self._transcribe),
            ("/audio/speech", self._speak),
        ):
            application.router.add_post(prefix + path, self._guarded(handler))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.root = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = self.root if self._deployments else self.root + self.dialect.path
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()

    def _guarded(self, handler: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                asked = await self._read(request)
                self.requests.append(asked)
                if self._faults:
                    return await self._faults.popleft().answer(request)
                self._admit(request, asked)
                answer: web.StreamResponse = await handler(request, asked)
                return answer
            except Refusal as refusal:
                return web.json_response(self.dialect.error(refusal), status=refusal.status)
            except ConnectionResetError:  # the client has heard enough
                return web.Response()
            finally:
                self.running -= 1

        return handle

    async def _read(self, request: web.Request) -> Request:
        body: dict[str, Any] = {}
        file, name = b"", ""
        if request.content_type == "multipart/form-data":
            for field_name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    file, name = value.file.read(), value.filename
                else:
                    body[field_name] = value
        else:
            body = await request.json()
        return Request(
            path=request.path, query=dict(request.query), headers=dict(request.headers), body=body, file=file, file_name=name
        )

    def _admit(self, request: web.Request, asked: Request) -> None:
        given = request.headers.get(self.dialect.key_header, "").removeprefix("Bearer ")
        if self.key and given != self.key:
            raise Refusal(*self.dialect.wrong_key)
        if self._deployments and not request.query.get("api-version"):
            raise Refusal(404, "Resource not found", code="404")
        model = request.match_info.get("deployment", asked.body.get("model"))
        if model != self.model:
            raise self.dialect.unknown_model(str(model))

    async def _chat(self, request: web.Request, asked: Request) -> web.StreamResponse:
        body = asked.body
        self.dialect.check(body)
        tokens = len(" ".join(_text(message) for message in body["messages"]).split())
        if tokens > self.context:
            raise self.dialect.too_long(tokens, self.context)
        said = self._answers.popleft() if self._answers else Said(text=_text(body["messages"][-1]))
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        text, finish = _within(said, limit)
        usage = {"prompt_tokens": tokens, "completion_tokens": len(text.split()) + len(said.calls)}
        usage["total_tokens"] = sum(usage.values())
        calls = [
            {
                "index": number,
                "id": f"call_{number}_{len(self.requests)}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for number, (name, given) in enumerate(said.calls)
        ]
        head = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": self.model}
        if not body.get("stream"):
            message: dict[str, Any] = {
                "role": "assistant",
                "content": text if text or not calls else None,
                "refusal": said.refusal,
            }
            if calls:
                message["tool_calls"] = [{key: value for key, value in call.items() if key != "index"} for call in calls]
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return web.json_response(head | {"object": "chat.completion", "choices": [choice], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        wants_usage = self.dialect.usage == "always" or (body.get("stream_options") or {}).get("include_usage")
        sent = 0
        async for chunk in self._chunks(said, text, finish, calls, usage if wants_usage else None):
            if said.pieces is not None and sent >= said.pieces:
                return response
            await response.write(b"data: " + json.dumps(head | chunk).encode() + b"\n\n")
            sent += 1
        if self.dialect.done:
            await response.write(b"data: [DONE]\n\n")
        return response

    async def _chunks(
        self, said: Said, text: str, finish: str, calls: list[dict[str, Any]], usage: dict[str, int] | None
    ) -> AsyncIterator[dict[str, Any]]:
        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        yield chunk({"role": "assistant", "content": ""})
        for piece in re.findall(r"\s*\S+|\s+", text):
            await asyncio.sleep(said.pause)
            yield chunk({"content": piece})
        if self.dialect.calls == "whole" and calls:
            yield chunk({"tool_calls": calls})
        for call in calls if self.dialect.calls == "index 0" else ():
            yield chunk({"tool_calls": [call | {"index": 0}]})
        for call in calls if self.dialect.calls == "pieces" else ():
            function = call["function"]
            yield chunk({"tool_calls": [call | {"function": {"name": function["name"], "arguments": ""}}]})
            for start in range(0, len(function["arguments"]), 5):
                part = {"index": call["index"], "function": {"arguments": function["arguments"][start : start + 5]}}
                yield chunk({"tool_calls": [part]})
        if said.refusal:
            yield chunk({"refusal": said.refusal})
        if not self.dialect.done:  # all in one
            yield chunk({}, finish) | ({"usage": usage} if usage else {})
            return
        yield chunk({}, finish)
        if usage:
            yield {"object": "chat.completion.chunk", "choices": [], "usage": usage}

    async def _embeddings(self, request: web.Request, asked: Request) -> web.StreamResponse:
        texts = asked.body["input"]
        if any(not text for text in texts):
            raise Refusal(400, "'$.input' is invalid. Input cannot be an empty string.")
        size = asked.body.get("dimensions", 8)
        data = [{"object": "embedding", "index": place, "embedding": _vector(text, size)} for place, text in enumerate(texts)]
        usage = {"prompt_tokens": sum(len(text.split()) for text in texts)}
        # Not in order: the index says which is whose.
        return web.json_response({"object": "list", "data": data[::-1], "usage": usage})

    async def _transcribe(self, request: web.Request, asked: Request) -> web.StreamResponse:
        said = self.transcription
        if asked.body.get("response_format", "json") != "verbose_json":
            return web.json_response({"text": said.text} | said.extra)
        verbose = {"task": "transcribe", "language": said.language, "duration": said.duration, "segments": said.segments}
        return web.json_response({"text": said.text} | verbose | said.extra)

    async def _speak(self, request: web.Request, asked: Request) -> web.StreamResponse:
        return web.Response(body=self.speech, content_type="audio/ogg")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _within(said: Said, limit: int | None) -> tuple[str, str]:
    """The text up to the limit of tokens, here words, and why it ends."""
    words = said.text.split(" ")
    if said.finish is None and limit is not None and len(words) > limit:
        return " ".join(words[:limit]), "length"
    return said.text, said.finish or ("tool_calls" if said.calls else "stop")


def _vector(text: str, size: int) -> list[float]:
    """Of no certain length, the same for the same text."""
    digest = hashlib.shake_256(text.encode()).digest(2 * size)
    return [value / 1000 for value in struct.unpack(f"<{size}h", digest)]
