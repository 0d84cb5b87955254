"""What is said to a chat model and what it says: plain frozen values, the same for local and remote models."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tools", "filtered"]
"""Why a model stopped: it was done, at the limit of tokens or time (`length`), wants tools called, or its provider cut it off."""


class Picture(Struct, frozen=True, kw_only=True):
    """An image's bytes as they were sent, of the `media_type` that its content has."""

    data: bytes
    media_type: str


class Tool(Struct, frozen=True, kw_only=True):
    """Something that a model may ask to be called. `parameters` is a JSON Schema of type `object`."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Struct, frozen=True, kw_only=True):
    """A model's wish. `arguments` fulfil the tool's schema: calls that do not never leave the model."""

    id: str
    name: str
    arguments: dict[str, Any]


class ChatMessage(Struct, frozen=True, kw_only=True):
    """`calls` are an assistant's; a message of the role `tool` answers the call of the id `call`."""

    role: Role
    text: str = ""
    pictures: tuple[Picture, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call: str | None = None


class ChatRequest(Struct, frozen=True, kw_only=True):
    """One completion.

    `temperature` 0 is greedy. With a `schema` (JSON Schema) the answer is JSON that fulfils it. `seconds` limits the whole call,
    `conversation` is whom its cost is booked on.
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    schema: dict[str, Any] | None = None
    seconds: float = 60.0
    conversation: str = ""

    @classmethod
    def of(cls, text: str, *, system: str = "", **options: Any) -> "ChatRequest":
        """A request of one user message, behind a system message if there is one."""
        said = [ChatMessage(role="system", text=system)] if system else []
        return cls(messages=(*said, ChatMessage(role="user", text=text)), **options)


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens, and what they cost in the currency of the configured prices."""

    prompt: int = 0
    completion: int = 0
    cost: float = 0.0


class ChatResult(Struct, frozen=True, kw_only=True):
    """`data` is the parsed answer where the request had a `schema`. `model` is who answered, a fallback perhaps."""

    text: str
    model: str
    finish: Finish = "stop"
    calls: tuple[ToolCall, ...] = ()
    data: Any = None
    usage: Usage = Usage()


class ChatPiece(Struct, frozen=True, kw_only=True):
    """A piece of a streamed answer. The last one has no text but the whole `result`."""

    text: str = ""
    result: ChatResult | None = None


def words(messages: Sequence[ChatMessage]) -> int:
    """The characters of all messages, to refuse at once what can fit into no model."""
    return sum(len(message.text) for message in messages)
