"""A typed line in, a message out."""

from datetime import datetime

from frontdesk.core.messages import ChoicePart, Contact, Message, Outgoing, Part, TextPart


def parse(line: str, *, id: str, conversation: str, at: datetime, last: Outgoing | None = None) -> Message | None:
    """None for an empty line. A number that stands before a choice of the `last` reply presses it."""
    text = line.replace("\0", "").strip()
    if not text:
        return None
    part: Part = TextPart(text)
    if last is not None and text.isascii() and text.isdigit() and 1 <= int(text) <= len(last.choices):
        choice = last.choices[int(text) - 1]
        part = ChoicePart(choice.value, question=last.question, label=choice.label)
    return Message(
        id=f"console:{id}",
        channel="console",
        conversation=conversation,
        contact=Contact(id=conversation, name=None),
        parts=(part,),
        at=at,
    )
