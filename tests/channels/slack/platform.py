"""Slack with customers, for the contract of channels."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from frontdesk.channels.slack import SlackChannel, SlackSettings
from frontdesk.core.testing.platform import Platform, Problem, Seen
from frontdesk.testing.slack import FakeSlack, Person, Shown, View

PATHS = {"events": "/slack/events", "interactions": "/slack/interactions", "commands": "/slack/commands"}
RETRIES = (0.0, *([0.05] * 100))
FAST = {"messages_per_second": 1000, "burst": 1000, "workspace_messages_per_minute": 1_000_000}
"""No pauses between messages: what Slack allows is tested on its own."""


def settings_for(slack: FakeSlack, *, socket_mode: bool = False, **more: object) -> SlackSettings:
    """For an app that is installed in one workspace."""
    own = {"app_token": slack.app_token} if socket_mode else {"signing_secret": slack.signing_secret}
    token = {"bot_token": slack.workspace.token, "api_url": slack.api_url}
    return SlackSettings.model_validate({**token, **FAST, **own, **more})


class SlackPlatform(Platform):
    channel: ClassVar[type[SlackChannel]] = SlackChannel
    longest = 12_000

    def __init__(self, *, socket_mode: bool = False) -> None:
        self._socket_mode = socket_mode
        self.slack = FakeSlack(socket_mode=socket_mode, retries=RETRIES)
        self._people: dict[str, Person] = {}
        self._views: dict[str, View] = {}
        self._written: dict[str, Shown] = {}

    async def start(self, port: int, folder: Path) -> BaseModel:
        await self.slack.__aenter__()
        self.slack.serve(**{kind: f"http://127.0.0.1:{port}{path}" for kind, path in PATHS.items()})
        for name in ("ann", "bob"):
            self._people[name] = self.slack.user(name.capitalize())
            self._views[name] = await self._people[name].dm()
        return settings_for(self.slack, socket_mode=self._socket_mode)

    async def stop(self) -> None:
        await self.slack.__aexit__(None, None, None)

    async def wrong_settings(self) -> BaseModel:
        return settings_for(self.slack, socket_mode=self._socket_mode, bot_token="xoxb-wrong")

    async def write(self, text: str, *, customer: str = "ann", files: Mapping[str, bytes] | None = None) -> str:
        if self._socket_mode:
            await self.slack.sockets.connected()
        written = await self._views[customer].write(text, files=files)
        self._written[written.ts] = written
        return written.ts

    async def repeat(self, reference: str) -> None:
        await self._written[reference].repeat()

    async def echo(self, text: str) -> None:
        place = self._views["ann"].place
        workspace = self.slack.workspace
        ts = self.slack.clock.ts()
        message = {"type": "message", "channel": place.id, "channel_type": "im", "text": text, "ts": ts, "event_ts": ts}
        for author in (
            {"subtype": "bot_message", "bot_id": "B0OTHER", "username": "Another bot"},
            {"user": workspace.bot.id, "bot_id": workspace.bot_id, "app_id": workspace.app_id},
            {"user": workspace.bot.id},
            {"user": "U0OTHERBOT", "bot_id": "B0OTHER", "bot_profile": {"id": "B0OTHER", "name": "Another bot"}},
        ):
            await self.slack.tell(workspace, message | author)

    def seen(self, customer: str = "ann") -> list[Seen]:
        return [
            Seen(text=message.text, choices=(*message.buttons, *message.options), files=message.files)
            for message in self._views[customer].replies
        ]

    def answer(self, problem: Problem | None, *, times: int = 1) -> None:
        match problem:
            case None:
                self.slack.faults.clear()
            case "later":
                self.slack.fail("chat.postMessage", status=429, retry_after=1, times=times)
            case "down":
                self.slack.fail("chat.postMessage", status=503, times=times)
            case "no":
                self.slack.fail("chat.postMessage", error="restricted_action", times=times)

    async def press(self, label: str, *, customer: str = "ann") -> None:
        assert (await self._views[customer].press(label)).acknowledged

    async def edit(self, reference: str, text: str) -> None:
        await self._written[reference].edit(text)

    async def delete(self, reference: str) -> None:
        await self._written[reference].delete()

    async def react(self, reference: str, emoji: str) -> None:
        await self._written[reference].react(emoji)

    def typed(self, customer: str = "ann") -> bool:
        return bool(self.slack.called("assistant.threads.setStatus") or self.slack.called("reactions.add"))
