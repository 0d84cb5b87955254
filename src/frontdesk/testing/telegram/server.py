"""Telegram on loopback: a Bot API server, and the people who write to the bot."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from frontdesk.testing.telegram.api import BotApi, Call
from frontdesk.testing.telegram.faults import Fault, FloodLimits
from frontdesk.testing.telegram.files import Files
from frontdesk.testing.telegram.parameters import Parameters, Refused
from frontdesk.testing.telegram.updates import Updates
from frontdesk.testing.telegram.world import Business, Chat, Posted, User

TOKEN = "123456789:TOKEN-of-no-bot"  # noqa: S105


class FakeTelegram:
    """A Bot API server on loopback for tests, with people who use it.

        async with FakeTelegram() as telegram:
            ann = telegram.user("Ann")
            await ann.write("hi")
            async with Bot(telegram.token, base_url=f"{telegram.url}/bot", base_file_url=f"{telegram.url}/file/bot") as bot:
                (update,) = await bot.get_updates()
                await update.message.reply_text("Hello, Ann.")
            assert ann.chat.replies[-1].text == "Hello, Ann."

    Updates go to the bot by long polling or, once it has called setWebhook, by HTTP to its address, which on loopback may be
    without TLS: in order per chat, and again until it answers 2xx. Texts are parsed as strictly as by Telegram; HTML is the only
    parse mode that is known. `fail` makes calls go wrong; `flood` switches the limits of rates on.

    `retry_seconds` is the pause before a webhook delivery is repeated, `webhook_seconds` the time that the bot has to answer,
    `longest_poll` limits the seconds that a long poll lasts. With `privacy` the bot sees in groups only what is meant for it.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "shop_bot",
        name: str = "Shop",
        privacy: bool = True,
        flood: FloodLimits | None = None,
        retry_seconds: float = 0.05,
        webhook_seconds: float = 60,
        longest_poll: float = 50,
        seed: int = 1,
    ) -> None:
        self.token = token
        self.privacy = privacy
        self.longest_poll = longest_poll
        self.bot = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": name, "username": username}
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.businesses: dict[str, Business] = {}
        self.files = Files()
        self.commands: dict[tuple[str, str], dict[str, str]] = {}
        self.queries: set[str] = set()
        self.answered_queries: dict[str, str] = {}
        self.on_reply: Callable[[Posted], None] = lambda _: None
        self._dice = random.Random(seed)
        self._message_ids = count(101)
        self._numbers = count(13_500_000_000_000_001)
        self._api = BotApi(self, flood)
        self.updates = Updates(
            self._api.execute,
            first_id=self._dice.randrange(100_000_000, 900_000_000),
            retry_seconds=retry_seconds,
            webhook_seconds=webhook_seconds,
        )

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._api.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        await self.updates.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.updates.__aexit__()
        await self._runner.cleanup()

    @property
    def calls(self) -> list[Call]:
        """What the bot has called, in the order of the answers."""
        return self._api.calls

    # People and chats

    def user(
        self,
        name: str = "Ann",
        *,
        username: str | None = None,
        language: str | None = "en",
        is_bot: bool = False,
        id: int | None = None,
    ) -> User:
        """Somebody who has not written to the bot yet: until then the bot may not write to them either."""
        id = id if id is not None else self._dice.randrange(10_000_000, 7_000_000_000)
        user = self.users[id] = User(self, id, name, username=username, language=language, is_bot=is_bot)
        return user

    def group(self, title: str = "Customers", *, forum: bool = False, supergroup: bool = True) -> Chat:
        """A group that the bot is a member of."""
        number = self._dice.randrange(1_000_000_000, 2_000_000_000)
        kind: Literal["group", "supergroup"] = "supergroup" if supergroup or forum else "group"
        id = -1_000_000_000_000 - number if kind == "supergroup" else -number
        return self.add_chat(Chat(self, id, kind, title, forum=forum, open=True))

    def direct_messages(self, title: str = "News") -> Chat:
        """The direct messages of a channel that the bot is an administrator of: each person has a topic there."""
        chat = self.group(title)
        chat.direct = True
        return chat

    def business(self, owner: User) -> Business:
        """The owner connects the bot to their business account; the bot is told."""
        business = Business(self, f"bc{self.next_number()}", owner)
        self.businesses[business.id] = business
        self.tell({"business_connection": self.described_business(business)}, owner.chat)
        return business

    def add_chat(self, chat: Chat) -> Chat:
        self.chats[chat.id] = chat
        return chat

    # What can go wrong

    def fail(self, fault: Fault, *, method: str = "send", chat: Chat | None = None, times: int = 1) -> None:
        """The next calls of the method end so; `send` stands for all that send a message, `file` for downloads."""
        self._api.faults.plan(fault, method, chat.id if chat else None, times)

    def heal(self) -> None:
        """Forgets the faults that were planned."""
        self._api.faults.clear()

    # What the bot is told

    def tell(self, payload: Mapping[str, Any], chat: Chat | None = None) -> int | None:
        """An update of the next id. None if the bot has not asked for such updates."""
        if not self.updates.wanted(next(iter(payload))):
            return None
        lane = (chat.business, chat.id) if chat else None
        return self.updates.add(json.loads(json.dumps(payload)), lane=lane)

    def deliver(self, update: Mapping[str, Any]) -> int:
        """An update as it is, asked for or not, with the `update_id` that it has, if it has one."""
        payload = {key: value for key, value in update.items() if key != "update_id"}
        return self.updates.add(payload, lane="raw", id=update.get("update_id"))

    async def delivered(self, seconds: float = 10) -> None:
        """Returns when the bot has acknowledged everything. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            await self.updates.delivered()

    def acknowledged(self, message: Posted) -> bool:
        return message.update in self.updates.acknowledged

    @property
    def polled(self) -> bool:
        """Whether the bot waits for updates at the moment."""
        return self.updates.polled

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method.lower() == method.lower()]

    # Used by the other modules

    def next_message_id(self) -> int:
        return next(self._message_ids)

    def next_number(self) -> int:
        return next(self._numbers)

    def post(
        self, user: User, chat: Chat, content: Mapping[str, Any], *, topic: int | None = None, reply_to: Posted | None = None
    ) -> Posted:
        """A person writes."""
        while chat.migrated_to is not None:
            chat = chat.migrated_to
        chat.open = True
        data = {"message_id": chat.next_id(), "from": user.data, "chat": chat.data, "date": int(time.time()), **content}
        if chat.business:
            data["business_connection_id"] = chat.business
        data |= _thread(chat, user, topic, reply_to)
        if reply_to is not None:
            data["reply_to_message"] = {key: value for key, value in reply_to.data.items() if key != "reply_to_message"}
        message = Posted(self, chat, data, by_bot=False)
        chat.messages.append(message)
        if self._visible(message, reply_to):
            message.update = self.tell({"business_message" if chat.business else "message": data}, chat)
        return message

    def press(self, user: User, message: Posted, data: str) -> str:
        query = str(self.next_number())
        self.queries.add(query)
        pressed = {
            "id": query,
            "from": user.data,
            "message": message.data,
            "chat_instance": "-5180432151936721223",
            "data": data,
        }
        self.tell({"callback_query": pressed}, message.chat)
        return query

    def migrate(self, group: Chat) -> Chat:
        new = group.migrated_to = self.group(group.title)
        for chat, content in ((group, {"migrate_to_chat_id": new.id}), (new, {"migrate_from_chat_id": group.id})):
            sender = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
            data = {
                "message_id": chat.next_id(),
                "from": sender,
                "sender_chat": chat.data,
                "chat": chat.data,
                "date": int(time.time()),
                **content,
            }
            self.tell({"message": data}, chat)
        return new

    def tell_membership(self, user: User, old: str, new: str) -> None:
        until = {"until_date": 0}
        changed = {
            "chat": user.chat.data,
            "from": user.data,
            "date": int(time.time()),
            "old_chat_member": {"user": self.bot, "status": old, **(until if old == "kicked" else {})},
            "new_chat_member": {"user": self.bot, "status": new, **(until if new == "kicked" else {})},
        }
        self.tell({"my_chat_member": changed}, user.chat)

    def described_business(self, business: Business) -> dict[str, Any]:
        return {
            "id": business.id,
            "user": business.owner.data,
            "user_chat_id": business.owner.chat.id,
            "date": int(time.time()),
            "rights": {"can_reply": True, "can_read_messages": True},
            "is_enabled": True,
        }

    def target(self, p: Parameters) -> Chat:
        """The chat that a call is for. Raises `Refused` where the bot cannot write there."""
        if (connection := p.text("business_connection_id")) is not None:
            business = self.businesses.get(connection)
            if business is None:
                raise Refused("BUSINESS_CONNECTION_INVALID")
            chat = business.chats.get(p.number("chat_id") or 0)
        else:
            if not p.text("chat_id"):
                raise Refused("chat_id is empty")
            chat = self.chats.get(p.number("chat_id") or 0)
        if chat is None:
            raise Refused("chat not found")
        if chat.migrated_to is not None:
            raise Refused("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to.id)
        if chat.refusal is not None:
            raise Refused(chat.refusal, 403)
        if not chat.open:
            raise Refused("bot can't initiate conversation with a user", 403)
        return chat

    def take(self, chat: Chat, content: Mapping[str, Any]) -> Posted:
        """The bot writes."""
        data = {"message_id": chat.next_id(), "from": self.bot, "chat": chat.data, "date": int(time.time()), **content}
        if chat.business:
            owner = self.businesses[chat.business].owner
            data |= {"business_connection_id": chat.business, "from": owner.data, "sender_business_bot": self.bot}
        message = Posted(self, chat, data, by_bot=True)
        chat.messages.append(message)
        self.on_reply(message)
        return message

    def _visible(self, message: Posted, reply_to: Posted | None) -> bool:
        """Whether a bot in privacy mode gets it. https://core.telegram.org/bots/features#privacy-mode"""
        if not self.privacy or message.chat.direct or message.chat.type in ("private", "channel"):
            return True
        mention = f"@{self.bot['username']}".lower()
        return (
            mention in message.text.lower()
            or (message.text.startswith("/") and "@" not in message.text.split()[0])
            or (reply_to is not None and reply_to.by_bot)
        )


def _thread(chat: Chat, user: User, topic: int | None, reply_to: Posted | None) -> dict[str, Any]:
    """In a supergroup that is no forum, replies too have a message_thread_id, to which the bot cannot send."""
    if chat.direct:
        return {"direct_messages_topic": {"topic_id": user.id, "user": user.data}}
    if topic is not None:
        return {"message_thread_id": topic, "is_topic_message": True}
    if reply_to is not None and chat.type == "supergroup" and not chat.forum:
        return {"message_thread_id": reply_to.data.get("message_thread_id", reply_to.id)}
    return {}
