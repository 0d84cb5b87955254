"""The Bot API, and what its errors mean for a delivery.

python-telegram-bot's `Bot` does what is rare. `Api.call` is the short way for what every message needs: the library spends about
160 microseconds on the arguments and the result of `Bot.send_message`, more than half of what a bare handler needs altogether.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.request import BaseRequest, RequestData
from yarl import URL

from frontdesk.channels.telegram.request import AiohttpRequest, NotReached, Values
from frontdesk.channels.telegram.settings import TelegramSettings
from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected, DeliveryUncertain

# What the library logs for debugging has the token and the customers' words in it.
logging.getLogger("telegram").setLevel(logging.WARNING)

REFUSED = (
    "Telegram refuses the token: set `channels.telegram.token` (FRONTDESK_CHANNELS__TELEGRAM__TOKEN) "
    "to the one that @BotFather shows for the command /token"
)


class Api:
    """`bot` is the library's, on our own request class. Nothing is connected until `open`."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._http = AiohttpRequest(_proxy(URL(settings.api_url)))
        self.bot = Bot(
            settings.token.get_secret_value(),
            base_url=f"{settings.api_url}/bot",
            base_file_url=f"{settings.api_url}/file/bot",
            request=self._http,
            get_updates_request=self._http,
        )

    async def open(self) -> None:
        """Asks Telegram nothing."""
        await self._http.initialize()

    async def close(self) -> None:
        await self._http.shutdown()

    async def call(self, method: str, values: Mapping[str, Any], *, seconds: float | None = None) -> Any:
        """The result as plain values, within so many seconds. Raises `TelegramError`."""
        limit = BaseRequest.DEFAULT_NONE if seconds is None else seconds
        data = cast("RequestData", Values(values))
        return await self._http.post(f"{self.bot.base_url}/{method}", data, read_timeout=limit)

    def download(self, path: str) -> AsyncIterator[bytes]:
        """The pieces of the file at the path that getFile names. Raises `TelegramError`."""
        return self._http.download(f"{self.bot.base_file_url}/{quote(path)}")


def _proxy(server: URL) -> str | None:
    """The one that HTTPS_PROXY and NO_PROXY name. A server of one's own without TLS is near, and asked directly."""
    if server.scheme != "https" or proxy_bypass(server.host or ""):
        return None
    return getproxies().get("https")


def seconds(period: float | timedelta) -> float:
    """The library gives times in seconds, and from a later version on as time spans."""
    return period.total_seconds() if isinstance(period, timedelta) else float(period)


def refused(error: TelegramError) -> DeliveryError:
    """What an error means for the reply that was to be sent. Telegram's words name no customer and quote no message."""
    match error:
        case RetryAfter():
            wait = seconds(error.retry_after)
            return DeliveryDeferred(f"Telegram asks for a pause of {wait:.0f} s", retry_after=wait)
        case Forbidden() | BadRequest() | ChatMigrated():
            return DeliveryRejected(error.message)
        case InvalidToken():
            return DeliveryDeferred(REFUSED)
        case NotReached():
            return DeliveryDeferred(error.message)
        case _:
            return DeliveryUncertain(f"Telegram: {error.message}")
