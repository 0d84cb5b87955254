"""The Bot API over HTTP: calls and downloads, and what goes wrong with them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from frontdesk.testing.telegram.faults import Fault, Faults, Flood, FloodLimits
from frontdesk.testing.telegram.methods import Methods
from frontdesk.testing.telegram.parameters import MAX_FILE, Parameters, Refused, read_parameters

if TYPE_CHECKING:
    from frontdesk.testing.telegram.server import FakeTelegram

_PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 413: ""}


@dataclass(frozen=True)
class Call:
    """A call of the bot. `status` is what was answered; 0 where the connection was cut."""

    method: str
    parameters: Mapping[str, Any]
    status: int
    at: float


class BotApi:
    def __init__(self, telegram: "FakeTelegram", flood: FloodLimits | None) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self._telegram = telegram
        self._methods = Methods(telegram)
        self._flood = Flood(flood) if flood else None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_FILE + 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        return app

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self._telegram.token:
            return _refusal(Refused("", 401))
        try:
            p = await read_parameters(request)
        except Refused as refusal:
            return self._record(method, {}, _refusal(refusal))
        fault = self.faults.next(method, _chat_of(p))
        if fault is not None:
            await asyncio.sleep(fault.seconds)
            if fault.dropped == "before":
                return self._cut(request, method, p)
            if fault.status:
                return self._record(method, p.values, _failure(fault))
        try:
            response = web.json_response({"ok": True, "result": await self.execute(method, p)})
        except Refused as refusal:
            response = _refusal(refusal)
        if fault is not None and fault.dropped == "after":
            return self._cut(request, method, p)
        return self._record(method, p.values, response)

    async def execute(self, method: str, given: Parameters | Mapping[str, Any]) -> object:
        """Raises `Refused`."""
        p = given if isinstance(given, Parameters) else Parameters(given)
        found = self._methods.find(method)
        if found is None:
            raise Refused("", 404)
        chat = _chat_of(p)
        counted = method.lower().startswith(("send", "editmessage")) and method.lower() != "sendchataction"
        if self._flood and counted and chat is not None and (seconds := self._flood.count(chat)):
            raise Refused(f"retry after {seconds}", 429, retry_after=seconds)
        return await found(p)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        stored = self._telegram.files.by_path.get(request.match_info["path"])
        if request.match_info["token"] != self._telegram.token or stored is None:
            return _refusal(Refused("", 404))
        fault = self.faults.next("file", None)
        if fault is None:
            return web.Response(body=stored.data, content_type="application/octet-stream")
        await asyncio.sleep(fault.seconds)
        if fault.status:
            return _failure(fault)
        response = web.StreamResponse(headers={"Content-Length": str(len(stored.data))})
        await response.prepare(request)
        if fault.dropped is None:
            await response.write(stored.data)
            return response
        await response.write(stored.data[: len(stored.data) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    def _record(self, method: str, parameters: Mapping[str, Any], response: web.Response) -> web.Response:
        self.calls.append(Call(method, parameters, response.status, asyncio.get_running_loop().time()))
        return response

    def _cut(self, request: web.Request, method: str, p: Parameters) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        self.calls.append(Call(method, p.values, 0, asyncio.get_running_loop().time()))
        return web.Response()


def _chat_of(p: Parameters) -> int | None:
    value = p.values.get("chat_id")
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit()) else None


def _refusal(refusal: Refused) -> web.Response:
    phrase = "Too Many Requests" if refusal.status == 429 else _PHRASES.get(refusal.status, "")
    description = ": ".join(words for words in (phrase, refusal.description) if words)
    answer: dict[str, Any] = {"ok": False, "error_code": refusal.status, "description": description}
    if refusal.parameters:
        answer["parameters"] = refusal.parameters
    return web.json_response(answer, status=refusal.status)


def _failure(fault: Fault) -> web.Response:
    if fault.status >= 500:
        page = f"<html>\r\n<head><title>{fault.status} Bad Gateway</title></head>\r\n</html>\r\n"
        return web.Response(status=fault.status, text=page, content_type="text/html")
    answer: dict[str, Any] = {"ok": False, "error_code": fault.status, "description": fault.description}
    if fault.parameters:
        answer["parameters"] = fault.parameters
    return web.json_response(answer, status=fault.status)
