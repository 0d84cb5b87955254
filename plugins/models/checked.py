"""Whether what a model wrote fulfils its JSON Schema: arguments of tools, and answers.

What is wrong is said in short words that the model can mend its answer by. They are made of the schema only, never of what
was written: they may be logged, and no customer is in them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from frontdesk.core.chat import ChatRequest, Tool, ToolCall
from frontdesk.core.errors import PromptRejected

MAX_CHARACTERS = 200_000
MAX_DEPTH = 32
MAX_VALUES = 5_000
"""Of one answer, or one schema. Checking takes some ten microseconds a value, on the event loop."""

MAX_PATTERN_CHARACTERS = 10_000
"""Longer strings fail every `pattern`: an expression may take quadratic time."""

MAX_PROBLEMS = 3

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)

_TYPES = {"object": "an object", "array": "an array", "integer": "an integer", "null": "null"}


class Unfit(ValueError):
    """What a model wrote is not what it was asked for. The message tells the model what is wrong, and is safe to log."""


def check_request(request: ChatRequest) -> None:
    """Raises `PromptRejected` if one of the request's schemas is no JSON Schema (draft 2020-12), or refers to elsewhere."""
    if request.schema is not None:
        _validator(request.schema)
    for tool in request.tools:
        _validator(tool.parameters)


def answer(text: str, schema: Mapping[str, Any]) -> Any:
    """The JSON of an answer. A code fence or words around it are forgiven. Raises `Unfit`."""
    return _fit(_parsed(text), schema)


def tool_call(id: str, name: str, arguments: str | Mapping[str, Any], tools: Sequence[Tool]) -> ToolCall:
    """A call of one of `tools`. `arguments` are JSON, or parsed already; nothing means none. Raises `Unfit`."""
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        raise Unfit(f"there is no such tool; the tools are: {', '.join(tool.name for tool in tools) or 'none'}")
    try:
        data = (_parsed(arguments) if arguments.strip() else {}) if isinstance(arguments, str) else dict(arguments)
        if not isinstance(data, dict):
            raise Unfit("must be an object")
        _fit(data, tool.parameters)
    except Unfit as error:
        raise Unfit(f"arguments of {tool.name}: {error}") from None
    return ToolCall(id=id, name=name, arguments=data)


def _fit(data: Any, schema: Mapping[str, Any]) -> Any:
    _bounded(data)
    try:
        problems = list(dict.fromkeys(_problems(data, schema)))
    except RecursionError:
        raise Unfit("is nested too deeply") from None
    if problems:
        raise Unfit("; ".join(problems))
    return data


def _parsed(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise Unfit(f"is longer than {MAX_CHARACTERS} characters")
    for candidate in _candidates(text):
        try:
            return msgspec.json.decode(candidate)
        except RecursionError:
            raise Unfit("is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeEncodeError):
            continue
    raise Unfit("is no valid JSON")


def _candidates(text: str) -> Iterator[str]:
    """What may be the JSON in an answer: all of it, what is fenced, what is in the outermost brackets."""
    yield text
    if fenced := _FENCE.search(text):
        yield fenced[1]
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            yield text[start : end + 1]


def _bounded(data: Any) -> None:
    waiting = [(data, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise Unfit("is nested too deeply")
        if seen > MAX_VALUES:
            raise Unfit(f"has more than {MAX_VALUES} values")
        if isinstance(value, dict):
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list | tuple):
            waiting.extend((inner, depth + 1) for inner in value)


def _problems(data: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema.exceptions import best_match

    known = _known_names(schema)
    for error in islice(_validator(schema).iter_errors(data), MAX_PROBLEMS):
        # Of an `anyOf` that fits nowhere, what is wrong in the alternative that is nearest.
        nearest = best_match(iter([error])) or error
        yield f"{_where(nearest.absolute_path, known)}{_wrong(nearest.validator, nearest.validator_value, nearest.instance)}"


def _where(path: Sequence[str | int], known: frozenset[str]) -> str:
    """Names that the schema does not have are the model's own words, and not told."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step if step in known else '?'}" for step in path]
    return f"at ${''.join(steps)}: " if steps else ""


def _wrong(keyword: str, value: Any, instance: Any) -> str:
    match keyword:
        case "type":
            types = [value] if isinstance(value, str) else list(value)
            return f"must be {' or '.join(_TYPES.get(name, f'a {name}') for name in types)}"
        case "required":
            missing = [name for name in value if not (isinstance(instance, dict) and name in instance)]
            return f"lacks {', '.join(missing)}"
        case "enum":
            return f"must be one of {_short(value)}"
        case "const":
            return f"must be {_short(value)}"
        case "additionalProperties" | "unevaluatedProperties":
            return "has properties that the schema does not have"
        case _:
            return f"must fulfil {keyword} {_short(value)}"


def _short(value: Any, limit: int = 200) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _known_names(schema: Any) -> frozenset[str]:
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            names.update(name for name in value if isinstance(name, str))
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return frozenset(names)


def _validator(schema: Mapping[str, Any]) -> Any:
    try:
        _bounded(dict(schema))
        return _compiled(json.dumps(schema, sort_keys=True))
    except (Unfit, TypeError, ValueError, RecursionError):
        raise PromptRejected("a schema of the request is too large, or no JSON") from None


@lru_cache(128)
def _compiled(schema: str) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, ValidationError
    from jsonschema.validators import extend
    from referencing import Registry

    def pattern(validator: Any, expression: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, str) and (len(instance) > MAX_PATTERN_CHARACTERS or not re.search(expression, instance)):
            yield ValidationError("does not match")

    def unique(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
        # jsonschema's own compares each with each.
        if wanted and isinstance(instance, list) and len({_canonical(item) for item in instance}) < len(instance):
            yield ValidationError("has doubles")

    data = json.loads(schema)
    try:
        Draft202012Validator.check_schema(data)
    except SchemaError as error:
        raise PromptRejected(f"a schema of the request is no JSON Schema: see its {'.'.join(map(str, error.path))}") from None
    if _refers_elsewhere(data):
        raise PromptRejected("a schema of the request refers to another document: put it below $defs")
    checker: Any = extend(Draft202012Validator, {"pattern": pattern, "uniqueItems": unique})  # type: ignore[no-untyped-call]
    # The empty registry fetches nothing.
    return checker(data, registry=Registry())


def _refers_elsewhere(schema: Any) -> bool:
    """Whether a `$ref` is not to a place of this schema that is there."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resolver = DRAFT202012.create_resource(schema)
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for name in ("$ref", "$dynamicRef"):
                target = value.get(name)
                if not isinstance(target, str):
                    continue
                if not target.startswith("#"):
                    return True
                try:
                    _lookup(resolver, target)
                except Unresolvable:
                    return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _lookup(resource: Any, target: str) -> None:
    from referencing import Registry

    uri = resource.id() or ""
    Registry().with_resource(uri, resource).resolver(uri).lookup(target)


def _canonical(value: Any) -> str:
    """Equal for what JSON Schema calls equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(name)}:{_canonical(value[name])}' for name in sorted(value))}}}"
    return json.dumps(value)
