"""The desk: the page where support agents see who waits, read along, take over, answer and give back."""

import asyncio

import aiohttp_session
from aiohttp import web
from pydantic import BaseModel

from frontdesk.channels.desk.account_pages import AccountPages
from frontdesk.channels.desk.accounts import Accounts
from frontdesk.channels.desk.conversation_pages import ConversationPages
from frontdesk.channels.desk.database import Database
from frontdesk.channels.desk.inbox import Inbox
from frontdesk.channels.desk.live import Live
from frontdesk.channels.desk.pages import STATIC, Pages
from frontdesk.channels.desk.passwords import Passwords
from frontdesk.channels.desk.people import People
from frontdesk.channels.desk.people_pages import PeoplePages
from frontdesk.channels.desk.security import add_headers, errors, guard
from frontdesk.channels.desk.sessions import Sessions
from frontdesk.channels.desk.settings import DeskSettings
from frontdesk.channels.desk.strings import Words
from frontdesk.core.channel import Services, Transport


class Desk(Transport):
    """Pages under `/desk`. `start` comes before the first request; `run` keeps open pages up to date."""

    name = "desk"
    Settings = DeskSettings

    def __init__(self, settings: BaseModel, services: Services) -> None:
        super().__init__(settings, services)
        assert isinstance(settings, DeskSettings)
        self.settings = settings
        self.database = Database(settings.database or services.folder / "desk.sqlite")
        self.accounts = Accounts(self.database, Passwords(), link_seconds=settings.link_hours * 3600)
        self.live = Live(services.events)
        words = Words(settings.language)
        secure = services.base_url.startswith("https:")
        pages = Pages(words)
        sessions = Sessions(self.database, idle=settings.idle_minutes * 60, lifetime=settings.session_hours * 3600, secure=secure)
        self._account_pages = AccountPages(pages, self.accounts, sessions, base_url=services.base_url, proxies=settings.proxies)
        inbox = Inbox(services.store, self.database)
        people = People(services.store, services.contacts, inbox)
        self._conversation_pages = ConversationPages(
            pages,
            services,
            inbox=inbox,
            people=people,
            live=self.live,
            sessions=sessions,
            max_upload=settings.max_upload,
        )
        self._people_pages = PeoplePages(pages, services, people)
        self._app = web.Application()
        self._app.on_response_prepare.append(add_headers)
        self._app.on_shutdown.append(self._end_streams)
        self._app.middlewares.append(errors(pages.error, words))
        aiohttp_session.setup(self._app, sessions)
        self._app.middlewares.append(guard(self.accounts, services.base_url, secure=secure))
        self._app.router.add_get("/static/{name:[a-z./-]+}", _static, name="static")
        self._account_pages.mount(self._app)
        self._conversation_pages.mount(self._app)
        self._people_pages.mount(self._app)

    def mount(self, http: web.Application) -> None:
        http.add_subapp("/desk", self._app)

    async def start(self) -> None:
        await self.database.start()

    async def run(self) -> None:
        await self.live.run()

    async def stop(self) -> None:
        await self.database.close()

    async def first_admin_link(self) -> str | None:
        """A link that creates the first administrator, once; None if there is an account. A link given before stops working."""
        token = await self.accounts.first_link()
        return self._account_pages.link(token) if token else None

    async def _end_streams(self, _app: web.Application) -> None:
        self.live.end()
        await asyncio.sleep(0)


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or path.suffix not in (".js", ".css", ".svg") or not path.is_file():
        raise web.HTTPNotFound
    # The address carries the file's version.
    return web.FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})
