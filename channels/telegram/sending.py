"""Sends the pieces of a reply to a chat, and does what can be done when Telegram objects to one."""

import re
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import structlog
from telegram import (
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, TelegramError

from frontdesk.channels.telegram import render
from frontdesk.channels.telegram.addresses import Address
from frontdesk.channels.telegram.api import Api
from frontdesk.channels.telegram.markup import Text
from frontdesk.core.attachments import Attachments
from frontdesk.core.messages import Attachment

log = structlog.get_logger(__name__)

NO_PREVIEW = {"is_disabled": True}
GONE = re.compile(r"thread not found|TOPIC_DELETED|TOPIC_ID_INVALID", re.IGNORECASE)
ALBUMS = {"photo": InputMediaPhoto, "document": InputMediaDocument, "audio": InputMediaAudio}


class Sender:
    """Raises `TelegramError`. Ids of what was sent are joined by commas, "f" before that of a file, "c" if it has a caption."""

    def __init__(self, api: Api, attachments: Attachments) -> None:
        self._api = api
        self._attachments = attachments

    async def send(self, address: Address, piece: render.Piece, reply_to: int | None) -> str:
        try:
            return await self._send(address, piece, reply_to)
        except BadRequest as error:
            # The topic was deleted; in the chat itself the reply is still read.
            if address.topic is None or not GONE.search(error.message):
                raise
            return await self._send(Address(address.bot, address.chat), piece, reply_to)

    async def edit(self, address: Address, id: str, piece: render.Words) -> None:
        values = {**target(address, for_edit=True), "message_id": int(id), **_text(piece.text)}
        if piece.keyboard:
            values["reply_markup"] = {"inline_keyboard": piece.keyboard}
        try:
            await self._api.call("editMessageText", values)
        except BadRequest as error:
            if "not modified" in error.message:
                return
            (text, *more) = render.unmarked(piece.source)
            if not _is_markup(error) or more:
                raise
            await self._api.call("editMessageText", {**values, "entities": [], **_text(text)})

    async def edit_caption(self, address: Address, id: str, piece: render.Words) -> None:
        values = {**target(address, for_edit=True), "message_id": int(id), "caption": piece.text.text}
        values["caption_entities"] = piece.text.entities
        if piece.keyboard:
            values["reply_markup"] = {"inline_keyboard": piece.keyboard}
        try:
            await self._api.call("editMessageCaption", values)
        except BadRequest as error:
            if "not modified" not in error.message:
                raise

    async def delete(self, address: Address, ids: list[str]) -> None:
        """Best effort: what is too old to be deleted stays."""
        try:
            if address.business is not None:
                await self._api.bot.delete_business_messages(address.business, [int(id) for id in ids])
            else:
                await self._api.bot.delete_messages(address.chat, [int(id) for id in ids])
        except TelegramError as error:
            log.info("earlier messages stay where they are", conversation=address.conversation, error=type(error).__name__)

    async def _send(self, address: Address, piece: render.Piece, reply_to: int | None) -> str:
        if isinstance(piece, render.Words):
            return await self._words(address, piece, reply_to)
        if len(piece.attachments) == 1:
            return await self._file(address, piece, reply_to)
        return await self._album(address, piece, reply_to)

    async def _words(self, address: Address, piece: render.Words, reply_to: int | None) -> str:
        try:
            return await self._text(address, piece.text, piece.keyboard, reply_to)
        except BadRequest as error:
            if not _is_markup(error):
                raise
            log.warning("Telegram refuses the entities of a reply: sent as plain text", conversation=address.conversation)
        texts = render.unmarked(piece.source)
        sent = [await self._text(address, text, None, reply_to) for text in texts[:-1]]
        return ",".join([*sent, await self._text(address, texts[-1], piece.keyboard, None if sent else reply_to)])

    async def _text(self, address: Address, text: Text, keyboard: render.Keyboard | None, reply_to: int | None) -> str:
        values = {**target(address), **_text(text)}
        if reply_to is not None:
            values["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
        if keyboard:
            values["reply_markup"] = {"inline_keyboard": keyboard}
        result = await self._api.call("sendMessage", values)
        return str(result["message_id"]) if isinstance(result, dict) and "message_id" in result else ""

    async def _file(self, address: Address, piece: render.Files, reply_to: int | None) -> str:
        options: dict[str, Any] = {**target(address), **_reply(reply_to)}
        if piece.caption is not None:
            options["caption"] = piece.caption.text.text
            options["caption_entities"] = [MessageEntity(**entity) for entity in piece.caption.text.entities]
        if piece.keyboard:
            options["reply_markup"] = InlineKeyboardMarkup.de_json({"inline_keyboard": piece.keyboard}, None)
        try:
            return await self._upload(piece.kind, piece.attachments[0], options)
        except BadRequest as error:
            kind = piece.kind
            if _is_markup(error):
                options.pop("caption_entities", None)
            elif kind == "document":
                raise
            else:  # a picture with odd proportions, a sound in another format: as a plain file it passes
                kind = "document"
            log.info("Telegram refuses a file as it is: sent plainly", conversation=address.conversation, attachment_kind=kind)
        return await self._upload(kind, piece.attachments[0], options)

    async def _upload(self, kind: str, attachment: Attachment, options: dict[str, Any]) -> str:
        bot = self._api.bot
        send: Any = {
            "photo": bot.send_photo,
            "animation": bot.send_animation,
            "voice": bot.send_voice,
            "audio": bot.send_audio,
            "video": bot.send_video,
            "document": bot.send_document,
        }[kind]
        with ExitStack() as stack:
            sent: Message = await send(**{kind: self._opened(attachment, stack)}, **options)
        return f"{'c' if 'caption' in options else 'f'}{sent.message_id}"

    async def _album(self, address: Address, piece: render.Files, reply_to: int | None) -> str:
        media = ALBUMS[piece.kind]
        try:
            with ExitStack() as stack:
                files = [media(self._opened(attachment, stack, attach=True)) for attachment in piece.attachments]
                sent = await self._api.bot.send_media_group(media=files, **target(address), **_reply(reply_to))
        except BadRequest:
            if piece.kind == "document":
                raise
            log.info("Telegram refuses an album as it is: sent as files", conversation=address.conversation)
            return await self._album(address, replace(piece, kind="document"), reply_to)
        return ",".join(f"f{message.message_id}" for message in sent)

    def _opened(self, attachment: Attachment, stack: ExitStack, *, attach: bool = False) -> InputFile:
        """Read from the disk while it is sent."""
        try:
            file = stack.enter_context(self._attachments.path(attachment.id).open("rb"))
        except (KeyError, OSError):
            raise BadRequest("a file of the reply is not in the attachment store any more") from None
        return InputFile(file, filename=attachment.name, attach=attach, read_file_handle=False)


def target(address: Address, *, for_edit: bool = False) -> dict[str, Any]:
    """The parameters that say where a message goes."""
    values: dict[str, Any] = {"chat_id": address.chat}
    if address.business is not None:
        values["business_connection_id"] = address.business
    if for_edit:
        return values
    if address.topic is not None:
        values["message_thread_id"] = address.topic
    if address.direct is not None:
        values["direct_messages_topic_id"] = address.direct
    return values


def _text(text: Text) -> dict[str, Any]:
    values: dict[str, Any] = {"text": text.text}
    if text.entities:
        values["entities"] = text.entities
    if "://" in text.text or any("url" in entity for entity in text.entities):
        values["link_preview_options"] = NO_PREVIEW
    return values


def _reply(reply_to: int | None) -> dict[str, Any]:
    return {} if reply_to is None else {"reply_parameters": ReplyParameters(reply_to, allow_sending_without_reply=True)}


def _is_markup(error: BadRequest) -> bool:
    """Whether it is the entities that Telegram does not like: "can't parse entities", "wrong message entity", ENTITY_..."""
    return "entit" in error.message.lower()
