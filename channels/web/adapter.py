"""The server side of the chat: sessions, the socket, its fallback by long polling, and files.

A customer's message is acknowledged when `accept` has returned, and not before. A reply is in the transcript before it is
pushed, so a browser that is not connected misses nothing: it reads the history when it comes back.
"""

import asyncio
from typing import ClassVar
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import web

from frontdesk.channels.web import guard, parse, render, uploads
from frontdesk.channels.web.chat import Chat
from frontdesk.channels.web.connections import Poll
from frontdesk.channels.web.pages import Asset, ChatPage, suggestions, widget
from frontdesk.channels.web.settings import WebSettings
from frontdesk.channels.web.sockets import CLOSE_REPLACED, Sockets
from frontdesk.channels.web.tokens import Session
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import InvalidInput
from frontdesk.core.events import Changed, Event, Missed
from frontdesk.core.events import Typing as SomebodyTypes
from frontdesk.core.messages import Mark, Message, Outgoing

POLL_WAIT = 25

log = structlog.get_logger(__name__)


class WebChannel(Channel):
    """Mounted under /chat."""

    name: ClassVar[str] = "web"
    Settings: ClassVar[type[WebSettings]] = WebSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="markdown",
        buttons=True,
        edits=True,
        typing=True,
        attachments=True,
        history=True,
        max_text=20_000,
        max_attachment=WebSettings.model_fields["max_upload"].default,
    )

    def __init__(self, settings: WebSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        self.chat = Chat(settings, services)
        self._connections = self.chat.connections
        self._sockets = Sockets(self.chat)

    def mount(self, http: web.Application) -> None:
        guarded = guard.Guard(self.settings.allowed_origins, self.services.base_url)
        routes = [
            ("GET", "/", _to_the_chat),
            ("GET", "/chat", ChatPage(self.settings, self.services.base_url).serve),
            ("GET", "/chat/widget.js", Asset(widget(), "text/javascript").serve),
            ("POST", "/chat/sessions", guarded(self._open_session)),
            ("GET", "/chat/socket", guarded(self._sockets.serve)),
            ("POST", "/chat/messages", guarded(self._post_message)),
            ("GET", "/chat/messages", guarded(self._get_messages)),
            ("POST", "/chat/files", guarded(self._post_file)),
            ("GET", "/chat/files/{id}", guarded(self._get_file)),
        ]
        for method, path, handler in routes:
            http.router.add_route(method, path, handler)
        for path in ("/chat/sessions", "/chat/messages", "/chat/files", "/chat/files/{id}"):
            http.router.add_route("OPTIONS", path, guarded(guard.preflight))
        http.on_shutdown.append(self._close)

    async def start(self) -> None:
        _ = self.chat.signer

    async def check(self) -> str:
        return f"{self.services.base_url.rstrip('/')}/chat"

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sockets.run())
            group.create_task(self._watch())

    async def send(self, outgoing: Outgoing) -> str | None:
        """Never fails: the reply is in the transcript already."""
        if outgoing.conversation in self._connections and (reply := render.view(outgoing)):
            self._connections.push(outgoing.conversation, render.Arrived(reply))
        return outgoing.id

    async def edit(self, outgoing: Outgoing, platform_id: str) -> str | None:
        """The browser knows by `replaces` where it belongs."""
        return await self.send(outgoing)

    async def _watch(self) -> None:
        with self.services.events.subscribe(wants=self._concerns_us, size=4096) as events:
            async for event in events:
                self._show(event)

    def _concerns_us(self, event: Event) -> bool:
        return event.conversation in self._connections

    def _show(self, event: Event) -> None:
        match event:
            case Missed():
                self._connections.push_all(render.Reread())
            case Changed(state=state, entries=entries) if state.id in self._connections:
                for entry in entries:
                    # A message is in it again where what was spoken is known now.
                    if isinstance(entry, Mark | Message) and (shown := render.view(entry)):
                        self._connections.push(state.id, render.Arrived(shown))
                if not any(isinstance(entry, Outgoing) for entry in entries):
                    self._connections.push(state.id, render.Typing(active=False))
            case SomebodyTypes(conversation=conversation, author=author, heard=heard) if author != "contact":
                self._connections.push(conversation, render.Typing(active=True, agent=render.agent(author), heard=heard))
            case _:
                pass

    async def _close(self, _: web.Application) -> None:
        self._sockets.close()
        self._connections.close()

    def _session(self, request: web.Request) -> Session:
        return self.chat.session(guard.bearer(request))

    async def _open_session(self, request: web.Request) -> web.StreamResponse:
        """A new conversation, or a fresh token for the one whose valid token is shown."""
        conversation = self._session(request).conversation if "Authorization" in request.headers else None
        return guard.answer(
            {
                "token": self.chat.token(conversation),
                "max_text": self.settings.max_text,
                "max_upload": self.settings.max_upload,
                "upload_types": self.settings.upload_types,
                "suggestions": suggestions(self.settings, request.query.get("language", "en").lower()),
            },
            status=201,
        )

    async def _post_message(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        send = parse.frame(await guard.small_body(request, self.chat.max_frame))
        if not isinstance(send, parse.Send):
            raise InvalidInput("this is not a message")
        return guard.answer(await self.chat.take(conversation, send))

    async def _get_messages(self, request: web.Request) -> web.StreamResponse:
        """Entries after `after`, once there are some or `wait` seconds have passed; those before `before`; or the newest."""
        conversation = self._session(request).conversation
        self.chat.count_frame(conversation)
        before, after = guard.whole_number(request, "before"), guard.whole_number(request, "after")
        seconds = min(guard.whole_number(request, "wait") or 0, POLL_WAIT)
        poll = Poll()
        if oldest := self._connections.add(conversation, poll):
            oldest.close(CLOSE_REPLACED)
        try:
            history = await self.chat.history(conversation, before=before, after=after)
            if not seconds or history.entries:
                return guard.answer(history)
            try:
                async with asyncio.timeout(seconds):
                    news = await poll.news
            except TimeoutError:
                return guard.answer(history)
            history = await self.chat.history(conversation, before=before, after=after)
            typing = news if isinstance(news, render.Typing) else None
            return guard.answer(msgspec.structs.replace(history, typing=typing))
        finally:
            self._connections.remove(conversation, poll)

    async def _post_file(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        self.chat.count_message(conversation)
        attachment = await uploads.receive(
            request, self.services.attachments, max_size=self.settings.max_upload, types=self.settings.upload_types
        )
        log.info("file uploaded", conversation=conversation, attachment=attachment.id, size=attachment.size)
        return guard.answer({"file": render.file(attachment), "ticket": self.chat.ticket(conversation, attachment)}, status=201)

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        attachment = await self.chat.attachment(conversation, request.match_info["id"])
        try:
            path = self.services.attachments.path(attachment.id)
        except KeyError:
            raise InvalidInput("there is no such file", status=404) from None
        disposition = "inline" if attachment.media_type in uploads.INLINE else "attachment"
        return web.FileResponse(
            path,
            headers={
                "Content-Type": attachment.media_type,
                "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(attachment.name, safe='')}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, max-age=86400",
            },
        )


async def _to_the_chat(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("chat")
