"""What Telegram sends (https://core.telegram.org/bots/api#update): bytes in, one event out. No I/O."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from telegram import ChatMember, MaybeInaccessibleMessage, MessageEntity, ReactionType, Update, User
from telegram import Message as Sent

from frontdesk.channels.telegram import contents, plain
from frontdesk.channels.telegram.addresses import CHANNEL, Address
from frontdesk.channels.telegram.entities import covered
from frontdesk.channels.telegram.jsons import decoded
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import (
    ChoicePart,
    Contact,
    Message,
    Part,
    ReactionPart,
    TextPart,
    decode,
    encode,
)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself. `username` is without the @, `commands` without the slash."""

    id: str
    username: str
    commands: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """A customer has written. Where it is not `addressed` to the bot, in a group, the bot is not concerned."""

    message: Message
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button. The value of the message's choice is the button's data, which only names the choice (see `render.buttons`)."""

    message: Message
    callback: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Earlier messages were edited, deleted or reacted to. In a group they may be some that the bot was not concerned with."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Migrated:
    """A group has become a supergroup, with another id."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Membership:
    """The bot was blocked or removed, or it was let in again."""

    address: Address
    member: bool
    update: int


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The owner of a business account has answered the customer personally."""

    address: Address
    customer: Contact
    name: str
    text: str
    update: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing that concerns the bot, or if there is a `problem`, nothing that is understood.

    `callback` is a query that must be answered all the same.
    """

    kind: str
    callback: str | None = None
    problem: str | None = None


Event = Written | Pressed | Changed | Migrated | Membership | TakenOver | Skipped

WANTED = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "message_reaction",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
)
"""Telegram is asked for these kinds of updates only; any other that comes all the same is skipped."""

CALLED = TextPart("/start")
"""What it means in a group to say the bot's name and nothing else."""

CHANNEL_BOTS = frozenset({136817688, 1087968824})
"""In the place of people who write in the name of a channel, or of a group as its anonymous administrators."""


def parse(raw: bytes, me: Me, *, now: datetime | None = None) -> Event:
    """What an update means. Raises `InvalidInput` for what cannot come from Telegram, whatever the bytes are.

    An update that is not as Telegram describes it is skipped: to ask for it again would not help.
    """
    if (message := plain.message(raw, me.id)) is not None:
        return Written(message)
    data = decoded(raw)
    if not isinstance(data, dict) or type(data.get("update_id")) is not int:
        raise InvalidInput("this is not an update of Telegram")
    kind = next((name for name in WANTED if name in data), None)
    if kind is None:
        return Skipped(" ".join(sorted(str(key) for key in data if key != "update_id"))[:100] or "an empty update")
    context = _Context(me=me, raw=msgspec.Raw(raw), update=data["update_id"], now=now or datetime.now(UTC))
    try:
        found = _PARSERS[kind](Update.de_json(data, None), context)
        for message in _messages(found):
            decode(encode(message))  # the library does not check types
    except msgspec.DecodeError as error:
        if not isinstance(error, msgspec.ValidationError) and (clean := msgspec.json.encode(data)) != raw:
            return parse(clean, me, now=now)  # only the raw JSON was wrong
        return Skipped(kind, problem=type(error).__name__)
    except Exception as error:  # whatever an update of another shape leads to, in the library or here
        return Skipped(kind, problem=type(error).__name__)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    me: Me
    raw: msgspec.Raw
    update: int
    now: datetime


def _message(update: Update, context: _Context) -> Event:
    sent = update.message or update.business_message
    assert sent is not None
    address = Address.of(context.me.id, sent)
    if sent.migrate_to_chat_id:
        return Migrated(address.chat, replace(address, chat=sent.migrate_to_chat_id).chat)
    if sent.migrate_from_chat_id:
        return Migrated(replace(address, chat=sent.migrate_from_chat_id).chat, address.chat)
    if address.business is not None and _is_by_owner(sent) and not sent.is_from_offline:
        customer = Contact(id=str(sent.chat.id), name=sent.chat.effective_name, verified=True)
        return TakenOver(address, customer, _name(sent.from_user) or "", sent.text or sent.caption or "", context.update)
    contact = _contact(sent)
    if contact is None:
        return Skipped("a message of nobody, of a bot or of a machine")
    mentions = _mentions(sent, context.me) if address.is_group else ()
    parts = contents.parts(sent, without=mentions)
    if mentions and not parts:
        parts = (CALLED,)
    if not parts:
        return Skipped("a service message")
    message = _built(sent, address, contact, parts, context)
    return Written(message, addressed=not address.is_group or _is_addressed(sent, mentions, context.me))


def _edited(update: Update, context: _Context) -> Event:
    sent = update.edited_message or update.edited_business_message
    assert sent is not None
    address = Address.of(context.me.id, sent)
    contact = _contact(sent)
    if contact is None or (address.business is not None and _is_by_owner(sent)):
        return Skipped("an edit of a message that is not a customer's")
    if sent.location is not None and sent.location.live_period:
        return Skipped("the next place of a live location")
    mentions = _mentions(sent, context.me) if address.is_group else ()
    parts = contents.parts(sent, without=mentions)
    if not parts:
        return Skipped("an edit that leaves nothing")
    message = _built(sent, address, contact, parts, context)
    edit = msgspec.structs.replace(
        message,
        id=f"{message.id}:edited:{context.update}",
        kind="edited",
        target=message.id,
        at=sent.edit_date or sent.date,
    )
    return Changed((edit,))


def _callback(update: Update, context: _Context) -> Event:
    query = update.callback_query
    assert query is not None
    shown: MaybeInaccessibleMessage | None = query.message
    if shown is None or query.data is None or query.from_user.is_bot:
        return Skipped("a button of an inline message or of a game", callback=query.id)
    address = Address.of(context.me.id, shown) if isinstance(shown, Sent) else Address(context.me.id, shown.chat.id)
    message = Message(
        # The same button of the same message, pressed twice by the same person, is pressed once.
        id=f"{address.message(shown.message_id)}:pressed:{query.from_user.id}:{query.data}",
        channel=CHANNEL,
        conversation=address.conversation,
        contact=_person(query.from_user),
        parts=(ChoicePart(query.data, label=_label(shown, query.data)),),
        at=context.now,
        public=address.is_group,
        language=query.from_user.language_code,
        raw=context.raw,
    )
    return Pressed(message, callback=query.id)


def _reaction(update: Update, context: _Context) -> Event:
    reaction = update.message_reaction
    assert reaction is not None
    if reaction.user is None or reaction.user.is_bot:
        return Skipped("a reaction of nobody or of a bot")
    address = Address(context.me.id, reaction.chat.id)
    old, new = _emoji(reaction.old_reaction), _emoji(reaction.new_reaction)
    parts = [ReactionPart(emoji, removed=True) for emoji in old if emoji not in new]
    parts += [ReactionPart(emoji) for emoji in new if emoji not in old]
    if not parts:
        return Skipped("a reaction that changes nothing")
    target = address.message(reaction.message_id)
    message = Message(
        id=f"{target}:reaction:{context.update}",
        channel=CHANNEL,
        conversation=address.conversation,
        contact=_person(reaction.user),
        parts=tuple(parts),
        at=reaction.date,
        kind="reaction",
        target=target,
        public=address.is_group,
        language=reaction.user.language_code,
        raw=context.raw,
    )
    return Changed((message,))


def _deleted(update: Update, context: _Context) -> Event:
    deleted = update.deleted_business_messages
    assert deleted is not None
    chat = deleted.chat
    address = Address(context.me.id, chat.id, business=deleted.business_connection_id)
    return Changed(
        tuple(
            Message(
                id=f"{address.message(id)}:deleted",
                channel=CHANNEL,
                conversation=address.conversation,
                contact=Contact(id=str(chat.id), name=chat.full_name, verified=True),
                parts=(),
                at=context.now,
                kind="deleted",
                target=address.message(id),
                raw=context.raw,
            )
            for id in deleted.message_ids
        )
    )


def _membership(update: Update, context: _Context) -> Event:
    changed = update.my_chat_member
    assert changed is not None
    member = changed.new_chat_member.status not in (ChatMember.BANNED, ChatMember.LEFT)
    return Membership(Address(context.me.id, changed.chat.id), member, context.update)


_PARSERS: dict[str, Callable[[Update, _Context], Event]] = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "callback_query": _callback,
    "message_reaction": _reaction,
    "deleted_business_messages": _deleted,
    "my_chat_member": _membership,
}


def _built(sent: Sent, address: Address, contact: Contact, parts: tuple[Part, ...], context: _Context) -> Message:
    earlier = sent.reply_to_message
    group = sent.media_group_id
    return Message(
        id=address.message(sent.message_id),
        channel=CHANNEL,
        conversation=address.conversation,
        contact=contact,
        parts=parts,
        at=sent.date,
        reply_to=address.message(earlier.message_id) if earlier and not earlier.forum_topic_created else None,
        group=f"{address.conversation}:{group}" if group else None,
        public=address.is_group,
        language=sent.from_user.language_code if sent.from_user else None,
        raw=context.raw,
    )


def _contact(sent: Sent) -> Contact | None:
    """Who wrote it; None where no customer did."""
    if sent.via_bot or sent.sender_business_bot or sent.is_from_offline or sent.is_automatic_forward:
        return None
    user, chat = sent.from_user, sent.sender_chat
    if chat is not None and (user is None or user.id in CHANNEL_BOTS):
        # In the direct messages of a channel, its own administrators write in its name.
        return None if sent.direct_messages_topic else Contact(id=str(chat.id), name=chat.effective_name)
    if user is None or user.is_bot:
        return None
    return _person(user, contents.phone(sent))


def _person(user: User, phone: str | None = None) -> Contact:
    return Contact(id=str(user.id), name=_name(user), phone=phone, verified=True)


def _name(user: User | None) -> str | None:
    return ((user.full_name or "").strip() or user.username) if user else None


def _is_by_owner(sent: Sent) -> bool:
    """In a business account's private chats, everybody but the customer is the account's owner."""
    return sent.sender_business_bot is None and sent.from_user is not None and sent.from_user.id != sent.chat.id


def _mentions(sent: Sent, me: Me) -> tuple[MessageEntity, ...]:
    """The entities that name the bot."""
    text, entities = (sent.text, sent.entities) if sent.text else (sent.caption or "", sent.caption_entities)
    name = f"@{me.username}".lower()
    return tuple(
        entity
        for entity in entities
        if (entity.type == MessageEntity.MENTION and covered(text, entity).lower() == name)
        or (entity.type == MessageEntity.TEXT_MENTION and entity.user and str(entity.user.id) == me.id)
    )


def _is_addressed(sent: Sent, mentions: Iterable[MessageEntity], me: Me) -> bool:
    """Whether a message in a group is meant for the bot: it names it, answers it, or is a command to it.

    People's programs name the bot in a command only where the group has several.
    """
    for entity in sent.entities:
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            command, at, bot = covered(sent.text or "", entity).partition("@")
            if at:
                return bot.lower() == me.username.lower()
            if command.removeprefix("/").lower() in me.commands:
                return True
    if any(mentions):
        return True
    earlier = sent.reply_to_message
    return bool(earlier and earlier.from_user and str(earlier.from_user.id) == me.id and not earlier.forum_topic_created)


def _label(shown: MaybeInaccessibleMessage, data: str) -> str | None:
    """What is written on the button."""
    keyboard = shown.reply_markup.inline_keyboard if isinstance(shown, Sent) and shown.reply_markup else ()
    return next((button.text for row in keyboard for button in row if button.callback_data == data), None)


def _emoji(reactions: Iterable[ReactionType]) -> list[str]:
    return [
        str(getattr(reaction, "emoji", None) or getattr(reaction, "custom_emoji_id", None) or reaction.type)
        for reaction in reactions
    ]


def _messages(event: Event) -> tuple[Message, ...]:
    match event:
        case Written(message) | Pressed(message):
            return (message,)
        case Changed(messages):
            return messages
        case _:
            return ()
