"""Whether the settings are complete, and whether Slack takes them."""

from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from frontdesk.channels.slack.client import Client, reason
from frontdesk.channels.slack.installations import Installations
from frontdesk.channels.slack.oauth import INSTALL
from frontdesk.channels.slack.settings import OPTIONAL, SCOPES, SECTION, SlackSettings
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import ConfigurationError, DeliveryError

T = TypeVar("T")


def complete(settings: SlackSettings) -> None:
    """Raises `ConfigurationError` for what is missing."""
    if settings.bot_token is None and (settings.client_id is None or settings.client_secret is None):
        raise _wrong(
            "bot_token",
            "is missing: install the app in your workspace and copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions;"
            " or give client_id and client_secret, to let many workspaces install it",
        )
    if settings.app_token is None and settings.signing_secret is None:
        raise _wrong(
            "signing_secret",
            "is missing: copy it from Basic Information, App Credentials; or give app_token (xapp-...) to use Socket Mode",
        )


async def ask(settings: SlackSettings, workspaces: Workspaces, installations: Installations | None) -> str:
    """Who we are on Slack. Raises `ConfigurationError` with the fix."""
    complete(settings)
    if settings.app_token is not None:
        client = Client(workspaces.session, settings.api_url)
        await _answer(client.apps_connections_open(app_token=settings.app_token.get_secret_value()), "app_token")
    accounts = [""] if installations is None or not settings.many_workspaces else await installations.accounts()
    if not accounts:
        return f"no workspace has installed the app yet: open {INSTALL}"
    return ", ".join([await _account(settings, workspaces, account) for account in accounts])


async def _account(settings: SlackSettings, workspaces: Workspaces, account: str) -> str:
    try:
        client = await workspaces.client(account)
    except DeliveryError as error:
        raise _wrong("client_secret", f"gives no token for the workspace {account}: {error}") from error
    who = await _answer(client.auth_test(), "bot_token")
    granted = {scope.strip() for scope in who.headers.get("X-OAuth-Scopes", "").split(",")} - {""}
    missing = [scope for scope in SCOPES if scope not in granted and scope not in OPTIONAL]
    if granted and missing:
        raise _wrong("bot_token", f"lacks the scopes {', '.join(missing)}: add them to the app and install it again")
    agents = settings.agents
    if agents is not None and agents.account in (None, account, who.get("team_id")):
        await _answer(client.conversations_info(channel=agents.channel), "agents__channel")
    return f"@{who.get('user')} in {who.get('team')}"


async def _answer(call: Awaitable[AsyncSlackResponse], setting: str) -> AsyncSlackResponse:
    try:
        return await call
    except SlackApiError as error:
        raise _wrong(setting, f"is refused by Slack: {reason(error)}") from None
    except (ClientError, TimeoutError, OSError) as error:
        raise _wrong("api_url", f"cannot be reached: {type(error).__name__}") from error


def _wrong(setting: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"channels.slack.{setting.replace('__', '.')} ({SECTION}{setting.upper()}) {why}")
