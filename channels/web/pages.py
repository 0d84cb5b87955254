"""The widget's script and the page /chat, read once and served from memory."""

import gzip
import hashlib
import json
import secrets
from importlib.resources import files

from aiohttp import web
from jinja2 import Environment

from frontdesk.channels.web.settings import WebSettings
from frontdesk.core.text import Text, in_language

_STATIC = files("frontdesk.channels.web") / "static"

WORDS = {
    "headline": Text(en="How can we help?", zh="有什么可以帮您？"),
    "lead": Text(
        en="Ask about orders, deliveries, returns and products. You get an answer at once, at any hour, "
        "and a person takes over whenever you wish.",
        zh="订单、配送、退货和商品，都可以直接提问。全天即时回复，随时可以转接人工客服。",
    ),
    "try": Text(en="Often asked", zh="常见问题"),
    "languages": Text(en="Language", zh="语言"),
    "embed": Text(en="The chat on your own page", zh="把聊天窗口放到您的网站"),
    "embed_how": Text(en="One line in the page's HTML:", zh="在网页 HTML 中加入一行："),
}


PARTS = ("words", "elements", "markdown", "connection", "messages", "recorder", "composer", "chat", "start")


def widget() -> bytes:
    """The widget as one script: its parts and its style sheet in one function, so that the host page sees none of its names."""
    folder = _STATIC / "widget"
    style = json.dumps((folder / "style.css").read_text("utf-8"), ensure_ascii=False)
    parts = [(folder / f"{part}.js").read_text("utf-8") for part in PARTS]
    return "\n".join(['(() => {\n"use strict";', *parts, f"start({style});", "})();\n"]).encode()


class Asset:
    """A text file with its compressed form and its entity tag."""

    def __init__(self, body: bytes, content_type: str) -> None:
        self.body = body
        self.compressed = gzip.compress(self.body, 9, mtime=0)
        self._type = content_type
        self._tag = hashlib.sha256(self.body).hexdigest()[:20]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        headers = {
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Encoding",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        tag = f"{self._tag}-gzip" if zipped else self._tag
        headers["ETag"] = f'"{tag}"'
        if any(known.value in {tag, "*"} for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        if zipped:
            headers["Content-Encoding"] = "gzip"
        body = self.compressed if zipped else self.body
        return web.Response(body=body, content_type=self._type, charset="utf-8", headers=headers)


class ChatPage:
    """A page of its own that embeds the widget, in English or Chinese."""

    LANGUAGES = ("en", "zh")

    def __init__(self, settings: WebSettings, base_url: str) -> None:
        template = Environment(autoescape=True).from_string((_STATIC / "page.html").read_text("utf-8"))
        self._template = template
        self._settings = settings
        self._script = f"{base_url.rstrip('/')}/chat/widget.js"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        language = self._language(request)
        nonce = secrets.token_urlsafe(16)
        html = self._template.render(
            language=language,
            nonce=nonce,
            title=title(self._settings, language),
            color=self._settings.color,
            suggestions=suggestions(self._settings, language),
            script=self._script,
            words={key: words.fitting(language) for key, words in WORDS.items()},
        )
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Language",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=html, content_type="text/html", headers=headers)

    def _language(self, request: web.Request) -> str:
        asked = request.query.get("language")
        if asked in self.LANGUAGES:
            return str(asked)
        accepted = request.headers.get("Accept-Language", "").lower()
        return "zh" if accepted.startswith("zh") else "en"


def suggestions(settings: WebSettings, language: str) -> tuple[str, ...]:
    """First questions in the language; none if the operator has written none in it."""
    known = settings.suggestions
    return known.get(language) or known.get(language.partition("-")[0]) or ()


def title(settings: WebSettings, language: str) -> str:
    return in_language(settings.title if isinstance(settings.title, str) else Text(**settings.title), language)
