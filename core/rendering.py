"""What renderers share: how a reply is shown where the platform has no form of its own for a part of it."""

import re
from collections.abc import Sequence

from frontdesk.core.messages import Choice, Outgoing, Source
from frontdesk.core.text import Text

SOURCE = Text(en="Source: {links}", zh="来源：{links}", de="Quelle: {links}", fr="Source : {links}", es="Fuente: {links}")


def with_sources(outgoing: Outgoing) -> str:
    """The reply's Markdown with its sources named below, for channels that do not show them in another way."""
    if not outgoing.sources:
        return outgoing.text
    links = ", ".join(_link(source) for source in outgoing.sources)
    return f"{outgoing.text}\n\n{SOURCE.fitting(outgoing.language or 'en').format(links=links)}"


def numbered(choices: Sequence[Choice]) -> list[str]:
    """The choices as lines, for channels without buttons. Labels that count themselves, such as "1 - bad", are left alone."""
    if all(re.match(rf"{number}\b", choice.label) for number, choice in enumerate(choices, start=1)):
        return [choice.label for choice in choices]
    return [f"{number}. {choice.label}" for number, choice in enumerate(choices, start=1)]


def _link(source: Source) -> str:
    """A Markdown link, or the bare title of a source that has no address customers could open."""
    title = source.title.replace("[", r"\[").replace("]", r"\]")
    return f"[{title}](<{source.url}>)" if source.url else title
