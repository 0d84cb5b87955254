"""The workspaces that the bot is in: the token for each, and who the bot is there."""

import asyncio
from dataclasses import dataclass
from time import time

import structlog
from aiohttp import ClientSession
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from frontdesk.channels.slack.client import Client, deliveries
from frontdesk.channels.slack.installations import Installations
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected

log = structlog.get_logger(__name__)

ROTATED_MINUTES = 120
"""A token that expires is renewed so long before."""
AGAIN_SECONDS = 60
"""One that could not be renewed goes on being used while it is good, and is tried again after this."""


@dataclass(frozen=True)
class _Known:
    client: Client
    until: float


class Workspaces:
    """`account` is a workspace's id (T...), or the organisation's (E...) where the app is installed in all of it at once."""

    def __init__(self, settings: SlackSettings, installations: Installations | None) -> None:
        self._settings = settings
        self._installations = installations
        self._known: dict[str, _Known] = {}
        self._bots: dict[str, str] = {}
        self._one = asyncio.Lock()
        self._session: ClientSession | None = None
        self._only: Client | None = None

    def open(self, session: ClientSession) -> None:
        self._session = session
        if self._settings.bot_token is not None:
            self._only = Client(session, self._settings.api_url, self._settings.bot_token.get_secret_value())

    @property
    def session(self) -> ClientSession:
        assert self._session is not None, "the channel was not started"
        return self._session

    async def client(self, account: str) -> Client:
        """Raises `DeliveryRejected` where the app is not installed, and `DeliveryDeferred` while a token cannot be renewed."""
        if self._only is not None:
            return self._only
        if (known := self._good(account)) is None:
            async with self._one:
                if (known := self._good(account)) is None:
                    known = self._known[account] = await self._find(account)
        return known.client

    def _good(self, account: str) -> _Known | None:
        known = self._known.get(account)
        return known if known is not None and known.until >= time() else None

    async def bot(self, account: str) -> str:
        """The bot's user id there. Raises what `client` raises."""
        if account not in self._bots:
            client = await self.client(account)
            with deliveries():
                self._bots[account] = str((await client.auth_test()).get("user_id", ""))
        return self._bots[account]

    def known_bot(self, account: str) -> str | None:
        return self._bots.get(account)

    def learn_bot(self, account: str, bot: str) -> None:
        """Slack names the bot with the events that it sends."""
        if bot:
            self._bots[account] = bot

    async def forget(self, account: str) -> None:
        """The app was removed from there."""
        self._known.pop(account, None)
        self._bots.pop(account, None)
        if self._installations is not None:
            await self._installations.delete(account)
            log.info("the Slack app was removed from a workspace", account=account)

    def renewed(self, account: str) -> None:
        """The app was installed there anew, with another token."""
        self._known.pop(account, None)

    async def _find(self, account: str) -> _Known:
        assert self._installations is not None
        bot = await self._installations.bot(account)
        if bot is None:
            raise DeliveryRejected(f"the app is not installed in the workspace {account}")
        ends = float(bot.bot_token_expires_at or "inf")
        try:
            bot = await self._rotated(bot)
        except DeliveryError as error:
            if ends < time() + AGAIN_SECONDS:
                raise
            log.warning("the token could not be renewed yet", account=account, error=str(error))
            until = time() + AGAIN_SECONDS
        else:
            until = float(bot.bot_token_expires_at or "inf") - ROTATED_MINUTES * 60
        return _Known(Client(self.session, self._settings.api_url, bot.bot_token), until)

    async def _rotated(self, bot: Bot) -> Bot:
        settings = self._settings
        if bot.bot_refresh_token is None or settings.client_id is None or settings.client_secret is None:
            return bot
        assert self._installations is not None
        rotator = AsyncTokenRotator(
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            client=Client(self.session, settings.api_url),
        )
        try:
            with deliveries():
                renewed = await rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=ROTATED_MINUTES)
        except SlackTokenRotationError as error:
            raise DeliveryDeferred("the token could not be renewed") from error
        if renewed is None:
            return bot
        await self._installations.async_save_bot(renewed)
        return renewed
