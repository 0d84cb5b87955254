"""What each service takes of OpenAI's protocol. Nothing else in this package knows a service by name.

Everything that a service is sent beyond `model`, `messages`, `stream`, `max_tokens` and `tools` is here. A field that a service
refuses all the same is left out from then on, see `refused_field` of `failures`.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from frontdesk.core.errors import ConfigurationError
from frontdesk.plugins.models.remote import google
from frontdesk.plugins.models.settings import Remote, RemoteOptions

SAMPLING = frozenset({"temperature", "top_p", "stop", "seed"})
EVERYTHING = SAMPLING | {"tool_choice", "stream_options"}

SEEING = re.compile(r"llava|pixtral|vision|minicpm-v|gemma-?[34]|llama-?4|(?<![a-z])vl(?![a-z])", re.IGNORECASE)
"""Names of open models that take pictures."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """`base_url` None must be configured.

    `fields` are the optional ones of a chat completion that are sent, `limit` is the name that `max_tokens` has, `schema` the
    form of `response_format`: OpenAI's, flat (`{"type": "json_object", "schema": ...}`), or none: then it is told in words. With
    `plain_schemas` only the keywords of an OpenAPI schema are sent. `seeing` matches the names of models that take pictures.
    `verbose` says that transcriptions come with segments. `deployments`: models are deployments in the path, as on Azure.
    `google`: without a key, the machine's own credentials do.
    """

    base_url: str | None
    needs_key: bool = False
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    fields: frozenset[str] = EVERYTHING
    schema: Literal["openai", "flat"] | None = "openai"
    schema_with_tools: bool = True
    plain_schemas: bool = False
    seeing: re.Pattern[str] = SEEING
    verbose: bool = True
    deployments: bool = False
    google: bool = False


PRESETS: dict[Remote, Preset] = {
    # https://platform.openai.com/docs/api-reference/chat/create: max_tokens is deprecated, and reasoning models refuse it.
    "openai": Preset(
        base_url="https://api.openai.com/v1",
        needs_key=True,
        limit="max_completion_tokens",
        seeing=re.compile(r"gpt-4o|gpt-4\.1|gpt-[5-9]|^o[1-9]|chatgpt", re.IGNORECASE),
    ),
    # https://learn.microsoft.com/azure/ai-foundry/openai/reference: the key goes into the header `api-key`, the version of the
    # interface into the query, and the model is the name of a deployment, in the path.
    "azure": Preset(
        base_url=None,
        needs_key=True,
        limit="max_completion_tokens",
        seeing=re.compile(r"gpt-4o|gpt-4\.1|gpt-[5-9]|^o[1-9]", re.IGNORECASE),
        deployments=True,
    ),
    # https://ai.google.dev/gemini-api/docs/openai. What it does not know it refuses with 400, `Unknown name "seed": Cannot find
    # field.` (github.com/mcpchecker/mcpchecker/pull/188), `additionalProperties` and `const` in tools too
    # (github.com/musistudio/claude-code-router/issues/187, github.com/zed-industries/zed/issues/44875).
    "gemini": Preset(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        needs_key=True,
        fields=EVERYTHING - {"seed"},
        plain_schemas=True,
        seeing=re.compile("gemini|gemma", re.IGNORECASE),
    ),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/migrate/openai/overview: "any unsupported parameter is ignored".
    # The key is an access token, which lasts an hour.
    "vertex": Preset(
        base_url=None, needs_key=True, plain_schemas=True, seeing=re.compile("gemini|gemma", re.IGNORECASE), google=True
    ),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    "vllm": Preset(base_url="http://localhost:8000/v1"),
    # https://docs.ollama.com/api/openai-compatibility: no tool_choice; ChatCompletionRequest in its openai/openai.go.
    "ollama": Preset(base_url="http://localhost:11434/v1", fields=EVERYTHING - {"tool_choice"}, verbose=False),
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md documents the flat form; OpenAI's was refused
    # (issue 11847), and a schema beside tools still is: "Cannot use custom grammar constraints with tools."
    "llama.cpp": Preset(base_url="http://localhost:8080/v1", schema="flat", schema_with_tools=False),
    # UNUSED_CHAT_COMPLETION_FIELDS in transformers/cli/serving/chat_completion.py; transcriptions are plain text.
    "transformers": Preset(base_url="http://localhost:8000/v1", fields=SAMPLING, schema=None, verbose=False),
    "compatible": Preset(base_url=None),
}


def checked_address(preset: Preset, options: RemoteOptions, *, provider: str, section: str) -> str:
    """The service's address. Raises `ConfigurationError` for what is missing or wrong, and names the setting."""
    address = options.base_url or preset.base_url
    if address is None:
        raise ConfigurationError(f"{section}.base_url: {provider} needs the address of the service")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{section}.base_url: write the whole address, such as https://host/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"{section}.base_url: an address alone, please; the key belongs into {section}.api_key")
    if preset.needs_key and not key_of(options) and not (preset.google and google.installed()):
        own = ": an access token, or nothing and `pip install google-auth requests`" if preset.google else ""
        raise ConfigurationError(f"{section}.api_key: {provider} needs a key{own}")
    if preset.deployments and not options.api_version:
        raise ConfigurationError(f"{section}.api_version: azure needs the version of its interface, such as 2024-10-21")
    if options.daily_budget is not None and not (options.input_price or options.output_price):
        raise ConfigurationError(f"{section}.daily_budget: set input_price and output_price too, or nothing is ever counted")
    return address.rstrip("/")


def key_of(options: RemoteOptions) -> str:
    return options.api_key.get_secret_value().strip() if options.api_key else ""


NOT_IN_OPENAPI = frozenset(
    {"$schema", "$id", "$comment", "additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames"}
    | {"examples", "uniqueItems", "dependentRequired"}
)


def plain(schema: Any) -> Any:
    """The schema in OpenAPI's keywords, as Google's interfaces take them: a little wider, for answers are checked here."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "const":
            made["enum"] = [value]
        elif keyword in ("properties", "$defs"):
            made[keyword] = {name: plain(inner) for name, inner in value.items()}
        elif keyword in ("enum", "required", "default"):
            made[keyword] = value
        elif keyword not in NOT_IN_OPENAPI:
            made[keyword] = plain(value)
    return made


STRICT = frozenset(
    {"type", "properties", "required", "additionalProperties", "enum", "const", "items", "description", "title", "anyOf"}
    | {"$defs", "$ref", "pattern", "format", "minimum", "maximum", "minItems", "maxItems"}
)


def strict(schema: Any) -> bool:
    """Whether OpenAI takes the schema as a strict one. https://platform.openai.com/docs/guides/structured-outputs"""
    if isinstance(schema, list):
        return all(strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if not schema.keys() <= STRICT:
        return False
    named = schema.get("properties", {})
    if ("properties" in schema or schema.get("type") == "object") and (
        schema.get("additionalProperties") is not False or set(schema.get("required", ())) != named.keys()
    ):
        return False
    inner = [*named.values(), *schema.get("$defs", {}).values(), schema.get("items"), *schema.get("anyOf", ())]
    return all(strict(value) for value in inner)


def response_format(preset: Preset, schema: dict[str, Any], *, tools: bool) -> dict[str, Any] | None:
    """None where the schema can only be told in words."""
    if preset.schema is None or (tools and not preset.schema_with_tools):
        return None
    sent = plain(schema) if preset.plain_schemas else schema
    if preset.schema == "flat":
        return {"type": "json_object", "schema": sent}
    if schema.get("type") != "object":
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": sent, "strict": strict(sent)}}
