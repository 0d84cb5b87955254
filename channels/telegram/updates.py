"""How updates come: Telegram posts them to the webhook, or they are polled for. Both acknowledge only what is durable."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from frontdesk.channels.telegram.api import Api, seconds
from frontdesk.channels.telegram.parse import WANTED
from frontdesk.channels.telegram.settings import TelegramSettings
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.messages import without_surrogates
from frontdesk.core.tasks import backoff

log = structlog.get_logger(__name__)

Take = Callable[[bytes], Awaitable[None]]
"""Makes one update durable. Raises `Unavailable` and `InvalidInput`."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a name
POLL_SECONDS = 50
POLL_LIMIT = 100


def secret(settings: TelegramSettings) -> str:
    """Proves to us that a webhook is called by Telegram: the configured one, or one made from the token."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    return hmac.new(settings.token.get_secret_value().encode(), b"webhook", hashlib.sha256).hexdigest()


class Webhook:
    """200 only after the commit. A wrong secret is 403, a body that is no update 400; 503 asks Telegram to come again."""

    def __init__(self, settings: TelegramSettings, take: Take) -> None:
        self._secret = secret(settings).encode()
        self._take = take

    async def serve(self, request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            log.warning("a webhook with a wrong secret was refused")
            raise InvalidInput("this is not Telegram", status=403)
        await self._take(await request.read())
        return web.Response()


class Polling:
    """Long polling. Only one process can poll with the same token.

    Telegram forgets all updates up to one when it is asked for the next. That is done once, after all of a batch are durable;
    afterwards it is asked for whatever there is: ids start anew, anywhere, when a bot has heard nothing for a week.
    """

    def __init__(self, api: Api, take: Take) -> None:
        self._api = api
        self._take = take
        self._offset: int | None = None

    async def run(self) -> None:
        """Until cancelled. Raises `TelegramError` where the connection must be set up again."""
        failures = 0
        while True:
            try:
                batch = await self._poll()
                await self._take_all(batch)
            except (TelegramError, Unavailable) as error:
                await asyncio.sleep(_pause(error, failures))
                failures += 1
            else:
                # What was taken is told with the next poll, and no longer than that.
                self._offset = batch[-1]["update_id"] if batch else None
                failures = 0

    async def _poll(self) -> list[dict[str, Any]]:
        values: dict[str, Any] = {"timeout": POLL_SECONDS, "limit": POLL_LIMIT, "allowed_updates": WANTED}
        if self._offset is not None:
            values["offset"] = self._offset + 1
        updates = await self._api.call("getUpdates", values, seconds=POLL_SECONDS + 15)
        if not isinstance(updates, list):
            raise TelegramError("what Telegram answered is no list of updates")
        known = [update for update in updates if isinstance(update, dict) and type(update.get("update_id")) is int]
        if updates and not known:
            raise TelegramError("what Telegram answered are no updates")
        return known

    async def _take_all(self, batch: Sequence[dict[str, Any]]) -> None:
        """Chats side by side, so that they share commits; the updates of one chat in order. Raises `Unavailable`."""
        by_chat: dict[object, list[bytes]] = {}
        for update in batch:
            by_chat.setdefault(_chat(update), []).append(_encoded(update))
        failed = await asyncio.gather(*map(self._take_chat, by_chat.values()), return_exceptions=True)
        for error in failed:
            if error is not None:
                raise error

    async def _take_chat(self, updates: Sequence[bytes]) -> None:
        for update in updates:
            try:
                await self._take(update)
            except InvalidInput as error:
                log.warning("an update is left out", error=str(error))


def _pause(error: TelegramError | Unavailable, failures: int) -> float:
    """Seconds before the next poll, and a line for the operator."""
    match error:
        case Conflict():
            log.error(
                "Telegram lets only one process poll with a token, and no webhook beside it: stop the other one, "
                "or give each its own bot",
                error=error.message,
            )
            if "webhook" in error.message.lower():
                raise error
            return backoff(failures, base=5)
        case InvalidToken():
            log.error("Telegram refuses the token")
            return backoff(failures, base=10, most=300)
        case RetryAfter():
            return seconds(error.retry_after)
        case Unavailable():
            return error.retry_after
        case NetworkError():
            log.warning("polling Telegram failed", error=error.message)
        case _:
            log.warning("polling Telegram failed", error=type(error).__name__)
    return backoff(failures, most=30)


def _chat(update: dict[str, Any]) -> object:
    """The chat that an update belongs to, or itself."""
    for kind in WANTED:
        content = update.get(kind)
        if isinstance(content, dict):
            message = content.get("message")
            chat = content.get("chat") or (message.get("chat") if isinstance(message, dict) else None)
            if isinstance(chat, dict):
                return repr(chat.get("id"))
    return ""


def _encoded(update: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(update)
    except UnicodeEncodeError:
        return msgspec.json.encode(without_surrogates(update))
