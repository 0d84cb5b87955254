"""The capability matrix: what each channel can do, for the command line and for the documentation."""

from collections.abc import Callable, Mapping, Sequence

from frontdesk.config.plugins import channel_names, find_channel
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel
from frontdesk.core.errors import ConfigurationError

NO = "-"


def _yes(can: bool) -> str:
    return "yes" if can else NO


def _size(size: int) -> str:
    return f"{size / 2**20:.3g} MB" if size else NO


ROWS: dict[str, Callable[[Capabilities], str]] = {
    "text": lambda can: can.dialect,
    "buttons": lambda can: "yes" if can.buttons else "numbered",
    "threads": lambda can: _yes(can.threads),
    "edits by us": lambda can: _yes(can.edits),
    "edits by customers": lambda can: _yes(can.changes),
    "reactions": lambda can: _yes(can.reactions),
    "typing": lambda can: _yes(can.typing),
    "attachments": lambda can: _yes(can.attachments),
    "history": lambda can: _yes(can.history),
    "longest text": lambda can: f"{can.max_text:,}",
    "largest file": lambda can: _size(can.max_attachment),
}


def found_channels() -> dict[str, Capabilities | str]:
    """What each installed channel can do, or why it has no column."""
    found: dict[str, Capabilities | str] = {}
    for name in channel_names():
        try:
            channel = find_channel(name)
        except ConfigurationError as error:
            found[name] = str(error)
        else:
            found[name] = channel.capabilities if issubclass(channel, Channel) else "pages for agents; no customer writes there"
    return found


def table(found: Mapping[str, Capabilities | str]) -> list[Sequence[str]]:
    """The head and the rows, one column for each channel where customers write."""
    channels = {name: can for name, can in found.items() if isinstance(can, Capabilities)}
    return [("", *channels), *((title, *map(cell, channels.values())) for title, cell in ROWS.items())]


def as_markdown(found: Mapping[str, Capabilities | str]) -> str:
    head, *rows = table(found)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
