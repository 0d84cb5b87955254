"""HTML as mail programs write it becomes Markdown, and flowed text becomes paragraphs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.channels.email.html import is_hostile, markdown, unflowed, without_data

from .hostile import PAGES


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("plain &lt; text &amp; more", "plain < text & more"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>a<br></div><div><br></div><div>b&nbsp;c</div>", "a\n\nb c"),
        ("a<br>b<br><br><br><br>c", "a\nb\n\nc"),
        (
            "<p class=MsoNormal>one</p><p class=MsoNormal>two</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>x</p>",
            "one\ntwo\n\nx",
        ),
        ("a <b>bold</b>, <i>so</i> <b><i>both</i></b> <s>no</s> <code>x</code>", "a **bold**, *so* ***both*** ~~no~~ `x`"),
        ("<b> spaced </b>word", "**spaced** word"),
        ("<b></b>x<b> </b>y", "x y"),
        ("<b>two<br>lines</b>", "**two**\n**lines**"),
        ("<b>a<b>b</b>c</b>", "**abc**"),
        ('<a href="https://shop.example/x">here</a>', "[here](https://shop.example/x)"),
        ('<a href="https://shop.example/x(1)">here</a>', "[here](<https://shop.example/x(1)>)"),
        ('<a href="https://shop.example/">shop.example</a>', "shop.example"),
        ('<a href="mailto:a@home.example">a@home.example</a>', "a@home.example"),
        ('<a href="javascript:alert(1)">x</a> <a>y</a> <a href="#z">z</a>', "x y z"),
        ('<a href="https://shop.example/a\nb c">x</a>', "[x](https://shop.example/a%0Ab%20c)"),
        ("<ul><li>one<li>two<ul><li>deep</ul></ul>", "- one\n- two\n  - deep"),
        ("<ol start=3><li>three<li>four</ol>", "3. three\n4. four"),
        ("<li>alone", "- alone"),
        ("<p>a</p><blockquote><p>q</p><blockquote>inner</blockquote></blockquote><p>b</p>", "a\n\n> q\n>\n> > inner\n\nb"),
        ("<h2>Title</h2><h3></h3>text", "## Title\n\ntext"),
        ("<pre>a\n  b\n</pre>x", "```\na\n  b\n```\n\nx"),
        ("a<hr>b", "a\n\n---\n\nb"),
        (
            "<table><tr><td><table><tr><th>Item<th>Price</tr><tr><td>Sh|oe</td><td>12 €</td></tr></table></td></tr></table>",
            "| Item | Price |\n| --- | --- |\n| Sh\\|oe | 12 € |",
        ),
        ("<table><tr><td>Logo</td></tr><tr><td>Hello</td><td>World</td></tr></table>", "Logo\nHello\nWorld"),
        ('<img alt="a lamp"><img alt="image001.png"><img src=x>', "a lamp"),
        ('<div style="display:none">pre</div><span style="font-size:0px">x</span><p hidden>y</p>seen', "seen"),
        ('<span style="font-size:0.9em">seen</span>', "seen"),
        ("<head><title>t</title></head><style>x</style><script>y</script><!-- z -->seen", "seen"),
        ("x&#847;&zwnj;&nbsp;&#8203; y", "x y"),
        ("می‌خواهم", "می‌خواهم"),
        ("", ""),
        ("<", "<"),
        ("</b></p></table>", ""),
    ],
)
def test_markdown(html: str, expected: str) -> None:
    assert markdown(html) == expected


@pytest.mark.parametrize("name", PAGES)
def test_no_html_takes_long(name: str) -> None:
    text = markdown(PAGES[name])
    assert len(text) < 3_000_000
    if not name.startswith(("one tag", "open", "tags without")):
        assert "x" in text


def test_a_long_thread_is_not_hostile() -> None:
    assert not is_hostile('<div class="gmail_quote"><blockquote>' * 100 + "<div><br></div>" * 15_000)


MARKUP = (
    "<b> </b> <li> <ul> </ul> <table> <td> <tr> </table> <a\thref=http://x> </a> <pre> </pre> <p> </p> <blockquote> "
    "</blockquote> <br> <h1> x x &nbsp;"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*MARKUP.split(" "), " ", "\n"])))
def test_any_markup_is_read(pieces: list[str]) -> None:
    text = markdown("".join(pieces))
    assert text.count("x") >= pieces.count("x")


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    markdown(text)
    assert unflowed(unflowed(text)).count("\n") <= text.count("\n")


@pytest.mark.parametrize(
    ("text", "delsp", "expected"),
    [
        ("a b \nc d\n\ne", False, "a b c d\n\ne"),
        ("> q \n> r\n>> s", False, "> q r\n>> s"),
        ("> q \nanswer", False, "> q\nanswer"),
        ("text \n-- \nAnn", False, "text\n-- \nAnn"),
        (" > not a quote", False, "> not a quote"),
        ("日 \n本", True, "日本"),
    ],
)
def test_flowed_text(text: str, delsp: bool, expected: str) -> None:
    assert unflowed(text, delsp=delsp) == expected


def test_pictures_in_the_markup_are_taken_out() -> None:
    assert without_data('<img src="data:image/png;base64,AAAA==" alt="x">') == '<img src="data:," alt="x">'
