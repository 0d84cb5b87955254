"""Slack with customers, over HTTP or by Socket Mode. It takes no idempotency key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from frontdesk.testing.slack import FakeSlack, Shown, View
from frontdesk.testing.slack.visible import mrkdwn
from frontdesk.testing.slack.workspace import Place, Post

from .harness import Platform

RETRIES = [0.03] * 10_000
"""Slack itself gives up after three repetitions, the last of them six minutes later: here time goes faster."""


class SlackPlatform(Platform):
    """A message counts as acknowledged when its event was answered with 200, or its envelope was acknowledged."""

    channel: ClassVar[str] = "frontdesk.channels.slack:channel"

    def __init__(self, *, socket_mode: bool) -> None:
        super().__init__()
        self._socket_mode = socket_mode
        self._slack = FakeSlack(socket_mode=socket_mode, retries=RETRIES)
        self._views: dict[int, View] = {}
        self._numbers: dict[str, int] = {}
        self._written: list[tuple[int, str, Shown]] = []

    async def start(self, port: int, folder: Path) -> Mapping[str, Any]:
        await self._slack.__aenter__()
        self._slack.on_reply = self._replied
        self._slack.serve(f"http://127.0.0.1:{port}/slack/events")
        way = {"app_token": self._slack.app_token} if self._socket_mode else {"signing_secret": self._slack.signing_secret}
        return {
            "bot_token": self._slack.bot_token,
            "api_url": self._slack.api_url,
            "messages_per_second": 10_000,
            "burst": 10_000,
            "workspace_messages_per_minute": 10_000_000,
            **way,
        }

    async def stop(self) -> None:
        await self._slack.__aexit__(None, None, None)

    async def write(self, customer: int, text: str) -> None:
        view = self._views.get(customer)
        if view is None:
            view = self._views[customer] = await self._slack.user(f"Customer {customer}").dm()
            self._numbers[view.place.id] = customer
        written = await view.write(text)
        self._written.append((customer, text, written))
        for delivery in written.deliveries:
            await delivery.ended.wait()  # Slack promises no order among messages that it delivers again

    def acknowledged(self) -> set[tuple[int, str]]:
        return {
            (customer, text)
            for customer, text, written in self._written
            if all(delivery.acknowledged for delivery in written.deliveries)
        }

    def _replied(self, place: Place, post: Post) -> None:
        self.take(self._numbers[place.id], mrkdwn(post.text))
