"""The WebSocket of the chat (RFC 6455), made for many idle browsers.

aiohttp does the handshake. It would keep a task, the request with its headers and an HTTP parser for every open socket, about
17 kB; so the connection is taken over then, and an idle socket is one small object.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime

import structlog
from aiohttp import WSCloseCode, web
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from frontdesk.channels.web import parse, render
from frontdesk.channels.web.chat import Chat, TooMany
from frontdesk.channels.web.tokens import Session
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.events import Typing as SomebodyTypes

# Close codes of our own, known to the widget; 4000 to 4999 are free for applications (RFC 6455, section 7.4.2).
CLOSE_SESSION = 4401
CLOSE_REPLACED = 4008

CLOSE_WITHIN = 2.0
"""Seconds for a browser to confirm that the socket is closed."""

BACKLOG = 1024 * 1024
"""Bytes that may wait for a slow browser before it is cut off; it comes back and reads the history."""

QUEUE = 32
"""Frames of one browser that may wait for their turn before no more is read from it."""

log = structlog.get_logger(__name__)


class Socket(asyncio.Protocol):
    """One browser. Frames are handled one after the other, by a task that lives as long as there are some."""

    __slots__ = ("_partial", "_sockets", "_task", "_transport", "_waiting", "_wire", "alive", "session")

    def __init__(self, sockets: "Sockets", transport: asyncio.Transport) -> None:
        self.session: Session | None = None
        self.alive = True
        self._sockets = sockets
        self._transport = transport
        self._wire = Connection(ConnectionType.SERVER)
        self._partial = bytearray()
        self._waiting: deque[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        self.alive = True
        self._wire.receive_data(data)
        for event in self._wire.events():
            self._received(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sockets.lost(self)

    def send(self, frame: render.Frame) -> None:
        self.push(frame, render.encode(frame))

    def push(self, frame: render.Frame, data: bytes) -> None:
        if self._wire.state is ConnectionState.OPEN:
            self._write(self._wire.send(TextMessage(data=data.decode())))

    def close(self, code: int) -> None:
        if self._wire.state is ConnectionState.OPEN:
            self._write(self._wire.send(CloseConnection(code=code)))
            self._waiting = None
            self._transport.resume_reading()
            asyncio.get_running_loop().call_later(CLOSE_WITHIN, self._transport.abort)

    def beat(self) -> None:
        """Cuts off a browser that has sent nothing, not even the answer to a ping, since the last beat."""
        if not self.alive:
            self._transport.abort()
        elif self._wire.state is ConnectionState.OPEN:
            self.alive = False
            self._write(self._wire.send(Ping()))

    def _received(self, event: Event) -> None:
        match event:
            case TextMessage() | BytesMessage() if self._wire.state is ConnectionState.OPEN:
                self._partial += event.data.encode() if isinstance(event.data, str) else event.data
                if len(self._partial) > self._sockets.chat.max_frame:
                    self._partial = bytearray()
                    self.close(WSCloseCode.MESSAGE_TOO_BIG)
                elif event.message_finished:
                    self._queue(bytes(self._partial))
                    self._partial = bytearray()
            case Ping() if self._wire.state is ConnectionState.OPEN:
                self._write(self._wire.send(event.response()))
            case CloseConnection():
                if self._wire.state in {ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING}:
                    self._write(self._wire.send(event.response()))
                self._transport.close()
            case _:
                pass

    def _queue(self, data: bytes) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(data)
        if len(self._waiting) >= QUEUE:
            self._transport.pause_reading()
        if self._task is None:
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            await self._sockets.received(self, self._waiting.popleft())
            if self._waiting is not None and len(self._waiting) < QUEUE // 2:
                self._transport.resume_reading()
        self._waiting = self._task = None

    def _write(self, data: bytes) -> None:
        if self._transport.get_write_buffer_size() > BACKLOG:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(data)


class Sockets:
    """All browsers that are connected by a socket, and what they may say."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._open: set[Socket] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        handshake = web.WebSocketResponse(compress=False)
        await handshake.prepare(request)
        http, transport = request.protocol, request.transport
        if transport is None:
            return handshake
        socket = Socket(self, transport)
        self._open.add(socket)
        transport.set_protocol(socket)
        # aiohttp believes that the connection is lost, and frees all that it keeps for it. The response that it asks for is
        # never sent.
        http.transport = None
        http.connection_lost(None)
        return web.Response()

    async def run(self) -> None:
        """The heartbeat, which also ends sockets that have not said hello from one beat to the next."""
        strangers: set[Socket] = set()
        while True:
            await asyncio.sleep(self.chat.settings.heartbeat)
            for socket in strangers:
                if socket.session is None:
                    socket.close(WSCloseCode.POLICY_VIOLATION)
            strangers = {socket for socket in self._open if socket.session is None}
            for number, socket in enumerate(list(self._open)):
                socket.beat()
                if number % 500 == 499:
                    await asyncio.sleep(0)

    def close(self) -> None:
        for socket in list(self._open):
            socket.close(WSCloseCode.GOING_AWAY)

    def lost(self, socket: Socket) -> None:
        self._open.discard(socket)
        if socket.session is not None:
            self.chat.connections.remove(socket.session.conversation, socket)

    async def received(self, socket: Socket, data: bytes) -> None:
        """Never raises: a frame is answered, or its socket closed."""
        try:
            if socket.session is None:
                await self._greet(socket, data)
            else:
                await self._hear(socket, socket.session, data)
        except InvalidInput as error:
            socket.send(render.Refused(error=str(error), status=error.status))
            socket.close(CLOSE_SESSION if error.status == 401 else WSCloseCode.POLICY_VIOLATION)
        except Unavailable:
            socket.close(WSCloseCode.TRY_AGAIN_LATER)
        except Exception:
            log.exception("a chat frame failed", conversation=socket.session and socket.session.conversation)
            socket.close(WSCloseCode.INTERNAL_ERROR)

    async def _greet(self, socket: Socket, data: bytes) -> None:
        """Reads the first frame, registers the socket and sends what it has not seen."""
        hello = parse.frame(data)
        if not isinstance(hello, parse.Hello):
            raise InvalidInput("the first frame must be hello", status=401)
        session = self.chat.session(hello.token)
        self.chat.count_frame(session.conversation)
        socket.session = session
        if oldest := self.chat.connections.add(session.conversation, socket):
            oldest.close(CLOSE_REPLACED)
        socket.send(await self.chat.history(session.conversation, after=hello.after))

    async def _hear(self, socket: Socket, session: Session, data: bytes) -> None:
        self.chat.count_frame(session.conversation)
        if session.expires <= datetime.now(UTC):
            raise InvalidInput("the session has expired", status=401)
        if answer := await self._answer(session.conversation, data, socket):
            socket.send(answer)

    async def _answer(self, conversation: str, data: bytes, socket: Socket) -> render.Frame | None:
        id: str | None = None
        try:
            match parse.frame(data):
                case parse.Send() as send:
                    id = str(send.id)
                    return await self.chat.take(conversation, send, socket)
                case parse.Read(before=before, after=after):
                    return await self.chat.history(conversation, before=before, after=after)
                case parse.Writing():
                    self.chat.services.events.publish(SomebodyTypes(conversation, "contact"))
                    return None
                case parse.Ping():
                    return render.Pong()
                case parse.Hello():
                    raise InvalidInput("hello has been said")
        except TooMany as error:
            return render.Refused(error=str(error), status=error.status, id=id, retry_after=error.retry_after)
        except InvalidInput as error:
            return render.Refused(error=str(error), status=error.status, id=id)
        except Unavailable as error:
            log.warning("chat message refused for now", conversation=conversation, reason=str(error))
            return render.Refused(error="the chat is busy; please try again", status=503, id=id, retry_after=error.retry_after)
