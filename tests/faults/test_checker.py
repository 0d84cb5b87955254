"""The checker itself: each fault that it looks for is found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .harness import Customers, Platform, Received, check


class Nowhere(Platform):
    """Customer 0 has written 1, 2 and 3, and all was acknowledged."""

    channel = "nowhere:channel"

    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        return {}

    async def stop(self) -> None: ...

    async def write(self, customer: int, text: str) -> None: ...

    def acknowledged(self) -> set[tuple[int, str]]:
        return {(0, "1"), (0, "2"), (0, "3")}


GOOD = [("1 1", "a", 0), ("2 3", "b", 0), ("3 6", "c", 0)]


@pytest.mark.parametrize(
    ("replies", "fault"),
    [
        (GOOD, None),
        ([*GOOD[:2], ("2 3", "b", 1), GOOD[2]], None),
        (GOOD[:2], "lost"),
        ([*GOOD, ("4 10", "d", 0)], "unexpected"),
        ([*GOOD[:2], ("2 3", "b", 0), GOOD[2]], "too_often"),
        ([*GOOD[:2], ("2 3", "b", 1), ("2 3", "b", 1), GOOD[2]], "too_often"),
        ([*GOOD[:2], ("2 3", "x", 1), GOOD[2]], "wrong_key"),
        ([GOOD[0], ("3 4", "c", 0), ("2 6", "b", 0)], "disordered"),
        ([GOOD[0], ("2 2", "b", 0), GOOD[2]], "wrong_state"),
    ],
)
def test_the_checker_finds(replies: list[tuple[str, str, int]], fault: str | None) -> None:
    platform = Nowhere()
    platform.kills = 2
    platform.received = [Received(0, *reply) for reply in replies]
    customers = Customers(platform, 1)
    customers.attempted[0] = [1, 2, 3]
    report = check(customers, platform)
    faults = ("lost", "unexpected", "too_often", "wrong_key", "disordered", "wrong_state")
    found = {name for name in faults if getattr(report, name)}
    if fault is None:
        report.assert_sound()
        assert not found
    else:
        assert fault in found
        with pytest.raises(AssertionError):
            report.assert_sound()
