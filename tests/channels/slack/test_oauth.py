"""Installation into several workspaces, by Slack's OAuth flow."""

import stat
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from time import time
from typing import Any

import pytest
from aiohttp import ClientSession
from pydantic import ValidationError
from slack_sdk.oauth.installation_store import Bot, Installation

from frontdesk.channels.slack import SlackChannel, SlackSettings
from frontdesk.channels.slack.client import open_session
from frontdesk.channels.slack.installations import DATABASE, Installations
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.app import App, Options
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import a_plugin, free_port, until
from frontdesk.testing.slack import FakeSlack

from .platform import PATHS, settings_for


@pytest.fixture
async def app(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[App]:
    """The app, installed nowhere."""
    slack.workspace.token = None
    port = free_port()
    slack.serve(**{kind: f"http://127.0.0.1:{port}{path}" for kind, path in PATHS.items()})
    settings = SlackSettings(
        client_id=slack.client_id,
        client_secret=slack.client_secret,
        signing_secret=slack.signing_secret,
        api_url=slack.api_url,
    )
    async with App(
        Options(data_folder=tmp_path / "data", port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[a_plugin()],
        transports=[(SlackChannel, settings)],
    ) as app:
        yield app


def install_page(app: App) -> str:
    return f"http://127.0.0.1:{app.options.port}/slack/install"


async def test_two_workspaces_install_the_app_and_are_answered_with_their_own_tokens(app: App, slack: FakeSlack) -> None:
    assert "no workspace" in await app.channels["slack"].check()
    other = slack.add_workspace("Other")
    for name, workspace in (("Ann", slack.workspace), ("Olaf", other)):
        person = slack.user(name, workspace=workspace)
        status, page = await slack.install(install_page(app), person)
        assert status == 200
        assert "Thank you" in page
        dm = await person.dm()
        await dm.write(f"I am {name}")
        await until(lambda dm=dm: bool(dm.replies))  # type: ignore[misc]
        assert dm.replies[0].text == f"You said: I am {name}"
    assert {call.team for call in slack.called("chat.postMessage")} == {slack.workspace.id, other.id}
    assert await app.channels["slack"].check() == "@Shop Bot in Acme, @Shop Bot in Other"


async def test_the_tokens_are_the_owners_alone(app: App, slack: FakeSlack, tmp_path: Path) -> None:
    await slack.install(install_page(app), slack.user("Ann"))
    file = tmp_path / "data" / DATABASE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert slack.bot_token.encode() in file.read_bytes()


async def test_an_installation_that_is_removed_is_forgotten(app: App, slack: FakeSlack, tmp_path: Path) -> None:
    ann = slack.user("Ann")
    await slack.install(install_page(app), ann)
    token = slack.bot_token
    await slack.uninstall(slack.workspace)
    installations = Installations(tmp_path / "data", slack.client_id)
    await until(lambda: _is_empty(installations))
    assert "no workspace" in await app.channels["slack"].check()
    assert (await slack.install(install_page(app), ann))[0] == 200
    assert slack.bot_token != token
    dm = await ann.dm()
    await dm.write("again")
    await until(lambda: bool(dm.replies))


async def _is_empty(installations: Installations) -> bool:
    return not await installations.accounts()


@pytest.mark.parametrize("query", ["", "?code=1", "?code=1&state=forged", "?error=access_denied", "?state=1"])
async def test_a_forged_redirect_installs_nothing(app: App, slack: FakeSlack, query: str) -> None:
    address = f"http://127.0.0.1:{app.options.port}/slack/oauth_redirect{query}"
    async with ClientSession() as browser, browser.get(address) as page:
        assert page.status == (200 if "error" in query else 400)
    assert not slack.called("oauth.v2.access")


async def test_a_state_is_good_for_one_installation(app: App, slack: FakeSlack, tmp_path: Path) -> None:
    installations = Installations(tmp_path / "data", slack.client_id)
    state = await installations.async_issue()
    assert await installations.async_consume(state)
    assert not await installations.async_consume(state)
    assert not await installations.async_consume("forged")


async def test_a_code_that_slack_does_not_know_is_refused(app: App, slack: FakeSlack) -> None:
    slack.fail("oauth.v2.access", error="invalid_code")
    status, _ = await slack.install(install_page(app), slack.user("Ann"))
    assert status == 401


def an_installation(**fields: object) -> Installation:
    known = {"app_id": "A1", "user_id": "U1", "bot_token": "xoxb-1", "bot_id": "B1", "bot_user_id": "UB", "bot_scopes": "a,b"}
    return Installation(**{**known, **fields})  # type: ignore[arg-type]


async def test_installations_in_organisations(tmp_path: Path) -> None:
    installations = Installations(tmp_path, "client")
    await installations.async_save(an_installation(team_id="T1"))
    await installations.async_save(an_installation(team_id="T2", enterprise_id="E1", bot_token="xoxb-2"))
    await installations.async_save(an_installation(enterprise_id="E2", is_enterprise_install=True, bot_token="xoxb-3"))
    tokens = {account: bot.bot_token for account in ("T1", "T2", "E2") if (bot := await installations.bot(account))}
    assert tokens == {"T1": "xoxb-1", "T2": "xoxb-2", "E2": "xoxb-3"}
    assert await installations.bot("E1") is None
    assert sorted(await installations.accounts()) == ["E2", "T1", "T2"]
    await installations.delete("T2")
    await installations.delete("E2")
    await installations.delete("T9")
    assert await installations.accounts() == ["T1"]
    assert await Installations(tmp_path, "another client").accounts() == []


async def test_a_token_that_ends_is_renewed(slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installations = Installations(tmp_path, slack.client_id)
    settings = settings_for(slack, bot_token=None, client_id=slack.client_id, client_secret=slack.client_secret)
    old = an_installation(team_id="T1", bot_refresh_token="xoxe-1", bot_token_expires_at=int(time()) + 60)
    await installations.async_save(old)
    answers = iter([{"token_type": "bot", "access_token": "xoxb-new", "refresh_token": "xoxe-2", "expires_in": 43200}])
    monkeypatch.setattr(slack.api, "oauth_access", lambda _: next(answers))
    async with open_session() as session:
        workspaces = Workspaces(settings, installations)
        workspaces.open(session)
        assert (await workspaces.client("T1")).token == "xoxb-new"
        assert (await workspaces.client("T1")).token == "xoxb-new"
        with pytest.raises(DeliveryRejected):
            await workspaces.client("T2")
    kept = await installations.bot("T1")
    assert isinstance(kept, Bot)
    assert (kept.bot_token, kept.bot_refresh_token) == ("xoxb-new", "xoxe-2")


async def test_a_token_is_used_while_it_is_good_though_it_cannot_be_renewed(slack: FakeSlack, tmp_path: Path) -> None:
    installations = Installations(tmp_path, slack.client_id)
    settings = settings_for(slack, bot_token=None, client_id=slack.client_id, client_secret=slack.client_secret)
    for team, seconds in (("T1", 3600), ("T2", 30)):
        old = an_installation(team_id=team, bot_refresh_token="xoxe-1", bot_token_expires_at=int(time()) + seconds)
        await installations.async_save(old)
    slack.fail("oauth.v2.access", status=503, times=9)
    async with open_session() as session:
        workspaces = Workspaces(settings, installations)
        workspaces.open(session)
        assert (await workspaces.client("T1")).token == "xoxb-1"
        with pytest.raises(DeliveryDeferred):
            await workspaces.client("T2")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["bot_token", "signing_secret"]),
        ({"client_id": "1.2", "app_token": "xapp-1"}, ["client_secret"]),
        ({"bot_token": "xoxb-1"}, ["signing_secret"]),
        ({"bot_token": "xoxb-1", "signing_secret": "1", "agents": {"channel": "C012"}}, []),
        ({"client_id": "1.2", "client_secret": "1", "app_token": "xapp-1", "agents": {"channel": "C012"}}, ["agents.account"]),
    ],
)
def test_what_is_missing_is_named(given: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ValidationError) if named else nullcontext() as refused:
        SlackSettings.model_validate(given)
    if refused is not None:
        found = refused.value.errors()
        assert [".".join(map(str, one["loc"])) for one in found] == named
        assert {one["type"] for one in found} == {"missing"}


@pytest.mark.parametrize("given", [{"bot_token": "secret"}, {"app_token": "secret"}, {"api_url": "slack.com"}, {"command": "x"}])
def test_wrong_settings_say_so_without_repeating_secrets(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))) as refused:
        SlackSettings.model_validate(given)
    assert "secret" not in str(refused.value)
