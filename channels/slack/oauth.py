"""Installation into many workspaces: /slack/install and /slack/oauth_redirect, by slack_bolt's flow."""

from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from yarl import URL

from frontdesk.channels.slack.client import Client, sdk_logger
from frontdesk.channels.slack.installations import STATE_SECONDS, Installations
from frontdesk.channels.slack.settings import SCOPES, SlackSettings
from frontdesk.channels.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from slack_bolt.request.async_request import AsyncBoltRequest

log = structlog.get_logger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"


class _Flow(AsyncOAuthFlow):
    """Calls Slack on the channel's own session, and tells the workspaces that there is a new token."""

    def __init__(self, settings: AsyncOAuthSettings, workspaces: Workspaces, api_url: str) -> None:
        super().__init__(settings=settings, logger=sdk_logger)
        self._workspaces = workspaces
        self._api_url = api_url

    @property
    def client(self) -> Client:
        return Client(self._workspaces.session, self._api_url)

    async def store_installation(self, request: "AsyncBoltRequest", installation: Installation) -> None:
        await super().store_installation(request, installation)
        account = (installation.enterprise_id if installation.is_enterprise_install else installation.team_id) or ""
        self._workspaces.renewed(account)
        log.info("the Slack app was installed in a workspace", account=account)


class OAuth:
    def __init__(self, settings: SlackSettings, installations: Installations, workspaces: Workspaces, base_url: str) -> None:
        assert settings.client_id is not None
        assert settings.client_secret is not None
        self._flow = _Flow(
            AsyncOAuthSettings(
                client_id=settings.client_id,
                client_secret=settings.client_secret.get_secret_value(),
                scopes=SCOPES,
                user_scopes=(),
                redirect_uri=f"{base_url}{REDIRECT}",
                install_path=INSTALL,
                redirect_uri_path=REDIRECT,
                authorization_url=str(URL(settings.api_url).origin() / "oauth/v2/authorize"),
                installation_store=installations,
                state_store=installations,
                state_expiration_seconds=STATE_SECONDS,
                callback_options=AsyncCallbackOptions(success=_succeeded, failure=_failed),
                logger=sdk_logger,
            ),
            workspaces,
            settings.api_url,
        )

    def mount(self, http: web.Application) -> None:
        http.router.add_get(INSTALL, self._install)
        http.router.add_get(REDIRECT, self._redirected)

    async def _install(self, request: web.Request) -> web.Response:
        return await to_aiohttp_response(await self._flow.handle_installation(await to_bolt_request(request)))

    async def _redirected(self, request: web.Request) -> web.Response:
        return await to_aiohttp_response(await self._flow.handle_callback(await to_bolt_request(request)))


async def _succeeded(args: AsyncSuccessArgs) -> BoltResponse:
    return await args.default.success(args)


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    log.warning("the Slack app was not installed", reason=args.reason[:100])
    return await args.default.failure(args)
