"""Blocks, as Slack's clients and other apps send them, read back to Markdown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.slack import rich
from frontdesk.channels.slack.rich_text import markdown

NAMES = {"U1": "Ann", "C1": "orders", "S1": "agents"}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, *styles: str) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": dict.fromkeys(styles, True)} if styles else {})}


def read(*elements: dict[str, Any]) -> str:
    return markdown([{"type": "rich_text", "block_id": "x", "elements": list(elements)}], NAMES)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (text("plain"), "plain"),
        (text("bold", "bold"), "**bold**"),
        (text("italic", "italic"), "*italic*"),
        (text("gone", "strike"), "~~gone~~"),
        (text("x = 1", "code"), "`x = 1`"),
        (text("a`b", "code"), "``a`b``"),
        (text("both", "bold", "italic"), "***both***"),
        (text("all", "bold", "italic", "strike", "code"), "~~***`all`***~~"),
        (text("  ", "bold"), "  "),
        ({"type": "link", "url": "https://shop.example"}, "https://shop.example"),
        (
            {"type": "link", "url": "https://shop.example/a b)", "text": "the [shop]"},
            "[the (shop)](https://shop.example/a%20b%29)",
        ),
        ({"type": "link", "url": "https://s.example", "text": "s", "style": {"bold": True}}, "**[s](https://s.example)**"),
        ({"type": "user", "user_id": "U1"}, "@Ann"),
        ({"type": "user", "user_id": "U9"}, "@U9"),
        ({"type": "usergroup", "usergroup_id": "S1"}, "@agents"),
        ({"type": "channel", "channel_id": "C1"}, "#orders"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b"}, "👋"),
        ({"type": "emoji", "name": "+1", "unicode": "1f44d-1f3fd", "skin_tone": 4}, "👍🏽"),
        ({"type": "emoji", "name": "our_logo"}, ":our_logo:"),
        ({"type": "emoji", "name": "odd", "unicode": "zz-110000"}, ":odd:"),
        ({"type": "date", "timestamp": 1720710212, "format": "{date_num}", "fallback": "July 11"}, "July 11"),
        ({"type": "date", "timestamp": 1720710212, "format": "{date_num}"}, "2024-07-11 15:03 UTC"),
        ({"type": "color", "value": "#F405B3"}, "#F405B3"),
        ({"type": "something new", "text": "words"}, "words"),
    ],
)
def test_elements(element: dict[str, Any], expected: str) -> None:
    assert read(section(text("a "), element, text(" z"))) == f"a {expected} z"


def test_space_stays_outside_of_marks() -> None:
    assert read(section(text("very ", "bold"), text("well"))) == "**very** well"


def test_lists_are_lists() -> None:
    items = [section(text("one")), section(text("two\nlines"))]
    nested = {"type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 2, "elements": [section(text("three"))]}
    assert (
        read(
            section(text("Please:\n")),
            {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": items},
            nested,
            section(text("\nThanks")),
        )
        == "Please:\n\n- one\n- two\n   lines\n   3. three\n\nThanks"
    )


def test_quotations_and_code() -> None:
    assert (
        read(
            {"type": "rich_text_quote", "elements": [text("said\nshe")]},
            {"type": "rich_text_preformatted", "elements": [text("if a:\n  *b*"), {"type": "link", "url": "https://x.example"}]},
            {"type": "rich_text_preformatted", "elements": [text("```")]},
        )
        == "> said\n> she\n\n```\nif a:\n  *b*https://x.example\n```\n\n````\n```\n````"
    )


def test_other_blocks_have_words_too() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Order"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*bold* &amp; <@U1>"},
            "fields": [{"type": "plain_text", "text": "a*b*"}],
        },
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "image", "alt_text": "x"}, {"type": "mrkdwn", "text": "_small_"}]},
        {"type": "markdown", "text": "**as it is**"},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "no"}}]},
    ]
    assert markdown(blocks, NAMES) == "## Order\n\n**bold** & @Ann\na*b*\n\n*small*\n\n**as it is**"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "elements",
                    "text",
                    "style",
                    "indent",
                    "offset",
                    "url",
                    "unicode",
                    "timestamp",
                    "range",
                    "user_id",
                    "fields",
                ]
            ),
            inner
            | st.sampled_from(
                [
                    "rich_text",
                    "rich_text_section",
                    "rich_text_list",
                    "rich_text_quote",
                    "rich_text_preformatted",
                    "text",
                    "link",
                    "date",
                ]
            ),
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_any_json_is_read(blocks: object) -> None:
    assert isinstance(markdown(blocks, NAMES), str)


@given(st.text(alphabet="ab ", min_size=1, max_size=30))
def test_what_we_write_is_read_back(words: str) -> None:
    source = f"**{words.strip() or 'x'}** and `code`\n\n- item\n\n> quote"
    elements = rich.elements(source)
    assert markdown([{"type": "rich_text", "elements": elements}], {}) == source
