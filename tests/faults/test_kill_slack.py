"""SIGKILL at random moments while customers write in Slack, over HTTP and by Socket Mode."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import killed_under_load, kills, patience, stopped_under_load
from .slack import SlackPlatform

KILLS = kills()

pytestmark = pytest.mark.faults
ways = pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket-mode"])


@ways
@pytest.mark.timeout(patience(KILLS))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None], socket_mode: bool
) -> None:
    report = await killed_under_load(SlackPlatform(socket_mode=socket_mode), tmp_path, KILLS)
    record_property("report", str(report))
    report.assert_sound()
    assert report.acknowledged > KILLS * 5


@ways
async def test_shutdown_under_load_loses_nothing_and_repeats_nothing(tmp_path: Path, socket_mode: bool) -> None:
    report = await stopped_under_load(SlackPlatform(socket_mode=socket_mode), tmp_path)
    report.assert_sound()
    assert report.acknowledged > 100
    assert not report.twice
