import gzip
import re

import pytest
from pydantic import ValidationError

from frontdesk.channels.web import WebSettings
from frontdesk.channels.web.pages import widget

from .conftest import Chat


async def test_the_widget_is_small_compressed_and_cached(chat: Chat) -> None:
    async with chat.client.get("/chat/widget.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as response:
        body = await response.read()
        tag = response.headers["ETag"]
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.content_type == "text/javascript"
        assert "max-age" in response.headers["Cache-Control"]
    assert len(body) < 30_000
    assert gzip.decompress(body) == widget()
    async with chat.client.get("/chat/widget.js", headers={"Accept-Encoding": "gzip", "If-None-Match": tag}) as response:
        assert response.status == 304
    async with chat.client.get("/chat/widget.js", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert response.headers["ETag"] != tag
        assert await response.read() == widget()


def test_the_widget_writes_no_html() -> None:
    source = widget().decode()
    assert len(source) > 10_000
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source)


@pytest.mark.parametrize(
    ("query", "accept", "language", "words"),
    [
        ("", "", "en", "How can we help?"),
        ("", "zh-CN,zh;q=0.9", "zh-CN", "有什么可以帮您"),
        ("?language=zh", "en", "zh-CN", "有什么可以帮您"),
        ("?language=en", "zh", "en", "How can we help?"),
        ("?language=%22%3E%3Cscript%3E", "", "en", "How can we help?"),
    ],
)
async def test_the_page_embeds_the_widget_in_two_languages(
    chat: Chat, query: str, accept: str, language: str, words: str
) -> None:
    async with chat.client.get(f"/chat{query}", headers={"Accept-Language": accept}) as response:
        html = await response.text()
        policy = response.headers["Content-Security-Policy"]
    assert f'<html lang="{language}">' in html
    assert words in html
    assert '<script src="/chat/widget.js"' in html
    assert html.count("<script") == 1
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize("settings", [{"title": '<b>"Shop"</b>', "suggestions": {"en": ('"><script>x</script>',)}}])
async def test_what_the_operator_writes_is_escaped(chat: Chat) -> None:
    async with chat.client.get("/chat") as response:
        html = await response.text()
    assert "<b>" not in html
    assert html.count("<script") == 1


@pytest.mark.parametrize(
    "values",
    [
        {"secret": "short"},
        {"color": "red; }"},
        {"allowed_origins": ["shop.example"]},
        {"allowed_origins": ["https://shop.example/path"]},
        {"session_days": 0},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_named(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        WebSettings.model_validate(values)


async def test_the_bare_address_leads_to_the_chat(chat: Chat) -> None:
    async with chat.client.get("/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "chat")
