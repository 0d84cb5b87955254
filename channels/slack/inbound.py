"""Takes what Slack sends, over HTTP or Socket Mode: what a customer did becomes a message and is committed before it returns."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from frontdesk.channels.slack import home, mrkdwn, parse, render
from frontdesk.channels.slack.client import deliveries, reason
from frontdesk.channels.slack.incoming import Incoming, Listener, find, text
from frontdesk.channels.slack.parse import Place
from frontdesk.channels.slack.people import People, person
from frontdesk.channels.slack.settings import SlackSettings
from frontdesk.channels.slack.working import Working
from frontdesk.channels.slack.workspaces import Workspaces
from frontdesk.core.channel import Services
from frontdesk.core.errors import DeliveryError, DeliveryRejected, InvalidInput, Unavailable
from frontdesk.core.messages import ChoicePart, Message, Outgoing
from frontdesk.core.store import Receipt
from frontdesk.core.tasks import Tasks

log = structlog.get_logger(__name__)

REMEMBERED = 20_000
HAND_OVER = frozenset({"frontdesk_hand_over", "frontdesk_hand_over_message"})
"""Callback ids of the shortcuts, as in the manifest: a global one and one for messages."""
CALL_SECONDS = 2.0
"""Slack wants its answer within 3 s."""

Answer = dict[str, Any] | None


class Inbound:
    """`listeners` are asked first. Whatever is not for us, or cannot be understood, is skipped with a line in the log."""

    def __init__(
        self,
        settings: SlackSettings,
        services: Services,
        *,
        workspaces: Workspaces,
        people: People,
        working: Working,
        listeners: Sequence[Listener],
    ) -> None:
        self._settings = settings
        self._services = services
        self._workspaces = workspaces
        self._people = people
        self._working = working
        self._listeners = listeners
        self._tasks = Tasks()
        self._ours: OrderedDict[str, None] = OrderedDict()
        self._direct: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def take(self, incoming: Incoming) -> Answer:
        """What Slack is to be told beside its acknowledgement. Raises `Unavailable`: then there is no acknowledgement."""
        if incoming.bot:
            self._workspaces.learn_bot(incoming.account, incoming.bot)
        try:
            for listener in self._listeners:
                if await listener.handle(incoming):
                    return None
            match incoming.kind:
                case "event":
                    await self._event(incoming)
                    return None
                case "command":
                    return await self._command(incoming)
                case "interaction":
                    return await self._interaction(incoming)
        except InvalidInput as error:
            log.info("what Slack has sent is skipped", type=incoming.type[:100], account=incoming.account, reason=str(error))
        except DeliveryRejected as error:
            log.warning("what Slack has sent is skipped", type=incoming.type[:100], account=incoming.account, reason=str(error))
        except DeliveryError as error:
            raise Unavailable(f"Slack cannot be asked: {error}") from error
        return None

    async def stop(self) -> None:
        await self._tasks.drain(2)

    async def _event(self, incoming: Incoming) -> None:
        match incoming.type:
            case "message" | "app_mention":
                await self._written(incoming)
            case "reaction_added" | "reaction_removed":
                await self._reaction(incoming)
            case "app_home_opened":
                self._home_opened(incoming)
            case "user_change":
                user = incoming.event.get("user")
                if isinstance(user, Mapping):
                    self._people.changed(incoming.account, text(user, "id"), person(user))
            case "app_uninstalled" | "tokens_revoked":
                await self._uninstalled(incoming)
            case _:
                self._skip(incoming, "nothing for us")

    async def _written(self, incoming: Incoming) -> None:
        account, event = incoming.account, incoming.event
        bot = incoming.bot or await self._bot(account)
        author = parse.author(event)
        ours = author == bot or "bot_id" in event
        who = None if ours else parse.profile(event) or self._people.get(account, author)
        written = parse.written(incoming, bot=bot, names=self._people.names(account), who=who)
        if written is None:
            self._skip(incoming, "not written by a person, or nothing new")
            return
        message, place = written.message, written.place
        if not written.addressed and not await self._is_ours(message):
            self._skip(incoming, "not addressed to the bot")
            return
        if message.kind == "new":
            self._remember(message.conversation)
            self._working.written(message.conversation, text(event, "ts"))
            if not place.thread and not message.public:
                self._remember_direct(account, text(event, "user"), place.channel)
        await self._accept(message)

    async def _is_ours(self, message: Message) -> bool:
        """Whether the bot takes part in the thread, or knows the message that was changed."""
        if message.target is not None:
            return await self._services.store.entry(message.target) is not None
        if message.reply_to is None:
            return False
        return message.conversation in self._ours or await self._is_known(message.conversation)

    async def _is_known(self, conversation: str) -> bool:
        return conversation in self._ours or bool(await self._services.store.transcript(conversation, limit=1))

    async def _reaction(self, incoming: Incoming) -> None:
        event, account = incoming.event, incoming.account
        if incoming.user in ("", incoming.bot or await self._bot(account)) or text(event, "item", "type") != "message":
            self._skip(incoming, "not a person's reaction to a message")
            return
        conversation = await self._conversation_of(incoming)
        if conversation is None:
            self._skip(incoming, "not in a conversation of ours")
            return
        await self._accept(parse.reaction(incoming, conversation, self._people.get(account, incoming.user)))

    async def _conversation_of(self, incoming: Incoming) -> str | None:
        """Events about a message do not say which thread it is in: what customers wrote is known, of replies Slack is asked."""
        place, ts = Place(incoming.account, incoming.channel), text(incoming.event, "item", "ts")
        entry = await self._services.store.entry(place.message(ts))
        if entry is not None:
            return entry.body.conversation
        thread = ""
        if text(incoming.event, "item_user") == await self._bot(place.account):
            thread = await self._thread_of(place, ts)
        conversation = parse.place(place.account, place.channel, ts, thread).conversation
        return conversation if not parse.is_public(place.channel) or await self._is_known(conversation) else None

    async def _thread_of(self, place: Place, ts: str) -> str:
        """Empty where there is none, or Slack has the message no more."""
        client = await self._workspaces.client(place.account)
        try:
            with deliveries():
                async with asyncio.timeout(CALL_SECONDS):
                    answer = await client.conversations_replies(channel=place.channel, ts=ts, limit=1)
        except DeliveryRejected as error:
            log.info("the thread of a message is not known", message=place.message(ts), error=str(error))
            return ""
        messages = answer.get("messages")
        return text(messages[0], "thread_ts") if isinstance(messages, list) and messages else ""

    async def _interaction(self, incoming: Incoming) -> Answer:
        payload = incoming.payload
        match incoming.type:
            case "block_actions":
                actions = payload.get("actions")
                for action in actions if isinstance(actions, list) else ():
                    await self._action(incoming, action)
            case "shortcut" if text(payload, "callback_id") in HAND_OVER:
                await self._say(incoming, await self._direct_message(incoming), parse.PERSON)
            case "message_action" if text(payload, "callback_id") in HAND_OVER:
                await self._hand_over(incoming)
            case "block_suggestion":
                return {"options": []}
            case _:
                self._skip(incoming, "nothing for us")
        return None

    async def _action(self, incoming: Incoming, action: object) -> None:
        id = text(action, "action_id")
        if id == home.PERSON_ACTION:
            channel = text(incoming.payload, "view", "private_metadata")
            place = Place(incoming.account, channel) if parse.ID.fullmatch(channel) else await self._direct_message(incoming)
            await self._say(incoming, place, parse.PERSON)
        elif id.startswith(render.CHOICE) and isinstance(action, Mapping):
            await self._pressed(incoming, parse.pressed(incoming, action))
        else:
            self._skip(incoming, "not a button of ours")

    async def _pressed(self, incoming: Incoming, press: parse.Pressed) -> None:
        part = ChoicePart(press.value or press.label, question=press.question, label=press.label or None)
        if press.index is not None:
            part = await self._long_choice(press) or part
        who = self._people.get(incoming.account, incoming.user)
        receipt = await self._accept(parse.choice(incoming, press, part, who))
        if receipt is not None and not receipt.duplicate:
            self._tasks.start(self._show_choice(incoming, press, part.label or part.value))

    async def _long_choice(self, press: parse.Pressed) -> ChoicePart | None:
        entry = await self._services.store.entry(press.block)
        if entry is None or not isinstance(entry.body, Outgoing) or press.index is None:
            return None
        reply = entry.body
        if not 0 <= press.index < len(reply.choices):
            return None
        choice = reply.choices[press.index]
        return ChoicePart(choice.value, question=reply.question, label=choice.label)

    async def _show_choice(self, incoming: Incoming, press: parse.Pressed, label: str) -> None:
        """The buttons give way to what was chosen."""
        shown = find(incoming.payload, "message")
        blocks = find(shown, "blocks")
        if not isinstance(blocks, list):
            return
        blocks = render.chosen([block for block in blocks if isinstance(block, dict)], press.block, label)
        client = await self._workspaces.client(incoming.account)
        await self._quietly(
            partial(client.chat_update, channel=press.place.channel, ts=press.ts, text=text(shown, "text"), blocks=blocks)
        )

    async def _hand_over(self, incoming: Incoming) -> None:
        """Of a message in one of our conversations: there. Of any other: in the direct message, with its words."""
        message = find(incoming.payload, "message")
        ts, channel = text(message, "ts"), incoming.channel
        place = parse.place(incoming.account, channel, ts, text(message, "thread_ts"))
        if parse.ID.fullmatch(channel) and await self._is_known(place.conversation):
            await self._say(incoming, place, parse.PERSON)
            return
        quoted = parse.words(message, self._people.names(incoming.account)) if isinstance(message, Mapping) else ""
        await self._say(incoming, await self._direct_message(incoming), f"{parse.PERSON} {quoted}".strip())

    async def _command(self, incoming: Incoming) -> Answer:
        place = await self._direct_message(incoming)
        names = self._people.names(incoming.account)
        words = mrkdwn.markdown(text(incoming.payload, "text"), names).strip() or parse.HELP
        await self._say(incoming, place, words)
        bot = self._workspaces.known_bot(incoming.account) or ""
        return home.ephemeral(home.ANSWERED_DIRECTLY, bot=bot, language=self._language(incoming))

    async def _say(self, incoming: Incoming, place: Place, words: str) -> None:
        who = self._people.get(incoming.account, incoming.user)
        await self._accept(parse.said(incoming, place, words, who))

    def _home_opened(self, incoming: Incoming) -> None:
        event = incoming.event
        if text(event, "tab") != "home":
            self._skip(incoming, "not the Home tab")
            return
        self._tasks.start(self._publish_home(incoming))

    async def _publish_home(self, incoming: Incoming) -> None:
        async def publish() -> None:
            client = await self._workspaces.client(incoming.account)
            await self._people.asked(incoming.account, incoming.user)
            view = home.view(
                channel=incoming.channel,
                bot=await self._bot(incoming.account),
                command=self._settings.command,
                commands=self._services.commands,
                language=self._language(incoming),
            )
            if text(incoming.event, "view", "callback_id") != view["callback_id"]:
                await client.views_publish(user_id=incoming.user, view=view)

        await self._quietly(publish)

    async def _uninstalled(self, incoming: Incoming) -> None:
        tokens = incoming.event.get("tokens")
        if incoming.type == "tokens_revoked" and not find(tokens, "bot"):
            self._skip(incoming, "no token of the bot's")
            return
        await self._workspaces.forget(incoming.account)

    async def _direct_message(self, incoming: Incoming) -> Place:
        """The direct message with whoever did it. Raises `DeliveryError` if Slack does not say which it is."""
        account, user = incoming.account, incoming.user
        channel = self._direct.get((account, user))
        if channel is None:
            client = await self._workspaces.client(account)
            with deliveries():
                async with asyncio.timeout(CALL_SECONDS):
                    answer = await client.conversations_open(users=user)
            channel = text(answer.get("channel"), "id")
            if not parse.ID.fullmatch(channel):
                raise DeliveryRejected("Slack has opened no direct message")
            self._remember_direct(account, user, channel)
        return Place(account, channel)

    async def _bot(self, account: str) -> str:
        if known := self._workspaces.known_bot(account):
            return known
        with deliveries():
            async with asyncio.timeout(CALL_SECONDS):
                return await self._workspaces.bot(account)

    async def _accept(self, message: Message) -> Receipt | None:
        """None where it is refused for good."""
        try:
            return await self._services.accept(message)
        except InvalidInput as error:
            log.info("a message is refused", message=message.id, reason=str(error))
            return None

    async def _quietly(self, call: Callable[[], Any]) -> None:
        """What only makes things nicer may fail."""
        try:
            await call()
        except SlackApiError as error:
            log.info("Slack does not show something", error=reason(error))
        except Exception as error:
            log.info("Slack does not show something", error=type(error).__name__)

    def _language(self, incoming: Incoming) -> str:
        who = self._people.get(incoming.account, incoming.user)
        return who.language if who and who.language else self._services.languages[0]

    def _remember(self, conversation: str) -> None:
        _put(self._ours, conversation, None)

    def _remember_direct(self, account: str, user: str, channel: str) -> None:
        _put(self._direct, (account, user), channel)

    @staticmethod
    def _skip(incoming: Incoming, why: str) -> None:
        log.debug("what Slack has sent is skipped", type=incoming.type[:100], account=incoming.account, reason=why)


def _put(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > REMEMBERED:
        known.popitem(last=False)
