"""From messages to the token ids that a model reads.

Models with a chat template get the messages by it. T5 and its like have none: their prompt is the texts of the messages, one
paragraph each, so that a single message is read exactly as it was written, without a word around it.

What customers write can never act as a special token: with `</s>` or `<|im_end|>` in a text, anybody could speak for the shop.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from frontdesk.core.chat import ChatMessage, ChatRequest, Tool, ToolCall, words
from frontdesk.core.errors import PromptRejected
from frontdesk.plugins.models.local.calls import described
from frontdesk.plugins.models.local.engine import Prompt

CHARACTERS_PER_TOKEN = 12
"""More than this is no text in any language: so many characters are refused without counting their tokens."""

ASK_FOR_JSON = "Answer with JSON only, without any other words. It must fulfil this JSON Schema:\n{schema}"
ASK_FOR_CALL = "You must call one of the tools."
TELL_TOOLS = (
    "You can call these tools:\n{tools}\n"
    'To call one, answer with nothing but JSON: {{"name": "<name of the tool>", "arguments": {{<its arguments>}}}}'
)


class Prompter(Protocol):
    """Blocks for milliseconds, or longer with pictures: called in a thread."""

    @property
    def tools(self) -> bool:
        """Whether the model can be told of tools."""

    def encode(self, request: ChatRequest) -> tuple[Prompt, str]:
        """What the model reads, and the end of it as text. Raises `PromptRejected` for what it can never read."""


def check(request: ChatRequest, context: int) -> None:
    """Refuses what is empty or hopelessly long, before any work is done on it. Raises `PromptRejected`."""
    if not any(message.text.strip() or message.pictures or message.calls for message in request.messages):
        raise PromptRejected("the prompt is empty")
    if request.max_tokens < 1:
        raise PromptRejected(f"an answer of max_tokens = {request.max_tokens} is none")
    characters = words(request.messages) + sum(len(json.dumps(tool.parameters)) for tool in request.tools)
    if characters > context * CHARACTERS_PER_TOKEN:
        raise PromptRejected(f"the prompt has {characters} characters, and the model reads {context} tokens")


def instructed(request: ChatRequest) -> ChatRequest:
    """The request with what it asks for put into words: a schema, and a call that must be made."""
    asks = []
    if request.schema is not None:
        asks.append(ASK_FOR_JSON.format(schema=json.dumps(request.schema, ensure_ascii=False)))
    if request.tools and request.tool_choice == "required":
        asks.append(ASK_FOR_CALL)
    return replace(request, messages=with_system(request.messages, "\n\n".join(asks))) if asks else request


def with_system(messages: Sequence[ChatMessage], text: str) -> tuple[ChatMessage, ...]:
    first = messages[0] if messages else None
    if first is not None and first.role == "system":
        return (replace(first, text=f"{first.text}\n\n{text}"), *messages[1:])
    return (ChatMessage(role="system", text=text), *messages)


class PlainPrompter:
    """For models without a chat template."""

    tools = False

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        texts = {text for text in (*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()) if re.fullmatch(r"\S{2,}", text)}
        self._special = re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True)))) if texts else None

    def encode(self, request: ChatRequest) -> tuple[Prompt, str]:
        if any(message.pictures for message in request.messages):
            raise PromptRejected("the model cannot see pictures")
        if request.tools and request.tool_choice != "none":
            raise PromptRejected("the model has no chat template and cannot call tools")
        # The instructions of a schema are put behind the question: models of this kind go by what was said last.
        messages = request.messages
        if request.schema is not None and messages[0].role == "system":
            messages = (*messages[1:], messages[0])
        text = "\n\n".join(message.text for message in messages if message.text.strip())
        return Prompt(ids=tuple(self._tokenizer(self._harmless(text)).input_ids)), ""

    def _harmless(self, text: str) -> str:
        """A space is put into every special token: a unigram model finds them even where they are not looked for."""
        while self._special is not None and self._special.search(text):
            text = self._special.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
        return text


class TemplatePrompter:
    """For models with a chat template. `tools` are told in words where the template does not know them."""

    tools = True

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # Some models have several templates, one of them for tools.
        self._knows_tools = re.search(r"\btools\b", tokenizer.get_chat_template(tools=[{}])) is not None

    def encode(self, request: ChatRequest) -> tuple[Prompt, str]:
        """Some templates know no system message, no tools, or only users and assistants in turn, and say so by an error: they
        get the same words in the roles that they know.
        """
        from jinja2 import TemplateError

        if any(message.pictures for message in request.messages):
            raise PromptRejected("the model cannot see pictures")
        tools = request.tools if request.tool_choice != "none" else ()
        told = tools_in_words(request.messages, tools)
        attempts: list[tuple[Sequence[ChatMessage], Sequence[Tool]]] = [(told, ()), (in_turn(told), ())]
        if self._knows_tools or not tools:
            attempts.insert(0, (request.messages, tools))
        problem: Exception | None = None
        for messages, offered in attempts:
            try:
                ids = self._rendered(messages, offered)
            except (TemplateError, TypeError, KeyError, ValueError) as error:
                problem = error
            else:
                return Prompt(ids=ids), self._tokenizer.decode(ids[-64:])
        raise PromptRejected(f"the model's chat template does not take these messages ({type(problem).__name__})")

    def _rendered(self, messages: Sequence[ChatMessage], tools: Sequence[Tool]) -> tuple[int, ...]:
        ids = self._tokenizer.apply_chat_template(
            [as_template_takes_it(message) for message in messages],
            tools=[described(tool) for tool in tools] or None,
            add_generation_prompt=True,
            sanitize_control_tokens=True,
            enable_thinking=False,
            return_dict=False,
        )
        return tuple(ids)


def as_template_takes_it(message: ChatMessage) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        entry["tool_calls"] = [
            {"id": short_id(call.id), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.call is not None:
        entry["tool_call_id"] = short_id(message.call)
    return entry


def short_id(call: str) -> str:
    """Nine letters and digits, as Mistral's templates demand: calls may be another model's, with longer names."""
    return call if len(call) == 9 and call.isalnum() else hashlib.sha256(call.encode()).hexdigest()[:9]


def tools_in_words(messages: Sequence[ChatMessage], tools: Sequence[Tool]) -> tuple[ChatMessage, ...]:
    """For templates without tools: what there are, what was called, and what came of it."""
    told = tuple(
        ChatMessage(role="user", text=f"The tool's result:\n{message.text}")
        if message.role == "tool"
        else ChatMessage(
            role=message.role,
            text="\n".join([message.text, *map(_call_in_words, message.calls)]).strip(),
            pictures=message.pictures,
        )
        for message in messages
    )
    if not tools:
        return told
    listed = "\n".join(json.dumps(described(tool)["function"], ensure_ascii=False) for tool in tools)
    return with_system(told, TELL_TOOLS.format(tools=listed))


def _call_in_words(call: ToolCall) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)


def in_turn(messages: Iterable[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Users and assistants in turn, a user first: what the system says goes to the front of the first user's message."""
    turns: list[ChatMessage] = []
    for message in messages:
        role = "user" if message.role == "system" else message.role
        if turns and turns[-1].role == role:
            before = turns[-1]
            turns[-1] = replace(before, text=f"{before.text}\n\n{message.text}", pictures=(*before.pictures, *message.pictures))
        elif turns or role == "user":
            turns.append(ChatMessage(role=role, text=message.text, pictures=message.pictures))
        else:
            turns += [ChatMessage(role="user", text="…"), ChatMessage(role=role, text=message.text)]
    return tuple(turns)
