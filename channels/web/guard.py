"""What every request to the chat passes: the origin, the encoding, the size; and how errors are answered."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from aiohttp import web
from yarl import URL

from frontdesk.channels.web.chat import TooMany
from frontdesk.core.errors import InvalidInput, Unavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_WITHIN = 30.0
"""Seconds in which a small body must have arrived."""

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "86400",
}

log = structlog.get_logger(__name__)


class Guard:
    """Lets requests of allowed origins pass and turns errors into JSON: `{"error": "..."}`.

    Tokens travel in headers and frames, never in cookies, so the origin check is a second line of defence. A request
    without an Origin header does not come from a page of another site.
    """

    def __init__(self, allowed_origins: tuple[str, ...], base_url: str) -> None:
        self._any = "*" in allowed_origins
        self._allowed = {*allowed_origins, str(URL(base_url).origin())} if base_url else set(allowed_origins)

    def __call__(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            origin = request.headers.get("Origin")
            if origin is not None and not self._admits(origin, request.host):
                return problem("this site may not use the chat", 403)
            if request.headers.get("Content-Encoding", "identity") != "identity":
                response: web.StreamResponse = problem("compressed requests are not taken", 415)
            else:
                response = await _answer(handler, request)
            if origin is not None and not response.prepared:
                response.headers.update(
                    {
                        "Access-Control-Allow-Origin": origin,
                        "Access-Control-Expose-Headers": "Retry-After",
                        "Vary": "Origin",
                    }
                )
            return response

        return guarded

    def _admits(self, origin: str, host: str) -> bool:
        """The scheme is not compared, since a proxy may have ended TLS before us."""
        return self._any or origin in self._allowed or origin.partition("://")[2] == host


async def preflight(request: web.Request) -> web.StreamResponse:
    return web.Response(status=204, headers=PREFLIGHT)


async def small_body(request: web.Request, limit: int) -> bytes:
    """A JSON body. Raises `InvalidInput`: 415 for another type, 413 over `limit` bytes, 408 if it does not end."""
    if request.content_type != "application/json":
        raise InvalidInput("send JSON, as application/json", status=415)
    if (request.content_length or 0) > limit:
        raise InvalidInput(f"the message is longer than {limit} bytes", status=413)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.content.iter_chunked(16 * 1024):
                body += chunk
                if len(body) > limit:
                    raise InvalidInput(f"the message is longer than {limit} bytes", status=413)
    except TimeoutError:
        raise InvalidInput("the message did not end", status=408) from None
    return bytes(body)


def bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidInput("a session token is needed", status=401)
    return token


def whole_number(request: web.Request, name: str) -> int | None:
    """A parameter of the query that is a number of an entry, or None if it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise InvalidInput(f"{name} must be a whole number")
    return int(text)


def answer(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def problem(reason: str, status: int, retry_after: float | None = None) -> web.Response:
    response = answer({"error": reason}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after)))
    return response


async def _answer(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except TooMany as error:
        return problem(str(error), error.status, error.retry_after)
    except InvalidInput as error:
        return problem(str(error), error.status)
    except Unavailable as error:
        log.warning("chat request refused for now", path=request.path, reason=str(error))
        return problem("the chat is busy; please try again", 503, error.retry_after)
