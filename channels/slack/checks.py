"""Whether Slack takes the settings, and what to change where it does not."""

from collections.abc import Awaitable, Sequence
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from frontdesk.channels.slack.client import Client, reason
from frontdesk.channels.slack.incoming import find, text
from frontdesk.channels.slack.installations import Installations
from frontdesk.channels.slack.oauth import INSTALL
from frontdesk.channels.slack.settings import OPTIONAL, SCOPES, SECTION, SlackSettings
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import ConfigurationError, DeliveryError

TOKEN_PAGE = {
    "bot_token": "copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions at api.slack.com/apps",
    "app_token": "make an app-level token (xapp-...) with the scope connections:write at api.slack.com/apps, Basic Information",
}
REINSTALL = "install it again at api.slack.com/apps, Install App, and copy the new token"
LATER = "nothing is wrong with the settings as far as can be told; try again later"
FIXES = {
    "account_inactive": f"the workspace, or the app in it, was deleted or deactivated: {REINSTALL}",
    "token_revoked": f"the token was revoked, or the app was removed from the workspace: {REINSTALL}",
    "token_expired": "the token has expired: turn token rotation off, or set client_id and client_secret so that it is renewed",
    "team_access_not_granted": "the app is not allowed in that workspace: let an administrator of the organisation add it there",
    "no_permission": f"the app's permissions have changed: {REINSTALL}",
    "org_login_required": "the workspace is being moved into an organisation: try again when that is done",
    "team_suspended": "Slack has suspended the workspace: its owners have to settle that with Slack",
    "ekm_access_denied": "an administrator of the workspace has suspended access: ask them",
    "access_denied": "an administrator of the workspace does not allow it: ask them to approve the app",
    "two_factor_setup_required": "the workspace asks for two-factor logins: ask an administrator",
    "channel_not_found": "there is no such channel, or the app is not in it: copy the id (C...) from the channel's details, at "
    "the bottom, and write /invite @ and the app's name in it",
    "not_in_channel": "the app is not in that channel: write /invite @ and the app's name in it",
    "is_archived": "the channel is archived: unarchive it, or name another",
    "ratelimited": f"too much was asked of Slack: {LATER}",
    "accesslimited": f"the workspace limits what apps may ask: {LATER}",
    "service_unavailable": f"Slack is not available: {LATER}",
    "internal_error": f"Slack itself has failed: {LATER}",
    "fatal_error": f"Slack itself has failed: {LATER}",
}
"""By Slack's code. https://docs.slack.dev/reference/methods/auth.test and the like."""
OTHER = "see https://docs.slack.dev/reference/methods/{method}"


async def ask(settings: SlackSettings, workspaces: Workspaces, installations: Installations | None) -> str:
    """Who we are on Slack. Raises `ConfigurationError` with the fix."""
    if settings.app_token is not None:
        client = Client(workspaces.session, settings.api_url)
        connection = client.apps_connections_open(app_token=settings.app_token.get_secret_value())
        await _answer(connection, "app_token", "apps.connections.open")
    accounts = [""] if installations is None or not settings.many_workspaces else await installations.accounts()
    if not accounts:
        return f"no workspace has installed the app yet: open {INSTALL}"
    return ", ".join([await _account(settings, workspaces, account) for account in accounts])


async def _account(settings: SlackSettings, workspaces: Workspaces, account: str) -> str:
    try:
        client = await workspaces.client(account)
    except DeliveryError as error:
        raise _wrong("client_secret", f"gives no token for the workspace {account}: {error}") from error
    who = await _answer(client.auth_test(), "bot_token", "auth.test")
    granted = {scope.strip() for scope in who.headers.get("X-OAuth-Scopes", "").split(",")} - {""}
    missing = [scope for scope in SCOPES if scope not in granted and scope not in OPTIONAL]
    if granted and missing:
        raise _wrong("bot_token", _lacks(missing))
    agents = settings.agents
    if agents is not None and agents.account in (None, account, who.get("team_id")):
        found = await _answer(client.conversations_info(channel=agents.channel), "agents__channel", "conversations.info")
        if find(found.get("channel"), "is_member") is False:
            raise _wrong("agents__channel", f"is not of use yet: {FIXES['not_in_channel']}")
    return f"@{who.get('user')} in {who.get('team')}"


async def _answer(call: Awaitable[AsyncSlackResponse], setting: str, method: str) -> AsyncSlackResponse:
    try:
        return await call
    except SlackApiError as error:
        raise _wrong(setting, _refusal(reason(error), error.response, setting, method)) from None
    except (ClientError, TimeoutError, OSError) as error:
        why = f"cannot be reached ({type(error).__name__}): correct it, or let this machine out to it"
        raise _wrong("api_url", why) from error


def _refusal(code: str, response: Any, setting: str, method: str) -> str:
    if code == "missing_scope":
        if setting == "app_token":
            return f"lacks the scope connections:write: {TOKEN_PAGE[setting]}"
        needed = text(response.data, "needed") if isinstance(response, AsyncSlackResponse) else ""
        return _lacks([scope.strip() for scope in needed.split(",") if scope.strip()] or ["of the manifest"])
    if code in ("invalid_auth", "not_authed", "not_allowed_token_type"):
        # Whatever was asked with it, the token is what is wrong.
        setting = setting if setting in TOKEN_PAGE else "bot_token"
        return f"is refused by Slack ({code}): it is mistyped, of another app, or revoked; {TOKEN_PAGE[setting]}"
    return f"is refused by Slack ({code}): {FIXES.get(code) or OTHER.format(method=method)}"


def _lacks(scopes: Sequence[str]) -> str:
    return (
        f"lacks the scopes {', '.join(scopes)}: add them at api.slack.com/apps, OAuth & Permissions, Bot Token Scopes (or paste "
        "the manifest again), then install the app again"
    )


def _wrong(setting: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"channels.slack.{setting.replace('__', '.')} ({SECTION}{setting.upper()}) {why}")
