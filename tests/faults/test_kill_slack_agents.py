"""SIGKILL at random moments while agents answer customers of another channel from Slack.

What an agent writes is acknowledged before it is carried out: still it must reach the customer, once, in order; what is internal
must not; and what customers write must be in the thread, once.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from frontdesk.core.testing.platform import until
from frontdesk.testing.slack import FakeSlack, Shown

from .harness import SEED, Victim, free_port, kills, patience
from .slack import RETRIES
from .webhook import WebhookPlatform

KILLS = kills()
CUSTOMERS = 4
VICTIM = Path(__file__).with_name("slack_agents_victim.py")

pytestmark = pytest.mark.faults


class _Office:
    """Customers on the small platform, a Slack, and a process between them."""

    def __init__(self, slack: FakeSlack, folder: Path) -> None:
        self.slack = slack
        self.platform = WebhookPlatform()
        self.agent = slack.user("Ann Agent")
        self.place = slack.channel("support", self.agent, private=True)
        self.view = self.agent.at(self.place)
        self.written: dict[int, list[tuple[str, Shown]]] = {customer: [] for customer in range(CUSTOMERS)}
        self.said: dict[int, list[str]] = {customer: [] for customer in range(CUSTOMERS)}
        self.stop = asyncio.Event()
        self._folder = folder
        self._update = 0
        self.victim: Victim

    async def start(self) -> None:
        port = free_port()
        base = f"http://127.0.0.1:{port}/slack"
        self.slack.serve(f"{base}/events", interactions=f"{base}/interactions")
        slack: dict[str, Any] = {
            "bot_token": self.slack.bot_token,
            "signing_secret": self.slack.signing_secret,
            "api_url": self.slack.api_url,
            "agents": {"channel": self.place.id},
        }
        slack |= {"messages_per_second": 10_000, "burst": 10_000, "workspace_messages_per_minute": 10_000_000}
        platform = (await self.platform.start(port, self._folder))["platform"]
        what = {"folder": str(self._folder / "data"), "port": port, "slack": slack, "platform": platform}
        self.victim = Victim(self._folder, "", {}, port)
        self.victim._arguments = (sys.executable, "-P", str(VICTIM), json.dumps(what))
        assert await self.victim.start()

    def roots(self) -> list[Shown]:
        return [message for message in self.view.messages if message.by_bot and message.thread_ts is None]

    async def customer_says(self, customer: int, text: str) -> None:
        self._update += 1
        update = self._update
        while not await self.platform.deliver(customer, text, update):  # noqa: ASYNC110 - a restart is waited for
            await asyncio.sleep(0.02)

    async def answer(self, customer: int, root: Shown, dice: random.Random) -> None:
        """The agent writes, the customer too."""
        number = 0
        while not self.stop.is_set():
            number += 1
            text = f"{'// ' if number % 3 == 0 else ''}{customer}.{number}"
            shown = await self.view.write(text, thread=root)
            self.written[customer].append((text, shown))
            for delivery in shown.deliveries:
                await delivery.ended.wait()
            if number % 4 == 0:
                words = f"from {customer}, number {number}."
                self.said[customer].append(words)
                await self.customer_says(customer, words)
            await asyncio.sleep(dice.uniform(0, 0.05))

    def expected(self, customer: int) -> list[str]:
        return [text for text, _ in self.written[customer] if not text.startswith("//")]

    def received(self, customer: int) -> list[str]:
        return [reply.text for reply in self.platform.received if reply.customer == customer]


@pytest.mark.timeout(patience(KILLS))
async def test_agents_answers_arrive_once(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    async with FakeSlack(retries=RETRIES) as slack:
        office = _Office(slack, tmp_path)
        try:
            await office.start()
            roots: list[Shown] = []
            for customer in range(CUSTOMERS):
                await office.customer_says(customer, "human")
                await until(lambda customer=customer: len(office.roots()) == customer + 1)
                roots.append(office.roots()[-1])
                await roots[-1].press("Take")
                await until(lambda root=roots[-1]: "Taken by Ann Agent" in root.text)
            told = len(office.platform.received)
            assert told == CUSTOMERS, "each was told that a person answers"
            office.platform.received.clear()
            writing = [asyncio.create_task(office.answer(n, root, dice)) for n, root in enumerate(roots)]
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.05, 0.6))
                await office.victim.kill()
                office.platform.kills += 1
                await office.victim.start()
            await asyncio.sleep(0.3)
            office.stop.set()
            await asyncio.wait_for(asyncio.gather(*writing), 60)

            def shown(customer: int) -> str:
                return "\n".join(message.text for message in office.view.thread(roots[customer]))

            await until(lambda: all(set(office.expected(n)) <= set(office.received(n)) for n in range(CUSTOMERS)), 60)
            await until(lambda: all(words in shown(n) for n in range(CUSTOMERS) for words in office.said[n]), 60)
            assert await office.victim.stop() == 0
        finally:
            await office.victim.discard()
            await office.platform.stop()
        twice = 0
        for customer in range(CUSTOMERS):
            received = office.received(customer)
            assert list(dict.fromkeys(received)) == office.expected(customer), "in order, nothing lost, nothing internal"
            twice += len(received) - len(set(received))
            assert {words: shown(customer).count(words) for words in office.said[customer]} == dict.fromkeys(
                office.said[customer], 1
            )
        keys = Counter(reply.text for reply in {(reply.text, reply.key): reply for reply in office.platform.received}.values())
        assert set(keys.values()) == {1}, "a line has one key"
        total = sum(len(office.expected(customer)) for customer in range(CUSTOMERS))
        print(f"\nseed {SEED}, {KILLS} kills: {total} lines of agents, {twice} delivered twice, with the same key")
        assert twice <= KILLS * CUSTOMERS
        assert total > KILLS * 3
