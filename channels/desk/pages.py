"""Templates, and what all of them share."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from frontdesk.channels.desk.render import contact_name, web_link
from frontdesk.channels.desk.security import ACCOUNT, CSRF
from frontdesk.channels.desk.strings import Words
from frontdesk.core.conversations import Conversation

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"


class Pages:
    """Renders templates. `has_hx` requests get parts of pages, all others whole ones."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            t=words, lang=words.language, static=_static, path=conversation_path, name_of=self.name_of, web_link=web_link
        )
        self._templates.filters.update(time=_time)

    def show(self, request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
        html = self._templates.get_template(template).render(me=request.get(ACCOUNT), csrf=request.get(CSRF, ""), **values)
        return web.Response(text=html, status=status, content_type="text/html", headers={"Vary": "HX-Request"})

    def error(self, request: web.Request, status: int, title: str, text: str) -> web.Response:
        if is_part(request):
            # The page shows it as a message.
            return web.Response(text=text, status=status, content_type="text/plain")
        return self.show(request, "error.html", status=status, title=title, text=text)

    def name_of(self, conversation: Conversation) -> str:
        return contact_name(conversation.contact) or self.words("unknown_contact")


def is_part(request: web.Request) -> bool:
    return request.headers.get("HX-Request") == "true"


def conversation_path(conversation: str, rest: str = "") -> str:
    return f"/desk/c/{quote(conversation, safe='')}{rest}"


@cache
def _static(name: str) -> str:
    """The address of a file with its version, so that browsers may keep it for ever."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/desk/static/{name}?v={version}"


def _time(at: datetime, form: str = "time") -> Markup:
    """The script turns it into the agent's own time; without it, it is UTC."""
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(at.isoformat(), form, at.strftime("%Y-%m-%d %H:%M UTC"))
