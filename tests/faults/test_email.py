"""SIGKILL at random moments while customers write e-mail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .email import EmailPlatform
from .harness import killed_under_load, kills, patience, stopped_under_load

KILLS = kills()

pytestmark = pytest.mark.faults


@pytest.mark.timeout(patience(KILLS))
async def test_nothing_marked_as_read_is_lost_when_the_process_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    report = await killed_under_load(EmailPlatform(), tmp_path, KILLS)
    record_property("report", str(report))
    report.assert_sound()
    assert report.acknowledged > KILLS * 5


async def test_shutdown_under_load_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    report = await stopped_under_load(EmailPlatform(), tmp_path)
    report.assert_sound()
    assert report.acknowledged > 100
    assert not report.twice
