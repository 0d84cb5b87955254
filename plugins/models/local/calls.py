"""Calls of tools in the text of a model, in the forms that the families were trained to write.

| family | form |
|---|---|
| any tokenizer with a response template | whatever the template says (`tokenizer.parse_response`) |
| Qwen 2.5 and 3, Hermes | `<tool_call>{"name": …, "arguments": {…}}</tool_call>` |
| Qwen 3 Coder, 3.5 | `<tool_call><function=name><parameter=key>value</parameter></function></tool_call>` |
| Llama 3 | `{"name": …, "parameters": {…}}`, perhaps behind `<|python_tag|>`; `<function=name>{…}</function>` |
| Mistral | `[TOOL_CALLS][{"name": …, "arguments": {…}}]`, `[TOOL_CALLS]name[ARGS]{…}`, `[TOOL_CALLS]name{…}` |
| Gemma 4, FunctionGemma | `<|tool_call>call:name{key:<|"|>value<|"|>}<tool_call|>`, `<start_function_call>…` |
| Gemma 3, Llama 4 | ```` ```tool_code name(key="value") ``` ````, `[name(key="value")]` |
"""

import ast
import json
import re
import secrets
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from frontdesk.core.chat import Tool, ToolCall
from frontdesk.plugins.models import checked
from frontdesk.plugins.models.checked import Unfit

Wish = tuple[str, Any]
"""The name of a tool, and its arguments: JSON, or parsed already."""

MAX_CALLS = 32
MAX_CHARACTERS = 100_000

_FENCE = re.compile(r"```(?:tool_code|tool_call|json|python)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_NAMED = re.compile(r"\s*([\w.-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(\{.*)\Z", re.DOTALL)
_GAP = re.compile(r"[\s;,]*")
_LAX = re.compile(r"\s*call:([\w.-]+)\s*(\{.*\})\s*\Z", re.DOTALL)


def parse(text: str, tools: Sequence[Tool], tokenizer: Any = None, prefix: str = "") -> tuple[str, tuple[ToolCall, ...]]:
    """What a model says beside its calls, and the calls; `text` has its special tokens, `prefix` is the end of the prompt.

    Raises `Unfit`, in words for the model, if a call cannot be understood or does not fulfil the tool's schema.
    """
    if len(text) > MAX_CHARACTERS:
        raise Unfit(f"is longer than {MAX_CHARACTERS} characters")
    said, wishes = _by_template(text, tools, tokenizer, prefix) or _by_family(text, tools)
    if len(wishes) > MAX_CALLS:
        raise Unfit(f"more than {MAX_CALLS} tools are called at once")
    return said, tuple(checked.tool_call(_id(), name, _typed(name, given, tools), tools) for name, given in wishes)


def _id() -> str:
    """Nine letters and digits: Mistral's templates take no other."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(9))


def _by_template(text: str, tools: Sequence[Tool], tokenizer: Any, prefix: str) -> tuple[str, list[Wish]] | None:
    if getattr(tokenizer, "response_template", None) is None:
        return None
    try:
        message = tokenizer.parse_response(text, prefix=prefix, tools=[described(tool) for tool in tools])
        calls = [call.get("function", call) for call in message.get("tool_calls") or []]
        return message.get("content") or "", [(call["name"], call.get("arguments") or {}) for call in calls]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # what the template does not understand, the families' forms may


def described(tool: Tool) -> dict[str, Any]:
    """A tool as chat templates take it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _by_family(text: str, tools: Sequence[Tool]) -> tuple[str, list[Wish]]:
    for pattern, read in _MARKED:
        found = list(pattern.finditer(text))
        if found:
            wishes = [wish for match in found for wish in read(match[1], tools)]
            return pattern.sub("", text).strip(), wishes
    if functions := [(match[1], _parameters(match[2])) for match in _FUNCTION.finditer(text)]:
        return _FUNCTION.sub("", text).strip(), functions
    names = {tool.name for tool in tools}
    fenced = _FENCE.search(text)
    for body, rest in ((text, ""), (fenced[1], _FENCE.sub("", text).strip()) if fenced else ("", "")):
        wishes = list(_unmarked(body.strip(), names))
        if wishes:
            return rest, wishes
    return text, []


def _in_json(body: str, tools: Sequence[Tool]) -> list[Wish]:
    """Within a mark that says that there is a call: what is not understood is a mistake of the model's."""
    if functions := [(match[1], _parameters(match[2])) for match in _FUNCTION.finditer(body)]:
        return functions
    wishes = list(_from_json(body))
    if not wishes:
        raise Unfit('a call of a tool must be JSON like {"name": "...", "arguments": {...}}')
    return wishes


def _mistral(body: str, tools: Sequence[Tool]) -> list[Wish]:
    named = _NAMED.match(body)
    return [(named[1], named[2].strip())] if named else _in_json(body, tools)


def _llama(body: str, tools: Sequence[Tool]) -> list[Wish]:
    calls = list(_from_python(body.strip().replace(".call(", "(")))
    return calls or _in_json(body, tools)


def _gemma(body: str, tools: Sequence[Tool]) -> list[Wish]:
    """Keys without quotation marks, strings between marks of their own."""
    if (call := _LAX.match(body)) is None:
        return _in_json(body, tools)
    strings: list[str] = []

    def keep(match: re.Match[str]) -> str:
        strings.append(match[1])
        return f'"\x00{len(strings) - 1}"'

    plain = re.sub(r"(?:<escape>|<\|\"\|>)(.*?)(?:<escape>|<\|\"\|>)", keep, call[2].replace("\x00", ""), flags=re.DOTALL)
    plain = re.sub(r"([{,]\s*)([A-Za-z_]\w*)\s*:", r'\1"\2":', plain)
    return [(call[1], re.sub(r'"\\?\x00(\d+)"', lambda match: json.dumps(strings[int(match[1])]), plain))]


_MARKED: tuple[tuple[re.Pattern[str], Callable[[str, Sequence[Tool]], list[Wish]]], ...] = (
    (re.compile(r"<tool_call>(.*?)(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL), _in_json),
    (re.compile(r"\[TOOL_CALLS\](.*?)(?=\[TOOL_CALLS\]|</s>|\Z)", re.DOTALL), _mistral),
    (re.compile(r"<\|python_tag\|>(.*?)(?:<\|eom_id\|>|<\|eot_id\|>|\Z)", re.DOTALL), _llama),
    (re.compile(r"<\|tool_call>(.*?)(?:<tool_call\|>|(?=<\|tool_call>)|\Z)", re.DOTALL), _gemma),
    (re.compile(r"<start_function_call>(.*?)(?:<end_function_call>|(?=<start_function_call>)|\Z)", re.DOTALL), _gemma),
)


def _unmarked(body: str, names: set[str]) -> Iterator[Wish]:
    """A whole answer that is nothing but calls. JSON that names no tool is an answer, not a mistake."""
    wishes = list(_from_json(body)) or list(_from_python(body))
    if wishes and all(name in names for name, _ in wishes):
        yield from wishes


def _from_json(body: str) -> Iterator[Wish]:
    decoder = json.JSONDecoder()
    place = 0
    while place < len(body):
        try:
            data, place = decoder.raw_decode(body, _GAP.match(body, place).end())  # type: ignore[union-attr]
        except (ValueError, RecursionError):
            return
        for call in data if isinstance(data, list) else [data]:
            if isinstance(call, dict) and isinstance(call.get("function"), dict):
                call = call["function"]  # noqa: PLW2901
            if not isinstance(call, dict) or not isinstance(call.get("name"), str):
                return
            yield call["name"], next((call[key] for key in ("arguments", "parameters") if call.get(key) is not None), {})


def _from_python(body: str) -> Iterator[Wish]:
    if not re.match(r"\[?\s*(?:print\()?[A-Za-z_][\w.]*\(", body):
        return
    try:
        tree = ast.parse(body, mode="eval").body
        for call in tree.elts if isinstance(tree, ast.List) else [tree]:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print" and call.args:
                call = call.args[0]  # noqa: PLW2901
            if not isinstance(call, ast.Call) or call.args:
                return
            arguments = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg is not None}
            yield ast.unparse(call.func), arguments
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return


def _parameters(body: str) -> Any:
    return body.strip() if body.lstrip().startswith("{") else {match[1]: match[2] for match in _PARAMETER.finditer(body)}


def _typed(name: str, given: Any, tools: Sequence[Tool]) -> Any:
    """Values from between tags are text; the tool's schema says which of them are numbers and so on."""
    if not isinstance(given, dict):
        return given if isinstance(given, str) else json.dumps(given)
    schema = next((tool.parameters for tool in tools if tool.name == name), {})
    properties = schema.get("properties")
    return {key: _value(value, properties.get(key) if isinstance(properties, dict) else None) for key, value in given.items()}


def _value(value: Any, schema: Any) -> Any:
    if not isinstance(value, str) or not isinstance(schema, dict):
        return value
    kinds = schema.get("type")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds) if isinstance(kinds, list) else set()
    if not kinds or "string" in kinds:
        return value
    try:
        return json.loads(value.strip().lower() if kinds & {"boolean", "null"} else value)
    except (ValueError, RecursionError):
        return value
