"""What Slack sends, as messages: pure, and total over any JSON. https://docs.slack.dev/reference/events"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from frontdesk.channels.slack import mrkdwn, rich_text, shared_files
from frontdesk.channels.slack.incoming import Incoming, find, text
from frontdesk.channels.slack.mrkdwn import Names
from frontdesk.channels.slack.people import Person, person
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import NO_PAYLOAD, ChoicePart, Contact, Kind, Message, Part, ReactionPart, TextPart

CHANNEL = "slack"
TAKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes of what a person has written. All others are said by Slack itself or by apps."""
STAMP = re.compile(r"\d{1,11}\.\d{1,9}")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
BOT = "\x02"
"""Stands for the bot's own mention while a text is read; nothing that is sent can have it."""
AFTER_A_CALL = " \n\t:,，、：-–—"
SLACKBOT = "USLACKBOT"
HELP = "/help"
PERSON = "/human"


@dataclass(frozen=True)
class Place:
    """Where in Slack a conversation is, as its id says it: `slack:<account>:<channel>[:<thread>]`."""

    account: str
    channel: str
    thread: str | None = None

    @property
    def conversation(self) -> str:
        return f"{CHANNEL}:{self.account}:{self.channel}" + (f":{self.thread}" if self.thread else "")

    def message(self, ts: str) -> str:
        return f"{CHANNEL}:{self.account}:{self.channel}:{ts}"

    @classmethod
    def of(cls, conversation: str) -> "Place":
        """Raises `ValueError` for anything else."""
        _, account, channel, *thread = conversation.split(":")
        return cls(account, channel, thread[0] if thread else None)


@dataclass(frozen=True)
class Written:
    """What a person has written, changed or deleted.

    `addressed` is False where it is for the bot only if the bot takes part in that thread, or has known the message before.
    """

    message: Message
    place: Place
    addressed: bool


def place(account: str, channel: str, ts: str, thread_ts: str) -> Place:
    """In a channel every conversation is a thread, begun by the message that mentions the bot."""
    if thread_ts and thread_ts != ts:
        return Place(account, channel, _stamp(thread_ts))
    return Place(account, channel, _stamp(ts) if is_public(channel) else None)


def written(incoming: Incoming, *, bot: str, names: Names, who: Person | None) -> Written | None:
    """A `message` or `app_mention` event. None for what is not to be taken. Raises `InvalidInput` for what is none."""
    event = incoming.event
    match text(event, "subtype"):
        case "message_changed":
            return _changed(incoming, bot=bot, names=names, who=who)
        case "message_deleted":
            return _deleted(incoming, bot=bot, who=who)
        case subtype if subtype not in TAKEN:
            return None
    if by_a_bot(event, bot):
        return None
    where = place(incoming.account, _id(event, "channel"), _stamp(text(event, "ts")), text(event, "thread_ts"))
    parts = _parts(event, bot, names)
    if not parts:
        return None
    direct = not is_public(where.channel)
    mentioned = text(event, "type") == "app_mention" or mentions(event, bot)
    message = _message(incoming, where, text(event, "ts"), who, parts, user=_id(event, "user"))
    return Written(message, where, direct or mentioned)


def is_public(channel: str) -> bool:
    """Whether others read along: everywhere but in a direct message with the bot."""
    return not channel.startswith("D")


def author(event: Mapping[str, Any]) -> str:
    """The id of whoever has written the message that an event is about."""
    # The old version first: where the first message of a thread was deleted, the new one is Slackbot's.
    return text(event, "user") or text(event, "previous_message", "user") or text(event, "message", "user")


def by_a_bot(message: Mapping[str, Any], bot: str) -> bool:
    """Whether a bot wrote it, this one or another, or Slack itself: none of them is answered, ever."""
    if any(message.get(mark) for mark in ("bot_id", "app_id", "bot_profile")):
        return True
    return text(message, "subtype") == "bot_message" or text(message, "user") in (bot, SLACKBOT, "")


def mentions(message: Mapping[str, Any], bot: str) -> bool:
    return bool(bot) and (f"<@{bot}>" in text(message, "text") or f"<@{bot}|" in text(message, "text"))


def profile(event: Mapping[str, Any]) -> Person | None:
    """Messages from other workspaces bring the writer's profile along."""
    found = event.get("user_profile")
    return person(found) if isinstance(found, Mapping) else None


def reaction(incoming: Incoming, conversation: str, who: Person | None) -> Message:
    event = incoming.event
    channel, target = _id(event, "item", "channel"), _stamp(text(event, "item", "ts"))
    user, name, at = _id(event, "user"), text(event, "reaction"), _stamp(text(event, "event_ts"))
    if not name or len(name) > 200:
        raise InvalidInput("a reaction without a name")
    here = Place(incoming.account, channel)
    return Message(
        id=f"{here.message(target)}:{user}:{at}",
        channel=CHANNEL,
        conversation=conversation,
        contact=contact(incoming.account, user, who),
        public=is_public(channel),
        parts=(ReactionPart(name, removed=text(event, "type") == "reaction_removed"),),
        at=_time(at),
        kind="reaction",
        target=here.message(target),
        raw=_raw(incoming),
    )


@dataclass(frozen=True)
class Pressed:
    """A button or a menu of ours. `index` stands in for a value that was too long for Slack, in the reply that `block` names."""

    place: Place
    ts: str
    action: str
    block: str
    label: str
    value: str | None = None
    question: str | None = None
    index: int | None = None


class _Value(msgspec.Struct):
    v: str | None = None
    q: str | None = None
    n: int | None = None


def pressed(incoming: Incoming, action: Mapping[str, Any]) -> Pressed:
    """One of the actions of a `block_actions` payload. Raises `InvalidInput` where it is no choice of ours."""
    payload = incoming.payload
    ts = _stamp(text(payload, "message", "ts") or text(payload, "container", "message_ts"))
    thread = text(payload, "message", "thread_ts") or text(payload, "container", "thread_ts")
    option = action.get("selected_option") if action.get("type") == "static_select" else action
    try:
        value = msgspec.json.decode(text(option, "value"), type=_Value)
    except msgspec.MsgspecError as error:
        raise InvalidInput("this is no choice of ours") from error
    return Pressed(
        place=place(incoming.account, _id({"channel": incoming.channel}, "channel"), ts, thread),
        ts=ts,
        action=text(action, "action_id"),
        block=text(action, "block_id"),
        label=text(option, "text", "text"),
        value=value.v,
        question=value.q,
        index=value.n,
    )


def choice(incoming: Incoming, press: Pressed, part: ChoicePart, who: Person | None) -> Message:
    """The same button pressed twice by the same person is one choice."""
    user = _id({"user": incoming.user}, "user")
    return Message(
        id=f"{press.place.message(press.ts)}:{user}:{press.action}",
        channel=CHANNEL,
        conversation=press.place.conversation,
        contact=contact(incoming.account, user, who),
        public=is_public(press.place.channel),
        parts=(part,),
        at=datetime.now(UTC),
        raw=_raw(incoming),
    )


def said(incoming: Incoming, where: Place, words: str, who: Person | None) -> Message:
    """Words that come with a slash command, a shortcut or a button outside of a conversation. Each use of them is one message."""
    user, use = _id({"user": incoming.user}, "user"), text(incoming.payload, "trigger_id")
    if not ID.fullmatch(use.replace(".", "")):
        raise InvalidInput("there is no trigger_id")
    return Message(
        id=f"{where.message(use)}",
        channel=CHANNEL,
        conversation=where.conversation,
        contact=contact(incoming.account, user, who),
        public=is_public(where.channel),
        parts=(TextPart(mrkdwn.CONTROLS.sub("", words)),),
        at=datetime.now(UTC),
        language=who.language if who else None,
        raw=_raw(incoming),
    )


def contact(account: str, user: str, who: Person | None) -> Contact:
    """Slack has signed in whoever writes, so the identity is proven. Ids of users are unique within an installation."""
    return Contact(id=f"{account}:{user}", name=who.name if who else None, email=who.email if who else None, verified=True)


def words(message: Mapping[str, Any], names: Names) -> str:
    """The text of a message in Markdown, that of messages shared with it as quotations."""
    found = [rich_text.markdown(message.get("blocks"), names) or mrkdwn.markdown(text(message, "text"), names)]
    attachments = message.get("attachments")
    for shared in attachments if isinstance(attachments, list) else ():
        if find(shared, "is_share") or find(shared, "is_msg_unfurl"):
            quoted = mrkdwn.markdown(text(shared, "text"), names)
            found.append("\n".join(f"> {line}".rstrip() for line in quoted.split("\n")) if quoted else "")
    return "\n\n".join(part for part in found if part.strip())


class _Names(dict[str, str]):
    """With the bot itself under a name that can be told from all others."""

    def __init__(self, bot: str, names: Names) -> None:
        super().__init__({bot: BOT} if bot else {})
        self._names = names

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key) or self._names.get(key, default)


def _parts(message: Mapping[str, Any], bot: str, names: Names) -> tuple[Part, ...]:
    files = shared_files.parts(message.get("files"))
    read = words(message, _Names(bot, names))
    if f"@{BOT}" in read:
        read = _without_the_call(read, names.get(bot, "bot"))
        if not read and not files:
            read = HELP  # somebody has only called the bot
    read = read.replace(BOT, "").strip()
    return (*((TextPart(read),) if read else ()), *files)


def _without_the_call(read: str, name: str) -> str:
    """Mentions of the bot at the beginning and the end only say whom the words are for."""
    parts = read.strip().split(f"@{BOT}")
    start, end = 0, len(parts) - 1
    while start < end and not parts[start].strip(AFTER_A_CALL):
        start += 1
    while end > start and not parts[end].strip():
        end -= 1
    read = f"@{name}".join(parts[start : end + 1]).replace(BOT, "").strip()
    return read.lstrip(AFTER_A_CALL) if start else read


def _changed(incoming: Incoming, *, bot: str, names: Names, who: Person | None) -> Written | None:
    event = incoming.event
    new, old = find(event, "message"), find(event, "previous_message")
    if not isinstance(new, Mapping):
        raise InvalidInput("a change without the new version")
    if text(new, "subtype") == "tombstone":  # the first message of a thread was deleted
        return _removed(incoming, old if isinstance(old, Mapping) else new, text(new, "ts"), bot, who)
    if text(new, "subtype") not in TAKEN or by_a_bot(new, bot):
        return None
    edited = text(new, "edited", "ts")
    if not edited or edited == text(old, "edited", "ts"):
        return None  # Slack has unfolded a link, or counted replies
    ts = _stamp(text(new, "ts"))
    where = place(incoming.account, _id(event, "channel"), ts, text(new, "thread_ts"))
    message = _message(
        incoming,
        where,
        ts,
        who,
        _parts(new, bot, names),
        user=_id(new, "user"),
        kind="edited",
        revision=f"edited:{_stamp(edited)}",
    )
    return Written(message, where, not is_public(where.channel))


def _deleted(incoming: Incoming, *, bot: str, who: Person | None) -> Written | None:
    old = find(incoming.event, "previous_message")
    if not isinstance(old, Mapping):
        return None  # it cannot be told whose it was
    return _removed(incoming, old, text(incoming.event, "deleted_ts") or text(old, "ts"), bot, who)


def _removed(incoming: Incoming, old: Mapping[str, Any], ts: str, bot: str, who: Person | None) -> Written | None:
    if by_a_bot(old, bot) or text(old, "subtype") not in TAKEN:
        return None
    where = place(incoming.account, _id(incoming.event, "channel"), _stamp(ts), text(old, "thread_ts"))
    message = _message(incoming, where, ts, who, (), user=_id(old, "user"), kind="deleted", revision="deleted")
    return Written(message, where, not is_public(where.channel))


def _message(
    incoming: Incoming,
    where: Place,
    ts: str,
    who: Person | None,
    parts: tuple[Part, ...],
    *,
    user: str,
    kind: Kind = "new",
    revision: str = "",
) -> Message:
    id = where.message(ts)
    return Message(
        id=f"{id}:{revision}" if revision else id,
        channel=CHANNEL,
        conversation=where.conversation,
        contact=contact(incoming.account, user, who),
        public=is_public(where.channel),
        parts=parts,
        at=_time(ts),
        kind=kind,
        target=id if revision else None,
        reply_to=where.message(where.thread) if where.thread and where.thread != ts else None,
        language=who.language if who else None,
        raw=_raw(incoming),
    )


def _raw(incoming: Incoming) -> msgspec.Raw:
    return msgspec.Raw(incoming.raw) if incoming.raw else NO_PAYLOAD


def _id(value: Any, *path: str) -> str:
    if not ID.fullmatch(found := text(value, *path)):
        raise InvalidInput(f"there is no {'.'.join(path)}")
    return found


def _stamp(ts: str) -> str:
    if not STAMP.fullmatch(ts):
        raise InvalidInput("this is no timestamp of a message")
    return ts


def _time(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)
