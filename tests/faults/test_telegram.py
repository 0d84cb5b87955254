"""SIGKILL at random moments while customers write on Telegram."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from .harness import CUSTOMERS, killed_under_load, kills, patience, stopped_under_load
from .telegram import TelegramPlatform

KILLS = kills()

pytestmark = pytest.mark.faults


@pytest.mark.timeout(patience(KILLS))
@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None], mode: Literal["polling", "webhook"]
) -> None:
    report = await killed_under_load(TelegramPlatform(mode), tmp_path, KILLS)
    record_property("report", str(report))
    report.assert_sound()
    assert report.acknowledged > KILLS * 5


@pytest.mark.timeout(patience(KILLS))
async def test_where_nothing_may_come_twice_it_is_left_to_people(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    report = await killed_under_load(TelegramPlatform("webhook"), tmp_path, KILLS, never_twice=True)
    record_property("report", str(report))
    report.assert_sound()
    assert not report.twice
    assert report.left <= KILLS * CUSTOMERS
    assert report.acknowledged > KILLS * 5


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_shutdown_under_load_loses_nothing_and_repeats_nothing(tmp_path: Path, mode: Literal["polling", "webhook"]) -> None:
    report = await stopped_under_load(TelegramPlatform(mode), tmp_path)
    report.assert_sound()
    assert report.acknowledged > 100
    assert not report.twice
