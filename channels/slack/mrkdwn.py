"""Slack's mrkdwn, read back to Markdown. https://docs.slack.dev/messaging/formatting-message-text"""

import re
from collections.abc import Mapping
from functools import partial

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
REFERENCE = re.compile(r"<([^<>\n]+)>")
ESCAPE = re.compile(r"&(lt|gt|amp);")
CHARACTERS = {"lt": "<", "gt": ">", "amp": "&"}
# Each stops at the next mark, so that a line of marks is read in linear time.
BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])")
ITALIC = re.compile(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])")
STRIKE = re.compile(r"(?<![\w~])~(?=\S)([^~\n]+)(?<=\S)~(?![\w~])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Names = Mapping[str, str]
"""What users, channels and groups are called, by id."""


def markdown(text: str, names: Names) -> str:
    """Marks that Slack would not show as such stay as they are."""
    pieces = CODE.split(CONTROLS.sub("", text.replace("\r\n", "\n")))
    return "".join(_code(piece) if index % 2 else _prose(piece, names) for index, piece in enumerate(pieces))


def unescaped(text: str) -> str:
    return ESCAPE.sub(lambda found: CHARACTERS[found[1]], text)


def escaped(text: str) -> str:
    """Nothing in it can be a mention, a link or an address of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, label: str) -> str:
    """A Markdown link, or the bare address where there is no other label."""
    if not label or label in (url, url.removeprefix("mailto:")):
        return label or url
    return f"[{label.replace('[', '(').replace(']', ')')}]({url.replace(' ', '%20').replace(')', '%29')})"


def _code(text: str) -> str:
    text = unescaped(REFERENCE.sub(lambda found: found[1].partition("|")[0], text))
    if text.startswith("```"):
        return "```\n" + text[3:-3].strip("\n") + "\n```"
    return text


def _prose(text: str, names: Names) -> str:
    references: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        references.append(_reference(found[1], names))
        return f"\x01{len(references) - 1}\x01"

    text = REFERENCE.sub(set_aside, text)
    for pattern, mark in ((STRIKE, "~~"), (BOLD, "**"), (ITALIC, "*")):
        text = pattern.sub(partial(_marked, mark), text)
    return re.sub(r"\x01(\d+)\x01", lambda found: references[int(found[1])], unescaped(text))


def _marked(mark: str, found: re.Match[str]) -> str:
    return f"{mark}{found[1]}{mark}"


def _reference(inside: str, names: Names) -> str:
    target, _, label = inside.partition("|")
    label = unescaped(label)
    match target[:1]:
        case "@":
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or names.get(target[1:], target[1:])}"
        case "!":
            return _special(target[1:], label, names)
        case _:
            return link(unescaped(target), label)


def _special(command: str, label: str, names: Names) -> str:
    name, _, rest = command.partition("^")
    if name == "subteam":
        return label or f"@{names.get(rest, rest)}"
    if name == "date":
        return label or rest.partition("^")[0]
    return label or f"@{name}"
