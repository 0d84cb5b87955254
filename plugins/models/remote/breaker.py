"""Spares a service that is down, and whoever would wait for it."""

from collections.abc import Callable
from time import monotonic

from frontdesk.core.errors import ModelUnavailable


class Breaker:
    """Opens after `failures` in a row. After `seconds` one call is let through: it closes or opens it anew."""

    def __init__(self, name: str, *, failures: int = 5, seconds: float = 30.0, clock: Callable[[], float] = monotonic) -> None:
        self._name = name
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def open(self) -> bool:
        return self._opened is not None

    def admit(self) -> None:
        """To be followed by one of the three below. Raises `ModelUnavailable` while it is open."""
        if self._opened is None:
            return
        left = self._opened + self._seconds - self._clock()
        if left > 0 or self._probing:
            left = max(left, 1.0)
            raise ModelUnavailable(f"{self._name} has failed {self._failures} times in a row; it is left alone for now", left)
        self._probing = True

    def succeeded(self) -> None:
        self._failures = 0
        self._opened = None
        self._probing = False

    def failed(self) -> None:
        self._failures += 1
        self._probing = False
        if self._failures >= self._limit:
            self._opened = self._clock()

    def abandoned(self) -> None:
        """The call says nothing about the service: it was cancelled, or refused for what it was."""
        self._probing = False
