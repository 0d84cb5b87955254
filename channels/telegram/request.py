"""The HTTP back end of python-telegram-bot on aiohttp, instead of httpx, whose calls cost several times as much."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    FormData,
    TCPConnector,
)
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from frontdesk.channels.telegram.jsons import decoded
from frontdesk.core.errors import InvalidInput

CONNECT_SECONDS = 10.0
SECONDS = 60.0
UPLOAD_SECONDS = 600.0
TOO_LARGE, TOO_MANY = 413, 429
PAUSE_SECONDS = 5
"""Where too many requests are refused without a word of when they may come again."""

_JSON = {"Content-Type": "application/json"}
_UNTIMED = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)


class NotReached(NetworkError):
    """Telegram has not got the request."""


class Values:
    """What `RequestData` is for `AiohttpRequest`, without files; the library's own makes an object of each parameter.

    There is no limit to the time of such a call unless it asks for one.
    """

    __slots__ = ("parameters",)

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters


class AiohttpRequest(BaseRequest):
    """Errors name what failed, never the address, since that has the token in it."""

    def __init__(self, proxy: str | None = None) -> None:
        self._proxy = proxy
        self._session: ClientSession | None = None
        self._urls: dict[str, URL] = {}

    @property
    def read_timeout(self) -> float:
        return SECONDS

    async def initialize(self) -> None:
        if self._session is None:
            # As many connections as there are chats that are written to at once: the dispatcher and the rate limits bound them.
            self._session = ClientSession(
                connector=TCPConnector(limit=0),
                timeout=ClientTimeout(total=SECONDS, sock_connect=CONNECT_SECONDS),
                proxy=self._proxy,
            )

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(  # noqa: PLR0917 - the library calls it so
        self,
        url: str,
        method: str,
        request_data: "RequestData | Values | None" = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Raises `TelegramError`. Of the time limits, only the one for reading is obeyed, as a limit for the whole call."""
        body: bytes | FormData | None = None
        options: dict[str, Any] = {}
        if isinstance(request_data, Values):
            # A delivery's time is limited by the dispatcher already, and a second timer for each call would only cost.
            body = msgspec.json.encode(request_data.parameters)
            options["headers"], options["timeout"] = _JSON, _UNTIMED
        elif request_data is not None and request_data.contains_files:
            body = _form(request_data)
            options["timeout"] = ClientTimeout(total=UPLOAD_SECONDS, sock_connect=CONNECT_SECONDS)
        elif request_data is not None:
            # Not `json_payload`, in which what is inside a parameter is encoded twice: the Bot API takes plain JSON too.
            body = msgspec.json.encode(request_data.parameters)
            options["headers"] = _JSON
        if isinstance(read_timeout, int | float):
            options["timeout"] = ClientTimeout(total=read_timeout, sock_connect=CONNECT_SECONDS)
        try:
            async with self._opened().request(method, self._url(url), data=body, **options) as response:
                payload = await response.read()
        except (ClientError, OSError, ValueError) as error:
            raise _described(error) from None
        if response.status == TOO_LARGE:
            raise BadRequest("Request Entity Too Large")
        return response.status, payload if response.ok else _refusal(response.status, payload)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Raises `TelegramError` for what is no answer of the Bot API."""
        answer = _decoded(payload)
        if not isinstance(answer, dict) or (answer.get("ok", True) and "result" not in answer):
            raise TelegramError("what came is no answer of the Bot API")
        return answer

    async def download(self, url: str) -> AsyncIterator[bytes]:
        """The pieces of a file. Raises `TelegramError`, a `BadRequest` if there is no such file."""
        timeout = ClientTimeout(total=UPLOAD_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=SECONDS)
        try:
            async with self._opened().get(url, timeout=timeout) as response:
                if response.status in (400, 403, 404, 410):
                    raise BadRequest(f"the file is not to be had: HTTP {response.status}")
                if response.status != 200:
                    raise NetworkError(f"HTTP {response.status}")
                async for chunk in response.content.iter_any():
                    yield chunk
        except (ClientError, OSError) as error:
            raise _described(error) from None

    def _opened(self) -> ClientSession:
        if self._session is None:
            raise NotReached("the connection to Telegram is closed")
        return self._session

    def _url(self, url: str) -> URL:
        """Parsed once: the few addresses of the methods come again and again."""
        known = self._urls.get(url)
        if known is None:
            known = self._urls[url] = URL(url, encoded=True)
        return known


def _refusal(status: int, payload: bytes) -> bytes:
    """What the Bot API says about an error, in its own shape.

    A page of somebody between us and Telegram may quote the address or what was sent, and refuses nothing in Telegram's name.
    """
    answer = _decoded(payload)
    description, parameters = (answer.get("description"), answer.get("parameters")) if isinstance(answer, dict) else (None, None)
    given = parameters if isinstance(parameters, dict) else {}
    kept = {name: given[name] for name in ("migrate_to_chat_id", "retry_after") if type(given.get(name)) is int}
    if status == TOO_MANY and not kept:
        kept = {"retry_after": PAUSE_SECONDS}
    elif not isinstance(description, str):
        raise NetworkError(f"HTTP {status}, and no answer of the Bot API")
    return msgspec.json.encode({"ok": False, "description": str(description), "parameters": kept})


def _decoded(payload: bytes) -> Any:
    try:
        return decoded(payload)
    except InvalidInput:
        return None


def _described(error: Exception) -> NetworkError:
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError | ClientProxyConnectionError | ClientHttpProxyError):
        return NotReached(f"Telegram is out of reach: {type(error).__name__}")
    if isinstance(error, TimeoutError):
        return TimedOut("Telegram does not answer in time")
    return NetworkError(f"the connection to Telegram broke: {type(error).__name__}")


def _form(data: RequestData) -> FormData:
    """Files as they are handed over: an open file is read while it is sent."""
    form = FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, media_type) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=media_type)
    return form
