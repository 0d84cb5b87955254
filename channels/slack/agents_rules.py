"""What of an agent's message goes to the customer. When in doubt, nothing: it stays with the team, and the agent is told why.

A message in a conversation's thread is sent to the customer if its author has taken the conversation, and it mentions nobody, is
not shown to the whole channel and shares no other message. Of such a message, everything from the first line on that begins
with one of `MARKS` is internal.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from frontdesk.channels.slack.incoming import find, text

MARKS = ("//", "🔒")
"""At the beginning of a line, in whatever style."""
TAKEN_SUBTYPES = frozenset({"", "file_share", "me_message", "thread_broadcast"})
MENTIONS = frozenset({"user", "usergroup", "broadcast", "channel", "team"})
MARKUP = "*_~>`#-+•.:()0123456789"
"""What may stand before a mark: emphasis, quotations, lists, code."""

Doubt = Literal["guest", "closed", "not_taken", "taken_by_another", "broadcast", "mention", "shared", "marked_below"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """`said` goes to the customer, `internal` to the record. `doubt` is why words stay that may have been for the customer."""

    said: str = ""
    internal: str = ""
    doubt: Doubt | None = None

    @property
    def may_be_sent(self) -> bool:
        """Whether the message's files go along to the customer."""
        return self.doubt is None and not self.internal


def split(words: str, message: Mapping[str, Any], doubt: Doubt | None) -> Split:
    """`words` is the message in Markdown, `doubt` what its author's standing leaves."""
    lines = words.strip().split("\n")
    first = next((number for number, line in enumerate(lines) if _marked(line)), None)
    if first == 0:
        return Split(internal=words.strip())
    doubt = doubt or content_doubt(message)
    if doubt is not None:
        return Split(internal=words.strip(), doubt=doubt)
    if first is None:
        return Split(said=words.strip())
    said, internal = "\n".join(lines[:first]).strip(), "\n".join(lines[first:]).strip()
    if said.count("```") % 2:  # the mark stands within a block of code
        return Split(internal=words.strip(), doubt="marked_below")
    return Split(said=said, internal=internal, doubt="marked_below")


def content_doubt(message: Mapping[str, Any]) -> Doubt | None:
    """What in a message speaks against sending it."""
    if text(message, "subtype") == "thread_broadcast":
        return "broadcast"
    words = text(message, "text")
    if any(mark in words for mark in ("<@", "<!", "<#")) or _mentions(message.get("blocks")):
        return "mention"
    attachments = message.get("attachments")
    if isinstance(attachments, list) and any(find(one, "is_share") or find(one, "is_msg_unfurl") for one in attachments):
        return "shared"
    return None


def _marked(line: str) -> bool:
    plain = unicodedata.normalize("NFKC", "".join(one for one in line if unicodedata.category(one) != "Cf")).strip()
    plain = plain.replace(":lock:", "🔒")
    return plain.lstrip(f"{MARKUP} \t\\").startswith(MARKS)


def _mentions(value: object) -> bool:
    match value:
        case Mapping():
            return value.get("type") in MENTIONS or any(_mentions(item) for item in value.values())
        case str():
            return False
        case Sequence():
            return any(_mentions(item) for item in value)
        case _:
            return False
