"""`frontdesk channels check` on a Slack of our own: what is wrong is said with the setting and the fix."""

from pathlib import Path
from typing import Any

import pytest

from frontdesk.channels.slack import SlackChannel
from frontdesk.channels.slack.client import Client
from frontdesk.core.channel import Services
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.events import Events
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.testing.slack import FakeSlack

from .platform import settings_for

APPS = "api.slack.com/apps"


async def checked(slack: FakeSlack, folder: Path, **settings: Any) -> str:
    store = MemoryStore()
    services = Services.in_folder(folder, store=store, events=Events(), accept=store.accept, base_url="https://shop.example")
    return await SlackChannel(settings_for(slack, **settings), services).check()


async def refusal(slack: FakeSlack, folder: Path, **settings: Any) -> str:
    with pytest.raises(ConfigurationError) as refused:
        await checked(slack, folder, **settings)
    return str(refused.value)


async def test_who_we_are(slack: FakeSlack, tmp_path: Path) -> None:
    place = slack.channel("support", slack.user("Ann"))
    place.members.append(slack.workspace.bot.id)
    assert await checked(slack, tmp_path, agents={"channel": place.id}) == "@Shop Bot in Acme"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("account_inactive", "deactivated"),
        ("token_revoked", "install it again"),
        ("token_expired", "token rotation"),
        ("team_suspended", "suspended the workspace"),
        ("internal_error", "try again later"),
        ("brand_new_error", "https://docs.slack.dev/reference/methods/auth.test"),
    ],
)
async def test_what_slack_says_about_the_token(slack: FakeSlack, tmp_path: Path, code: str, words: str) -> None:
    slack.fail("auth.test", error=code)
    said = await refusal(slack, tmp_path)
    assert said.startswith(f"channels.slack.bot_token (FRONTDESK_CHANNELS__SLACK__BOT_TOKEN) is refused by Slack ({code}): ")
    assert words in said


async def test_a_wrong_token_of_the_bot(slack: FakeSlack, tmp_path: Path) -> None:
    said = await refusal(slack, tmp_path, bot_token="xoxb-wrong")
    assert "channels.slack.bot_token" in said
    assert "(invalid_auth)" in said
    assert f"OAuth & Permissions at {APPS}" in said
    assert "xoxb-wrong" not in said


async def test_a_wrong_app_level_token(slack: FakeSlack, tmp_path: Path) -> None:
    said = await refusal(slack, tmp_path, app_token="xapp-wrong")
    assert "channels.slack.app_token (FRONTDESK_CHANNELS__SLACK__APP_TOKEN) is refused by Slack (invalid_auth)" in said
    assert f"app-level token (xapp-...) with the scope connections:write at {APPS}, Basic Information" in said


async def test_an_app_level_token_without_its_scope(slack: FakeSlack, tmp_path: Path) -> None:
    slack.fail("apps.connections.open", error="missing_scope")
    assert "channels.slack.app_token" in (said := await refusal(slack, tmp_path, app_token=slack.app_token))
    assert "lacks the scope connections:write" in said


async def test_missing_scopes_are_named(slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth_test = Client.auth_test

    async def with_few_scopes(self: Client) -> object:
        answer = await auth_test(self)
        answer.headers = {"X-OAuth-Scopes": "chat:write,commands"}
        return answer

    monkeypatch.setattr(Client, "auth_test", with_few_scopes)
    said = await refusal(slack, tmp_path)
    assert "lacks the scopes app_mentions:read" in said
    assert "OAuth & Permissions, Bot Token Scopes" in said
    assert "users:read.email" not in said


async def test_the_agents_channel(slack: FakeSlack, tmp_path: Path) -> None:
    ann = slack.user("Ann")
    said = await refusal(slack, tmp_path, agents={"channel": "C0NOWHERE"})
    assert "channels.slack.agents.channel (FRONTDESK_CHANNELS__SLACK__AGENTS__CHANNEL)" in said
    assert "(channel_not_found)" in said
    assert "copy the id (C...)" in said
    place = slack.channel("support", ann)
    place.members.remove(slack.workspace.bot.id)
    assert "write /invite @" in await refusal(slack, tmp_path, agents={"channel": place.id})
    slack.fail("conversations.info", error="missing_scope")
    assert "add them at" in await refusal(slack, tmp_path, agents={"channel": place.id})


async def test_a_slack_that_is_not_there(slack: FakeSlack, tmp_path: Path) -> None:
    said = await refusal(slack, tmp_path, api_url="http://127.0.0.1:9/api/")
    assert "channels.slack.api_url (FRONTDESK_CHANNELS__SLACK__API_URL) cannot be reached" in said
