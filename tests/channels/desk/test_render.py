from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import make_mocked_request
from selectolax.lexbor import LexborHTMLParser

from frontdesk.channels.desk.parse import client_address, local_path
from frontdesk.channels.desk.render import file_size, line, markdown, preview, web_link
from frontdesk.core.messages import Contact, Entry, Message, Outgoing, TextPart

AT = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** _b_ `c`", "<strong>a</strong> <em>b</em> <code>c</code>"),
        ("one\ntwo", "one<br>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("3. c\n4. d", '<ol start="3"'),
        ("[a](https://shop.example/x)", 'href="https://shop.example/x"'),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert html in markdown(text)


def test_links_open_apart_and_tell_nothing() -> None:
    html = markdown("[a](https://shop.example/x)")
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        "<img src=x onerror=x>",
        "[a](javascript:x)",
        "[a](JaVaScRiPt:x)",
        "[a](data:text/html,x)",
        "![a](https://evil.example/pixel.png)",
        "<a href='javascript:x'>a</a>",
        '[a](https://x.example "t" onclick=x)',
        '<https://x.example/"onmouseover=x>',
        "<style>*{}</style>",
        "<iframe src=//evil.example>",
        "[a]: javascript:x\n\n[a]",
        "```<script>\nx\n```",
    ],
)
def test_no_markdown_becomes_something_active(text: str) -> None:
    # Read back as a browser would: what counts are elements and attributes, not how the words look.
    tree = LexborHTMLParser(markdown(text))
    assert tree.body is not None
    for element in tree.body.css("*"):
        assert element.tag in {"body", "a", "p", "br", "code", "pre"}
        assert set(element.attributes) <= {"href", "rel", "target", "dir", "title"}
        assert (element.attributes.get("href") or "https://").startswith("https://")


def test_a_preview_is_one_line_of_plain_words() -> None:
    def shown(text: str) -> str:
        return preview(Outgoing(id="o", channel="web", conversation="c", contact=Contact(id="c"), at=AT, text=text))

    assert shown("**Hello** you\n\n- a & b\n- <c>") == "Hello you a & b <c>"
    assert len(shown("long " * 999)) <= 160


@pytest.mark.parametrize(
    ("kind", "label"), [("new", ""), ("edited", "edited"), ("deleted", "deleted"), ("automatic", "automatic")]
)
def test_the_kind_of_a_message_is_said(kind: str, label: str) -> None:
    message = Message(id="m", channel="web", conversation="c", contact=Contact(id="c"), parts=(TextPart("x"),), at=AT, kind=kind)  # type: ignore[arg-type]
    assert line(Entry(seq=1, body=message, status="done")).label == label


def test_a_message_that_was_given_up_says_why() -> None:
    message = Message(id="m", channel="web", conversation="c", contact=Contact(id="c"), parts=(TextPart("x"),), at=AT)
    shown = line(Entry(seq=1, body=message, status="dead", error="the plugin failed"))
    assert (shown.state, shown.error) == ("dead", "the plugin failed")


@pytest.mark.parametrize(
    "url", [None, "", "javascript:x", "JAVASCRIPT:x", "data:x", "/local", "file:///etc/passwd", " https://x"]
)
def test_only_web_addresses_are_links(url: str | None) -> None:
    assert web_link(url) is None


@pytest.mark.parametrize("path", ["/desk", "/desk/", "/desk?tab=mine", "/desk/c/web%3A1?tab=all", "/desk/c/%E4%BD%A0"])
def test_local_paths_pass(path: str) -> None:
    assert local_path(path) == path


def test_sizes_are_readable() -> None:
    assert [file_size(size) for size in (0, 1023, 2048, 5 * 1024 * 1024)] == ["0 B", "1023 B", "2 kB", "5.0 MB"]


def test_nobody_behind_no_proxy_chooses_their_address() -> None:
    request = make_mocked_request("GET", "/desk", headers={"X-Forwarded-For": "6.6.6.6"})
    assert client_address(request, 0) != "6.6.6.6"
    assert client_address(request, 2) != "6.6.6.6"
