"""What the services take, and how they refuse the rest: from their documentation and sources, as named in each comment."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Body = dict[str, Any]

KNOWN = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "stop",
        "seed",
    }
    | {"tools", "tool_choice", "response_format", "parallel_tool_calls", "n", "user", "reasoning_effort"}
)


class Refusal(Exception):
    """An answer with an error."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None, type: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = type or ("invalid_request_error" if status < 500 else "server_error")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """`check` raises `Refusal`. `error` makes the body of one.

    `done`: streams end with `[DONE]`. `usage`: streamed only if `stream_options` ask for it, or always. `calls`: streamed in
    pieces, or each whole, in one chunk or in several that all have the index 0.
    """

    path: str
    check: Callable[[Body], None]
    error: Callable[[Refusal], Any]
    too_long: Callable[[int, int], Refusal]
    key_header: str = "Authorization"
    wrong_key: tuple[int, str] = (401, "Incorrect API key provided.")
    unknown_model: Callable[[str], Refusal] = lambda model: Refusal(
        404, f"The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
    )
    done: bool = True
    usage: Literal["asked", "always"] = "asked"
    calls: Literal["pieces", "whole", "index 0"] = "pieces"


def _openai_error(refusal: Refusal) -> Any:
    return {"error": {"message": refusal.message, "type": refusal.type, "param": refusal.param, "code": refusal.code}}


def _google_error(refusal: Refusal) -> Any:
    status = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(refusal.status, "INTERNAL")
    return [{"error": {"code": refusal.status, "message": refusal.message, "status": status}}]


def _llama_error(refusal: Refusal) -> Any:
    return {"error": {"code": refusal.status, "message": refusal.message, "type": refusal.type}}


def _detail(refusal: Refusal) -> Any:
    return {"detail": refusal.message}


def _openai(body: Body) -> None:
    """https://platform.openai.com/docs/api-reference/chat/create"""
    for field in sorted(body.keys() - KNOWN):
        raise Refusal(400, f"Unknown parameter: '{field}'.", code="unknown_parameter", param=field)
    if re.match(r"o\d|gpt-5", body["model"]):
        if "max_tokens" in body:
            raise Refusal(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                code="unsupported_parameter",
                param="max_tokens",
            )
        for field in ("temperature", "top_p"):
            if body.get(field, 1) != 1:
                raise Refusal(
                    400,
                    f"Unsupported value: '{field}' does not support {body[field]} with this model. "
                    "Only the default (1) value is supported.",
                    code="unsupported_value",
                    param=field,
                )
    if "stream_options" in body and not body.get("stream"):
        raise Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options")
    if "tool_choice" in body and not body.get("tools"):
        raise Refusal(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        raise Refusal(400, "Invalid 'stop': array too long. Expected an array with maximum length 4.", param="stop")
    form = body.get("response_format")
    if form and form.get("type") == "json_schema":
        wanted = form.get("json_schema") or {}
        if not wanted.get("name") or wanted.get("schema", {}).get("type") != "object":
            raise Refusal(400, "Invalid schema for response_format: schema must be a JSON Schema of 'type: \"object\"'.")
        if wanted.get("strict") and not all(_closed(schema) for schema in _schemas(wanted["schema"])):
            raise Refusal(400, "Invalid schema for response_format 'answer': 'additionalProperties' is required to be false.")
    elif form and set(form) != {"type"}:
        raise Refusal(
            400, "Unknown parameter: 'response_format.schema'.", code="unknown_parameter", param="response_format.schema"
        )


def _closed(schema: Body) -> bool:
    if schema.get("type") != "object":
        return True
    return schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(schema.get("properties", ()))


def _schemas(value: Any) -> Iterator[Body]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)


def _gemini(body: Body) -> None:
    """Refuses unknown names, also in the schemas of tools: github.com/Vali-98/ChatterUI/issues/227,
    github.com/openswarm-ai/openswarm/issues/24"""
    unknown = sorted(body.keys() - (KNOWN - {"seed", "user"}))
    if unknown:
        raise Refusal(
            400, "\n".join(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.' for name in unknown)
        )
    for tool in body.get("tools", ()):
        for schema in _schemas(tool["function"]["parameters"]):
            for name in ("additionalProperties", "$schema", "const", "propertyNames"):
                if name in schema:
                    where = "tools[0].function_declarations[0].parameters"
                    raise Refusal(400, f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.")


def _anything(body: Body) -> None:
    """Vertex: "any unsupported parameter is ignored". vLLM allows more fields, too."""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema" and not form.get("json_schema"):
        raise Refusal(400, "response_format.json_schema: Field required")


def _ollama(body: Body) -> None:
    """openai/openai.go of github.com/ollama/ollama: FromChatRequest"""
    for message in body["messages"]:
        content = message.get("content")
        if content is None and not message.get("tool_calls"):
            raise Refusal(400, "invalid message content type: <nil>")
        for part in content if isinstance(content, list) else ():
            url = part["image_url"]["url"] if part["type"] == "image_url" else "data:image/png;base64,"
            if not re.match(r"data:(image/(jpeg|jpg|png|webp))?;base64,", url):
                raise Refusal(400, "invalid image input")
        for call in message.get("tool_calls") or ():
            try:
                json.loads(call["function"]["arguments"])
            except ValueError:
                raise Refusal(400, "invalid tool call arguments") from None


def _llama(body: Body) -> None:
    """tools/server/README.md of github.com/ggml-org/llama.cpp; its issue 11847 for OpenAI's form of a schema."""
    form = body.get("response_format") or {}
    if form and form.get("type") not in ("text", "json_object", "json_schema"):
        raise Refusal(400, f'response_format type must be one of "text" or "json_object", but got: {form.get("type")}')
    if "json_schema" in form:
        raise Refusal(400, 'Either "json_schema" or "grammar" can be specified, but not both')
    if form.get("schema") and body.get("tools"):
        raise Refusal(400, "Cannot use custom grammar constraints with tools.")
    if not isinstance(body.get("tool_choice", "auto"), str):
        raise Refusal(400, "Invalid tool_choice")


TRANSFORMERS_FIELDS = KNOWN | {"generation_config", "chat_template_kwargs", "frequency_penalty", "logit_bias"}


def _transformers(body: Body) -> None:
    """transformers/cli/serving: BaseHandler._validate_request"""
    if unexpected := body.keys() - TRANSFORMERS_FIELDS:
        raise Refusal(422, f"Unexpected fields in the request: {unexpected}")


def _openai_too_long(tokens: int, context: int) -> Refusal:
    words = f"This model's maximum context length is {context} tokens. However, your messages resulted in {tokens} tokens."
    return Refusal(400, words, code="context_length_exceeded", param="messages")


def _google_too_long(tokens: int, context: int) -> Refusal:
    return Refusal(400, f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({context}).")


def _llama_too_long(tokens: int, context: int) -> Refusal:
    words = f"request ({tokens} tokens) exceeds the available context size ({context} tokens), try increasing it"
    return Refusal(400, words, type="exceed_context_size_error")


DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(path="/v1", check=_openai, error=_openai_error, too_long=_openai_too_long),
    "azure": Dialect(
        path="/openai",
        check=_openai,
        error=_openai_error,
        too_long=_openai_too_long,
        key_header="api-key",
        wrong_key=(401, "Access denied due to invalid subscription key or wrong API endpoint."),
        unknown_model=lambda _: Refusal(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound"),
    ),
    "gemini": Dialect(
        path="/v1beta/openai",
        check=_gemini,
        error=_google_error,
        too_long=_google_too_long,
        wrong_key=(400, "API key not valid. Please pass a valid API key."),
        unknown_model=lambda model: Refusal(404, f"models/{model} is not found for API version v1main."),
        calls="index 0",
    ),
    "vertex": Dialect(
        path="/v1/projects/shop/locations/global/endpoints/openapi",
        check=_anything,
        error=_google_error,
        too_long=_google_too_long,
        wrong_key=(401, "Request had invalid authentication credentials."),
        calls="whole",
    ),
    "vllm": Dialect(path="/v1", check=_anything, error=_openai_error, too_long=_openai_too_long),
    "ollama": Dialect(
        path="/v1",
        check=_ollama,
        error=_openai_error,
        too_long=_llama_too_long,
        unknown_model=lambda model: Refusal(404, f'model "{model}" not found, try pulling it first', type="not_found_error"),
        calls="whole",
    ),
    "llama.cpp": Dialect(path="/v1", check=_llama, error=_llama_error, too_long=_llama_too_long),
    "transformers": Dialect(
        path="/v1",
        check=_transformers,
        error=_detail,
        too_long=lambda tokens, context: Refusal(500, "Internal Server Error"),
        done=False,
        usage="always",
        calls="whole",
    ),
    "compatible": Dialect(path="/v1", check=_anything, error=_openai_error, too_long=_openai_too_long),
}
