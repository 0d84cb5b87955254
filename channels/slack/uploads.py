"""Files of replies, streamed to Slack. https://docs.slack.dev/messaging/working-with-files#upload"""

from pathlib import Path

from aiohttp import ClientTimeout
from yarl import URL

from frontdesk.channels.slack.client import Client, deliveries
from frontdesk.channels.slack.parse import Place
from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected
from frontdesk.core.messages import Attachment

UPLOAD = ClientTimeout(total=None, connect=30, sock_read=60)


class Uploads:
    def __init__(self, attachments: Attachments) -> None:
        self._attachments = attachments

    async def send(self, client: Client, place: Place, attachment: Attachment) -> str:
        """Shares a file from the attachment store and returns Slack's id of it."""
        try:
            path = self._attachments.path(attachment.id)
        except KeyError:
            raise DeliveryRejected("a file of the reply is not in the attachment store any more") from None
        with deliveries():
            size = path.stat().st_size
            address = await client.files_getUploadURLExternal(filename=attachment.name, length=size)
            await self._stream(client, URL(str(address["upload_url"])), path)
            file: str = address["file_id"]
            await client.files_completeUploadExternal(
                files=[{"id": file, "title": attachment.name}],
                channel_id=place.channel,
                thread_ts=place.thread,
            )
        return file

    @staticmethod
    async def _stream(client: Client, address: URL, path: Path) -> None:
        with path.open("rb") as file:
            headers = {"Content-Type": "application/octet-stream"}
            assert client.session is not None
            async with client.session.post(address, data=file, headers=headers, timeout=UPLOAD) as response:
                await response.read()
        if response.status >= 500 or response.status == 429:
            raise DeliveryDeferred(f"the upload failed with HTTP {response.status}")
        if response.status != 200:
            raise DeliveryRejected(f"Slack does not take the file (HTTP {response.status})")
