"""What the app asks Slack for over HTTP: methods of the Web API, addresses for files, and `response_url`s."""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from frontdesk.testing.slack.blocks import SlackError
from frontdesk.testing.slack.faults import Call
from frontdesk.testing.slack.payloads import EVERY_SCOPE
from frontdesk.testing.slack.workspace import Workspace

if TYPE_CHECKING:
    from frontdesk.testing.slack.server import FakeSlack

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in to Slack</title></head><body>Sign in</body></html>"


class Routes:
    def __init__(self, slack: "FakeSlack") -> None:
        self._slack = slack

    def mount(self, app: web.Application) -> None:
        router = app.router
        router.add_route("*", "/api/{method}", self._call)
        router.add_post("/upload/v1/{id}", self._upload)
        router.add_get("/files-pri/{key}/{name}", self._download)
        router.add_get("/files-pri/{key}/download/{name}", self._download)
        router.add_get("/login", self._login)
        router.add_post("/response/{id}", self._response)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments, token = await _arguments(request)
        fault = self._slack.faults.next(method)
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.answers:
            self._note(method, None, arguments, ok=False)
            if fault.drop:
                return _cut(request)
            if fault.status is not None:
                headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
                refusal = {"ok": False, "error": "ratelimited" if fault.status == 429 else "internal_error"}
                return web.json_response(refusal, status=fault.status, headers=headers)
            return web.json_response({"ok": False, "error": fault.error})
        try:
            workspace = self._authorized(method, token)
            result = self._carry_out(method, workspace, arguments)
        except SlackError as error:
            self._note(method, None, arguments, ok=False)
            body: dict[str, Any] = {"ok": False, "error": error.code}
            if error.details:
                body |= {
                    "errors": list(error.details),
                    "response_metadata": {"messages": [f"[ERROR] {d}" for d in error.details]},
                }
            return web.json_response(body, status=error.status)
        self._note(method, workspace.id if workspace else None, arguments, ok=True)
        if fault is not None and fault.lost:
            return _cut(request)
        return web.json_response({"ok": True, **result}, headers={"X-OAuth-Scopes": EVERY_SCOPE})

    def _note(self, method: str, team: str | None, arguments: dict[str, Any], *, ok: bool) -> None:
        at = asyncio.get_running_loop().time()
        self._slack.calls.append(Call(method=method, team=team, arguments=arguments, ok=ok, at=at))

    def _authorized(self, method: str, token: str | None) -> Workspace | None:
        if method in ("oauth.v2.access", "api.test"):
            return None
        if not token:
            raise SlackError("not_authed")
        if method == "apps.connections.open":
            if token != self._slack.app_token:
                raise SlackError("invalid_auth" if token.startswith("xapp-") else "not_allowed_token_type")
            return None
        if token == self._slack.app_token:
            raise SlackError("not_allowed_token_type")
        for workspace in self._slack.workspaces.values():
            if token == workspace.token:
                return workspace
            if token.startswith(f"xoxb-{workspace.id}-"):
                raise SlackError("account_inactive")
        raise SlackError("invalid_auth")

    def _carry_out(self, method: str, workspace: Workspace | None, arguments: dict[str, Any]) -> dict[str, Any]:
        if method == "api.test":
            return {}
        if method == "oauth.v2.access":
            return self._slack.api.oauth_access(arguments)
        if workspace is None:
            if not self._slack.sockets.enabled:
                raise SlackError("internal_error", status=500)
            ticket, address = self._slack.sockets.ticket(), self._slack.url.replace("http", "ws", 1)
            link = f"{address}/link?ticket={ticket}&app_id={self._slack.app_id}"
            return {"url": link}
        if method not in self._slack.api.methods:
            raise SlackError("unknown_method")
        return self._slack.api.methods[method](workspace, arguments)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        upload = self._slack.api.files.uploads.get(request.match_info["id"])
        fault = self._slack.faults.next("upload")
        if fault is not None and fault.drop:
            return _cut(request)
        if upload is None or fault is not None:
            return web.Response(status=(fault.status if fault else None) or 404)
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                if isinstance(part, aiohttp.BodyPartReader):
                    upload.data[:] = await part.read()
        else:
            upload.data[:] = await request.read()
        if len(upload.data) != upload.length:
            upload.data.clear()
            return web.Response(status=400, text="the length is not the one that was announced")
        return web.Response(text=f"OK - {upload.length}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """The file, for the token of its workspace. Anybody else is led to the page where people sign in, as at Slack."""
        team, _, id = request.match_info["key"].partition("-")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
        self._slack.downloads.append((id, token))
        fault = self._slack.faults.next("download")
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.drop:
                return _cut(request)
            if fault.status is not None:
                headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
                return web.Response(status=fault.status, headers=headers)
        workspace = self._slack.workspaces.get(team)
        file = workspace.files.get(id) if workspace else None
        if workspace is None or token is None or token != workspace.token:
            raise web.HTTPFound(f"{self._slack.url}/login")
        if file is None or file.deleted:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": file.media_type, "Content-Length": str(len(file.data))})
        await response.prepare(request)
        middle = len(file.data) // 2
        await response.write(file.data[:middle])
        if fault is not None and fault.lost:
            return _cut(request, response)
        await response.write(file.data[middle:])
        return response

    async def _login(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")

    async def _response(self, request: web.Request) -> web.StreamResponse:
        known = self._slack.responses.get(request.match_info["id"])
        if known is None:
            return web.Response(status=404, text="expired_url")
        place, user, post = known
        try:
            self._slack.respond(place, user, await request.json(), post)
        except SlackError as error:
            return web.json_response({"ok": False, "error": error.code}, status=400)
        return web.json_response({"ok": True})


async def _arguments(request: web.Request) -> tuple[dict[str, Any], str | None]:
    """What a method is called with: from the address, a form or JSON; and the token, from the header or among them."""
    arguments: dict[str, Any] = dict(request.query)
    match request.content_type:
        case "application/json":
            given = await request.json()
            arguments |= given if isinstance(given, dict) else {}
        case "multipart/form-data":
            arguments |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        case _:
            arguments |= dict(parse_qsl(await request.text(), keep_blank_values=True))
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith("Basic "):
        basic = aiohttp.BasicAuth.decode(authorization)
        arguments |= {"client_id": basic.login, "client_secret": basic.password}
    token = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else arguments.pop("token", None)
    return arguments, token


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Ends the connection without an answer."""
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()
    return response or web.Response()
