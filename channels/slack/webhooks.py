"""The addresses that Slack sends to: /slack/events, /slack/interactions and /slack/commands, each of which takes everything.

Why Slack's own dispatcher (slack_bolt) does not stand here: it answers 200 while its listeners still work, before anything is
kept. And alone, with one HTTP session for all calls, which is not its default, it reaches about 0.45 of a bare handler, where the
whole durable way of a message through this application reaches 0.53 (`make bench`). What it checks is checked here;
its OAuth flow is used in `oauth`.

| what comes | answer |
|---|---|
| signed, and kept or not for us | 200 |
| no signature, or a wrong one | 401 |
| signed more than five minutes ago, or ahead | 403 |
| signed, but no payload of Slack's | 400 |
| more than 1 MB | 413 |
| cannot be kept at the moment | 503: Slack sends events again |
"""

import hmac
import time
from collections.abc import Callable, Mapping
from json import JSONDecodeError, loads
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import msgspec
import structlog
from aiohttp import web

from frontdesk.channels.slack.inbound import Inbound
from frontdesk.channels.slack.incoming import Incoming, received, text
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import without_surrogates

log = structlog.get_logger(__name__)

EVENTS, INTERACTIONS, COMMANDS = "/slack/events", "/slack/interactions", "/slack/commands"
FRESH_SECONDS = 300
MAX_FIELDS = 100


class Signature:
    """Version 0. https://docs.slack.dev/authentication/verifying-requests-from-slack"""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._secret = secret.encode()

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises `InvalidInput`: 401 for a signature that is missing or wrong, 403 for one that is not fresh."""
        timestamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
            raise InvalidInput("the signature is missing", status=401)
        if abs(self._now() - int(timestamp)) > FRESH_SECONDS:
            raise InvalidInput("the signature is too old", status=403)
        # As the SDK's verifier does, at a third of its cost.
        expected = hmac.digest(self._secret, b"v0:%s:%s" % (timestamp.encode(), body), "sha256").hex()
        if not hmac.compare_digest(f"v0={expected}", signature):
            raise InvalidInput("the signature is wrong", status=401)


class Webhooks:
    def __init__(self, secret: str, inbound: Inbound) -> None:
        self._signature = Signature(secret)
        self._inbound = inbound

    def mount(self, http: web.Application) -> None:
        for path in (EVENTS, INTERACTIONS, COMMANDS):
            http.router.add_post(path, self.take)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._signature.check(request.headers, body)
        payload, raw = decoded(body, request.content_type)
        match text(payload, "type"):
            case "url_verification":
                return web.Response(text=text(payload, "challenge"))
            case "app_rate_limited":
                log.warning("Slack sends fewer events than there are: there were too many", account=text(payload, "team_id"))
                return web.Response()
        if payload.get("ssl_check"):
            return web.Response()
        answer = await self._inbound.take(incoming(payload, raw))
        return web.Response() if answer is None else web.json_response(answer)


def incoming(payload: Mapping[str, Any], raw: bytes) -> Incoming:
    """Raises `InvalidInput` for what is neither an event, an interaction nor a command."""
    if text(payload, "type") == "event_callback":
        if not isinstance(payload.get("event"), Mapping):
            raise InvalidInput("an event is missing")
        return received("event", payload, raw)
    if text(payload, "command"):
        return received("command", payload, raw)
    if text(payload, "type"):
        return received("interaction", payload, raw)
    raise InvalidInput("this is nothing of Slack's")


def decoded(body: bytes, content_type: str) -> tuple[Mapping[str, Any], bytes]:
    """Events come as JSON, interactions as JSON in a form, commands as a form. The second value is the payload as JSON."""
    if content_type != "application/x-www-form-urlencoded":
        return _json(body)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise InvalidInput("this is no form") from error
    if "payload" in form:
        return _json(form["payload"].encode("utf-8", "replace"))
    form = without_surrogates(form)
    return form, msgspec.json.encode(form)


def _json(body: bytes) -> tuple[Mapping[str, Any], bytes]:
    try:
        payload = msgspec.json.decode(body)
    except RecursionError as error:
        raise InvalidInput("the JSON is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        payload = _with_surrogates(body)
        body = msgspec.json.encode(payload)
    if not isinstance(payload, Mapping):
        raise InvalidInput("this is no object")
    return payload, body


def _with_surrogates(body: bytes) -> Any:
    """Half an emoji is escaped as a lone surrogate, which msgspec refuses: read slowly, and replaced."""
    try:
        return without_surrogates(loads(body.decode(), parse_constant=_refuse))
    except (JSONDecodeError, ValueError, RecursionError) as error:
        raise InvalidInput("this is no JSON") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
