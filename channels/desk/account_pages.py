"""Log-in, the first account, invitations, the team and one's own account."""

import math
import secrets

import structlog
from aiohttp import web
from aiohttp_session import new_session
from yarl import URL

from frontdesk.channels.desk.accounts import Account, Accounts, Role
from frontdesk.channels.desk.pages import Pages
from frontdesk.channels.desk.parse import HOME, client_address, form, local_path
from frontdesk.channels.desk.passwords import MIN_LENGTH
from frontdesk.channels.desk.security import ACCOUNT, LOGIN, SESSION
from frontdesk.channels.desk.sessions import Sessions
from frontdesk.channels.desk.strings import Refusal
from frontdesk.channels.desk.throttle import Throttle

_log = structlog.get_logger(__name__)

WINDOW = 15 * 60


class AccountPages:
    def __init__(self, pages: Pages, accounts: Accounts, sessions: Sessions, *, base_url: str, proxies: int) -> None:
        self._pages = pages
        self._accounts = accounts
        self._sessions = sessions
        self._base_url = base_url
        self._proxies = proxies
        self._by_account = Throttle(10, WINDOW)
        self._by_address = Throttle(50, WINDOW)

    def mount(self, app: web.Application) -> None:
        router = app.router
        router.add_get("/login", self.login_page, name="login")
        router.add_post("/login", self.login, name="login")
        router.add_get("/welcome", self.welcome_page, name="welcome")
        router.add_post("/welcome", self.welcome, name="welcome")
        router.add_post("/logout", self.logout)
        router.add_get("/account", self.account_page)
        router.add_post("/account/password", self.change_password)
        router.add_post("/account/sessions", self.end_sessions)
        router.add_get("/team", self.team_page)
        router.add_post("/team/invite", self.invite)
        router.add_post("/team/status", self.set_status)

    async def login_page(self, request: web.Request) -> web.StreamResponse:
        next = local_path(request.query.get("next"))
        if "account" in request[SESSION]:
            raise web.HTTPSeeOther(URL(next, encoded=True))
        note = self._pages.words("session_over") if next != HOME else ""
        return self._login(request, next=next, note=note)

    async def login(self, request: web.Request) -> web.StreamResponse:
        fields = await form(request)
        name, next = fields.get("name", "").strip()[:100], local_path(fields.get("next"))
        self._throttle(request, name)
        account = await self._accounts.verify(name, fields.get("password", ""))
        if account is None:
            _log.info("desk.login_failed", address=client_address(request, self._proxies))
            return self._login(request, next=next, name=name, problem=self._pages.words("wrong_login"), status=401)
        self._by_account.clear(name.casefold())
        self._by_address.forgive(client_address(request, self._proxies))
        await self._start_session(request, account)
        raise web.HTTPSeeOther(URL(next, encoded=True))

    async def logout(self, request: web.Request) -> web.StreamResponse:
        request[SESSION].invalidate()
        # The page then forgets the drafts that it kept. After a session that just ended they stay.
        raise web.HTTPSeeOther(LOGIN.with_query(out="1"))

    async def welcome_page(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("token", "")
        role = await self._accounts.invited(token)
        if role is None:
            raise Refusal("link_invalid", 403)
        return self._welcome(request, token, role)

    async def welcome(self, request: web.Request) -> web.StreamResponse:
        fields = await form(request)
        token, name, display = fields.get("token", ""), fields.get("name", ""), fields.get("display", "")
        self._throttle(request, None)
        role = await self._accounts.invited(token)
        if role is None:
            raise Refusal("link_invalid", 403)
        try:
            account = await self._accounts.join(token, name=name, display=display, password=fields.get("password", ""))
        except Refusal as refusal:
            if refusal.key == "link_invalid":
                raise
            problem = self._pages.words(refusal.key, **refusal.values)
            return self._welcome(request, token, role, name=name, display=display, problem=problem, status=refusal.status)
        _log.info("desk.account_created", account=account.name, role=account.role)
        await self._start_session(request, account)
        raise web.HTTPSeeOther(HOME)

    async def account_page(self, request: web.Request) -> web.StreamResponse:
        return self._account(request)

    async def change_password(self, request: web.Request) -> web.StreamResponse:
        fields = await form(request)
        account = request[ACCOUNT]
        self._throttle(request, account.name)
        try:
            await self._accounts.change_password(account, fields.get("current", ""), fields.get("new", ""))
        except Refusal as refusal:
            return self._account(request, problem=self._pages.words(refusal.key, **refusal.values), status=refusal.status)
        self._by_account.clear(account.name)
        await self._sessions.end_others(request[SESSION])
        await self._start_session(request, account)
        return self._account(request, done=self._pages.words("password_changed"))

    async def end_sessions(self, request: web.Request) -> web.StreamResponse:
        await self._sessions.end_others(request[SESSION])
        return self._account(request, done=self._pages.words("logged_out_everywhere"))

    async def team_page(self, request: web.Request) -> web.StreamResponse:
        _only_admins(request)
        return await self._team(request)

    async def invite(self, request: web.Request) -> web.StreamResponse:
        _only_admins(request)
        role: Role = "admin" if (await form(request)).get("role") == "admin" else "agent"
        token = await self._accounts.invite(role, request[ACCOUNT])
        _log.info("desk.invited", by=request[ACCOUNT].name, role=role)
        return await self._team(request, link=self.link(token))

    async def set_status(self, request: web.Request) -> web.StreamResponse:
        _only_admins(request)
        fields = await form(request)
        disabled = fields.get("disabled") == "1"
        try:
            await self._accounts.set_disabled(fields.get("name", ""), disabled)
        except KeyError:
            raise web.HTTPNotFound from None
        except Refusal as refusal:
            return await self._team(request, problem=self._pages.words(refusal.key), status=refusal.status)
        _log.info("desk.account_changed", by=request[ACCOUNT].name, account=fields["name"], disabled=disabled)
        raise web.HTTPSeeOther("/desk/team")

    def link(self, token: str) -> str:
        return str(URL(self._base_url.rstrip("/") + "/desk/welcome").with_query(token=token))

    def _throttle(self, request: web.Request, name: str | None) -> None:
        wait = self._by_address.attempt(client_address(request, self._proxies))
        if not wait and name is not None:
            wait = self._by_account.attempt(name.casefold())
        if wait:
            raise Refusal("too_many", 429, minutes=math.ceil(wait / 60))

    async def _start_session(self, request: web.Request, account: Account) -> None:
        """A new session with a new id, so that an id planted before the log-in is worth nothing."""
        session = await new_session(request)
        session["account"] = account.name
        session["csrf"] = secrets.token_urlsafe(32)
        request[SESSION] = session

    def _login(
        self, request: web.Request, *, next: str, name: str = "", note: str = "", problem: str = "", status: int = 200
    ) -> web.Response:
        return self._pages.show(request, "login.html", status=status, next=next, name=name, note=note, problem=problem)

    def _welcome(
        self,
        request: web.Request,
        token: str,
        role: Role,
        *,
        name: str = "",
        display: str = "",
        problem: str = "",
        status: int = 200,
    ) -> web.Response:
        return self._pages.show(
            request,
            "welcome.html",
            status=status,
            token=token,
            role=role,
            name=name,
            display=display,
            problem=problem,
            least=MIN_LENGTH,
        )

    def _account(self, request: web.Request, *, problem: str = "", done: str = "", status: int = 200) -> web.Response:
        return self._pages.show(request, "account.html", status=status, problem=problem, done=done, least=MIN_LENGTH)

    async def _team(self, request: web.Request, *, link: str = "", problem: str = "", status: int = 200) -> web.Response:
        accounts = await self._accounts.all()
        return self._pages.show(request, "team.html", status=status, accounts=accounts, link=link, problem=problem)


def _only_admins(request: web.Request) -> None:
    if not request[ACCOUNT].is_admin:
        raise web.HTTPForbidden
