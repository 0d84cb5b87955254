"""The Slack channel behind its real routes, with a Slack of known ids, and nobody who answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from frontdesk.channels.slack import SlackChannel
from frontdesk.core.channel import Services
from frontdesk.core.events import Events
from frontdesk.core.http import errors_as_json
from frontdesk.core.intake import Intake
from frontdesk.core.messages import Message
from frontdesk.core.metrics import Metrics
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.store import Receipt
from frontdesk.testing.slack import FakeSlack, signed
from frontdesk.testing.slack.workspace import Member, Place

from .platform import settings_for

TEAM, BOT, BOT_ID, ANN = "T0ACME123", "U0SHOPBOT", "B0SHOPBOT", "U0ANN1234"
GENERAL, DIRECT = "C0GENERAL", "D0ANNDM12"
PAYLOADS = Path(__file__).with_name("payloads")


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def encoded(payload: Mapping[str, Any]) -> tuple[str, bytes, str]:
    """Where Slack sends it, the body and its content type."""
    form = "application/x-www-form-urlencoded"
    if "command" in payload or "ssl_check" in payload:
        return "/slack/commands", urlencode(dict(payload)).encode(), form
    if payload.get("type") in ("event_callback", "url_verification", "app_rate_limited"):
        return "/slack/events", json.dumps(payload).encode(), "application/json"
    return "/slack/interactions", urlencode({"payload": json.dumps(payload)}).encode(), form


@dataclass
class Rig:
    slack: FakeSlack
    channel: SlackChannel
    client: "TestClient[web.Request, web.Application]"
    store: MemoryStore
    accepted: list[Message] = field(default_factory=list)
    refusal: Exception | None = None

    async def send(self, payload: Mapping[str, Any], **headers: str) -> tuple[int, str]:
        path, body, content_type = encoded(payload)
        return await self.post(path, body, {"Content-Type": content_type, **headers})

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, *, sign: bool = True, **signing: Any
    ) -> tuple[int, str]:
        secret = signing.pop("secret", self.slack.signing_secret)
        own = signed(body, secret, **signing) if sign else {}
        async with self.client.post(path, data=body, headers={**own, **(headers or {})}) as response:
            return response.status, await response.text()


@asynccontextmanager
async def a_rig(folder: Path, **settings: Any) -> AsyncIterator[Rig]:
    store, events = MemoryStore(), Events()
    intake = Intake(store, events, Metrics())
    rig: Rig

    async def accept(message: Message) -> Receipt:
        if rig.refusal is not None:
            raise rig.refusal
        receipt = await intake.accept(message)
        if not receipt.duplicate:
            rig.accepted.append(message)
        return receipt

    async with FakeSlack(echo=False) as slack:
        _rename(slack)
        services = Services.in_folder(folder, store=store, events=events, accept=accept, base_url="https://shop.example")
        channel = SlackChannel(settings_for(slack, **settings), services)
        http = web.Application(middlewares=[errors_as_json], client_max_size=1024**2)
        channel.mount(http)
        await channel.start()
        async with TestClient(TestServer(http)) as client:
            rig = Rig(slack=slack, channel=channel, client=client, store=store)
            running = asyncio.create_task(channel.run())
            yield rig
            running.cancel()
        await channel.stop()


def _rename(slack: FakeSlack) -> None:
    """Gives the workspace the ids that the recorded payloads have."""
    workspace, bot = slack.workspace, slack.workspace.bot
    workspace.id, workspace.bot_id, bot.id = TEAM, BOT_ID, BOT
    workspace.members = {BOT: bot, ANN: Member(id=ANN, name="Ann Archer", workspace=workspace, email="ann@example.org")}
    for id, kind, people in ((GENERAL, "channel", [ANN, BOT]), (DIRECT, "im", [ANN, BOT])):
        workspace.places[id] = Place(id=id, kind=kind, name="general", workspace=workspace, members=people)  # type: ignore[arg-type]
    slack.workspaces = {TEAM: workspace}
