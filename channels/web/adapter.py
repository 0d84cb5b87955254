"""The server side of the chat: sessions, the socket, its fallback by long polling, and files.

A customer's message is acknowledged when `accept` has returned, and not before. A reply is in the transcript before it is
pushed, so a browser that is not connected misses nothing: it reads the history when it comes back.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from frontdesk.channels.web import guard, parse, render, uploads
from frontdesk.channels.web.connections import NEVER, Connections, Listener, Poll, Socket
from frontdesk.channels.web.limits import RateLimit
from frontdesk.channels.web.pages import Asset, ChatPage, suggestions, widget
from frontdesk.channels.web.settings import WebSettings
from frontdesk.channels.web.tokens import Session, Signer, derive_key, new_conversation, stored_key
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.events import Changed, Event, Missed
from frontdesk.core.events import Typing as SomebodyTypes
from frontdesk.core.messages import Attachment, Mark, Outgoing

HELLO_WITHIN = 10.0
POLL_WAIT = 25
PAGE = 50
CATCH_UP = 200
FRAMES_PER_MINUTE = 240
SEARCHED_PAGES = 100

# Close codes of our own, known to widget.js; 4000 to 4999 are free for applications (RFC 6455, section 7.4.2).
CLOSE_SESSION = 4401
CLOSE_REPLACED = 4008

DATA = (WSMsgType.TEXT, WSMsgType.BINARY)

log = structlog.get_logger(__name__)


class WebChannel(Channel):
    """Mounted under /chat."""

    name: ClassVar[str] = "web"
    Settings: ClassVar[type[WebSettings]] = WebSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        dialect="markdown",
        buttons=True,
        typing=True,
        attachments=True,
        history=True,
        max_text=20_000,
        max_attachment=WebSettings.model_fields["max_upload"].default,
    )

    def __init__(self, settings: WebSettings, services: Services) -> None:
        super().__init__(settings, services)
        self.settings = settings
        secret = settings.secret
        key = derive_key(secret.get_secret_value()) if secret else stored_key(services.folder / "web.key")
        self._signer = Signer(key)
        self._connections = Connections(settings.sockets_per_session)
        self._messages = RateLimit(settings.messages_per_minute)
        self._frames = RateLimit(FRAMES_PER_MINUTE + settings.messages_per_minute)
        # A character is at most 12 bytes of JSON: two \uXXXX escapes.
        self._body_limit = 12 * settings.max_text + 32 * 1024

    def mount(self, http: web.Application) -> None:
        guarded = guard.Guard(self.settings.allowed_origins, self.services.base_url)
        routes = [
            ("GET", "/chat", ChatPage(self.settings, self.services.base_url).serve),
            ("GET", "/chat/widget.js", Asset(widget(), "text/javascript").serve),
            ("POST", "/chat/sessions", guarded(self._open_session)),
            ("GET", "/chat/socket", guarded(self._serve_socket)),
            ("POST", "/chat/messages", guarded(self._post_message)),
            ("GET", "/chat/messages", guarded(self._get_messages)),
            ("POST", "/chat/files", guarded(self._post_file)),
            ("GET", "/chat/files/{id}", guarded(self._get_file)),
        ]
        for method, path, handler in routes:
            http.router.add_route(method, path, handler)
        for path in ("/chat/sessions", "/chat/messages", "/chat/files", "/chat/files/{id}"):
            http.router.add_route("OPTIONS", path, guarded(guard.preflight))
        http.on_shutdown.append(self._close_connections)

    async def run(self) -> None:
        with self.services.events.subscribe(size=4096) as events:
            async for event in events:
                await self._show(event)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Never fails: the reply is in the transcript already."""
        if outgoing.conversation in self._connections and (reply := render.view(outgoing)):
            await self._connections.push(outgoing.conversation, render.Arrived(reply))
        return outgoing.id

    async def typing(self, conversation: str) -> None:
        await self._connections.push(conversation, render.Typing(active=True))

    async def _show(self, event: Event) -> None:
        match event:
            case Missed():
                await self._connections.push_all(render.Reread())
            case Changed(state=state, entries=entries) if state.id in self._connections:
                for entry in entries:
                    if isinstance(entry, Mark) and (mark := render.view(entry)):
                        await self._connections.push(state.id, render.Arrived(mark))
                if not any(isinstance(entry, Outgoing) for entry in entries):
                    await self._connections.push(state.id, render.Typing(active=False))
            case SomebodyTypes(conversation=conversation, author=author) if name := render.agent(author):
                await self._connections.push(conversation, render.Typing(active=True, agent=name))
            case _:
                pass

    async def _close_connections(self, _: web.Application) -> None:
        await self._connections.close()

    # Sessions

    async def _open_session(self, request: web.Request) -> web.StreamResponse:
        """A new conversation, or a fresh token for the one whose valid token is shown."""
        now = datetime.now(UTC)
        if "Authorization" in request.headers:
            conversation = self._signer.open_session(guard.bearer(request), now).conversation
        else:
            conversation = new_conversation()
        return guard.answer(
            {
                "token": self._token(conversation, now),
                "max_text": self.settings.max_text,
                "max_upload": self.settings.max_upload,
                "upload_types": self.settings.upload_types,
                "suggestions": suggestions(self.settings, request.query.get("language", "en").lower()),
            },
            status=201,
        )

    def _session(self, request: web.Request) -> Session:
        return self._signer.open_session(guard.bearer(request), datetime.now(UTC))

    def _token(self, conversation: str, now: datetime) -> str:
        return self._signer.session(conversation, now + timedelta(days=self.settings.session_days))

    # What both transports do

    async def _take(self, conversation: str, send: parse.Send, sender: Listener | None = None) -> render.Acknowledged:
        """Returns when the message is durable."""
        if wait := self._messages.wait(conversation):
            raise guard.TooMany(wait)
        attachments = tuple(self._signer.open_ticket(conversation, ticket) for ticket in send.files)
        now = datetime.now(UTC)
        message = parse.message(send, conversation, now, attachments=attachments, max_text=self.settings.max_text)
        receipt = await self.services.accept(message)
        if not receipt.duplicate and (own := render.view(message)):
            await self._connections.push(conversation, render.Arrived(own), but=sender)
        return render.Acknowledged(id=str(send.id), at=now, duplicate=receipt.duplicate)

    async def _history(self, conversation: str, *, before: int | None = None, after: int | None = None) -> render.History:
        limit = PAGE if after is None else CATCH_UP
        entries = await self.services.store.transcript(conversation, before=before, after=after, limit=limit)
        return render.history(entries, limit=limit, back=before is not None)

    # The socket

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(
            compress=False,  # a compressor costs 300 kB per socket
            heartbeat=self.settings.heartbeat,
            max_msg_size=self._body_limit,
            writer_limit=NEVER,
            decode_text=False,
        )
        await ws.prepare(request)
        if (transport := request.transport) is None:
            return ws
        socket = Socket(ws, transport)
        try:
            hello = await self._hello(ws)
            session = self._signer.open_session(hello.token, datetime.now(UTC))
            try:
                if oldest := self._connections.add(session.conversation, socket):
                    await oldest.close(CLOSE_REPLACED)
                await socket.send(await self._history(session.conversation, after=hello.after))
                await self._listen(session, ws, socket)
            finally:
                self._connections.remove(session.conversation, socket)
        except InvalidInput as error:
            await socket.send(render.Refused(error=str(error), status=error.status))
            await ws.close(code=CLOSE_SESSION if error.status == 401 else WSCloseCode.POLICY_VIOLATION)
        except Unavailable:
            await ws.close(code=WSCloseCode.TRY_AGAIN_LATER)
        return ws

    @staticmethod
    async def _hello(ws: web.WebSocketResponse) -> parse.Hello:
        try:
            first = await ws.receive(timeout=HELLO_WITHIN)
        except TimeoutError:
            raise InvalidInput("the first frame must be hello", status=408) from None
        frame = parse.frame(first.data) if first.type in DATA else None
        if not isinstance(frame, parse.Hello):
            raise InvalidInput("the first frame must be hello", status=401)
        return frame

    async def _listen(self, session: Session, ws: web.WebSocketResponse, socket: Socket) -> None:
        async for message in ws:
            if message.type not in DATA:
                return
            if self._frames.wait(session.conversation):
                raise InvalidInput("too many frames", status=429)
            if session.expires <= datetime.now(UTC):
                raise InvalidInput("the session has expired", status=401)
            if answer := await self._answer_frame(session.conversation, message.data, socket):
                await socket.send(answer)

    async def _answer_frame(self, conversation: str, data: bytes, socket: Socket) -> render.Frame | None:
        id: str | None = None
        try:
            match parse.frame(data):
                case parse.Send() as send:
                    id = str(send.id)
                    return await self._take(conversation, send, socket)
                case parse.Read(before=before, after=after):
                    return await self._history(conversation, before=before, after=after)
                case parse.Writing():
                    self.services.events.publish(SomebodyTypes(conversation, "contact"))
                    return None
                case parse.Ping():
                    return render.Pong()
                case parse.Hello():
                    raise InvalidInput("hello has been said")
        except guard.TooMany as error:
            return render.Refused(error=str(error), status=error.status, id=id, retry_after=error.retry_after)
        except InvalidInput as error:
            return render.Refused(error=str(error), status=error.status, id=id)
        except Unavailable as error:
            log.warning("chat message refused for now", conversation=conversation, reason=str(error))
            return render.Refused(error="the chat is busy; please try again", status=503, id=id, retry_after=error.retry_after)

    # The fallback

    async def _post_message(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        send = parse.frame(await guard.small_body(request, self._body_limit))
        if not isinstance(send, parse.Send):
            raise InvalidInput("this is not a message")
        return guard.answer(await self._take(conversation, send))

    async def _get_messages(self, request: web.Request) -> web.StreamResponse:
        """Entries after `after`, once there are some or `wait` seconds have passed; those before `before`; or the newest."""
        session = self._session(request)
        if wait := self._frames.wait(session.conversation):
            raise guard.TooMany(wait)
        before, after = guard.whole_number(request, "before"), guard.whole_number(request, "after")
        seconds = min(guard.whole_number(request, "wait") or 0, POLL_WAIT)
        poll = Poll()
        if oldest := self._connections.add(session.conversation, poll):
            await oldest.close(CLOSE_REPLACED)
        try:
            history = await self._history(session.conversation, before=before, after=after)
            if not seconds or history.entries:
                return guard.answer(history)
            try:
                async with asyncio.timeout(seconds):
                    news = await poll.news
            except TimeoutError:
                return guard.answer(history)
            history = await self._history(session.conversation, before=before, after=after)
            typing = news if isinstance(news, render.Typing) else None
            return guard.answer(msgspec.structs.replace(history, typing=typing))
        finally:
            self._connections.remove(session.conversation, poll)

    # Files

    async def _post_file(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        if wait := self._messages.wait(conversation):
            raise guard.TooMany(wait)
        attachment = await uploads.receive(
            request, self.services.attachments, max_size=self.settings.max_upload, types=self.settings.upload_types
        )
        log.info("file uploaded", conversation=conversation, attachment=attachment.id, size=attachment.size)
        return guard.answer({"file": attachment, "ticket": self._signer.ticket(conversation, attachment)}, status=201)

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        conversation = self._session(request).conversation
        attachment = await self._attachment(conversation, request.match_info["id"])
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

    async def _attachment(self, conversation: str, id: str) -> Attachment:
        """Looks for the file in the conversation's own transcript, the newest entries first."""
        before: int | None = None
        for _ in range(SEARCHED_PAGES):
            entries = await self.services.store.transcript(conversation, before=before, limit=100)
            for entry in reversed(entries):
                view = render.view(entry.body)
                if isinstance(view, render.Own | render.Reply):
                    for attachment in view.files:
                        if attachment.id == id:
                            return attachment
            if len(entries) < 100:
                break
            before = entries[0].seq
        raise InvalidInput("there is no such file", status=404)
