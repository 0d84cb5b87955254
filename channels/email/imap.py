"""One connection to a mailbox: what this channel needs of IMAP4rev1 (RFC 3501, 2177, 4315, 6851), with a time limit on each wait.

The library below waits for ever where a connection dies, has no STARTTLS, and neither quotes nor encodes names. After any
`ImapError` but `Refused` the connection is of no more use.
"""

import asyncio
import base64
import logging
import re
import ssl
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import Any, Self, TypeVar

from aioimaplib.aioimaplib import IMAP4, Abort, AioImapException, Command, IMAP4ClientProtocol, Response, quoted

from frontdesk.channels.email.oauth import TokenError
from frontdesk.channels.email.settings import Server

# It logs what it sends and receives: people's mail.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)

T = TypeVar("T")

CHUNK = 1024 * 1024
"""A larger mail is fetched in pieces of this size: the library keeps what it fetches until all of a command's answer is there."""
AT_ONCE = 100
"""Messages in one command. The library recurses once for each line of an answer."""

UID, SIZE = re.compile(rb"\bUID (\d+)", re.IGNORECASE), re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
UIDVALIDITY, UIDNEXT = re.compile(rb"\[UIDVALIDITY (\d+)\]"), re.compile(rb"\[UIDNEXT (\d+)\]")
BODY = re.compile(rb"\bBODY\[\S*\s", re.IGNORECASE)
EXISTS = re.compile(rb"\* \d+ EXISTS", re.IGNORECASE)


class ImapError(Exception):
    """The server cannot be talked to. The words name no mail and no address."""


class Refused(ImapError):
    """The server said no to one command."""


class LoginRefused(ImapError):
    """The server does not let us in."""


@dataclass(frozen=True, slots=True)
class Selected:
    """`uidvalidity` is 0 where the server promises nothing about its UIDs; `uidnext` 0 where it does not say."""

    uidvalidity: int
    uidnext: int


class _Protocol(IMAP4ClientProtocol):  # type: ignore[misc]
    """Notices what the library ignores: new mail that is told of within the answer to some command, and the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.told = False
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def _continuation(self, line: bytes) -> None:
        if self.pending_sync_command is not None and self.pending_sync_command.name == "AUTHENTICATE":
            self.send("")  # the server has said why it refuses, and waits for an answer before it does
        else:
            super()._continuation(line)

    def _untagged_response(self, line: bytes) -> Command | None:
        self.told = self.told or EXISTS.match(line) is not None
        return super()._untagged_response(line)


class _Client(IMAP4):  # type: ignore[misc]
    protocol: _Protocol

    def create_client(self, host: str, port: int, loop: Any, _: Any = None, ssl_context: ssl.SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.protocol = _Protocol(loop)
        self._client_task = loop.create_task(loop.create_connection(lambda: self.protocol, host, port, ssl=ssl_context))


class Connection:
    """`seconds` is how long the server may take for an answer. Use `open`."""

    def __init__(self, client: _Client, seconds: float) -> None:
        self._client = client
        self._lost = client.protocol.lost
        self._seconds = seconds

    @classmethod
    async def open(cls, server: Server, *, seconds: float = 30) -> Self:
        """Connects and logs in. Raises `ImapError`, and `LoginRefused` for wrong credentials."""
        context = None
        if server.tls != "none":
            try:
                context = await asyncio.to_thread(ssl.create_default_context, cafile=server.ca_file)
            except OSError as error:
                raise ImapError(f"the certificates in ca_file cannot be read: {error.strerror or type(error).__name__}") from None
        client = _Client(server.host, server.port, timeout=seconds, ssl_context=context if server.tls == "implicit" else None)
        connection = cls(client, seconds)
        try:
            await connection._answer(client.wait_hello_from_server())
            if server.tls == "starttls":
                assert context is not None
                await connection._start_tls(server.host, context)
            await connection._log_in(server)
        except BaseException:
            connection.abort()
            raise
        return connection

    @property
    def can_idle(self) -> bool:
        return bool(self._client.has_capability("IDLE"))

    async def close(self) -> None:
        """Says goodbye, if the server still listens."""
        try:
            await asyncio.wait_for(self._answer(self._client.logout()), 2)
        except (ImapError, TimeoutError):
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        client = self._client
        for task in (client._client_task, *client.tasks, *client.protocol.tasks):
            task.cancel()
        if client.protocol.transport is not None:
            client.protocol.transport.abort()

    async def select(self, folder: str, *, read_only: bool = False) -> Selected:
        """Raises `Refused` if there is no such folder."""
        command = self._client.examine if read_only else self._client.select
        try:
            lines = (await self._ok(command(_name(folder)), "SELECT")).lines
        except Refused:
            raise Refused("there is no such folder, or it cannot be opened") from None
        return Selected(_number(UIDVALIDITY, lines), _number(UIDNEXT, lines))

    @property
    def told(self) -> bool:
        """Whether the server has told of mail since the last search began."""
        return self._client.protocol.told

    async def search(self, *criteria: str) -> list[int]:
        """The UIDs of what fits, in order."""
        self._client.protocol.told = False
        response = await self._ok(self._client.uid_search(*criteria, charset=None), "SEARCH")
        return sorted({int(word) for line in response.lines[:-1] for word in line.split() if word.isdigit()})

    async def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes by UID. What is not there any more is left out."""
        found: dict[int, int] = {}
        for start in range(0, len(uids), AT_ONCE):
            response = await self._fetch(uids[start : start + AT_ONCE], "(UID RFC822.SIZE)")
            for line in response.lines[:-1]:
                if (uid := UID.search(line)) and (size := SIZE.search(line)):
                    found[int(uid[1])] = int(size[1])
        return found

    async def fetch(self, uid: int, size: int, *, limit: int) -> bytes | None:
        """The first `limit` bytes of a mail, which stays unread. None if it is not there any more.

        `size` is what the server tells of it, which is not always right: what counts is where the pieces end.
        """
        if size <= min(CHUNK, limit):
            return await self._body(uid, "BODY.PEEK[]")
        # Grows in place, and gives its buffer away without a copy.
        whole = BytesIO()
        while (wanted := min(CHUNK, limit - whole.tell())) > 0:
            piece = await self._body(uid, f"BODY.PEEK[]<{whole.tell()}.{wanted}>")
            if piece is None:
                return None
            whole.write(piece)
            if len(piece) < wanted:
                break
        return whole.getvalue()

    async def flag(self, uids: Iterable[int], *flags: str) -> None:
        """Raises `Refused` where the folder cannot be written to."""
        await self._ok(self._client.uid("store", _set(uids), "+FLAGS.SILENT", f"({' '.join(flags)})"), "STORE")

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """Moves just these, into a folder that is made if there is none. Raises `Refused`."""
        command = "move" if self._client.has_capability("MOVE") else "copy"
        try:
            await self._ok(self._client.uid(command, _set(uids), _name(folder)), command.upper())
        except Refused:
            await self._ok(self._client.create(_name(folder)), "CREATE")
            await self._ok(self._client.uid(command, _set(uids), _name(folder)), command.upper())
        if command == "copy":
            await self.flag(uids, r"\Seen", r"\Deleted")
            # Without UIDPLUS an expunge would take along what others have marked as deleted.
            if self._client.has_capability("UIDPLUS"):
                await self._ok(self._client.uid("expunge", _set(uids)), "EXPUNGE")

    async def idle(self, seconds: float) -> bool:
        """Waits until the server tells of mail, at most so long; whether it has. Raises `Refused` if it will not idle."""
        client = self._client
        idling = await self._answer(client.idle_start(seconds + self._seconds))
        try:
            async with asyncio.timeout(seconds):
                while not self.told:
                    await self._unless_lost(client.wait_server_push(seconds + self._seconds))
        except TimeoutError:
            pass
        told = self.told
        client.idle_done()
        await self._answer(idling)
        return told

    async def wait(self, seconds: float) -> None:
        """Raises `ImapError` as soon as the connection is gone."""
        await asyncio.wait({self._lost}, timeout=seconds)
        if self._lost.done():
            raise ImapError("the connection was closed")

    async def _start_tls(self, host: str, context: ssl.SSLContext) -> None:
        protocol = self._client.protocol
        if not self._client.has_capability("STARTTLS"):
            raise ImapError("the server has no STARTTLS")
        await self._ok(protocol.execute(Command("STARTTLS", protocol.new_tag(), loop=protocol.loop)), "STARTTLS")
        if protocol.incomplete_line:
            raise ImapError("the server said more than it may before TLS")
        upgrade = protocol.loop.start_tls(protocol.transport, protocol, context, server_hostname=host)
        protocol.transport = await self._answer(upgrade)
        await self._answer(protocol.capability())

    async def _log_in(self, server: Server) -> None:
        if server.tokens is not None:
            try:
                token = await server.tokens.get()
            except TokenError as error:
                raise ImapError(str(error)) from None
            response = await self._answer(self._client.xoauth2(server.user, token))
        elif self._client.has_capability("LOGINDISABLED"):
            raise ImapError("the server takes no password on a connection without TLS")
        else:
            response = await self._answer(self._client.login(quoted(server.user), server.password.get_secret_value()))
        if response.result != "OK":
            if server.tokens is not None:
                server.tokens.forget()
            raise LoginRefused("the server refuses the login")
        await self._answer(self._client.protocol.capability())

    async def _fetch(self, uids: Iterable[int], items: str) -> Response:
        # Its own limit starts again with each piece of the answer, which may be long.
        return await self._ok(self._client.uid("fetch", _set(uids), items), "FETCH", limited=False)

    async def _body(self, uid: int, item: str) -> bytes | None:
        lines = (await self._fetch([uid], f"(UID {item})")).lines[:-1]
        for before, line in pairwise(lines):
            if isinstance(line, bytearray) and BODY.search(before):
                return bytes(line)
        # An empty one may come as "" or NIL.
        return b"" if any(BODY.search(line) for line in lines) else None

    async def _ok(self, command: Awaitable[Response], name: str, *, limited: bool = True) -> Response:
        response = await (self._answer(command) if limited else self._unless_lost(command))
        if response.result != "OK":
            raise Refused(f"the server refuses {name}")
        return response

    async def _answer(self, command: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._unless_lost(command)
        except TimeoutError:
            raise ImapError(f"no answer within {self._seconds:g} s") from None

    async def _unless_lost(self, command: Awaitable[T]) -> T:
        task: asyncio.Future[Any] = asyncio.ensure_future(command)
        try:
            await asyncio.wait({task, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ImapError("the connection was closed")
            result: T = task.result()
        except Abort:
            raise Refused("the server refuses a command") from None
        except AioImapException as error:
            raise ImapError(type(error).__name__) from None
        except OSError as error:
            raise ImapError(getattr(error, "verify_message", None) or error.strerror or type(error).__name__) from None
        finally:
            task.cancel()
        return result


def _set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def _number(pattern: re.Pattern[bytes], lines: Iterable[bytes]) -> int:
    return next((int(found[1]) for line in lines if (found := pattern.search(line))), 0)


def _name(folder: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501, 5.1.3), quoted."""

    def encoded(match: re.Match[str]) -> str:
        return "&" + base64.b64encode(match[0].encode("utf-16-be")).rstrip(b"=").replace(b"/", b",").decode() + "-"

    return str(quoted(re.sub(r"[^\x20-\x7e]+", encoded, folder.replace("&", "&-"))))
