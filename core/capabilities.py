"""What a channel can do, so that a reply is written once and rendered as well as the platform allows."""

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["plain", "markdown", "html", "mrkdwn"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """Defaults are the least a channel can do. Lengths count characters, sizes bytes.

    Where `buttons` is False a renderer writes numbered choices; text over `max_text` is split at paragraph ends. `edits`: a reply
    that was sent can be changed (`Channel.edit`). `changes`: customers can edit or delete what they wrote, and we are told.
    """

    dialect: Dialect = "plain"
    buttons: bool = False
    threads: bool = False
    edits: bool = False
    changes: bool = False
    reactions: bool = False
    typing: bool = False
    attachments: bool = False
    history: bool = False
    max_text: int = 4000
    max_attachment: int = 0
