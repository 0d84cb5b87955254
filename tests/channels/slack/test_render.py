"""Replies as Slack takes them: whatever is written stays within its limits and addresses nobody."""

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.channels.slack import render, rich
from frontdesk.channels.slack.mrkdwn import unescaped
from frontdesk.core.messages import Choice, Contact, Outgoing, Source
from frontdesk.testing.slack.blocks import checked


def a_reply(text: str = "Which colour?", **fields: Any) -> Outgoing:
    return Outgoing(
        id="slack:T1:D1:1732384000.000100/reply/0",
        channel="slack",
        conversation="slack:T1:D1",
        contact=Contact(id="T1:U1"),
        text=text,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        **fields,
    )


def choices(count: int) -> tuple[Choice, ...]:
    return tuple(Choice(f"Choice {number}", f"value {number}") for number in range(count))


def rich_texts(pieces: list[render.Piece]) -> list[dict[str, Any]]:
    return [
        element for piece in pieces for block in piece.blocks if block["type"] == "rich_text" for element in block["elements"]
    ]


def test_plain_words_need_no_blocks() -> None:
    assert render.words("Your order is on its way.") == [render.Piece("Your order is on its way.")]


@pytest.mark.parametrize(
    "text",
    ["*a*", "1. a", "- a", "a & b", "<!channel>", "https://shop.example", "a_b_", "# a", "a\nb", " a", "`a`", "~~a~~", "+ a"],
)
def test_what_could_be_markup_goes_into_blocks(text: str) -> None:
    (piece,) = render.words(text)
    assert piece.blocks


def test_styles_and_links() -> None:
    assert rich.elements(
        "**b** *i* ~~s~~ `c` [here](https://s.example/?a=1&b=2) https://x.example/a_(b). [no](/page) ![pic](https://p.example/x.png)"
    ) == [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "b", "style": {"bold": True}},
                {"type": "text", "text": " "},
                {"type": "text", "text": "i", "style": {"italic": True}},
                {"type": "text", "text": " "},
                {"type": "text", "text": "s", "style": {"strike": True}},
                {"type": "text", "text": " "},
                {"type": "text", "text": "c", "style": {"code": True}},
                {"type": "text", "text": " "},
                {"type": "link", "url": "https://s.example/?a=1&b=2", "text": "here"},
                {"type": "text", "text": " "},
                {"type": "link", "url": "https://x.example/a_(b)"},
                {"type": "text", "text": ". no (/page) "},
                {"type": "link", "url": "https://p.example/x.png", "text": "pic"},
            ],
        }
    ]


def test_lists_go_on_behind_what_is_inside_of_them() -> None:
    found = rich.elements("3. three\n\n   ```\n   code\n   ```\n4. four\n   - deep\n5. five")
    assert [(element["type"], element.get("offset"), element.get("indent")) for element in found] == [
        ("rich_text_list", 2, None),
        ("rich_text_preformatted", None, None),
        ("rich_text_list", 3, None),
        ("rich_text_list", None, 1),
        ("rich_text_list", 4, None),
    ]
    assert rich.plain(found) == "3. three\ncode\n4. four\n   • deep\n5. five"


def test_quotations_tables_and_headings() -> None:
    found = rich.elements("# Head\n\n> said\n>\n> - item\n\n| a | 日本 |\n|---|---|\n| long | x |\n\n---")
    assert [element["type"] for element in found] == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_section",
    ]
    assert found[2]["border"] == 1
    assert found[3]["elements"][0]["text"] == "a     日本\n----  ----\nlong  x"


def test_the_notification_says_everything_and_addresses_nobody() -> None:
    (piece,) = render.words("<!channel> *hi* <@U1> & [more](https://s.example)")
    assert piece.text == "&lt;!channel&gt; hi &lt;@U1&gt; &amp; more (https://s.example)"


def test_few_choices_are_buttons() -> None:
    (piece,) = render.pieces(a_reply(choices=choices(5), question="q1"))
    actions = piece.blocks[-1]
    assert [element["type"] for element in actions["elements"]] == ["button"] * 5
    assert actions["elements"][1]["text"]["text"] == "Choice 1"
    assert json.loads(actions["elements"][1]["value"]) == {"v": "value 1", "q": "q1"}
    assert actions["block_id"] == "slack:T1:D1:1732384000.000100/reply/0"


@pytest.mark.parametrize("count", [6, 100, 101, 5000])
def test_more_choices_are_a_menu(count: int) -> None:
    *before, piece = render.pieces(a_reply(choices=choices(count)))
    (menu,) = piece.blocks[-1]["elements"]
    assert menu["type"] == "static_select"
    assert len(menu["options"]) == min(count, 100)
    checked(list(piece.blocks))
    if count > 100:
        assert f"{count}. Choice {count - 1}" in piece.text
    else:
        assert not before


def test_values_of_any_length_and_labels_of_any_length() -> None:
    long = (Choice("x" * 200, "v" * 5000), Choice("", ""), Choice("a\nb", "w"))
    (piece,) = render.pieces(a_reply(choices=long))
    first, second, third = piece.blocks[-1]["elements"]
    assert json.loads(first["value"])["n"] == 0
    assert len(first["text"]["text"]) == 75
    assert second["text"]["text"] == "…"
    assert third["text"]["text"] == "a b"
    assert "x" * 200 in piece.text
    checked(list(piece.blocks))


def test_choices_come_with_the_last_piece_and_sources_below() -> None:
    reply = a_reply("word " * 2000, choices=choices(2), sources=(Source(title="Delivery", url="https://s.example/d"),))
    *pieces, last = render.pieces(reply)
    assert pieces
    assert not any(block["type"] == "actions" for piece in pieces for block in piece.blocks)
    assert last.blocks[-1]["type"] == "actions"
    assert "Delivery (https://s.example/d)" in last.text


def test_a_reply_of_files_alone_has_no_message() -> None:
    assert render.pieces(a_reply("")) == []


def test_the_choice_takes_the_place_of_the_buttons() -> None:
    (piece,) = render.pieces(a_reply(choices=choices(90)))
    blocks = render.chosen([dict(block) for block in piece.blocks], piece.blocks[1]["block_id"], "Choice 3")
    assert [block["type"] for block in blocks] == ["rich_text", "context"]
    assert blocks[-1]["elements"][0]["text"] == "✓ Choice 3"
    checked(blocks)


@pytest.mark.parametrize(
    "line", ["- an item of *a* list\n", "a line of `code` and _text_\n", "> quoted\n", "a paragraph\n\n", "word "]
)
def test_long_replies_are_split_in_linear_time(line: str) -> None:
    """Otherwise this would take many minutes, and the tests' time limit ends it."""
    assert len(render.words(line * (300_000 // len(line)))) >= 10


def test_long_text_keeps_every_word() -> None:
    words = [f"word{number}" for number in range(5000)]
    text = "\n\n".join(" ".join(words[start : start + 60]) for start in range(0, len(words), 60))
    pieces = render.words(text)
    assert all(len(unescaped(piece.text)) <= render.MAX_TEXT for piece in pieces)
    assert " ".join(piece.text for piece in pieces).split() == words


MARKDOWN = st.lists(
    st.sampled_from(
        [
            *[
                "**",
                "*",
                "_",
                "~~",
                "`",
                "```\n",
                "\n",
                "\n\n",
                "- ",
                "1. ",
                "> ",
                "# ",
                "    ",
                "| a | b |\n|---|---|\n| c | d |\n",
                "---\n",
            ],
            *[
                "[x](https://s.example)",
                "[",
                "](",
                ")",
                "<!channel>",
                "<@U1>",
                "@everyone",
                "&amp;",
                "&",
                "<",
                ">",
                "\\",
                "![a](b)",
            ],
            *["https://s.example/?q=1", "http://", "word ", "日本語", "😀", "\x00", "é", "<b>", "[a]: /x\n", "- - 1. > "],
        ]
    )
    | st.text(alphabet=string.printable, max_size=6),
    max_size=60,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN, st.integers(0, 8))
def test_any_markdown_gives_what_slack_takes(text: str, count: int) -> None:
    for piece in render.pieces(a_reply(text, choices=choices(count))):
        assert piece.text.strip()
        assert "<" not in piece.text
        assert ">" not in piece.text
        assert len(unescaped(piece.text)) <= 3 * render.MAX_TEXT
        checked([json.loads(json.dumps(block)) for block in piece.blocks])
        for element in rich_texts([piece]):
            assert no_call(element)


def no_call(element: dict[str, Any]) -> bool:
    """Whether nothing in it mentions anybody, and nothing is empty."""
    if element["type"] in ("user", "usergroup", "channel", "broadcast"):
        return False
    if element["type"] == "text":
        return bool(element["text"])
    return all(map(no_call, element.get("elements", [])))


@settings(max_examples=20, deadline=None)
@given(MARKDOWN)
def test_long_markdown_is_split_within_the_limits(text: str) -> None:
    for piece in render.words((text + "\n\n") * 60):
        assert len(unescaped(piece.text)) <= 3 * render.MAX_TEXT
        checked([json.loads(json.dumps(block)) for block in piece.blocks])


def test_a_paragraph_behind_a_list_stands_apart() -> None:
    before, _, after = rich.elements("Take\n\n- one\n- two\n\nThen go.")
    assert [element["text"] for element in before["elements"]] == ["Take", "\n"]
    assert [element["text"] for element in after["elements"]] == ["\n", "Then go."]
