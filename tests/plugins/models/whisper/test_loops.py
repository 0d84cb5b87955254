import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.plugins.models.whisper.loops import unlooped


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I want to cancel my order.", "I want to cancel my order."),
        ("no no no", "no no no"),
        ("no no no no", "no no no no"),
        ("no " * 40, "no"),
        ("Please help. " + "Thank you. " * 12, "Please help. Thank you."),
        ("one two three " * 9 + "four", "one two three four"),
        ("bye bye bye, see you, see you, see you", "bye bye bye, see you, see you, see you"),
        ("好的" * 30, "好的"),
        ("我想取消我的订单。", "我想取消我的订单。"),
        ("", ""),
    ],
)
def test_what_is_repeated_without_end_is_said_once(text, kept):
    assert unlooped(text) == kept


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=60))
def test_it_only_takes_away_and_doing_it_again_changes_little(words):
    short = unlooped(" ".join(words)).split()
    assert len(short) <= len(words)
    rest = iter(words)
    assert all(word in rest for word in short)
