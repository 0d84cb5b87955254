from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.slack.agents_rules import Doubt, Split, split

MESSAGE: dict[str, Any] = {"type": "message", "text": "x"}
LINES = st.lists(
    st.sampled_from(
        ["hello", "// a", "🔒 b", "> // c", "- // d", "**// e**", "1. // f", "`// g`", "", "https://x.y//z", "5 // 2", "```"]
    )
)


@pytest.mark.parametrize(
    ("words", "said", "internal", "doubt"),
    [
        ("hello", "hello", "", None),
        ("// hello", "", "// hello", None),
        ("hello\n// us\nmore", "hello", "// us\nmore", "marked_below"),
        ("> // quoted mark", "", "> // quoted mark", None),
        ("\u200b// unseen", "", "\u200b// unseen", None),
        ("／／ full width", "", "／／ full width", None),
        (":lock: by name", "", ":lock: by name", None),
        ("see https://shop.example//a", "see https://shop.example//a", "", None),
        ("and/or // not", "and/or // not", "", None),
        ("```\n// code\n```", "", "```\n// code\n```", "marked_below"),
        ("", "", "", None),
    ],
)
def test_marks(words: str, said: str, internal: str, doubt: Doubt | None) -> None:
    assert split(words, MESSAGE, None) == Split(said=said, internal=internal, doubt=doubt)


@pytest.mark.parametrize(
    "message",
    [
        {"subtype": "thread_broadcast"},
        {"text": "ask <@U1>"},
        {"text": "<!channel>"},
        {"text": "<!subteam^S1>"},
        {"text": "<#C1|general>"},
        {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "user"}]}]}]},
        {"blocks": [{"elements": [{"type": "broadcast", "range": "here"}]}]},
        {"attachments": [{"is_share": True}]},
        {"attachments": [{"is_msg_unfurl": True}]},
    ],
)
def test_what_is_in_doubt_stays(message: dict[str, Any]) -> None:
    found = split("hello", MESSAGE | message, None)
    assert (found.said, found.internal, found.may_be_sent) == ("", "hello", False)
    assert found.doubt in get_args(Doubt)


@given(lines=LINES, doubt=st.none() | st.sampled_from(get_args(Doubt)), mentions=st.booleans())
def test_nothing_that_is_marked_is_ever_sent(lines: list[str], doubt: Doubt | None, mentions: bool) -> None:
    message = MESSAGE | ({"text": "<@U1>"} if mentions else {})
    found = split("\n".join(lines), message, doubt)
    for secret in "abcdefg":
        assert f"// {secret}" not in found.said
    assert "🔒" not in found.said
    if doubt or mentions:
        assert not found.said
        assert not (found.may_be_sent and found.internal)


@given(
    value=st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_message_can_be_split(value: Any) -> None:
    split("hello", {"text": value, "blocks": value, "attachments": value, "subtype": value}, None)
