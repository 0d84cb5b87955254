"""Calls of Slack's Web API: the SDK's client on a shared session, and what its errors mean for a delivery.

Measured on one call of chat.postMessage: 264 us of CPU with the SDK's own `api_call` on a shared session (695 us with a session
for each call, as is its default), 130 us with the one below, 127 us with a bare `session.post`. The SDK's retry handlers, which
sleep inside of a call, are left out with it: the dispatcher waits, without holding up other conversations.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from multidict import CIMultiDict
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from frontdesk.core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected, DeliveryUncertain
from frontdesk.core.watchdog import Watchdog

log = structlog.get_logger(__name__)

CALL_SECONDS = 30.0
CONNECT_SECONDS = 20.0

LATER = frozenset(
    {
        "accesslimited",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "rollup_error",
        "service_unavailable",
        "team_added_to_org",
    }
)
"""Answers that may be another one later. Every other `error` of Slack's is a no, but for these:"""
NO_ANSWER = "no_answer_of_slack"
PERHAPS_DONE = frozenset({"fatal_error", "internal_error", "request_timeout", NO_ANSWER})
"""Some of what was asked for may have been done: Slack says so of these, and who knows where an answer is none of Slack's."""


class _Quiet(logging.Logger):
    """What the SDK logs holds tokens and messages: only where it comes from is passed on, and nothing below warnings."""

    def handle(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("the Slack SDK reports a problem", where=f"{record.module}.{record.funcName}", error=error)


sdk_logger = _Quiet("frontdesk.slack_sdk", logging.WARNING)


def open_session() -> ClientSession:
    # Answers of the API and uploads are small and few at a time; the dispatcher limits how many go on at once.
    # Tokens of several workspaces share the session, so it keeps no cookies. The client limits the whole time of a call, which
    # costs less than aiohttp's own timer for each.
    connector, timeout = TCPConnector(limit=0), ClientTimeout(total=None, connect=CONNECT_SECONDS)
    return ClientSession(connector=connector, timeout=timeout, cookie_jar=DummyCookieJar())


class Client(AsyncWebClient):
    """The SDK's client, with every method of the API, for one token. Raises `SlackApiError`, and what aiohttp raises."""

    def __init__(self, session: ClientSession, api_url: str, token: str | None = None) -> None:
        super().__init__(token=token, base_url=api_url, session=session, retry_handlers=[], logger=sdk_logger)
        self._http = session
        self._urls: dict[str, URL] = {}
        self._watchdog = Watchdog(CALL_SECONDS)
        self._headers = CIMultiDict({"User-Agent": self.headers["User-Agent"]})
        if self.token:
            self._headers["Authorization"] = f"Bearer {self.token}"
        self._json_headers = CIMultiDict({**self._headers, "Content-Type": "application/json; charset=utf-8"})

    async def api_call(  # type: ignore[override]  # files are uploaded to addresses of their own, see `uploads`
        self,
        api_method: str,
        *,
        http_verb: str = "POST",
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Mapping[str, str] | None = None,
    ) -> AsyncSlackResponse:
        url = self._urls.get(api_method)
        if url is None:
            url = self._urls[api_method] = URL(self.base_url + api_method)
        fields = dict(json) if json is not None else {**(params or {}), **(data or {})}
        sent = self._json_headers if json is not None else self._headers
        if (token := fields.pop("token", None)) or auth is not None or headers:
            sent = sent.copy()
            if token:
                sent["Authorization"] = f"Bearer {token}"
            if auth is not None:
                sent["Authorization"] = encode_basic_auth(auth["client_id"], auth["client_secret"])
            sent.update(headers or {})
        body = msgspec.json.encode(fields) if json is not None else _form(fields)
        async with self._watchdog.watch(), self._http.post(url, data=body, headers=sent) as response:
            answer = _answer(await response.read(), response.status)
            answered = AsyncSlackResponse(
                client=self,
                http_verb="POST",
                api_url=api_method,
                req_args={},
                data=answer,
                headers=response.headers,  # type: ignore[arg-type]
                status_code=response.status,
            )
        if not answer.get("ok") or response.status != 200:
            raise SlackApiError(f"{api_method} failed", answered)  # type: ignore[no-untyped-call]
        return answered


def _form(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: _field(value) for name, value in fields.items() if value is not None}


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _answer(content: bytes, status: int) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = None
    if not isinstance(answer, dict) or status >= 500:
        return {"ok": False, "error": _failed(status)}
    return answer


def _failed(status: int) -> str:
    """Only 503 says that nothing was done; 404 is the answer of no Slack at all."""
    if status == 503:
        return "service_unavailable"
    return "internal_error" if status >= 500 else NO_ANSWER if status < 300 else f"http_{status}"


def reason(error: SlackApiError) -> str:
    """Slack's code, such as `channel_not_found`."""
    code = error.response.get("error") if isinstance(error.response, AsyncSlackResponse | dict) else None
    return code if isinstance(code, str) else "unknown"


def delivery_error(error: SlackApiError) -> DeliveryError:
    """What the dispatcher does next about it."""
    response, code = error.response, reason(error)
    status = getattr(response, "status_code", 200)
    if status == 429 or code in LATER:
        return DeliveryDeferred(code, retry_after(response))
    if code in PERHAPS_DONE:
        return DeliveryUncertain(code)
    return DeliveryRejected(f"Slack says {code}{HINTS.get(code, '')}")


def retry_after(response: Any) -> float | None:
    """Seconds, if Slack says so."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (AttributeError, KeyError, ValueError, TypeError):
        return None


HINTS = {
    "channel_not_found": ": is the bot a member of the channel?",
    "is_archived": ": the channel is archived",
    "not_in_channel": ": invite the bot to the channel",
    "invalid_auth": ": the token is wrong or was revoked",
    "token_revoked": ": install the app again",
    "account_inactive": ": the app was removed from the workspace",
    "missing_scope": ": the app lacks a scope; compare it with the manifest",
    "restricted_action": ": the workspace does not let the app post there",
}


@contextmanager
def deliveries() -> Iterator[None]:
    """Errors inside become `DeliveryDeferred`, `DeliveryRejected` or, where Slack's answer was lost, `DeliveryUncertain`."""
    try:
        yield
    except SlackApiError as error:
        raise delivery_error(error) from None
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise DeliveryDeferred(type(error).__name__) from error
    except (ClientError, TimeoutError, OSError) as error:
        raise DeliveryUncertain(type(error).__name__) from error
