"""Replies as Slack shows them: one `rich_text` block for the words, and buttons or a menu for the choices.

Limits by https://docs.slack.dev/reference/block-kit and https://docs.slack.dev/reference/methods/chat.postMessage
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from frontdesk.channels.slack import rich
from frontdesk.channels.slack.mrkdwn import escaped
from frontdesk.core import markdown
from frontdesk.core.messages import Choice, Outgoing
from frontdesk.core.rendering import with_sources
from frontdesk.core.text import Text

MAX_TEXT = 4000
"""Characters. Slack takes 40,000 in a text and about 13,000 in all blocks together, but asks for no more than this."""
MAX_BLOCK_ID = 255
MAX_BUTTONS = 5
MAX_LABEL = 75
MAX_BUTTON_VALUE = 2000
MAX_OPTIONS = 100
MAX_OPTION_VALUE = 150
CHOICE = "frontdesk:choice:"

CHOOSE = Text(en="Choose…", zh="请选择…", de="Auswählen …", fr="Choisir…", es="Elegir…")
# One line without anything that Markdown or mrkdwn could read as markup.
NO_MARKUP = re.compile(r"(?!\s|[-+=]|\d+[.)])[^\\`*_{}\[\]<>#|~&\n]+(?<!\s)")

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Piece:
    """One message: `blocks` are what is shown, `text` what a notification reads, escaped. Words alone need no blocks."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()


def pieces(outgoing: Outgoing) -> list[Piece]:
    """The messages of a reply, without its files. Empty for a reply that has only files."""
    text = _with_long_labels(with_sources(outgoing), outgoing.choices)
    if not text.strip() and not outgoing.choices:
        return []
    made = words(text)
    if outgoing.choices:
        last = made[-1]
        made[-1] = Piece(last.text, (*(last.blocks or _text_blocks(last.text)), _choices(outgoing)))
    return made


def words(text: str) -> list[Piece]:
    """Markdown as messages within Slack's limits."""
    if len(text) <= MAX_TEXT and NO_MARKUP.fullmatch(text) and "://" not in text:
        return [Piece(text)]
    parts = [text] if _fits(text) else markdown.split(text, _fits)
    return [_piece(part) for part in parts]


def block_id(outgoing_id: str) -> str:
    """Names the reply that a choice belongs to."""
    return outgoing_id[:MAX_BLOCK_ID]


def chosen(blocks: list[dict[str, Any]], pressed: str, label: str) -> list[dict[str, Any]]:
    """A message's blocks after one of its choices was made."""
    kept = [block for block in blocks if block.get("block_id") != pressed]
    return [*kept, {"type": "context", "elements": [{"type": "plain_text", "text": f"✓ {_cut(label, 140)}", "emoji": False}]}]


def _piece(text: str) -> Piece:
    elements = rich.elements(text)
    read = rich.plain(elements)
    if not read.strip():
        return Piece("…")
    return Piece(escaped(read), ({"type": "rich_text", "elements": elements},))


def _fits(text: str) -> bool:
    """What Markdown is rendered to is hardly longer than itself, and `MAX_TEXT` is far below what Slack takes. Only tables, whose
    columns are filled up, and addresses that are written once and used often have to be rendered to be measured."""
    if len(text) > MAX_TEXT or ("|" not in text and "]:" not in text):
        return len(text) <= MAX_TEXT
    return len(rich.plain(rich.elements(text))) <= MAX_TEXT


def _text_blocks(text: str) -> tuple[dict[str, Any], ...]:
    section = {"type": rich.SECTION, "elements": [{"type": "text", "text": text}]}
    return ({"type": "rich_text", "elements": [section]},)


def _choices(outgoing: Outgoing) -> dict[str, Any]:
    choices = outgoing.choices
    if len(choices) <= MAX_BUTTONS:
        elements = [
            {
                "type": "button",
                "action_id": f"{CHOICE}{number}",
                "text": {"type": "plain_text", "text": _label(choice), "emoji": False},
                "value": _value(outgoing, choice, number, MAX_BUTTON_VALUE),
            }
            for number, choice in enumerate(choices)
        ]
        return {"type": "actions", "block_id": block_id(outgoing.id), "elements": elements}
    options = [
        {
            "text": {"type": "plain_text", "text": _label(choice), "emoji": False},
            "value": _value(outgoing, choice, number, MAX_OPTION_VALUE),
        }
        for number, choice in enumerate(choices[:MAX_OPTIONS])
    ]
    menu = {
        "type": "static_select",
        "action_id": f"{CHOICE}menu",
        "placeholder": {"type": "plain_text", "text": CHOOSE.fitting(outgoing.language or "en")},
        "options": options,
    }
    return {"type": "actions", "block_id": block_id(outgoing.id), "elements": [menu]}


def _value(outgoing: Outgoing, choice: Choice, number: int, limit: int) -> str:
    """The choice itself, or where that is too long its place among those of the reply, which is named by the block's id."""
    value = encode({"v": choice.value, "q": outgoing.question}).decode()
    return value if len(value) <= limit else encode({"n": number}).decode()


def _label(choice: Choice) -> str:
    return _cut(" ".join(choice.label.split()), MAX_LABEL) or "…"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _with_long_labels(text: str, choices: tuple[Choice, ...]) -> str:
    """Labels that no button or menu can hold are read in full above, with the numbers that can be written instead."""
    if len(choices) <= MAX_OPTIONS and all(len(choice.label) <= MAX_LABEL for choice in choices):
        return text
    lines = (markdown.SPECIAL.sub(r"\\\g<0>", " ".join(choice.label.split())) for choice in choices)
    return "\n".join([text, "", *(f"{number}. {line}" for number, line in enumerate(lines, start=1))])
