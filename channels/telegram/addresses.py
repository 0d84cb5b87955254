"""Where a message belongs: the chat, and what part of it. A conversation's id says it all."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from telegram import Message

CHANNEL = "telegram"


@dataclass(frozen=True, slots=True)
class Address:
    """`topic` is a topic of a forum, `business` the connection to a business account, `direct` a person's topic in the direct
    messages of a channel. Written `telegram:<bot>:<chat>`, and then `:<topic>`, `:b<connection>` or `:d<topic>`.
    """

    bot: str
    chat: int
    topic: int | None = None
    business: str | None = None
    direct: int | None = None

    def __post_init__(self) -> None:
        """Raises `TypeError`: the library does not check what Telegram sends."""
        numbers = [number for number in (self.chat, self.topic, self.direct) if number is not None]
        if any(type(number) is not int for number in numbers) or not isinstance(self.business, str | None):
            raise TypeError("the address of a chat has an odd part")

    @classmethod
    def of(cls, bot: str, message: Message) -> Self:
        direct = message.direct_messages_topic
        return cls(
            bot,
            message.chat.id,
            topic=message.message_thread_id if message.is_topic_message else None,
            business=message.business_connection_id,
            direct=direct.topic_id if direct else None,
        )

    @classmethod
    @lru_cache(maxsize=10_000)
    def parse(cls, conversation: str) -> Self:
        """Raises `ValueError` for what is no conversation of this channel."""
        channel, bot, chat, *rest = conversation.split(":", 3)
        if channel != CHANNEL:
            raise ValueError(conversation)
        part = rest[0] if rest else ""
        match part[:1]:
            case "":
                return cls(bot, int(chat))
            case "b":
                return cls(bot, int(chat), business=part[1:])
            case "d":
                return cls(bot, int(chat), direct=int(part[1:]))
            case _:
                return cls(bot, int(chat), topic=int(part))

    @property
    def conversation(self) -> str:
        whole = f"{CHANNEL}:{self.bot}:{self.chat}"
        if self.business is not None:
            return f"{whole}:b{self.business}"
        if self.direct is not None:
            return f"{whole}:d{self.direct}"
        return whole if self.topic is None else f"{whole}:{self.topic}"

    @property
    def is_group(self) -> bool:
        return self.chat < 0 and self.direct is None

    def message(self, id: int) -> str:
        """The id of a message. Numbers count per chat, and those of a business account's chats apart."""
        whole = f"{CHANNEL}:{self.bot}:{self.chat}"
        return f"{whole}:{id}" if self.business is None else f"{whole}:b{self.business}:{id}"
