"""Files that customers share, fetched with the bot's token, which goes to Slack alone."""

from collections.abc import AsyncIterator

import structlog
from aiohttp import ClientError, ClientResponse, ClientTimeout
from slack_sdk.errors import SlackApiError
from yarl import URL

from frontdesk.channels.slack.client import Client, delivery_error, reason, retry_after
from frontdesk.channels.slack.incoming import find, text
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected, InvalidInput, TransientError
from frontdesk.core.messages import Attachment

log = structlog.get_logger(__name__)

HOSTS = ("slack.com", "slack-gov.com", "slack-files.com", "slack-files-gov.com")
REDIRECTS = 5
CHUNK = 64 * 1024


class Downloads:
    def __init__(self, workspaces: Workspaces, api_url: str) -> None:
        self._workspaces = workspaces
        self._api = URL(api_url).origin()

    async def chunks(self, account: str, attachment: Attachment) -> AsyncIterator[bytes]:
        """Raises `InvalidInput` where it will never be had, and `TransientError` where it may be later."""
        try:
            client = await self._workspaces.client(account)
            address = await self._address(client, attachment.remote or "")
            async for chunk in self._read(client, address, attachment):
                yield chunk
        except SlackApiError as error:
            raise _problem(delivery_error(error), reason(error)) from None
        except DeliveryError as error:
            raise _problem(error, "the app is not installed there") from None
        except (ClientError, TimeoutError, OSError) as error:
            raise TransientError(type(error).__name__) from error

    async def _address(self, client: Client, remote: str) -> URL:
        if "://" not in remote:
            # Files of connected workspaces come without an address: https://docs.slack.dev/apis/slack-connect/#files
            answer = await client.files_info(file=remote)
            file = answer.get("file")
            remote = text(file, "url_private_download") or text(file, "url_private")
            if find(file, "mode") in ("tombstone", "external") or not remote:
                raise InvalidInput("Slack does not have this file")
        return self._trusted(remote)

    def _trusted(self, address: str, base: URL | None = None) -> URL:
        """The token must not be sent anywhere else, whatever an event says."""
        try:
            url = base.join(URL(address)) if base else URL(address)
            origin = url.origin()
        except ValueError:
            raise InvalidInput("the file has no address") from None
        host = origin.host or ""
        slack = origin.scheme == "https" and any(host == known or host.endswith(f".{known}") for known in HOSTS)
        if not slack and origin != self._api:
            raise InvalidInput("the file is not kept by Slack")
        return url

    async def _read(self, client: Client, address: URL, attachment: Attachment) -> AsyncIterator[bytes]:
        for _ in range(REDIRECTS):
            async with self._workspaces.session.get(
                address,
                headers={"Authorization": f"Bearer {client.token}"},
                allow_redirects=False,
                timeout=ClientTimeout(total=None, connect=30, sock_read=30),
            ) as response:
                if response.status in (301, 302, 303, 307, 308):
                    address = self._trusted(response.headers.get("Location", ""), address)
                    continue
                self._check(response, attachment)
                async for chunk in response.content.iter_chunked(CHUNK):
                    yield chunk
                return
        raise InvalidInput("the file's address leads nowhere")

    @staticmethod
    def _check(response: ClientResponse, attachment: Attachment) -> None:
        if response.status == 429 or response.status >= 500:
            raise TransientError(f"HTTP {response.status}", retry_after(response))
        if response.status != 200:
            raise InvalidInput(f"Slack does not give the file (HTTP {response.status})")
        # Without the scope, or with a wrong token, Slack answers 200 with its page for signing in.
        if response.content_type == "text/html" and attachment.media_type != "text/html":
            raise InvalidInput("Slack does not give the file: the app needs the scope files:read")


def _problem(error: DeliveryError, words: str) -> InvalidInput | TransientError:
    if isinstance(error, DeliveryRejected):
        return InvalidInput(f"Slack does not give the file ({words})")
    return TransientError(words, error.retry_after if isinstance(error, DeliveryDeferred) else None)
