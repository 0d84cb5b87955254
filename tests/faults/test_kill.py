"""SIGKILL at random moments under load.

What was acknowledged is answered, in order, and at most what was on its way comes twice.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Victim, free_port, killed_under_load, kills, patience, stopped_under_load
from .webhook import WebhookPlatform

KILLS = kills(12)

pytestmark = pytest.mark.faults


@pytest.mark.timeout(patience(KILLS))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    report = await killed_under_load(WebhookPlatform(), tmp_path, KILLS)
    record_property("report", str(report))
    report.assert_sound()
    assert report.acknowledged > KILLS * 5


async def test_a_message_that_kills_the_process_is_given_up_alone(tmp_path: Path) -> None:
    platform, port = WebhookPlatform(), free_port()
    victim = Victim(tmp_path / "data", platform.channel, await platform.start(port, tmp_path), port)
    try:
        await victim.start()
        await platform.deliver(0, "poison", 1000)
        await victim.ended()
        deaths = 1
        while deaths < 12:
            if await victim.start():
                for customer in range(3):
                    await platform.deliver(customer, str(deaths), deaths * 10 + customer)
            try:
                await victim.ended(seconds=1.5)
            except TimeoutError:
                break
            deaths += 1
        assert deaths < 12
        assert await victim.stop() == 0
    finally:
        await victim.discard()
        await platform.stop()
    replies = {(reply.customer, reply.text.split()[0]) for reply in platform.received}
    assert (0, "Sorry,") in replies
    assert {customer for customer, text in replies if text == str(deaths)} == {0, 1, 2}


async def test_shutdown_under_load_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    report = await stopped_under_load(WebhookPlatform(), tmp_path)
    report.assert_sound()
    assert report.acknowledged > 100
    assert not report.twice
