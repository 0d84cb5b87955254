"""Requests and answers of `/chat/completions`, as JSON. https://platform.openai.com/docs/api-reference/chat"""

import base64
import json
from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from frontdesk.core.chat import ChatMessage, ChatRequest, Finish, Usage
from frontdesk.plugins.models.remote.presets import Preset, plain, response_format

MOST_STOPS = 4
"""That OpenAI takes; all are obeyed here in any case."""

TOKENS_OF_A_PICTURE = 1000


def body(request: ChatRequest, preset: Preset, *, model: str, left_out: Collection[str], stream: bool) -> dict[str, Any]:
    """`left_out` are fields that the service has refused; the limit's other name is sent where one of its two is among them."""
    offered = request.tools if request.tool_choice != "none" else ()
    limits = [preset.limit, *({"max_tokens", "max_completion_tokens"} - {preset.limit})]
    limit = next((name for name in limits if name not in left_out), preset.limit)
    made: dict[str, Any] = {"model": model, limit: request.max_tokens, "stream": stream}
    optional: dict[str, Any] = {"temperature": request.temperature}
    if request.top_p < 1:
        optional["top_p"] = request.top_p
    if request.stop:
        optional["stop"] = list(request.stop[:MOST_STOPS])
    if request.seed is not None:
        optional["seed"] = request.seed
    if stream:
        optional["stream_options"] = {"include_usage": True}
    if offered and request.tool_choice == "required":
        optional["tool_choice"] = "required"
    made |= {name: value for name, value in optional.items() if name in preset.fields and name not in left_out}
    if offered:
        made["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": plain(tool.parameters) if preset.plain_schemas else tool.parameters,
                },
            }
            for tool in offered
        ]
    messages = request.messages
    if request.schema is not None:
        form = response_format(preset, request.schema, tools=bool(offered))
        if form is None or "response_format" in left_out:
            messages = _told(messages, request.schema)
        else:
            made["response_format"] = form
    made["messages"] = [_message(message) for message in messages if not _says_nothing(message)]
    return made


OPTIONAL = ("temperature", "top_p", "stop", "seed", "stream_options", "tool_choice", "response_format")
LIMITS = ("max_tokens", "max_completion_tokens")


def optional_fields(made: dict[str, Any]) -> frozenset[str]:
    """Those that the request can do without, or with another name."""
    return frozenset(name for name in (*OPTIONAL, *LIMITS) if name in made)


def _told(messages: tuple[ChatMessage, ...], schema: dict[str, Any]) -> tuple[ChatMessage, ...]:
    written = json.dumps(schema, ensure_ascii=False)
    words = f"Answer with JSON only, without words around it. It must fulfil this JSON Schema:\n{written}"
    if messages and messages[0].role == "system":
        return (msgspec.structs.replace(messages[0], text=f"{messages[0].text}\n\n{words}".strip()), *messages[1:])
    return (ChatMessage(role="system", text=words), *messages)


def _says_nothing(message: ChatMessage) -> bool:
    return not (message.text or message.pictures or message.calls or message.role == "tool")


def encodable(text: str) -> str:
    """A lone surrogate, which has no UTF-8, becomes `?`."""
    return text.encode(errors="replace").decode()


def _message(message: ChatMessage) -> dict[str, Any]:
    text = encodable(message.text)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call or "", "content": text}
    if message.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
            for call in message.calls
        ]
        return {"role": message.role, "content": text or None, "tool_calls": calls}
    if message.pictures:
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        for picture in message.pictures:
            data = base64.b64encode(picture.data).decode("ascii")
            parts.append({"type": "image_url", "image_url": {"url": f"data:{picture.media_type};base64,{data}"}})
        return {"role": message.role, "content": parts}
    return {"role": message.role, "content": text}


def estimated_tokens(text: str) -> int:
    """Rather too many than too few: a token for four ASCII characters, for one of any other script."""
    ascii_only = sum(character < "\x80" for character in text)
    return ascii_only // 4 + (len(text) - ascii_only) + 1


def estimated_prompt(made: dict[str, Any]) -> int:
    """Tokens of a request's messages and tools."""
    pictures = 0
    texts = [json.dumps(made.get("tools", ""), ensure_ascii=False)]
    for message in made["messages"]:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        pictures += sum(part["type"] == "image_url" for part in parts)
        texts += [part["text"] for part in parts if part["type"] == "text"]
        texts += [call["function"]["arguments"] for call in message.get("tool_calls", ())]
    return sum(map(estimated_tokens, texts)) + 4 * len(texts) + TOKENS_OF_A_PICTURE * pictures


class UsageSaid(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class FunctionSaid(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CallSaid(Struct):
    function: FunctionSaid
    id: str | None = None
    index: int | None = None


class MessageSaid(Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[CallSaid] | None = None


class ChoiceSaid(Struct):
    message: MessageSaid | None = None
    delta: MessageSaid | None = None
    finish_reason: str | None = None


class CompletionSaid(Struct):
    """A whole answer, or a chunk of a streamed one. What is not read here may be anything."""

    choices: list[ChoiceSaid] | None = None
    usage: UsageSaid | None = None
    error: Any = None


FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "filtered",
    "safety": "filtered",
}


class Heard:
    """Puts an answer together, from one piece or many."""

    def __init__(self) -> None:
        self.text = ""
        self.finish: Finish | None = None
        self.usage: UsageSaid | None = None
        self.size = 0
        self._calls: list[CallSaid] = []
        self._arguments: list[list[str]] = []

    def add(self, said: CompletionSaid) -> str:
        """Returns the text that is new."""
        if said.usage is not None:
            self.usage = said.usage
        new = ""
        for choice in (said.choices or ())[:1]:
            message = choice.message or choice.delta
            if message is not None:
                new = message.content or ""
                for call in message.tool_calls or ():
                    self._add_call(call)
                if message.refusal:
                    self.finish = "filtered"
            if choice.finish_reason and self.finish != "filtered":
                self.finish = FINISHES.get(choice.finish_reason.lower(), "stop")
        self.text += new
        self.size += len(new)
        return new

    def _add_call(self, said: CallSaid) -> None:
        """A call begins where its index or its id is new: some services stream whole calls that all have the index 0."""
        place = None
        for known, call in enumerate(self._calls):
            if (said.index is None or said.index == call.index) and (not said.id or not call.id or said.id == call.id):
                place = known
        if place is None:
            self._calls.append(CallSaid(function=FunctionSaid(name=""), id=said.id, index=said.index))
            self._arguments.append([])
            place = len(self._calls) - 1
        call = self._calls[place]
        call.id = call.id or said.id
        # Some repeat the name with each piece; nobody sends it in pieces.
        call.function.name = call.function.name or said.function.name
        arguments = said.function.arguments
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        self._arguments[place].append(arguments or "")
        self.size += len(arguments or "")

    @property
    def calls(self) -> Iterator[tuple[str, str, str]]:
        """Id, name and arguments of each. A call without an id gets one."""
        for number, (call, arguments) in enumerate(zip(self._calls, self._arguments, strict=True)):
            yield call.id or f"call_{number}", call.function.name or "", "".join(arguments)

    def tokens(self, prompt: int, *, price_in: float, price_out: float) -> Usage:
        """As the service counted, or else estimated, `prompt` being the estimate of the request. Prices are for a million."""
        said = self.usage or UsageSaid()
        read = prompt if said.prompt_tokens is None else said.prompt_tokens
        written = estimated_tokens(self.text + "".join("".join(parts) for parts in self._arguments))
        written = written if said.completion_tokens is None else said.completion_tokens
        return Usage(prompt=read, completion=written, cost=(read * price_in + written * price_out) / 1e6)
