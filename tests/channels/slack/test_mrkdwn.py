"""What Slack's clients write, read back to Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.slack.mrkdwn import escaped, markdown, unescaped

NAMES = {"U1": "Ann", "C1": "orders"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*bold* _italic_ ~gone~ `code`", "**bold** *italic* ~~gone~~ `code`"),
        ("*_both_*", "***both***"),
        ("3 * 4 * 5 and snake_case_name", "3 * 4 * 5 and snake_case_name"),
        ("a*b*c ~ 5 ~ 6", "a*b*c ~ 5 ~ 6"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt; stays &amp;lt;", "&lt; stays &lt;"),
        ("<https://shop.example/?a=1&amp;b=2|our page>", "[our page](https://shop.example/?a=1&b=2)"),
        ("<https://shop.example/>", "https://shop.example/"),
        ("<mailto:ann@shop.example|ann@shop.example>", "ann@shop.example"),
        ("<tel:+4930123|+49 30 123>", "[+49 30 123](tel:+4930123)"),
        ("<@U1> and <@U2> and <@U3|bob>", "@Ann and @U2 and @bob"),
        ("<#C1> <#C2|help> <#C3|>", "#orders #help #C3"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@agents> <!subteam^S2>", "@agents @S2"),
        ("<!date^1392734382^{date_num}|2014-02-18>", "2014-02-18"),
        ("*bold <https://x.example|a*b> *", "*bold [a*b](https://x.example) *"),
        ("`a *b* <https://x.example|x> &lt;`", "`a *b* https://x.example <`"),
        ("```if a &lt; b:\n    *x*```", "```\nif a < b:\n    *x*\n```"),
        ("&gt; quoted", "> quoted"),
        ("a\x00b\x07c\r\nd", "abc\nd"),
        ("", ""),
        ("<", "<"),
        ("*", "*"),
        ("我*要*退款", "我*要*退款"),
    ],
)
def test_markup(written: str, read: str) -> None:
    assert markdown(written, NAMES) == read


@given(st.text())
def test_what_is_escaped_is_read_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(st.text(alphabet=st.sampled_from("*_~`<>|!@#&;lt amp\n\x00aé你"), max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert "\x01" not in markdown(text, NAMES)


@pytest.mark.parametrize("piece", ["*a ", "_a ", "~", "<", "`", "```", "&lt;", "*_~", "<@"])
def test_floods_of_marks_are_read_in_linear_time(piece: str) -> None:
    """Otherwise this would take many minutes, and the tests' time limit ends it."""
    markdown(piece * 200_000, NAMES)
