"""What stands before every page: headers, log-in, and proof that a change was asked for by the desk's own pages."""

import hmac
import secrets
from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp_session import Session, get_session
from yarl import URL

from frontdesk.channels.desk.accounts import Account, Accounts
from frontdesk.channels.desk.parse import current_path, form, same_origin
from frontdesk.channels.desk.strings import Refusal, Words
from frontdesk.core.errors import InvalidInput, TransientError, Unavailable

ErrorPage = Callable[[web.Request, int, str, str], web.Response]

ACCOUNT = web.RequestKey("account", Account)
SESSION = web.RequestKey("session", Session)
CSRF = web.RequestKey("csrf", str)

PUBLIC = frozenset({"login", "welcome", "static"})
"""Names of the routes that need no log-in."""

LOGIN = URL("/desk/login")

CSRF_COOKIE = "frontdesk_desk_form"
"""Before the log-in there is no session to keep a token in: a cookie holds it, and the form repeats it."""

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_log = structlog.get_logger(__name__)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A handler may set its own: these are the defaults."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _CSP)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"


def errors(page: ErrorPage, words: Words) -> Middleware:
    """Turns what went wrong into a page, or into one plain sentence for a request by script."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return page(request, refusal.status, words("failed"), words(refusal.key, **refusal.values))
        except InvalidInput as error:
            return page(request, error.status, words("failed"), str(error))
        except (Unavailable, TransientError):
            return page(request, 503, words("unavailable"), words("unavailable_text"))
        except web.HTTPNotFound:
            return page(request, 404, words("not_found"), words("not_found_text"))
        except web.HTTPForbidden:
            return page(request, 403, words("forbidden"), words("forbidden_text"))
        except web.HTTPRequestEntityTooLarge:
            return page(request, 413, words("failed"), words("too_long", most=request.client_max_size))
        except web.HTTPException:
            raise
        except Exception:
            _log.exception("desk.failed", path=request.path)
            return page(request, 500, words("failed"), words("failed_text"))

    return middleware


def guard(accounts: Accounts, base_url: str, *, secure: bool) -> Middleware:
    """Lets in who is logged in, and changes only what the desk's own pages ask for."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.route.name
        unsafe = request.method not in ("GET", "HEAD")
        if unsafe and not same_origin(request, base_url):
            raise Refusal("cross_site", 403)
        if request.match_info.http_exception is not None:
            # No such route: the answer is the same for everybody.
            raise request.match_info.http_exception
        session = request[SESSION] = await get_session(request)
        if name in PUBLIC:
            return await _public(request, handler, unsafe=unsafe, secure=secure)
        account = await accounts.get(session["account"]) if "account" in session else None
        if account is None or account.disabled:
            return to_log_in(request)
        request[ACCOUNT] = account
        request[CSRF] = session["csrf"]
        if unsafe:
            await check_token(request, session["csrf"])
        return await handler(request)

    return middleware


async def _public(request: web.Request, handler: Handler, *, unsafe: bool, secure: bool) -> web.StreamResponse:
    cookie = request.cookies.get(CSRF_COOKIE, "")
    token = request[CSRF] = cookie if len(cookie) == 43 else secrets.token_urlsafe(32)
    if unsafe:
        await check_token(request, cookie)
    response = await handler(request)
    if token != cookie and request.match_info.route.name != "static":
        response.set_cookie(CSRF_COOKIE, token, path="/desk", httponly=True, samesite="Strict", secure=secure)
    return response


async def check_token(request: web.Request, expected: str) -> None:
    """The token comes in a header from scripts and in a field from plain forms; a form with files is sent by script."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.content_type == "application/x-www-form-urlencoded":
        given = (await form(request)).get("csrf")
    if not expected or given is None or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Refusal("cross_site", 403)


def to_log_in(request: web.Request) -> web.Response:
    """Where to log in, with the way back."""
    target = LOGIN.with_query(next=current_path(request))
    if request.headers.get("HX-Request") == "true":
        return web.Response(status=401, headers={"HX-Redirect": str(target)})
    if request.match_info.route.name == "events":
        return web.Response(status=401)
    return web.Response(status=303, headers={"Location": str(target)})
