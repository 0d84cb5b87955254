"""What agents see in Slack: the first message of a thread, the entries of the transcript, and what they are told.

What customers wrote is only ever shown as literal text: nothing in it can mention anybody, or be a link of other words.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from frontdesk.channels.slack import render, rich
from frontdesk.channels.slack.agents_database import Thread
from frontdesk.channels.slack.agents_rules import Doubt
from frontdesk.channels.slack.mrkdwn import escaped
from frontdesk.core.conversations import Conversation
from frontdesk.core.messages import (
    Attachment,
    AudioPart,
    Body,
    ChoicePart,
    Contact,
    Entry,
    FilePart,
    ImagePart,
    LocationPart,
    Mark,
    Message,
    Note,
    Outgoing,
    ReactionPart,
    TextPart,
)

Block = dict[str, Any]

TAKE, RESOLVE, BACK = "frontdesk:agents:take", "frontdesk:agents:resolve", "frontdesk:agents:back"
MAX_WORDS = 4000
MAX_CONTEXT = 400
MAX_REASON = 1500
MAX_SUMMARY = 2500
CONTEXT_ENTRIES = 10
BETWEEN = 30
"""After a thread was taken up again, so many of the entries in between are shown."""
RULE = (
    "Once you have taken it, what you write in this thread goes to the customer. Internal: whatever follows a line that "
    "begins with `//`, and any message that mentions somebody or is also sent to the channel."
)
TOLD: dict[Doubt, str] = {
    "guest": "Not sent: only full members of this workspace can write to customers here.",
    "closed": "Not sent, only your team sees it: this conversation is closed. Take it, then write again.",
    "not_taken": "Not sent, only your team sees it: take the conversation first, then write again.",
    "taken_by_another": "Not sent, only your team sees it: somebody else has this conversation. Take it over, then write again.",
    "broadcast": "Not sent, only your team sees it: it was also sent to the channel. Write it in the thread only.",
    "mention": "Not sent, only your team sees it: it mentions somebody. Write it without the mention to send it.",
    "shared": "Not sent, only your team sees it: it shares another message. Write it in your own words to send it.",
    "marked_below": "What begins with the line marked as internal was not sent, nor any files; only your team sees it.",
}
NO_MEMBER = "Only full members of this channel can do that."
CHANGED_TOO_LATE = "The customer has already received this message, and this change was not sent to them."
DELETED_TOO_LATE = "The customer has already received this message: deleting it here does not take it back."
STAYS_INTERNAL = "This was not sent to the customer, and an edit does not send it. Write it as a new message to send it."
PARTLY_INTERNAL = (
    "This change was not sent to the customer: a part of the message was internal. Write the correction as a new message."
)
OTHER_THREAD = "This conversation has a newer thread. Please go on there."
GONE = "This conversation is not in the store any more."


def first_message(thread: Thread, state: Conversation) -> tuple[str, list[Block]]:
    """Fallback text and blocks of the message that opens a thread."""
    who = _name(state.contact)
    title = f"{who} needs a person"
    blocks: list[Block] = [_plain_section(f"{title} · {state.channel.capitalize()}", bold=True)]
    facts = [("Reason", state.handoff.reason if state.handoff else ""), ("Language", state.language)]
    contact = state.contact
    facts += [
        ("E-mail", contact.email or ""),
        ("Phone", contact.phone or ""),
        ("Identity", "proven" if contact.verified else "not proven"),
    ]
    fields = [{"type": "mrkdwn", "text": f"*{name}*\n{_cut(escaped(value), MAX_REASON)}"} for name, value in facts if value]
    blocks.append({"type": "section", "fields": fields})
    if state.handoff and state.handoff.summary.strip():
        blocks.append(_literal(_cut(state.handoff.summary, MAX_SUMMARY), kind="rich_text_preformatted"))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": status(thread, state)}]})
    blocks.append({"type": "actions", "block_id": "frontdesk:agents", "elements": list(_buttons(thread, state))})
    if thread.open:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": RULE}]})
    return escaped(title), blocks


def status(thread: Thread, state: Conversation) -> str:
    """Who has the conversation, in mrkdwn."""
    if not thread.open:
        return ":white_check_mark: Resolved" if state.resolved else ":white_check_mark: Closed: the bot has the conversation"
    if state.owner == "queue":
        return ":hourglass_flowing_sand: Nobody has taken it yet"
    if state.owner == "agent":
        return f":raising_hand: Taken by *{escaped(state.agent or '')}*"
    return ":robot_face: The bot has the conversation"


def _buttons(thread: Thread, state: Conversation) -> Iterator[Block]:
    taken = thread.open and state.owner == "agent"
    take = _button("Take it over" if taken else "Take", TAKE, thread.key)
    if taken:
        take["confirm"] = {
            "title": {"type": "plain_text", "text": "Take it over?"},
            "text": {"type": "plain_text", "text": _cut(f"{state.agent} has this conversation.", 300)},
            "confirm": {"type": "plain_text", "text": "Take it over"},
            "deny": {"type": "plain_text", "text": "Cancel"},
        }
    else:
        take["style"] = "primary"
    yield take
    if thread.open:
        yield _button("Resolve", RESOLVE, thread.key)
        yield _button("Give back to the bot", BACK, thread.key)


def _button(label: str, action: str, value: str) -> Block:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, "value": value}


def context(entries: Sequence[Entry], state: Conversation) -> tuple[str, list[Block]] | None:
    """The last messages before the thread was opened, in one message."""
    elements: list[Block] = []
    for entry in entries:
        if isinstance(entry.body, Message | Outgoing) and (words := _words(entry.body)):
            who = _writer(entry.body, state) if isinstance(entry.body, Message) else author(entry.body)
            elements += [_text(f"{who}: ", bold=True), _text(f"{_cut(words, MAX_CONTEXT)}\n")]
    if not elements:
        return None
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
    return "The last messages", [{"type": "context", "elements": [{"type": "mrkdwn", "text": "The last messages"}]}, block]


def entry(body: Body, state: Conversation) -> tuple[str, list[Block]] | None:
    """One entry of the transcript as a message of the thread. None for what need not be shown."""
    match body:
        case Message(kind="edited" | "deleted"):
            return None  # the message itself is changed
        case Message(kind="reaction"):
            found = next((part for part in body.parts if isinstance(part, ReactionPart)), None)
            if found is None:
                return None
            return _small(f"{_writer(body, state)} {'took back' if found.removed else 'reacted with'} {found.emoji}")
        case Message():
            return customer_message(body, state)
        case Outgoing():
            words = body.text if body.text.strip() else ", ".join(one.name for one in body.attachments)
            piece, *more = render.words(words or "…")
            shown = list(piece.blocks) or [_literal(words)]
            title = f"{author(body)}{' (corrected)' if body.replaces else ''}"
            return escaped(_cut(f"{title}: {words}", 300)), [
                _plain_section(title, bold=True),
                *shown,
                *([_ellipsis()] if more else []),
            ]
        case Note():
            return escaped(_cut(f"Note: {body.text}", 300)), [
                _plain_section(f"🔒 {_person(body.author)} (note)", bold=True),
                _literal(_cut(body.text, MAX_WORDS)),
            ]
        case Mark():
            return _small(_mark(body))


def customer_message(message: Message, state: Conversation) -> tuple[str, list[Block]]:
    suffix = {"edited": " (edited)", "deleted": " (deleted by the customer)", None: ""}[message.revision]
    if message.kind == "automatic":
        suffix += " (automatic)"
    title, words = f"{_writer(message, state)}{suffix}", _words(message)
    blocks = [_plain_section(title, bold=True)]
    if words:
        blocks.append(_literal(_cut(words, MAX_WORDS)))
    return escaped(_cut(f"{title}: {words}", 300)), blocks


def files(body: Body) -> list[Attachment]:
    """What is to be shown beside the words."""
    match body:
        case Message():
            return [
                part.attachment
                for part in body.parts
                if isinstance(part, FilePart | ImagePart | AudioPart) and part.attachment.id
            ]
        case Outgoing():
            return [attachment for attachment in body.attachments if attachment.id]
        case _:
            return []


def author(outgoing: Outgoing) -> str:
    return "🤖 Bot" if outgoing.author == "bot" else _person(outgoing.author)


def told(doubt: Doubt, thread: Thread, state: Conversation) -> tuple[str, list[Block]]:
    """What only the agent reads, with the button that helps."""
    words = TOLD[doubt]
    blocks: list[Block] = [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]
    if doubt in ("closed", "not_taken", "taken_by_another"):
        take = next(_buttons(thread, state))
        blocks.append({"type": "actions", "elements": [take]})
    return words, blocks


def undelivered(reason: str) -> tuple[str, list[Block]]:
    words = f":warning: This did not reach the customer: {escaped(_cut(reason, 500))}"
    return words, [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]


def _words(body: Message | Outgoing) -> str:
    if isinstance(body, Outgoing):
        return rich.plain(rich.elements(body.text))
    return "\n".join(filter(None, map(_part, body.parts)))


def _part(part: object) -> str:
    match part:
        case TextPart(text):
            return text
        case ChoicePart():
            return f"☑ {part.label or part.value}"
        case LocationPart():
            return f"📍 {part.label or ''} {part.latitude}, {part.longitude}".replace("  ", " ")
        case AudioPart():
            return f"🎤 {part.transcript or part.attachment.name}{_problem(part.attachment)}"
        case FilePart() | ImagePart():
            return f"📎 {part.attachment.name}{_problem(part.attachment)}"
        case _:
            return ""


def _problem(attachment: Attachment) -> str:
    return f" ({attachment.problem})" if attachment.problem else ""


def _mark(mark: Mark) -> str:
    who = _person(mark.by)
    match mark.event:
        case "escalated":
            return f"Needs a person again{f': {mark.reason}' if mark.reason else ''}"
        case "taken":
            return f"🙋 {who} has taken the conversation"
        case "returned":
            return f"🤖 {who} has given the conversation back to the bot"
        case "resolved":
            return f"✅ {who} has resolved the conversation"


def _writer(message: Message, state: Conversation) -> str:
    """In groups several people write; of the last one the conversation may know more than the message does."""
    return _name(state.contact if message.contact.id == state.contact.id else message.contact)


def _name(contact: Contact) -> str:
    return _cut(" ".join((contact.name or contact.email or contact.phone or contact.id).split()), 80)


def _person(author: str) -> str:
    return "The bot" if author == "bot" else author.removeprefix("agent:")


def _small(words: str) -> tuple[str, list[Block]]:
    return escaped(words), [{"type": "context", "elements": [{"type": "plain_text", "text": _cut(words, 2000), "emoji": False}]}]


def _plain_section(words: str, *, bold: bool) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [_text(words, bold=bold)]}]}


def _literal(words: str, *, kind: str = "rich_text_quote") -> Block:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [_text(words)]}]}


def _ellipsis() -> Block:
    return _small("… shortened")[1][0]


def _text(words: str, *, bold: bool = False) -> Block:
    return {"type": "text", "text": words or " ", **({"style": {"bold": True}} if bold else {})}


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"
