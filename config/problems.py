"""Says what is wrong with a configuration: the key, its value, who gave it, and the fix."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from frontdesk.config.settings import DELIMITER, PREFIX
from frontdesk.config.words import did_you_mean, nearest

MASK = "******"
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_SECRET_NAME = re.compile(r"(^|_)(secret|token|password|passphrase|api_key|private_key|dsn)s?($|_)", re.IGNORECASE)


def variable(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.upper().replace(".", DELIMITER)


def model_of(field: FieldInfo | None) -> type[BaseModel] | None:
    """The settings model of a field that is a section."""
    for annotation in () if field is None else (field.annotation, *get_args(field.annotation)):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
    return None


def is_secret(name: str, field: FieldInfo | None) -> bool:
    annotation = None if field is None else field.annotation
    if annotation in (int, float):
        return False  # a number of tokens
    return bool({SecretStr, SecretBytes} & {annotation, *get_args(annotation)}) or bool(_SECRET_NAME.search(name))


def masked(name: str, value: Any, field: FieldInfo | None = None) -> Any:
    """The value of a key without secrets: neither its own, nor those within it, nor the passwords in addresses."""
    match value:
        case SecretStr() | SecretBytes():
            return MASK
        case _ if value and is_secret(name, field):
            return MASK
        case Mapping():
            return {key: masked(str(key), item) for key, item in value.items()}
        case list() | tuple():
            return [masked("", item) for item in value]
        case str():
            return _PASSWORD_IN_URL.sub(MASK, value)
        case _:
            return value


def described(error: ValidationError, model: type[BaseModel], origins: Mapping[str, str]) -> list[str]:
    return [_described(details, model, origins) for details in error.errors(include_url=False)]


def mistyped_variables(names: Iterable[str], model: type[BaseModel]) -> Iterator[str]:
    """Variables that begin as ours do but name no section.

    Others set such variables too (Kubernetes: `FRONTDESK_SERVICE_HOST`), so one without levels must look like a slip.
    """
    known = model.model_fields
    for name in sorted(names):
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG":
            continue
        head, *rest = name[len(PREFIX) :].lower().split(DELIMITER)
        if head not in known and (rest or nearest(head, known, cutoff=0.8)):
            yield f"the environment variable {name}: there is no key {head!r}{did_you_mean(head, known)}"


def _described(details: ErrorDetails, model: type[BaseModel], origins: Mapping[str, str]) -> str:
    location = details["loc"]
    key = ".".join(map(str, location))
    parent, field = _find(model, location)
    name = str(location[-1]) if location else ""
    origin = _origin(key, origins)
    if details["type"] == "extra_forbidden":
        where = f", from {origin}" if origin else ""
        hint = _known(name, location[:-1], parent)
        return f"{key}{where}: there is no such key{hint}"
    named = f"{key} ({variable(_setting(model, location))})"
    about = f" ({field.description})" if field is not None and field.description else ""
    if details["type"] == "missing":
        return f"{named} is missing: set it{about}"
    secret = is_secret(name, field)
    value = MASK if secret else repr(masked(name, details["input"]))
    message = details["msg"].removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")
    if details["type"] == "string_type" and isinstance(details["input"], bool | int | float):
        message += "; put it into quotes"
    if secret and (hidden := str(details["input"])):
        message = message.replace(hidden, MASK)
    given = f" = {value[:100]}, from {origin}" if origin else f" = {value[:100]}"
    return f"{named}{given}: {message[:1].lower()}{message[1:]}{_default(field, secret)}{about}"


def _find(model: type[BaseModel], location: Sequence[int | str]) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The deepest section on the way to a location, and the field of it that the location leads into."""
    parent: type[BaseModel] | None = model
    section, field = model, None
    for part in location:
        if parent is None or (found := parent.model_fields.get(str(part))) is None:
            break
        section, field = parent, found
        parent = model_of(found)
    else:
        return section, field
    return parent, field


def _setting(model: type[BaseModel], location: Sequence[int | str]) -> str:
    """The part of a location that has an environment variable: no places in lists."""
    return ".".join(str(part) for part in location if not isinstance(part, int))


def _known(name: str, location: Sequence[int | str], parent: type[BaseModel] | None) -> str:
    if parent is None:
        return ""
    prefix = "".join(f"{part}." for part in location)
    if near := nearest(name, parent.model_fields):
        return f"; did you mean `{prefix}{near}`?"
    if not parent.model_fields:
        return f"; `{prefix.rstrip('.')}` has no settings"
    return f"; known are {', '.join(sorted(parent.model_fields))}"


def _origin(key: str, origins: Mapping[str, str]) -> str | None:
    while key:
        if key in origins:
            return origins[key]
        if within := next((origin for known, origin in origins.items() if known.startswith(f"{key}.")), None):
            return within
        key = key.rpartition(".")[0]
    return None


def _default(field: FieldInfo | None, secret: bool) -> str:
    if field is None or secret or field.is_required():
        return ""
    default: Any = field.get_default(call_default_factory=False)
    if default is None or default in ("", (), {}):
        return ""  # which may be as wrong: what else is needed is for the section to say
    return f"; the default is {default!r}" if isinstance(default, str | int | float | tuple) else f"; the default is {default}"
