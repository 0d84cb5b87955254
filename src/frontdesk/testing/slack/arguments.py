"""Arguments of the Web API's methods, which come as JSON or in a form."""

import json
from collections.abc import Callable
from typing import Any

from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.workspace import Workspace

Method = Callable[[Workspace, dict[str, Any]], dict[str, Any]]


def structure(value: Any) -> Any:
    """What may have come as JSON in a string. Raises `SlackError`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise SlackError("invalid_arguments") from None


def is_true(value: Any) -> bool:
    return value in (True, 1, "1", "true", "True")
