"""A small platform of its own, for benchmarks and fault tests: updates come in by webhook, replies go out by one HTTP call."""

from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from pydantic import BaseModel
from yarl import URL

from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import DeliveryDeferred, InvalidInput
from frontdesk.core.messages import Contact, Message, Outgoing, TextPart


class WebhookSettings(BaseModel):
    """`platform` is the address that takes replies."""

    platform: str


class _User(msgspec.Struct):
    id: int
    first_name: str


class _Chat(msgspec.Struct):
    id: int


class _Sent(msgspec.Struct):
    sender: _User = msgspec.field(name="from")
    chat: _Chat
    text: str


class _Update(msgspec.Struct):
    update_id: int
    message: _Sent


_decode = msgspec.json.Decoder(_Update).decode


def parse(raw: bytes) -> Message:
    """Raises `InvalidInput` for anything but an update."""
    try:
        update = _decode(raw)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"not an update: {error}") from error
    sent = update.message
    return Message(
        id=f"webhook:{update.update_id}",
        channel=WebhookChannel.name,
        conversation=f"webhook:{sent.chat.id}",
        contact=Contact(id=str(sent.sender.id), name=sent.sender.first_name),
        parts=(TextPart(sent.text),),
        at=datetime.now(UTC),
        raw=msgspec.Raw(raw),
    )


class WebhookChannel(Channel):
    """`POST /webhook` takes an update. A reply is posted with its id in the header `Idempotency-Key`."""

    name: ClassVar[str] = "webhook"
    Settings = WebhookSettings
    capabilities = Capabilities()

    def __init__(self, settings: BaseModel, services: Services) -> None:
        super().__init__(settings, services)
        assert isinstance(settings, WebhookSettings)
        self._platform = URL(settings.platform)

    async def start(self) -> None:
        # The dispatcher limits the time of a send: a second timer for each call would only cost.
        self._session = ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None))

    async def stop(self) -> None:
        await self._session.close()

    def mount(self, http: web.Application) -> None:
        http.router.add_post("/webhook", self._webhook)

    async def send(self, outgoing: Outgoing) -> str | None:
        payload = msgspec.json.encode({"chat_id": int(outgoing.conversation.rpartition(":")[2]), "text": outgoing.text})
        headers = {"Content-Type": "application/json", "Idempotency-Key": outgoing.id}
        try:
            async with self._session.post(self._platform, data=payload, headers=headers) as response:
                await response.read()
        except ClientError as error:
            raise DeliveryDeferred(type(error).__name__) from error
        if response.status >= 400:
            raise DeliveryDeferred(f"HTTP {response.status}")
        return None

    async def _webhook(self, request: web.Request) -> web.Response:
        await self.services.accept(parse(await request.read()))
        return web.Response()
