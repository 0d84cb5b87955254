"""The methods of the Bot API that bots use to talk. https://core.telegram.org/bots/api#available-methods

What is not here answers 404 as an unknown method does.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from frontdesk.testing.telegram.entities import MAX_CAPTION, MAX_TEXT, FormattedText, Unparsable, formatted, utf16_length
from frontdesk.testing.telegram.files import IMAGES, MAX_DOWNLOAD
from frontdesk.testing.telegram.parameters import Parameters, Refused
from frontdesk.testing.telegram.updates import Webhook
from frontdesk.testing.telegram.world import Chat, Posted

if TYPE_CHECKING:
    from frontdesk.testing.telegram.server import FakeTelegram

Method = Callable[[Parameters], Awaitable[object]]

MEDIA = ("photo", "document", "audio", "voice", "video", "video_note", "animation")
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


class Methods:
    """Each raises `Refused`, or returns what stands under `result`."""

    def __init__(self, telegram: "FakeTelegram") -> None:
        self._telegram = telegram
        self._by_name: Mapping[str, Method] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "sendmessage": self._send_message,
            "sendmediagroup": self._send_media_group,
            "sendlocation": self._send_location,
            "sendchataction": self._send_chat_action,
            "editmessagetext": self._edit_text,
            "editmessagecaption": self._edit_caption,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete_message,
            "deletemessages": self._delete_messages,
            "deletebusinessmessages": self._delete_messages,
            "answercallbackquery": self._answer_callback,
            "setmessagereaction": self._react,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getbusinessconnection": self._get_business,
            **{f"send{kind.replace('_', '')}": self._sender(kind) for kind in MEDIA},
        }

    def find(self, name: str) -> Method | None:
        return self._by_name.get(name.lower())

    # The bot itself

    async def _get_me(self, _: Parameters) -> object:
        return {
            **self._telegram.bot,
            "can_join_groups": True,
            "can_read_all_group_messages": not self._telegram.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": True,
            "has_main_web_app": False,
        }

    async def _set_commands(self, p: Parameters) -> object:
        commands = p.object("commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise Refused("can't parse list of bot commands")
        for command in commands:
            name, description = command.get("command", ""), command.get("description", "")
            if not 1 <= len(name) <= 32 or not name.isascii() or not name.replace("_", "a").isalnum() or name != name.lower():
                raise Refused("BOT_COMMAND_INVALID")
            if not 1 <= len(description) <= 256:
                raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
        self._telegram.commands[self._menu(p)] = {command["command"]: command["description"] for command in commands}
        return True

    async def _get_commands(self, p: Parameters) -> object:
        found = self._telegram.commands.get(self._menu(p), {})
        return [{"command": command, "description": description} for command, description in found.items()]

    async def _delete_commands(self, p: Parameters) -> object:
        self._telegram.commands.pop(self._menu(p), None)
        return True

    @staticmethod
    def _menu(p: Parameters) -> tuple[str, str]:
        """The scope and the language that a menu of commands is for."""
        scope = p.object("scope") or {}
        return str(scope.get("type", "default")), p.text("language_code") or ""

    # Updates

    async def _get_updates(self, p: Parameters) -> object:
        if (allowed := p.object("allowed_updates")) is not None:
            self._telegram.updates.allowed = allowed
        seconds = min(float(p.number("timeout") or 0), self._telegram.longest_poll)
        limit = p.number("limit")
        return await self._telegram.updates.poll(p.number("offset") or 0, 100 if limit is None else limit, seconds)

    async def _set_webhook(self, p: Parameters) -> object:
        url = p.text("url")
        if not url:
            return await self._delete_webhook(p)
        local = url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
        if not url.startswith("https://") and not local:
            raise Refused("bad webhook: An HTTPS URL must be provided for webhook")
        secret = p.text("secret_token")
        if secret and (len(secret) > 256 or not secret.replace("_", "a").replace("-", "a").isalnum() or not secret.isascii()):
            raise Refused("secret token contains unallowed characters")
        connections = 40 if (asked := p.number("max_connections")) is None else asked
        if not 1 <= connections <= 100:
            raise Refused("max_connections must be between 1 and 100")
        updates = self._telegram.updates
        if p.flag("drop_pending_updates"):
            updates.drop()
        if (allowed := p.object("allowed_updates")) is not None:
            updates.allowed = allowed
        await updates.set_webhook(Webhook(url, secret, connections))
        return True

    async def _delete_webhook(self, p: Parameters) -> object:
        if p.flag("drop_pending_updates"):
            self._telegram.updates.drop()
        await self._telegram.updates.set_webhook(None)
        return True

    async def _get_webhook_info(self, _: Parameters) -> object:
        updates = self._telegram.updates
        info: dict[str, Any] = {"url": "", "has_custom_certificate": False, "pending_update_count": len(updates.pending)}
        if (webhook := updates.webhook) is not None:
            info |= {"url": webhook.url, "max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
            if webhook.last_error_message:
                info |= {"last_error_date": webhook.last_error_date, "last_error_message": webhook.last_error_message}
        if updates.allowed:
            info["allowed_updates"] = list(updates.allowed)
        return info

    # Messages

    async def _send_message(self, p: Parameters) -> object:
        chat = self._telegram.target(p)
        text = self._text(p, "text")
        return self._post(chat, p, {"text": text.text, **_entities("entities", text)})

    def _sender(self, kind: str) -> Method:
        async def send(p: Parameters) -> object:
            chat = self._telegram.target(p)
            caption = self._caption(p.text("caption"), p.text("parse_mode"), p.entities("caption_entities"))
            return self._post(chat, p, {**self._media(kind, p, p.values.get(kind), kind), **caption})

        return send

    async def _send_media_group(self, p: Parameters) -> object:
        chat = self._telegram.target(p)
        media = p.object("media")
        if not isinstance(media, list) or not 2 <= len(media) <= 10:
            raise Refused("media group must include 2-10 items")
        kinds = {item.get("type") for item in media}
        if not kinds <= {"photo", "video", "document", "audio"} or (kinds & {"document", "audio"} and len(kinds) > 1):
            raise Refused("these types can't be mixed in one album")
        contents = [
            {
                **self._media(item["type"], p, item.get("media"), ""),
                **self._caption(item.get("caption"), item.get("parse_mode"), item.get("caption_entities")),
            }
            for item in media
        ]
        group = str(self._telegram.next_number())
        return [self._post(chat, p, {**content, "media_group_id": group}) for content in contents]

    async def _send_location(self, p: Parameters) -> object:
        chat = self._telegram.target(p)
        try:
            where = {name: float(p.text(name) or "") for name in ("latitude", "longitude")}
        except ValueError:
            raise Refused("latitude and longitude must be numbers") from None
        return self._post(chat, p, {"location": where})

    async def _send_chat_action(self, p: Parameters) -> object:
        chat = self._telegram.target(p)
        if (action := p.text("action")) not in ACTIONS:
            raise Refused("wrong parameter action in request")
        chat.actions.append(str(action))
        return True

    async def _delete_message(self, p: Parameters) -> object:
        message = self._own(p, "message to delete not found", "message can't be deleted for everyone")
        message.chat.messages.remove(message)
        return True

    async def _delete_messages(self, p: Parameters) -> object:
        """What is not there, or not the bot's, stays as it is."""
        ids = p.object("message_ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
            raise Refused("message identifiers must be 1-100 numbers")
        business = self._telegram.businesses.get(p.text("business_connection_id") or "")
        for chat in list(business.chats.values()) if business else [self._telegram.target(p)]:
            chat.messages = [message for message in chat.messages if message.id not in ids or not message.by_bot]
        return True

    async def _react(self, p: Parameters) -> object:
        message = self._telegram.target(p).find(p.number("message_id") or 0)
        if message is None:
            raise Refused("message to react not found")
        message.bot_reactions = [str(each.get("emoji")) for each in p.object("reaction") or ()]
        return True

    # Edits

    async def _edit_text(self, p: Parameters) -> object:
        message = self._own(p, "message to edit not found", "message can't be edited")
        if "text" not in message.data:
            raise Refused("there is no text in the message to edit")
        text = self._text(p, "text")
        return self._change(message, p, {"text": text.text, **_entities("entities", text)}, ("text", "entities"))

    async def _edit_caption(self, p: Parameters) -> object:
        message = self._own(p, "message to edit not found", "message can't be edited")
        if "text" in message.data:
            raise Refused("there is no caption in the message to edit")
        caption = self._caption(p.text("caption"), p.text("parse_mode"), p.entities("caption_entities"))
        return self._change(message, p, caption, ("caption", "caption_entities"))

    async def _edit_markup(self, p: Parameters) -> object:
        return self._change(self._own(p, "message to edit not found", "message can't be edited"), p, {}, ())

    def _change(self, message: Posted, p: Parameters, content: Mapping[str, Any], replaced: tuple[str, ...]) -> object:
        """Buttons that are not given again are gone."""
        replaced = (*replaced, "reply_markup")
        content = {**content, **self._markup(p)}
        if {key: message.data[key] for key in replaced if key in message.data} == content:
            raise Refused(
                "message is not modified: specified new message content and reply markup are exactly the same as a current "
                "content and reply markup of the message"
            )
        for key in replaced:
            message.data.pop(key, None)
        message.data |= {**content, "edit_date": int(time.time())}
        message.edits += 1
        return message.data

    def _own(self, p: Parameters, missing: str, foreign: str) -> Posted:
        message = self._telegram.target(p).find(p.number("message_id") or 0)
        if message is None:
            raise Refused(missing)
        if not message.by_bot:
            raise Refused(foreign)
        return message

    # Buttons, files and chats

    async def _answer_callback(self, p: Parameters) -> object:
        query = p.text("callback_query_id") or ""
        if query not in self._telegram.queries:
            raise Refused("query is too old and response timeout expired or query ID is invalid")
        if len(p.text("text") or "") > 200:
            raise Refused("MESSAGE_TOO_LONG")
        self._telegram.answered_queries[query] = p.text("text") or ""
        return True

    async def _get_file(self, p: Parameters) -> object:
        stored = self._telegram.files.by_id.get(p.text("file_id") or "")
        if stored is None:
            raise Refused("wrong file_id or the file is temporarily unavailable")
        if len(stored.data) > MAX_DOWNLOAD:
            raise Refused("file is too big")
        return {**stored.described, "file_path": stored.path}

    async def _get_chat(self, p: Parameters) -> object:
        return {**self._telegram.target(p).data, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}

    async def _get_business(self, p: Parameters) -> object:
        business = self._telegram.businesses.get(p.text("business_connection_id") or "")
        if business is None:
            raise Refused("BUSINESS_CONNECTION_INVALID")
        return self._telegram.described_business(business)

    # What messages are made of

    def _post(self, chat: Chat, p: Parameters, content: Mapping[str, Any]) -> object:
        content = {**content, **self._thread(chat, p), **self._markup(p), **self._reply(chat, p)}
        return self._telegram.take(chat, content).data

    def _thread(self, chat: Chat, p: Parameters) -> dict[str, Any]:
        if chat.direct:
            person = self._telegram.users.get(p.number("direct_messages_topic_id") or 0)
            if person is None:
                raise Refused("direct messages topic not found")
            return {"direct_messages_topic": {"topic_id": person.id, "user": person.data}}
        topic = p.number("message_thread_id")
        if topic is None:
            return {}
        if topic not in chat.topics:  # nor may 1 be named, the topic General
            raise Refused("message thread not found")
        return {"message_thread_id": topic, "is_topic_message": True}

    def _reply(self, chat: Chat, p: Parameters) -> dict[str, Any]:
        parameters = p.object("reply_parameters") or {}
        number = parameters.get("message_id") if isinstance(parameters, dict) else None
        number = number or p.number("reply_to_message_id")
        if not number:
            return {}
        found = chat.find(int(number))
        if found is None:
            if parameters.get("allow_sending_without_reply") or p.flag("allow_sending_without_reply"):
                return {}
            raise Refused("message to be replied not found")
        return {"reply_to_message": {key: value for key, value in found.data.items() if key != "reply_to_message"}}

    def _markup(self, p: Parameters) -> dict[str, Any]:
        markup = p.object("reply_markup")
        if markup is None:
            return {}
        if not isinstance(markup, dict):
            raise Refused("object expected as reply markup")
        rows = markup.get("inline_keyboard")
        if rows is None:
            return {}
        buttons = [button for row in rows for button in row]
        if len(buttons) > 100 or any(len(row) > 8 for row in rows):
            raise Refused("reply markup is too long")
        for button in buttons:
            if not str(button.get("text") or "").strip():
                raise Refused("text buttons are unallowed in the inline keyboard")
            data = button.get("callback_data")
            if data is None and not button.get("url"):
                raise Refused("text buttons are unallowed in the inline keyboard")
            if data is not None and not 1 <= len(str(data).encode()) <= 64:
                raise Refused("BUTTON_DATA_INVALID")
        return {"reply_markup": {"inline_keyboard": rows}} if buttons else {}

    def _media(self, kind: str, p: Parameters, given: object, field: str) -> dict[str, Any]:
        """The file: uploaded under the parameter's name or that of `attach://`, or one that is here already."""
        files = self._telegram.files
        name = given.removeprefix("attach://") if isinstance(given, str) and given.startswith("attach://") else field
        if (upload := p.uploads.get(name)) is not None:
            if not upload.data:
                raise Refused("file must be non-empty")
            if kind == "photo" and not upload.data.startswith(IMAGES):
                raise Refused("IMAGE_PROCESS_FAILED")
            if kind == "photo" and len(upload.data) > 10 * 1024 * 1024:
                raise Refused(f"too big for a photo: {len(upload.data)} bytes")
            media = files.media(kind, upload.data, name=upload.name, media_type=upload.media_type)
        elif isinstance(given, str) and (stored := files.by_id.get(given)) is not None:
            media = files.media(kind, stored.data, name=stored.name, media_type=stored.media_type)
        elif not given:
            raise Refused(f"there is no {kind.replace('_', ' ')} in the request")
        else:
            raise Refused("wrong file identifier/HTTP URL specified")
        return {kind: media, **({"document": media} if kind == "animation" else {})}

    def _text(self, p: Parameters, name: str) -> FormattedText:
        given = p.text(name)
        if not given:
            raise Refused("message text is empty")
        found = _formatted(given, p.text("parse_mode"), p.entities("entities"))
        if not found.text:
            raise Refused("message text is empty")
        if utf16_length(found.text) > MAX_TEXT:
            raise Refused("message is too long")
        return found

    def _caption(self, given: str | None, parse_mode: str | None, entities: list[dict[str, Any]] | None) -> dict[str, Any]:
        if not given:
            return {}
        found = _formatted(given, parse_mode, entities)
        if utf16_length(found.text) > MAX_CAPTION:
            raise Refused("message caption is too long")
        return {"caption": found.text, **_entities("caption_entities", found)}


def _formatted(text: str, parse_mode: str | None, entities: list[dict[str, Any]] | None) -> FormattedText:
    try:
        return formatted(text, parse_mode, entities)
    except Unparsable as error:
        raise Refused(str(error)) from error


def _entities(field: str, text: FormattedText) -> dict[str, Any]:
    return {field: list(text.entities)} if text.entities else {}
