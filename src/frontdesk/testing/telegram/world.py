"""People, chats and messages on the platform, as a test sees them."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from frontdesk.testing.telegram.entities import slice_utf16, utf16_length

if TYPE_CHECKING:
    from frontdesk.testing.telegram.server import FakeTelegram

ChatType = Literal["private", "group", "supergroup", "channel"]
FileKind = Literal["document", "photo", "audio", "voice", "video", "video_note", "animation", "sticker"]
_FOUND = re.compile(
    r"(?P<bot_command>(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?)|(?P<url>https?://\S+)|(?P<email>[\w.+-]+@[\w-]+\.\w+)"
    r"|(?P<mention>(?<!\w)@[A-Za-z]\w{3,31})"
)


@dataclass
class Posted:
    """A message in a chat. `data` is the Bot API's Message; `update` the id of the update by which the bot was told of it."""

    telegram: "FakeTelegram"
    chat: "Chat"
    data: dict[str, Any]
    by_bot: bool
    update: int | None = None
    edits: int = 0
    reactions: list[str] = field(default_factory=list)
    bot_reactions: list[str] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.data["message_id"])

    @property
    def text(self) -> str:
        """What is read on the screen: the text or the caption."""
        return str(self.data.get("text") or self.data.get("caption") or "")

    @property
    def entities(self) -> list[dict[str, Any]]:
        return list(self.data.get("entities") or self.data.get("caption_entities") or ())

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Label and data (or address) of each button, row by row."""
        rows = self.data.get("reply_markup", {}).get("inline_keyboard", ())
        return [(button["text"], button.get("callback_data") or button.get("url", "")) for row in rows for button in row]

    @property
    def files(self) -> dict[str, bytes]:
        return {stored.name or stored.path: stored.data for stored in self.telegram.files.of_message(self.data)}

    @property
    def reply_to(self) -> int | None:
        found = self.data.get("reply_to_message")
        return int(found["message_id"]) if found else None

    @property
    def topic(self) -> int | None:
        return self.data.get("message_thread_id") if self.data.get("is_topic_message") else None

    @property
    def album(self) -> str | None:
        return self.data.get("media_group_id")

    def formatted(self, kind: str) -> list[str]:
        """The pieces of the text that look so: `bold`, `code`, `text_link`."""
        return [slice_utf16(self.text, found["offset"], found["length"]) for found in self.entities if found["type"] == kind]


@dataclass
class Chat:
    """`messages` are all that were written there and not deleted, the oldest first; `actions` what the bot was seen doing."""

    telegram: "FakeTelegram"
    id: int
    type: ChatType
    title: str = ""
    username: str | None = None
    forum: bool = False
    direct: bool = False
    business: str | None = None
    messages: list[Posted] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    topics: dict[int, str] = field(default_factory=dict)
    migrated_to: "Chat | None" = None
    open: bool = False
    refusal: str | None = None
    _ids: "count[int]" = field(default_factory=lambda: count(2))

    @property
    def replies(self) -> list[Posted]:
        """What the bot has written."""
        return [message for message in self.messages if message.by_bot]

    @property
    def data(self) -> dict[str, Any]:
        name = {"first_name": self.title} if self.type == "private" else {"title": self.title}
        username = {"username": self.username} if self.username else {}
        marks = {**({"is_forum": True} if self.forum else {}), **({"is_direct_messages": True} if self.direct else {})}
        return {"id": self.id, **name, **username, "type": self.type, **marks}

    def next_id(self) -> int:
        """Supergroups and channels count their own messages; all other chats of a bot share one count."""
        return next(self._ids) if self.type in ("supergroup", "channel") else self.telegram.next_message_id()

    def find(self, id: int) -> Posted | None:
        return next((message for message in self.messages if message.id == id), None)

    def add_topic(self, name: str) -> int:
        """Opens a topic in a forum and returns its message_thread_id."""
        assert self.forum, "only a forum has topics"
        topic = self.next_id()
        self.topics[topic] = name
        return topic

    async def migrate(self) -> "Chat":
        """The group becomes a supergroup of another id; the bot is told in both."""
        return self.telegram.migrate(self)

    def kick_bot(self) -> None:
        self.refusal = f"bot was kicked from the {'group' if self.type == 'group' else self.type} chat"


class User:
    """Somebody with the app in hand, who writes to the private chat with the bot, or to the `chat` that is named."""

    def __init__(
        self, telegram: "FakeTelegram", id: int, name: str, *, username: str | None, language: str | None, is_bot: bool
    ) -> None:
        self.telegram = telegram
        self.id = id
        self.name = name
        self.username = username
        self.language = language
        self.is_bot = is_bot
        self.chat = telegram.add_chat(Chat(telegram, id, "private", name, username))

    @property
    def data(self) -> dict[str, Any]:
        username = {"username": self.username} if self.username else {}
        language = {"language_code": self.language} if self.language else {}
        return {"id": self.id, "is_bot": self.is_bot, "first_name": self.name, **username, **language}

    async def write(
        self, text: str, *, chat: Chat | None = None, topic: int | None = None, reply_to: Posted | None = None
    ) -> Posted:
        return await self.post({"text": text, **_entities("entities", text)}, chat=chat, topic=topic, reply_to=reply_to)

    async def send_file(
        self,
        data: bytes,
        *,
        kind: FileKind = "document",
        name: str = "",
        media_type: str = "",
        caption: str | None = None,
        chat: Chat | None = None,
        topic: int | None = None,
        reply_to: Posted | None = None,
    ) -> Posted:
        media = self.telegram.files.media(kind, data, name=name, media_type=media_type)
        return await self.post({kind: media, **_caption(caption)}, chat=chat, topic=topic, reply_to=reply_to)

    async def send_album(
        self, files: Sequence[bytes], *, kind: FileKind = "photo", caption: str | None = None, chat: Chat | None = None
    ) -> list[Posted]:
        """An album comes as one message for each file; the caption is that of the first."""
        group = str(self.telegram.next_number())
        return [
            await self.post(
                {
                    kind: self.telegram.files.media(kind, data, name=f"{number}.bin"),
                    "media_group_id": group,
                    **_caption(caption if number == 0 else None),
                },
                chat=chat,
            )
            for number, data in enumerate(files)
        ]

    async def post(
        self,
        content: Mapping[str, Any],
        *,
        chat: Chat | None = None,
        topic: int | None = None,
        reply_to: Posted | None = None,
    ) -> Posted:
        """Any message: `content` are the fields of a Message besides those that all have, such as `{"dice": {...}}`."""
        return self.telegram.post(self, chat or self.chat, content, topic=topic, reply_to=reply_to)

    async def edit(self, message: Posted, text: str) -> None:
        field, entities = ("text", "entities") if "text" in message.data else ("caption", "caption_entities")
        message.data[field] = text
        message.data.pop(entities, None)
        message.data |= {**_entities(entities, text), "edit_date": int(time.time())}
        message.edits += 1
        kind = "edited_business_message" if message.chat.business else "edited_message"
        self.telegram.tell({kind: message.data}, message.chat)

    async def delete(self, message: Posted) -> None:
        """Bots are told of it in business chats only."""
        message.chat.messages.remove(message)
        if message.chat.business:
            deleted = {
                "business_connection_id": message.chat.business,
                "chat": message.chat.data,
                "message_ids": [message.id],
            }
            self.telegram.tell({"deleted_business_messages": deleted}, message.chat)

    async def press(self, label: str, *, chat: Chat | None = None, message: Posted | None = None) -> str:
        """Presses the newest button of that label, or that of the message. Returns the id of the callback query."""
        chat = message.chat if message else chat or self.chat
        for found in [message] if message else reversed(chat.messages):
            for text, data in found.buttons:
                if text == label:
                    return self.telegram.press(self, found, data)
        raise LookupError(f"no button {label!r} in this chat")

    async def react(self, message: Posted, *emoji: str) -> None:
        """These are then all of the user's reactions to the message."""
        old, message.reactions = message.reactions, list(emoji)
        changed = {
            "chat": message.chat.data,
            "message_id": message.id,
            "user": self.data,
            "date": int(time.time()),
            "old_reaction": [{"type": "emoji", "emoji": each} for each in old],
            "new_reaction": [{"type": "emoji", "emoji": each} for each in emoji],
        }
        self.telegram.tell({"message_reaction": changed}, message.chat)

    async def block(self) -> None:
        self.chat.refusal = "bot was blocked by the user"
        self.telegram.tell_membership(self, "member", "kicked")

    async def unblock(self) -> None:
        self.chat.refusal = None
        self.telegram.tell_membership(self, "kicked", "member")


@dataclass(frozen=True)
class Business:
    """A business account that the bot answers for. https://core.telegram.org/bots/features#bots-for-business"""

    telegram: "FakeTelegram"
    id: str
    owner: User
    chats: dict[int, Chat] = field(default_factory=dict)

    def chat(self, customer: User) -> Chat:
        """The private chat of a customer with the account's owner."""
        if customer.id not in self.chats:
            chat = Chat(self.telegram, customer.id, "private", customer.name, customer.username, business=self.id, open=True)
            self.chats[customer.id] = chat
        return self.chats[customer.id]


def _entities(field: str, text: str) -> dict[str, Any]:
    """What Telegram finds in plain text by itself."""
    found = [
        {"type": match.lastgroup, "offset": utf16_length(text[: match.start()]), "length": utf16_length(match[0])}
        for match in _FOUND.finditer(text)
    ]
    return {field: found} if found else {}


def _caption(caption: str | None) -> dict[str, Any]:
    return {"caption": caption, **_entities("caption_entities", caption)} if caption else {}
