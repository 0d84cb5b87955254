"""The SMTP side of the mail server: RFC 5321 with AUTH, STARTTLS, SIZE, 8BITMIME and SMTPUTF8, and failures when told to."""

import asyncio
import base64
import binascii
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from frontdesk.testing.mail_syntax import credentials

Stage = Literal["connect", "login", "mail", "rcpt", "data", "end"]
MAX_SIZE = 50 * 1024 * 1024
PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    data: bytes
    helo: str
    user: str | None


@dataclass
class _Refusal:
    stage: Stage
    answer: str
    times: int
    recipient: str | None


@dataclass
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    helo: str = ""
    user: str | None = None
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.sender, self.recipients = None, []


class SmtpServer:
    """`received` are all mails that were taken; `on_received` is told of each before the client is.

    `connections` counts those that were ever made. `delay` is in seconds for each command.
    """

    def __init__(
        self,
        log_in: Callable[[str, str], object | None],
        known: Callable[[str], bool],
        receive: Callable[[Received], None],
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self._log_in = log_in
        self._known = known
        self._receive = receive
        self._tls = tls
        self._implicit = implicit_tls
        self._refusals: list[_Refusal] = []
        self._open: set[asyncio.StreamWriter] = set()
        self.received: list[Received] = []
        self.on_received: Callable[[Received], None] = lambda received: None
        self.connections = 0
        self.delay = 0.0
        self.port = 0

    async def start(self) -> None:
        context = self._tls if self._implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        """Cuts all connections."""
        for writer in list(self._open):
            writer.transport.abort()

    def refuse(self, answer: str, *, at: Stage = "rcpt", times: int = 1, recipient: str | None = None) -> None:
        """Answers so many times with this instead, such as `451 4.7.1 later`. `cut` closes the connection without a word."""
        self._refusals.append(_Refusal(at, answer, times, recipient))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        session = _Session(reader, writer)
        try:
            if await self._fails(session, "connect"):
                return
            await self._say(session, "220 localhost ESMTP for tests")
            while line := await reader.readline():
                verb, _, rest = line.decode("utf-8", "surrogateescape").strip().partition(" ")
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not await self._command(session, verb.upper(), rest):
                    return
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _command(self, session: _Session, verb: str, rest: str) -> bool:
        """False ends the connection."""
        match verb:
            case "EHLO" | "HELO":
                session.helo = rest
                session.reset()
                await self._say(session, *(self._greeting(session) if verb == "EHLO" else ["250 localhost"]))
            case "STARTTLS" if self._tls is not None:
                await self._say(session, "220 go ahead")
                await session.writer.start_tls(self._tls)
            case "AUTH":
                return await self._authenticate(session, rest)
            case "MAIL":
                return await self._mail(session, rest)
            case "RCPT":
                return await self._rcpt(session, rest)
            case "DATA":
                return await self._data(session)
            case "RSET":
                session.reset()
                await self._say(session, "250 2.0.0 reset")
            case "NOOP":
                await self._say(session, "250 2.0.0 here")
            case "QUIT":
                await self._say(session, "221 2.0.0 bye")
                return False
            case _:
                await self._say(session, "500 5.5.1 unknown command")
        return True

    def _greeting(self, session: _Session) -> list[str]:
        secure = session.writer.get_extra_info("sslcontext") is not None
        words = ["localhost", f"SIZE {MAX_SIZE}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN XOAUTH2"]
        words += ["STARTTLS"] if self._tls is not None and not secure else []
        return [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]

    async def _authenticate(self, session: _Session, rest: str) -> bool:
        method, _, initial = rest.partition(" ")
        try:
            if method.upper() in ("PLAIN", "XOAUTH2"):
                user, password = credentials(_decoded(initial or await self._ask(session, "")))
            else:
                user = _decoded(initial or await self._ask(session, "VXNlcm5hbWU6"))
                password = _decoded(await self._ask(session, "UGFzc3dvcmQ6"))
        except (binascii.Error, ValueError):
            await self._say(session, "501 5.5.2 cannot be decoded")
            return True
        if await self._fails(session, "login"):
            return not session.writer.is_closing()
        if self._log_in(user, password) is None:
            if method.upper() == "XOAUTH2":
                await self._ask(session, "eyJzdGF0dXMiOiI0MDEifQ==")
            await self._say(session, "535 5.7.8 wrong user or password")
        else:
            session.user = user
            await self._say(session, "235 2.7.0 welcome")
        return True

    async def _mail(self, session: _Session, rest: str) -> bool:
        if await self._fails(session, "mail"):
            return not session.writer.is_closing()
        found = PATH.match(rest)
        size = re.search(r"\bSIZE=(\d+)", rest, re.IGNORECASE)
        if found is None:
            await self._say(session, "501 5.5.4 MAIL FROM:<address>")
        elif size and int(size[1]) > MAX_SIZE:
            await self._say(session, "552 5.3.4 too large")
        else:
            session.reset()
            session.sender = found[1]
            await self._say(session, "250 2.1.0 ok")
        return True

    async def _rcpt(self, session: _Session, rest: str) -> bool:
        found = PATH.match(rest)
        if found is None or session.sender is None:
            await self._say(session, "503 5.5.1 MAIL first")
            return True
        if await self._fails(session, "rcpt", found[1]):
            return not session.writer.is_closing()
        if not self._known(found[1]):
            await self._say(session, f"550 5.1.1 <{found[1]}> nobody here")
        else:
            session.recipients.append(found[1])
            await self._say(session, "250 2.1.5 ok")
        return True

    async def _data(self, session: _Session) -> bool:
        if not session.recipients or session.sender is None:
            await self._say(session, "503 5.5.1 RCPT first")
            return True
        if await self._fails(session, "data"):
            return not session.writer.is_closing()
        await self._say(session, "354 go ahead")
        data = bytearray()
        while (line := await session.reader.readline()) != b".\r\n":
            if not line:
                return False
            data += line[1:] if line.startswith(b".") else line
        if await self._fails(session, "end"):
            session.reset()
            return not session.writer.is_closing()
        received = Received(
            sender=session.sender,
            recipients=tuple(session.recipients),
            data=bytes(data),
            helo=session.helo,
            user=session.user,
        )
        self.received.append(received)
        self._receive(received)
        self.on_received(received)
        session.reset()
        await self._say(session, "250 2.0.0 taken")
        return True

    async def _fails(self, session: _Session, stage: Stage, recipient: str | None = None) -> bool:
        """Whether the server fails here as it was told to, and has said so."""
        for refusal in self._refusals:
            if refusal.stage == stage and refusal.recipient in (None, recipient):
                refusal.times -= 1
                if refusal.times <= 0:
                    self._refusals.remove(refusal)
                if refusal.answer == "cut":
                    session.writer.transport.abort()
                else:
                    await self._say(session, refusal.answer)
                return True
        return False

    async def _ask(self, session: _Session, question: str) -> str:
        await self._say(session, f"334 {question}")
        return (await session.reader.readline()).decode().strip()

    @staticmethod
    async def _say(session: _Session, *lines: str) -> None:
        session.writer.write("".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape"))
        await session.writer.drain()


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
