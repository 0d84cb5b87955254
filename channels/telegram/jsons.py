"""JSON as it comes, half emoji included: Telegram cuts texts at UTF-16 units."""

import json
from typing import Any, NoReturn

import msgspec

from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import without_surrogates


def decoded(data: bytes) -> Any:
    """Plain values, with a "?" for each lone surrogate, which msgspec refuses. Raises `InvalidInput` for what is no JSON."""
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        raise InvalidInput("the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return without_surrogates(json.loads(data, parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise InvalidInput("this is not JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
