"""Messages for tests."""

from datetime import UTC, datetime
from itertools import count

from frontdesk.core.messages import ChoicePart, Contact, Message, Part, TextPart

_numbers = count(1)


def a_message(
    text: str = "hello",
    *,
    conversation: str = "test:1",
    id: str | None = None,
    choice: ChoicePart | None = None,
    channel: str = "test",
) -> Message:
    """A message as a channel would make it; every one has an id of its own unless it is given."""
    parts: tuple[Part, ...] = (choice,) if choice else (TextPart(text),)
    return Message(
        id=id or f"{channel}:message-{next(_numbers)}",
        channel=channel,
        conversation=conversation,
        contact=Contact(id=conversation),
        parts=parts,
        at=datetime.now(UTC),
    )
