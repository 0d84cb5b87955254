"""Hands what Telegram sends to the core. When `take` returns, it is durable and can be acknowledged."""

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import structlog
from telegram.error import TelegramError

from frontdesk.channels.telegram import parse, render
from frontdesk.channels.telegram.addresses import Address
from frontdesk.channels.telegram.api import Api
from frontdesk.channels.telegram.chats import Chats
from frontdesk.core.channel import Services
from frontdesk.core.conversations import Conversation
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.messages import ChoicePart, Entry, Message, Outgoing, TextPart
from frontdesk.core.tasks import Tasks

log = structlog.get_logger(__name__)

REMEMBERED_ALBUMS = 1000
RECENT = 100
"""So many entries of a conversation are searched for the message of a button or of a reaction."""
BLOCKED = "The customer has blocked the bot on Telegram: nothing can be sent until they unblock it or write again."
UNBLOCKED = "The customer has unblocked the bot on Telegram."
REMOVED = "The bot was removed from this group on Telegram: nothing can be sent there."
ADDED = "The bot was added to this group on Telegram."


class Intake:
    def __init__(self, services: Services, api: Api, chats: Chats, *, groups: bool) -> None:
        self._services = services
        self._api = api
        self._chats = chats
        self._groups = groups
        self._albums: OrderedDict[str, None] = OrderedDict()
        self._tasks = Tasks()

    async def close(self) -> None:
        await self._tasks.drain(2)

    async def take(self, raw: bytes, me: parse.Me) -> None:
        """Raises `InvalidInput` for what cannot come from Telegram, and `Unavailable` for what it must send again."""
        event = parse.parse(raw, me)
        match event:
            case parse.Written(message, addressed):
                if self._is_wanted(message) and self._is_addressed(message, addressed):
                    await self._accept(message)
                else:
                    log.debug("not for the bot", message=message.id)
            case parse.Pressed():
                self._tasks.start(self._answer_callback(event.callback))
                await self._press(event)
            case parse.Changed(messages):
                for message in messages:
                    await self._change(message)
            case parse.Migrated(old, new):
                self._move(old, new)
            case parse.Membership():
                await self._note_membership(event)
            case parse.TakenOver():
                await self._take_over(event)
            case parse.Skipped(kind, callback, problem):
                if callback is not None:
                    self._tasks.start(self._answer_callback(callback))
                if problem is not None:
                    log.warning("an update is not understood and left out", kind=kind, problem=problem)
                else:
                    log.debug("an update does not concern the bot", kind=kind)

    async def _accept(self, message: Message) -> None:
        message = self._in_first_chat(message)
        try:
            await self._services.accept(message)
        except InvalidInput as error:
            log.warning("a message cannot be taken", message=message.id, error=str(error))

    def _is_wanted(self, message: Message) -> bool:
        return self._groups or not message.public

    def _is_addressed(self, message: Message, addressed: bool) -> bool:
        """Of an album only the first piece has the caption, and with it the mention."""
        if message.group is None or not message.public:
            return addressed
        if addressed:
            self._albums[message.group] = None
            if len(self._albums) > REMEMBERED_ALBUMS:
                self._albums.popitem(last=False)
        return message.group in self._albums

    async def _press(self, event: parse.Pressed) -> None:
        message = event.message
        choice = message.choice
        assert choice is not None
        if not self._is_wanted(message):
            return
        id = render.named(choice.value)
        if id is None:
            entries = await self._services.store.transcript(self._in_first_chat(message).conversation, limit=RECENT)
        else:
            entry = await self._services.store.entry(id)
            entries = [entry] if entry else []
        found = render.chosen(choice.value, entries)
        # The data comes from the customer's own program, which may name whatever it likes: it must be from this chat.
        if found is None or not self._is_in_chat(found[0], message):
            if not choice.label:
                log.info("a button of an unknown message", message=message.id)
                return
            await self._accept(msgspec.structs.replace(message, parts=(TextPart(choice.label),)))
            return
        outgoing, offered = found
        await self._accept(
            msgspec.structs.replace(
                message,
                # What belongs to no question can be chosen again.
                id=message.id if outgoing.question else f"{message.id}:{event.callback}",
                conversation=outgoing.conversation,
                parts=(ChoicePart(offered.value, question=outgoing.question, label=offered.label),),
            )
        )

    def _is_in_chat(self, outgoing: Outgoing, message: Message) -> bool:
        try:
            there, here = Address.parse(outgoing.conversation), Address.parse(message.conversation)
        except ValueError:
            return False
        return there.bot == here.bot and self._chats.now(there.chat) == self._chats.now(here.chat)

    async def _change(self, message: Message) -> None:
        """Edits, deletions and reactions; in groups, and of deletions, only what is about something that the bot knows."""
        if not self._is_wanted(message):
            return
        message = self._in_first_chat(message)
        target = None if message.kind == "edited" and not message.public else await self._target(message)
        if target is not None:
            message = msgspec.structs.replace(message, target=target.body.id, conversation=target.body.conversation)
        elif message.public or message.kind == "deleted":
            log.debug("a change of a message that the bot does not know", message=message.id)
            return
        await self._accept(message)

    async def _target(self, message: Message) -> Entry | None:
        """The message that was changed: the customer's, or a reply, which the platform's number names."""
        assert message.target is not None
        entry = await self._services.store.entry(message.target)
        if entry is not None or message.kind != "reaction":
            return entry
        number = message.target.rpartition(":")[2]
        recent = await self._services.store.transcript(message.conversation, limit=RECENT)
        return next((entry for entry in reversed(recent) if number in render.numbers(entry.platform_id)), None)

    def _move(self, old: int, new: int) -> None:
        try:
            self._chats.move(old, new)
        except OSError as error:
            raise Unavailable(f"the data folder cannot be written to: {error.strerror}") from error
        log.info("a group has become a supergroup", old=old, new=new)

    async def _note_membership(self, event: parse.Membership) -> None:
        address, member = event.address, event.member
        log.info("the bot was let in" if member else "the bot was blocked or removed", conversation=address.conversation)
        words = (ADDED if member else REMOVED) if address.is_group else (UNBLOCKED if member else BLOCKED)
        await self._note(address, "Telegram", words, event.update)

    async def _take_over(self, event: parse.TakenOver) -> None:
        """The bot is silent from now on, also if the customer's first message comes later; agents see what was said."""
        now = datetime.now(UTC)
        begin = Conversation(
            id=event.address.conversation, channel="telegram", contact=event.customer, created=now, updated=now, language=""
        )
        await self._services.handoff.take(begin.id, event.name or "Telegram", begin=begin)
        await self._note(event.address, event.name or "Telegram", event.text, event.update)

    async def _note(self, address: Address, author: str, words: str, update: int) -> None:
        """Once, however often the update comes."""
        address = replace(address, chat=self._chats.first(address.chat))
        if not words.strip():
            return
        try:
            await self._services.handoff.note(address.conversation, author, words, id=str(update))
        except KeyError:
            log.debug("no such conversation", conversation=address.conversation)

    def _in_first_chat(self, message: Message) -> Message:
        if not message.public:
            return message
        address = Address.parse(message.conversation)
        first = replace(address, chat=self._chats.first(address.chat))
        return msgspec.structs.replace(message, conversation=first.conversation)

    async def _answer_callback(self, id: str) -> None:
        """Ends the waiting sign on the button. It does no harm if that fails: Telegram ends it by itself after a while."""
        try:
            await self._api.bot.answer_callback_query(id)
        except TelegramError as error:
            log.debug("a pressed button could not be answered", error=type(error).__name__)
