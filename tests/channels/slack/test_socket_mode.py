"""Connections that Slack renews, that break, and that cannot be opened."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from frontdesk.channels.slack import SlackChannel, socket_mode
from frontdesk.core.app import App, Options
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import a_plugin, free_port, until
from frontdesk.testing.slack import FakeSlack, View

from .platform import RETRIES, settings_for


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    monkeypatch.setattr(socket_mode, "PING_SECONDS", 0.1)
    monkeypatch.setattr(socket_mode, "DOWN_SECONDS", 0.5)
    async with FakeSlack(socket_mode=True, retries=RETRIES) as slack:
        yield slack


@pytest.fixture
async def app(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[App]:
    async with App(
        Options(data_folder=tmp_path / "data", port=free_port(), shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[a_plugin()],
        transports=[(SlackChannel, settings_for(slack, socket_mode=True, connections=2))],
    ) as app:
        await slack.sockets.connected(2)
        yield app


@pytest.fixture
async def dm(slack: FakeSlack) -> View:
    return await slack.user("Ann").dm()


async def answered(dm: View, text: str) -> None:
    await dm.write(text)
    await until(lambda: any(reply.text == f"You said: {text}" for reply in dm.replies))
    assert sum(reply.text == f"You said: {text}" for reply in dm.replies) == 1


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "too_many_websockets"])
async def test_slack_asks_for_new_connections(app: App, slack: FakeSlack, dm: View, reason: str) -> None:
    await answered(dm, "before")
    await slack.sockets.disconnect(reason)
    await slack.sockets.connected(2, opened=4)
    await answered(dm, "after")


async def test_the_network_fails(app: App, slack: FakeSlack, dm: View) -> None:
    for text in ("one", "two"):
        slack.sockets.drop()
        await slack.sockets.connected(1)
        await answered(dm, text)


async def test_an_address_that_is_good_only_once_is_not_tried_for_ever(app: App, slack: FakeSlack, dm: View) -> None:
    slack.sockets.enabled = False
    slack.sockets.drop()
    calls = len(slack.called("apps.connections.open"))
    await until(lambda: len(slack.called("apps.connections.open")) > calls + 2)
    slack.sockets.enabled = True
    await slack.sockets.connected(2)
    await answered(dm, "hello again")


async def test_slack_gives_no_address_for_a_while(app: App, slack: FakeSlack, dm: View) -> None:
    slack.fail("apps.connections.open", times=2, error="internal_error")
    slack.sockets.drop()
    await slack.sockets.connected(1)
    await answered(dm, "hello again")


async def test_rubbish_breaks_nothing(app: App, slack: FakeSlack, dm: View) -> None:
    envelope = {"envelope_id": "e", "type": "events_api", "accepts_response_payload": False}
    for text in (
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        json.dumps({"type": "something_new"}),
        json.dumps(envelope),
        json.dumps({**envelope, "payload": []}),
        json.dumps({**envelope, "payload": {"type": "event_callback", "team_id": "T1", "event": "x"}}),
        '{"envelope_id":"e","type":"events_api","payload":{"text":"\\ud83d"}}',
    ):
        await slack.sockets.send(text)
    await answered(dm, "still there")


async def test_commands_are_answered_over_the_connection(app: App, slack: FakeSlack, dm: View) -> None:
    delivery = await dm.person.command("/frontdesk", "hello")
    assert delivery.acknowledged
    assert delivery.body["response_type"] == "ephemeral"
    await until(lambda: any(reply.text == "You said: hello" for reply in dm.replies))
