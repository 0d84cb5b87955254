"""Entries as lines of a transcript, for people or as JSON."""

import textwrap
import unicodedata

from frontdesk.core.messages import Body, ChoicePart, Mark, Message, Note, Outgoing, encode
from frontdesk.core.rendering import numbered, with_sources

MARKS = {
    "escalated": "a person was called",
    "taken": "{by} has joined",
    "returned": "the bot is back",
    "resolved": "resolved",
}


def as_json(body: Body) -> str:
    """One line."""
    return encode(body).decode()


def as_text(body: Body, *, customer: str, bot: str) -> str:
    """A readable paragraph that names its speaker, without a line break at its end; Markdown stays as it is written."""
    match body:
        case Message():
            said = [body.text] if body.text else []
            said += [f"[{part.label or part.value}]" for part in body.parts if isinstance(part, ChoicePart)]
            return _paragraph(customer, "\n".join(said))
        case Outgoing():
            return _paragraph(speaker(body.author, bot), words(body))
        case Mark():
            event = MARKS[body.event].format(by=speaker(body.by, bot))
            return f"-- {visible(f'{event}: {body.reason}' if body.reason else event)} --"
        case Note():
            return _paragraph(speaker(body.author, bot), body.text)


def words(outgoing: Outgoing) -> str:
    """What a reply says, its choices numbered."""
    lines = [text] if (text := with_sources(outgoing)) else []
    if outgoing.choices:
        lines += ["", *numbered(outgoing.choices)]
    lines += [f"[file] {file.name} ({file.size} bytes)" for file in outgoing.attachments]
    return visible("\n".join(lines))


def speaker(author: str, bot: str) -> str:
    return author.removeprefix("agent:") if author.startswith("agent:") else bot


def visible(text: str) -> str:
    """Without what would steer the terminal: control characters and marks of direction."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs") or character in "\u200c\u200d"
    )


def _paragraph(name: str, text: str) -> str:
    """The text beside its speaker's name, the following lines indented under the first."""
    head = f"{visible(name)}: "
    return head + textwrap.indent(visible(text), " " * len(head)).lstrip(" ")
