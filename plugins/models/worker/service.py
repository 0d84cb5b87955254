"""What a model implements to live in a child process."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

Report = Callable[[str, float | None], None]
"""Tells how far the loading is: a few words, and a share between 0 and 1 where it is known."""


class Service(Protocol):
    """Made in the child by calling the class with the settings, a pydantic model.

    Calls run side by side on the child's event loop, which must never be blocked for long: the parent takes a child that gives no
    sign of life for hung. What computes goes to threads of the service's own. A call that is cancelled must stop its work.

    `ModelError` and `InvalidInput` reach the caller as they are; anything else as `ModelFailed`, by the name of its type only.
    """

    async def load(self, report: Report) -> dict[str, Any]:
        """Loads the model and returns plain facts about it, such as its context length. Raises `ConfigurationError` for good."""

    def call(self, method: str, argument: bytes) -> AsyncIterator[bytes]:
        """Answers in one or more pieces. What the bytes mean is between the service and its stub in the parent."""

    async def close(self) -> None: ...
