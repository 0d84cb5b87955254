"""What Slack's own clients send for words that a person types: escaped text, and the same as rich text."""

import re
from typing import Any

from frontdesk.testing.slack.emoji import NAMES, code_points
from frontdesk.testing.slack.visible import escaped

_EMOJI = "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True)))
_TOKEN = re.compile(
    rf"(?P<special><(?:@[UW]\w+|\#[CG]\w+|!\w+)(?:\|[^<>]*)?>)|(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\]])|(?P<emoji>{_EMOJI})"
)


def typed(text: str) -> tuple[str, list[dict[str, Any]]]:
    """`text` and `blocks`. Mentions may be written as `<@U...>`, `<#C...>` and `<!here>`; nothing else is markup."""
    words: list[str] = []
    elements: list[dict[str, Any]] = []
    end = 0

    def literal(piece: str) -> None:
        if piece:
            words.append(escaped(piece))
            elements.append({"type": "text", "text": piece})

    for token in _TOKEN.finditer(text):
        literal(text[end : token.start()])
        end = token.end()
        if token["special"]:
            words.append(token[0])
            elements.append(_special(token[0][1:-1].partition("|")[0]))
        elif token["url"]:
            words.append(f"<{escaped(token[0])}>")
            elements.append({"type": "link", "url": token[0]})
        else:
            name = NAMES[token[0]]
            words.append(f":{name}:")
            elements.append({"type": "emoji", "name": name, "unicode": code_points(token[0])})
    literal(text[end:])
    if not elements:
        return "", []
    return "".join(words), [
        {"type": "rich_text", "block_id": "typed", "elements": [{"type": "rich_text_section", "elements": elements}]}
    ]


def _special(target: str) -> dict[str, Any]:
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case _:
            return {"type": "broadcast", "range": target[1:]}
