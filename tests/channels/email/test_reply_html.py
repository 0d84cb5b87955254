"""Quotes and signatures that mail programs mark in HTML, one case for each program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from frontdesk.channels.email.reply_text import new_html

from .hostile import MARKUP, repeated

OLD = "OLD WORDS"
HEADER = "<b>From:</b> Shop &lt;shop@example.com&gt;<br><b>Sent:</b> 14 May 2024<br><b>To:</b> Ann<br><b>Subject:</b> Order"

PROGRAMS = {
    "gmail": f'<div dir="ltr">NEW</div><br><div class="gmail_quote">'
    f'<div class="gmail_attr">On 14 May 2024 at 10:00 Shop wrote:<br></div>'
    f'<blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "gmail 2024": f'<div dir="ltr">NEW</div><div class="gmail_quote gmail_quote_container">'
    f'<div class="gmail_attr">On 14 May wrote:</div>'
    f'<blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "gmail forward": f'<div>NEW</div><div class="gmail_quote">'
    f'<div class="gmail_attr">---------- Forwarded message ---------<br>From: Shop</div>'
    f"<div>{OLD}</div></div>",
    "gmail signature": f'<div>NEW</div><div class="gmail_signature" data-smartmail="gmail_signature">{OLD}</div>',
    "apple mail": f'<body>NEW<br><blockquote type="cite"><div>On 14 May 2024, at 10:00, Shop wrote:</div>{OLD}'
    f"</blockquote></body>",
    "thunderbird": f'<p>NEW</p><div class="moz-cite-prefix">On 14/05/2024 10:00, Shop wrote:<br></div>'
    f'<blockquote type="cite">{OLD}'
    f'</blockquote><div class="moz-signature">-- {OLD}</div>',
    "outlook web": f'<div>NEW</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">{HEADER}</div><div>{OLD}</div>',
    "outlook reply": f'<div>NEW</div><hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">{HEADER}</div><div>{OLD}</div>',
    "outlook desktop": f'<div class="WordSection1"><p>NEW</p><div>'
    f'<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt">'
    f"<p>{HEADER}</p></div></div><p>{OLD}</p></div>",
    "outlook desktop in German": '<div class="WordSection1"><p>NEW</p><div>'
    '<div style="border:none;border-top:solid #B5C4DF 1.0pt"><p><b>Von:</b> Shop'
    f"<br><b>Gesendet:</b> Dienstag<br><b>An:</b> Ann<br><b>Betreff:</b> x</p></div></div><p>{OLD}</p></div>",
    "outlook mobile": f'<div>NEW</div><div id="ms-outlook-mobile-signature">{OLD}</div>'
    f'<div id="mail-editor-reference-message-container">{OLD}</div>',
    "outlook for mac": f'<div>NEW</div><span id="OLK_SRC_BODY_SECTION">{OLD}</span>',
    "hotmail": f'<div>NEW<br><hr id="stopSpelling">Date: Tue, 14 May 2024<br>{OLD}</div>',
    "yahoo": f'<div>NEW</div><div class="yahoo_quoted" id="yahoo_quoted_123"><div>On Tuesday, Shop wrote:</div>{OLD}</div>',
    "proton": f'<div>NEW</div><div class="protonmail_signature_block">{OLD}</div>'
    f'<div class="protonmail_quote">On Tuesday, Shop wrote:<br>'
    f'<blockquote class="protonmail_quote">{OLD}</blockquote></div>',
    "tutanota": f'<div>NEW</div><blockquote class="tutanota_quote">{OLD}</blockquote>',
    "qq": f"<div>NEW</div><includetail><div>------------------ 原始邮件 ------------------</div>{OLD}</includetail>",
    "netease": f'<div>NEW</div><blockquote id="isReplyContent">{OLD}</blockquote>',
    "zimbra": f'<div>NEW<br><hr id="zwchr"><b>From: </b>shop@example.com<br>{OLD}</div>',
    "gmx": f'<div>NEW</div><div name="quote"><b>Gesendet:</b> Dienstag{OLD}</div>',
    "zoho": f'<div>NEW</div><div class="zmail_extra">{OLD}</div>',
    "spark": f'<div name="messageBodySection">NEW</div><div name="messageSignatureSection">{OLD}</div>'
    f'<div name="messageReplySection">{OLD}</div>',
    "fastmail": f'<div>NEW</div><blockquote type="cite" id="qt">{OLD}</blockquote>',
    "yandex": f'<div>NEW</div><blockquote type="cite">{OLD}</blockquote>',
}


def words(html: str) -> str:
    root = LexborHTMLParser(html).body
    return " ".join(root.text(separator=" ").split()) if root else ""


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_programs_mark_is_cut(program: str):
    found = words(new_html(PROGRAMS[program]))
    assert "NEW" in found
    assert OLD not in found
    assert "wrote" not in found


@pytest.mark.parametrize(
    "html",
    [
        "<p>NEW</p>",
        "<p>NEW</p><blockquote>a line from a song</blockquote>",
        '<div style="border-top:1px solid">NEW</div>',
        "NEW without a tag",
        "",
    ],
)
def test_nothing_else_is_touched(html: str):
    assert new_html(html) == html


def test_answers_inside_a_quote_container_stay():
    html = (
        '<div>Hello</div><div class="gmail_quote"><div class="gmail_attr">On Tuesday Shop wrote:</div>'
        '<blockquote class="gmail_quote">OLD WORDS'
        "</blockquote><div>MY ANSWER</div></div>"
    )
    found = words(new_html(html))
    assert "MY ANSWER" in found
    assert OLD not in found


def test_answers_between_quotes_keep_them():
    html = '<blockquote type="cite">Size?</blockquote><p>XL</p><blockquote type="cite">Colour?</blockquote><p>Blue</p>'
    assert words(new_html(html)) == "Size? XL Colour? Blue"


@pytest.mark.parametrize(
    "html",
    ['<div class="gmail_quote">only old</div>', '<div id="divRplyFwdMsg">x</div><p>old</p>', '<div id="Signature">Ann</div>'],
)
def test_all_is_returned_if_all_would_be_cut(html: str):
    assert new_html(html) == html


def test_a_picture_above_a_quote_is_an_answer():
    assert OLD not in new_html(f'<img src="cid:a"><blockquote type="cite">{OLD}</blockquote>')


@given(
    st.lists(
        st.sampled_from(
            [
                "<div class=gmail_quote>",
                "</div>",
                "<blockquote type=cite>",
                "</blockquote>",
                "x",
                "<div id=appendonsend>",
                "<hr>",
                "<p",
            ]
        )
    )
)
def test_any_markup(pieces: list[str]):
    new_html("".join(pieces))


@pytest.mark.parametrize("unit", MARKUP)
def test_a_megabyte_is_read(unit: str):
    page = repeated(unit)
    assert new_html(page).count("x") <= page.count("x")
