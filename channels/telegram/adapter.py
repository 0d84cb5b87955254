"""The Telegram channel: puts together what comes in (`intake`, `updates`) and what goes out (`render`, `sending`)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import structlog
from aiohttp import web
from telegram import User
from telegram.error import BadRequest, ChatMigrated, InvalidToken, RetryAfter, TelegramError
from yarl import URL

from frontdesk.channels.telegram import render
from frontdesk.channels.telegram.addresses import Address
from frontdesk.channels.telegram.api import REFUSED, Api, refused, seconds
from frontdesk.channels.telegram.chats import Chats
from frontdesk.channels.telegram.intake import Intake
from frontdesk.channels.telegram.limits import Limits
from frontdesk.channels.telegram.menu import menus, set_menus
from frontdesk.channels.telegram.parse import WANTED, Me
from frontdesk.channels.telegram.sending import Sender, target
from frontdesk.channels.telegram.settings import API_URL, MAX_DOWNLOAD, WEBHOOK_PATH, TelegramSettings
from frontdesk.channels.telegram.updates import Polling, Webhook, secret
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import ConfigurationError, DeliveryRejected, InvalidInput, TransientError, Unavailable
from frontdesk.core.messages import Attachment, Message, Outgoing
from frontdesk.core.sending import Pieces

log = structlog.get_logger(__name__)

START_SECONDS = 10.0


class TelegramChannel(Channel):
    name: ClassVar[str] = "telegram"
    Settings: ClassVar[type[TelegramSettings]] = TelegramSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="html",
        buttons=True,
        threads=True,
        edits=True,
        changes=True,
        reactions=True,
        typing=True,
        attachments=True,
        max_text=render.MAX_TEXT,
        max_attachment=MAX_DOWNLOAD,
    )

    def __init__(self, settings: TelegramSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        self._api = Api(settings)
        self._chats = Chats(services.folder / f"telegram-{settings.account}.json")
        self._intake = Intake(services, self._api, self._chats, groups=settings.groups)
        self._sender = Sender(self._api, services.attachments)
        self._pieces = Pieces()
        self._me: Me | None = None
        self._limits = Limits(settings)

    @property
    def webhook_url(self) -> str:
        return self.settings.webhook_url or f"{self.services.base_url}{WEBHOOK_PATH}"

    def mount(self, http: web.Application) -> None:
        if self.settings.mode == "webhook":
            http.router.add_post(WEBHOOK_PATH, Webhook(self.settings, self._take).serve)

    async def start(self) -> None:
        """Telegram being out of reach is no reason not to start: the other channels are served meanwhile."""
        self._check_settings()
        self._chats.load()
        await self._api.open()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._introduce()
        except (TelegramError, TimeoutError) as error:
            if isinstance(error, InvalidToken):
                await self._api.close()
                raise ConfigurationError(REFUSED) from None
            log.warning("Telegram cannot be reached at the start: tried again", error=type(error).__name__)

    async def run(self) -> None:
        try:
            await self._set_up()
        except TelegramError as error:
            log.error("Telegram does not let the bot begin", error=REFUSED if isinstance(error, InvalidToken) else error.message)
            raise
        if self.settings.mode == "polling":
            await Polling(self._api, self._take).run()

    async def stop(self) -> None:
        await self._intake.close()
        await self._api.close()

    async def check(self) -> str:
        self._check_settings()
        api = Api(self.settings)
        try:
            await api.open()
            user = await api.bot.get_me(read_timeout=START_SECONDS)
        except InvalidToken:
            raise ConfigurationError(REFUSED) from None
        except TelegramError as error:
            raise ConfigurationError(
                f"Telegram cannot be asked ({error.message}): check the network, and `channels.telegram.api_url` "
                "(FRONTDESK_CHANNELS__TELEGRAM__API_URL)"
            ) from None
        finally:
            await api.close()
        return f"@{user.username}{self._about_groups(user)}"

    async def send(self, outgoing: Outgoing) -> str | None:
        address = self._address(outgoing.conversation)
        # Where to cut a long text takes a while to find.
        is_short = len(outgoing.text) <= render.MAX_TEXT
        pieces = render.pieces(outgoing) if is_short else await asyncio.to_thread(render.pieces, outgoing)
        if not pieces:
            raise DeliveryRejected("there is nothing in the reply that Telegram could show")
        reply_to = _number(outgoing.reply_to, address) if address.is_group else None
        return ",".join(await self._send_all(outgoing.id, address, pieces, reply_to))

    async def edit(self, outgoing: Outgoing, platform_id: str) -> str | None:
        """Too few messages are followed by more, too many are deleted."""
        address = self._address(outgoing.conversation)
        ids, words = platform_id.split(","), render.words(outgoing)
        texts, captions = [id for id in ids if id.isdigit()], [id for id in ids if id.startswith("c")]
        if outgoing.attachments or not words or not (texts or captions):
            raise DeliveryRejected("a reply with other files cannot be put in its place")
        try:
            if not texts:
                if len(words) > 1 or words[0].text.length > render.MAX_CAPTION:
                    raise DeliveryRejected("the text is too long for a caption")
                await self._sender.edit_caption(address, captions[0][1:], words[0])
                return platform_id
            for id, piece in zip(texts, words, strict=False):
                await self._sender.edit(address, id, piece)
        except TelegramError as error:
            raise self._refused(error, address) from error
        if left_over := texts[len(words) :]:
            await self._sender.delete(address, left_over)
        more = await self._send_all(outgoing.id, address, words[len(texts) :], None, paced=True)
        return ",".join([*texts[: len(words)], *more, *(id for id in ids if not id.isdigit())])

    async def ready(self, conversation: str) -> None:
        await self._limits.wait(self._address(conversation))

    async def fetch(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        limit = self.settings.max_download
        if attachment.size > limit:
            raise InvalidInput(f"the file is larger than {limit // 1024} kB", status=413)
        try:
            file = await self._api.call("getFile", {"file_id": attachment.remote})
            path = str(file.get("file_path") or "")
            taken = 0
            async for chunk in self._local(path) if path.startswith("/") else self._api.download(path):
                taken += len(chunk)
                if taken > limit:
                    raise InvalidInput(f"the file is larger than {limit // 1024} kB", status=413)
                yield chunk
        except RetryAfter as error:
            raise TransientError("Telegram asks for a pause", retry_after=seconds(error.retry_after)) from None
        except BadRequest as error:
            if "temporarily" in error.message:
                raise TransientError(error.message) from None
            raise InvalidInput(f"Telegram does not hand the file over: {error.message}") from None
        except TelegramError as error:
            raise TransientError(f"Telegram: {type(error).__name__}") from None

    async def typing(self, conversation: str) -> None:
        values = target(self._address(conversation)) | {"action": "typing"}
        values.pop("direct_messages_topic_id", None)
        await self._api.call("sendChatAction", values, seconds=START_SECONDS)

    async def _send_all(
        self,
        id: str,
        address: Address,
        pieces: list[render.Piece] | list[render.Words],
        reply_to: int | None,
        *,
        paced: bool = False,
    ) -> list[str]:
        """The first piece has been waited for by `ready`, unless it is to be `paced` as well."""

        async def send(piece: render.Piece) -> str:
            nonlocal paced, address
            if paced:
                await self._limits.wait(address)
            paced = True
            try:
                return await self._sender.send(address, piece, reply_to if piece is pieces[0] else None)
            except ChatMigrated as moved:
                self._chats.move(address.chat, moved.new_chat_id)
                address = replace(address, chat=moved.new_chat_id)
                return await self._sender.send(address, piece, None)

        try:
            return await self._pieces.send(id, pieces, send)
        except TelegramError as error:
            raise self._refused(error, address) from error

    def _refused(self, error: TelegramError, address: Address) -> Exception:
        if isinstance(error, RetryAfter):
            self._limits.hold(seconds(error.retry_after), address)
        elif isinstance(error, InvalidToken):
            log.error(REFUSED)
        return refused(error)

    def _address(self, conversation: str) -> Address:
        """Where the chat is today. Raises `DeliveryRejected`."""
        try:
            address = Address.parse(conversation)
        except ValueError:
            raise DeliveryRejected("this is no conversation on Telegram") from None
        if address.bot != self.settings.account:
            raise DeliveryRejected(f"this conversation belongs to the bot {address.bot}, whose token is not set any more")
        chat = self._chats.now(address.chat)
        return address if chat == address.chat else replace(address, chat=chat)

    async def _take(self, raw: bytes) -> None:
        if self._me is None:
            raise Unavailable("Telegram has not told the bot's name yet")
        await self._intake.take(raw, self._me)

    async def _set_up(self) -> None:
        if self._me is None:
            await self._introduce()
        configured = self.settings.commands
        wanted = menus(self.services.commands, self.services.languages) if configured is None else configured
        await set_menus(self._api.bot, wanted)
        if self.settings.mode == "polling":
            await self._api.bot.delete_webhook(drop_pending_updates=False)
            return
        await self._api.bot.set_webhook(
            self.webhook_url, allowed_updates=list(WANTED), secret_token=secret(self.settings), drop_pending_updates=False
        )
        log.info("Telegram sends updates to the webhook", url=self.webhook_url)

    async def _introduce(self) -> None:
        user = await self._api.bot.get_me()
        commands = frozenset({"start", *self.services.commands})
        self._me = Me(id=str(user.id), username=user.username or "", commands=commands)
        log.info(
            "connected to Telegram", bot=f"@{user.username}", groups=self._about_groups(user).strip(" ,;") or "private chats"
        )

    async def _local(self, path: str) -> AsyncIterator[bytes]:
        """A Bot API server of one's own that runs with --local names its files by their place on the disk."""
        if self.settings.api_url == API_URL:
            raise InvalidInput("this is no name of a file at Telegram")
        try:
            with await asyncio.to_thread(Path(path).open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, 1 << 18):
                    yield chunk
        except OSError as error:
            raise TransientError(f"the Bot API server's file cannot be read: {error.strerror}") from None

    def _check_settings(self) -> None:
        if self.settings.mode == "webhook" and self.settings.api_url == API_URL and URL(self.webhook_url).scheme != "https":
            raise ConfigurationError(
                f"Telegram calls webhooks by https only, and the address is {self.webhook_url}: set `web.base_url` "
                "(FRONTDESK_WEB__BASE_URL) or `channels.telegram.webhook_url` (FRONTDESK_CHANNELS__TELEGRAM__WEBHOOK_URL) to the "
                "public address, or `channels.telegram.mode` to polling"
            )

    def _about_groups(self, user: User) -> str:
        if not self.settings.groups:
            return "; groups are off (`channels.telegram.groups`)"
        if not user.can_join_groups:
            return "; cannot be added to groups (/setjoingroups at @BotFather)"
        if user.can_read_all_group_messages:
            return "; in groups it is told of everything and answers only what is addressed to it (/setprivacy at @BotFather)"
        return "; in groups it is told only of commands, replies and mentions, which is all that it answers (privacy mode)"


def _number(id: str | None, address: Address) -> int | None:
    """The platform's number in the id of a message of this chat; None for a message of another one."""
    prefix = address.message(0).removesuffix("0")
    number = id.removeprefix(prefix).partition(":")[0] if id and id.startswith(prefix) else ""
    return int(number) if number.isdecimal() else None
