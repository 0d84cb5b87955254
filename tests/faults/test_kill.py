"""SIGKILL at random moments under load.

What was acknowledged is answered, in order, and at most what was on its way comes twice.
"""

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from .harness import Customers, Platform, Victim, check

KILLS = int(os.environ.get("FAULT_KILLS", "12"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
CUSTOMERS = 16

pytestmark = pytest.mark.faults


async def _answered(customers: Customers, platform: Platform) -> None:
    """Waits until all that was acknowledged is answered, or nothing more comes."""
    seen, quiet = -1, 0.0
    while quiet < 10:
        answered = {(customer, int(text.split()[0])) for customer, text, _ in platform.received}
        if all((customer, number) in answered for customer, numbers in customers.acknowledged.items() for number in numbers):
            await asyncio.sleep(0.3)  # whatever comes twice, comes now
            return
        quiet = quiet + 0.2 if len(platform.received) == seen else 0
        seen = len(platform.received)
        await asyncio.sleep(0.2)


@pytest.mark.timeout(max(120, KILLS * 8))
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(SEED)
    async with Platform() as platform:
        victim = Victim(tmp_path, platform.url)
        await victim.start()
        customers = Customers(CUSTOMERS, victim.port, platform)
        stop = asyncio.Event()
        writing = asyncio.create_task(customers.write(stop))
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.02, 0.6))
            await victim.kill()
            await victim.start()
        await asyncio.sleep(0.3)
        stop.set()
        await writing
        await _answered(customers, platform)
        assert await victim.stop() == 0
    report = check(customers, platform, KILLS)
    print(f"\nseed {SEED}: {report}")
    record_property("report", str(report))
    assert report.acknowledged > KILLS * 5
    assert not report.lost
    assert not report.unexpected
    assert not report.disordered
    assert not report.wrong_key
    assert not report.wrong_state
    assert len(report.twice) <= KILLS * CUSTOMERS, "at most one reply of each conversation may be on its way at a kill"


async def test_a_message_that_kills_the_process_is_given_up_alone(tmp_path: Path) -> None:
    async with Platform() as platform:
        victim = Victim(tmp_path, platform.url)
        customers = Customers(3, victim.port, platform)
        await victim.start()
        async with aiohttp.ClientSession() as session:
            await customers.send(session, 0, "poison", 1000)
            await victim.ended()
        deaths = 1
        while deaths < 12:
            if await victim.start():
                async with aiohttp.ClientSession() as session:
                    for customer in range(3):
                        await customers.send(session, customer, str(deaths), deaths * 10 + customer)
            try:
                await victim.ended(seconds=1.5)
            except TimeoutError:
                break
            deaths += 1
        assert deaths < 12
        await asyncio.sleep(0.5)
        assert await victim.stop() == 0
    replies = {(customer, text.split()[0]) for customer, text, _ in platform.received}
    assert (0, "Sorry,") in replies
    assert {customer for customer, text in replies if text == str(deaths)} == {0, 1, 2}


async def test_shutdown_under_load_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with Platform() as platform:
        victim = Victim(tmp_path, platform.url)
        await victim.start()
        customers = Customers(CUSTOMERS, victim.port, platform)
        stop = asyncio.Event()
        writing = asyncio.create_task(customers.write(stop))
        for _ in range(3):
            await asyncio.sleep(0.5)
            assert await victim.stop() == 0
            await victim.start()
        await asyncio.sleep(0.3)
        stop.set()
        await writing
        await _answered(customers, platform)
        assert await victim.stop() == 0
    report = check(customers, platform, 0)
    print(f"\n{report}")
    assert report.acknowledged > 100
    assert not report.lost
    assert not report.unexpected
    assert not report.disordered
    assert not report.twice
    assert not report.wrong_state
