"""Socket Mode: Slack's events over WebSockets that we open. https://docs.slack.dev/apis/events-api/using-socket-mode

The SDK's client keeps a connection: it asks for an address, pings, and changes to a new one when Slack says so. An envelope is
acknowledged when what it holds has been committed; without the acknowledgement Slack sends it again.
"""

import asyncio
from typing import Any

import msgspec
import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from frontdesk.channels.slack.client import Client, reason, sdk_logger
from frontdesk.channels.slack.inbound import Inbound
from frontdesk.channels.slack.webhooks import incoming
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.messages import without_surrogates
from frontdesk.core.tasks import cancelled

log = structlog.get_logger(__name__)

PING_SECONDS = 3.0
DOWN_SECONDS = 20.0
"""A connection that could not be opened for so long is begun anew: the SDK tries the same address, which is good only once."""
SLOWEST = 60.0


class SocketMode:
    def __init__(self, app_token: str, web_client: Client, inbound: Inbound, *, connections: int) -> None:
        self._token = app_token
        self._web_client = web_client
        self._inbound = inbound
        self._connections = connections

    async def run(self) -> None:
        """Keeps the connections open until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._connection())

    async def _connection(self) -> None:
        while True:
            client = _Connection(
                app_token=self._token, web_client=self._web_client, logger=sdk_logger, ping_interval=PING_SECONDS
            )
            client.socket_mode_request_listeners.append(self._take)
            connecting = asyncio.create_task(client.connect_to_new_endpoint(force=True))
            try:
                await _lost(client)
            finally:
                await cancelled(connecting)
                await client.close()  # type: ignore[no-untyped-call]

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        answer: dict[str, Any] | None = None
        try:
            payload = without_surrogates(request.payload)
            answer = await self._inbound.take(incoming(payload, msgspec.json.encode(payload)))
        except Unavailable:
            log.warning("an envelope is not acknowledged: nothing can be kept at the moment", envelope=request.envelope_id)
            return
        except InvalidInput as error:
            log.info("what Slack has sent is skipped", envelope=request.envelope_id, reason=str(error))
        except Exception:
            log.exception("an envelope is not acknowledged", envelope=request.envelope_id)
            return
        try:
            await client.send_socket_mode_response(
                SocketModeResponse(request.envelope_id, answer if answer and request.accepts_response_payload else None)
            )
        except (ConnectionError, ClientError, AttributeError) as error:
            # The connection was changed meanwhile. Slack sends it again, and it is known by its id.
            log.info("an envelope could not be acknowledged", envelope=request.envelope_id, error=type(error).__name__)


async def _lost(client: SocketModeClient) -> None:
    """Returns when there has been no connection for a while, though there was an address for one."""
    loop = asyncio.get_running_loop()
    well = loop.time()
    while loop.time() - well < DOWN_SECONDS:
        await asyncio.sleep(PING_SECONDS)
        if client.wss_uri is None or await client.is_connected():
            well = loop.time()


class _Connection(SocketModeClient):
    """Waits longer and longer while Slack gives no address, and says why."""

    async def issue_new_wss_url(self) -> str:
        pause = 1.0
        while True:
            try:
                return await super().issue_new_wss_url()
            except (SlackApiError, ClientError, TimeoutError, OSError) as error:
                why = reason(error) if isinstance(error, SlackApiError) else type(error).__name__
                log.warning("Slack gives no Socket Mode connection", error=why)
                await asyncio.sleep(pause)
                pause = min(SLOWEST, pause * 2)
