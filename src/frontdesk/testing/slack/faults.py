"""What goes wrong on purpose."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(kw_only=True)
class Fault:
    """`method` is a pattern such as `chat.*`; `download` and `upload` are the addresses of files.

    `delay` seconds come before everything. Then the connection is cut (`drop`), or the call is answered with an error code, or
    with an HTTP status. `lost`: the call is carried out, and the answer never arrives.
    """

    method: str
    times: int
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    delay: float = 0
    drop: bool = False
    lost: bool = False

    @property
    def answers(self) -> bool:
        """Whether the call itself is not carried out."""
        return self.drop or self.error is not None or self.status is not None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of the Web API that was carried out or refused. `at` is the event loop's clock."""

    method: str
    team: str | None
    arguments: dict[str, Any]
    ok: bool
    at: float


class Faults:
    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        self._planned.append(fault)

    def clear(self) -> None:
        self._planned.clear()

    def next(self, method: str) -> Fault | None:
        """The fault that this call meets, counted."""
        for fault in self._planned:
            if fnmatchcase(method, fault.method):
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None
