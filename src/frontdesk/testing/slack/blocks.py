"""Slack's limits on messages. What exceeds them is refused with Slack's own error codes.

https://docs.slack.dev/reference/block-kit and https://docs.slack.dev/reference/methods/chat.postMessage. The limit on all blocks
together is not documented; about 13,200 characters was found by users (bolt-js issue 2509).
"""

import json
from collections.abc import Iterator
from typing import Any

MAX_TEXT = 40_000
MAX_UPDATED_TEXT = 4_000
"""Bytes of `text` in chat.update."""
MAX_ALL_BLOCKS = 13_200
MAX_MARKDOWN = 12_000
BLOCKS = {
    "actions",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "rich_text",
    "section",
    "table",
    "video",
}
_TEXTS = {"plain_text", "mrkdwn"}
_MENUS = {"static_select", "multi_static_select", "overflow", "radio_buttons", "checkboxes"}
_ELEMENTS = _MENUS | {
    "button",
    "channels_select",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "email_text_input",
    "external_select",
    "feedback_buttons",
    "file_input",
    "icon_button",
    "image",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_users_select",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "timepicker",
    "url_text_input",
    "users_select",
    "workflow_button",
}
_RICH = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}


class SlackError(Exception):
    """An answer `{"ok": false, "error": code}`."""

    def __init__(self, code: str, *details: str, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        self.status = status


def checked(blocks: Any, *, most: int = 50) -> list[dict[str, Any]]:
    """The blocks of a message or, with `most` 100, of a view. Raises `SlackError`."""
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks) if blocks else []
        except ValueError:
            raise SlackError("invalid_blocks_format") from None
    if blocks is None:
        return []
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    problems = list(_problems(blocks, most))
    if problems:
        raise SlackError("invalid_blocks", *problems)
    if most == 50 and _characters(blocks) > MAX_ALL_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    return blocks


def _problems(blocks: list[dict[str, Any]], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        yield "`block_id` already exists [json-pointer:/blocks]"
    if sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown") > MAX_MARKDOWN:
        yield f"must be less than {MAX_MARKDOWN + 1} characters [json-pointer:/blocks]"
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "only_one_table_allowed [json-pointer:/blocks]"
    for number, block in enumerate(blocks):
        yield from (f"{problem} [json-pointer:/blocks/{number}]" for problem in _block(block))


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if kind not in BLOCKS:
        yield f"unsupported type: {kind}"
        return
    if len(str(block.get("block_id", ""))) > 255:
        yield "block_id must be less than 256 characters"
    match kind:
        case "section":
            fields = block.get("fields") or []
            if not block.get("text") and not fields:
                yield "missing required field: text"
            if block.get("text"):
                yield from _text(block["text"], 3000)
            if len(fields) > 10:
                yield "no more than 10 items allowed in fields"
            for field in fields:
                yield from _text(field, 2000)
            if block.get("accessory"):
                yield from _element(block["accessory"])
        case "header":
            yield from _text(block.get("text"), 150, plain=True)
        case "context":
            elements = block.get("elements") or []
            if not 1 <= len(elements) <= 10:
                yield "between 1 and 10 elements allowed"
            for element in elements:
                yield from _image(element) if element.get("type") == "image" else _text(element, 3000)
        case "actions" | "context_actions":
            elements = block.get("elements") or []
            if not 1 <= len(elements) <= 25:
                yield "between 1 and 25 elements allowed"
            ids = [element.get("action_id") for element in elements if element.get("action_id")]
            if len(ids) != len(set(ids)):
                yield "`action_id` already exists"
            for element in elements:
                yield from _element(element)
        case "input":
            yield from _text(block.get("label"), 2000, plain=True)
            yield from _element(block.get("element") or {})
        case "image":
            yield from _image(block)
        case "markdown":
            if not str(block.get("text") or "").strip():
                yield "must be more than 0 characters"
        case "rich_text":
            elements = block.get("elements")
            if not isinstance(elements, list) or not elements:
                yield "missing required field: elements"
            for element in elements or []:
                yield from _rich(element)
        case "table":
            rows = block.get("rows") or []
            if not 1 <= len(rows) <= 100 or any(not 1 <= len(row) <= 20 for row in rows):
                yield "a table has 1 to 100 rows of 1 to 20 cells"
            for cell in (cell for row in rows for cell in row):
                if cell.get("type") not in ("raw_text", "raw_number", "rich_text"):
                    yield "a cell is raw_text or rich_text"
                elif cell["type"] == "raw_text" and not cell.get("text"):
                    yield "must be more than 0 characters"
        case _:
            pass


def _text(text: Any, most: int, *, plain: bool = False) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in _TEXTS or not isinstance(text.get("text"), str):
        yield "not a text object"
    elif plain and text["type"] != "plain_text":
        yield "must be plain_text"
    elif not text["text"]:
        yield "must be more than 0 characters"
    elif len(text["text"]) > most:
        yield f"must be less than {most + 1} characters"


def _image(image: dict[str, Any]) -> Iterator[str]:
    if not (image.get("image_url") or image.get("slack_file")):
        yield "missing required field: image_url"
    if len(str(image.get("image_url", ""))) > 3000 or not 1 <= len(str(image.get("alt_text", ""))) <= 2000:
        yield "an image needs an address of at most 3000 and an alt_text of 1 to 2000 characters"


def _element(element: dict[str, Any]) -> Iterator[str]:
    kind = element.get("type")
    if kind not in _ELEMENTS:
        yield f"unsupported element: {kind}"
        return
    if len(str(element.get("action_id", ""))) > 255:
        yield "action_id must be less than 256 characters"
    if kind == "button":
        yield from _text(element.get("text"), 75, plain=True)
        if len(str(element.get("value", ""))) > 2000:
            yield "value must be less than 2001 characters"
        if len(str(element.get("url", ""))) > 3000:
            yield "url must be less than 3001 characters"
        if element.get("style") not in (None, "primary", "danger"):
            yield "style is primary or danger"
    if kind in _MENUS:
        groups = element.get("option_groups") or [element]
        most = 5 if kind == "overflow" else 10 if kind in ("radio_buttons", "checkboxes") else 100
        for group in groups:
            options = group.get("options") or []
            if not 1 <= len(options) <= most:
                yield f"between 1 and {most} options allowed"
            for option in options:
                yield from _text(option.get("text"), 75)
                if not 1 <= len(str(option.get("value", ""))) <= 150:
                    yield "an option's value has 1 to 150 characters"
    if element.get("placeholder"):
        yield from _text(element["placeholder"], 150, plain=True)
    if confirm := element.get("confirm"):
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            if confirm.get(name):
                yield from _text(confirm[name], most)


def _rich(element: Any) -> Iterator[str]:
    if not isinstance(element, dict) or element.get("type") not in _RICH or not isinstance(element.get("elements"), list):
        yield "unsupported rich text element"
        return
    for one in element["elements"]:
        if element["type"] == "rich_text_list":
            yield from _rich(one)
        elif not isinstance(one, dict) or not isinstance(one.get("type"), str):
            yield "unsupported rich text element"
        elif one["type"] == "text" and not one.get("text"):
            yield "must be more than 0 characters"
        elif one["type"] == "link" and not one.get("url"):
            yield "missing required field: url"


def _characters(value: Any) -> int:
    """The characters of all texts inside."""
    match value:
        case dict():
            return sum(len(item) if key == "text" and isinstance(item, str) else _characters(item) for key, item in value.items())
        case list():
            return sum(map(_characters, value))
        case _:
            return 0
