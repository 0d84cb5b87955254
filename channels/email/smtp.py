"""Sends mail over a few connections that are kept open, and says whether what was refused may be tried again (RFC 5321)."""

import asyncio
import re
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
)

from frontdesk.channels.email.oauth import TokenError
from frontdesk.channels.email.settings import Server
from frontdesk.core.errors import ConfigurationError, DeliveryDeferred, DeliveryRejected, DeliveryUncertain

log = structlog.get_logger(__name__)

LOGIN_FIX = (
    "correct user and password, or smtp_user and smtp_password, of channels.email (FRONTDESK_CHANNELS__EMAIL__PASSWORD); with "
    "two-factor logins an app password is needed"
)
OAUTH_FIX = "correct oauth_token_url and what belongs to it, of channels.email (FRONTDESK_CHANNELS__EMAIL__OAUTH_TOKEN_URL)"

FRESH_SECONDS = 5.0
"""A connection that was used so recently is not asked whether it is still there."""
IDLE_SECONDS = 60.0
"""Servers close what is idle for some minutes; we do before."""
DATA_SECONDS = 240.0
"""Some servers look through a mail before they take it: who does not wait sends it twice."""
MOST_BUFFERED, DRAIN_SECONDS = 256 * 1024, 0.005
"""Bytes that wait for the network, and how often it is looked whether they are gone."""
REMEMBERED = 1_000
ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
IN_ANGLES, ADDRESS = re.compile(r"<[^<>]*>"), re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`id` is the same at every try. The mail is for the first of the `recipients`. `utf8` asks for SMTPUTF8 (RFC 6531).

    `chunks` are the mail, of `size` bytes, with CRLF at the ends of its lines; they are read in a thread, one at a time.
    """

    id: str
    sender: str
    recipients: Sequence[str]
    size: int
    chunks: Callable[[], Iterator[bytes]]
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class _Connection:
    smtp: SMTP
    used: float


class Mailer:
    """Sends from one account. Not more than `connections` mails at the same time; `timeout` is for each answer of the server."""

    def __init__(self, server: Server, *, connections: int = 3, timeout: float = 30) -> None:
        self._server = server
        self._timeout = timeout
        self._free = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []
        self._context: ssl.SSLContext | None = None
        self._taken: OrderedDict[str, set[str]] = OrderedDict()

    async def send(self, envelope: Envelope) -> None:
        """Returns when the server has taken it for the first recipient; that it refused others is only logged.

        Raises `DeliveryDeferred`, `DeliveryUncertain` and `DeliveryRejected`. Who has got the mail does not get it again when it
        is sent again for others, as long as the process lives.
        """
        if any(UNSAFE.search(address) for address in envelope.recipients):
            raise DeliveryRejected("a mail server cannot be told this address")
        taken = self._taken.setdefault(envelope.id, set())
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        left = [address for address in envelope.recipients if address not in taken]
        try:
            async with self._connection() as smtp:
                refused = await _transaction(smtp, envelope, left)
        except SMTPConnectResponseError as error:
            raise DeliveryDeferred(f"the mail server is out of reach: {_said(error.code, error.message)}") from None
        except SMTPResponseException as error:
            raise _problem(error.code, error.message, login=isinstance(error, SMTPAuthenticationError)) from None
        except (SMTPNotSupported, ValueError) as error:
            raise DeliveryRejected(f"the mail server cannot send to this address: {type(error).__name__}") from None
        except TokenError as error:
            raise DeliveryDeferred(str(error)) from None
        except (SMTPException, OSError, EOFError) as error:
            raise DeliveryDeferred(f"the mail server is out of reach: {type(error).__name__}") from None
        taken.update(address for address in left if address not in refused)
        for code, text in refused.values():
            if code < 500:
                raise _problem(code, text)
        self._taken.pop(envelope.id, None)
        if (first := refused.get(envelope.recipients[0])) is not None:
            raise _problem(*first)
        if refused:
            log.warning("some of those in copy were refused", id=envelope.id, refused=len(refused))

    async def check(self) -> None:
        """Logs in and out again. Raises `ConfigurationError`."""
        server = self._server
        try:
            smtp = await self._connect()
        except SMTPAuthenticationError as error:
            raise ConfigurationError(
                f"{server.host}:{server.port} refuses the login for sending (SMTP {error.code}): "
                f"{OAUTH_FIX if server.tokens else LOGIN_FIX}"
            ) from None
        except TokenError as error:
            raise ConfigurationError(f"{error}: {OAUTH_FIX}") from None
        except (SMTPException, OSError) as error:
            raise ConfigurationError(
                f"mail cannot be sent by {server.host}:{server.port} with TLS {server.tls} ({_words(error)}): correct smtp_host, "
                "smtp_port and smtp_tls of channels.email (FRONTDESK_CHANNELS__EMAIL__SMTP_HOST)"
            ) from None
        await _quit(smtp)

    async def close(self) -> None:
        while self._idle:
            await _quit(self._idle.pop().smtp)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        async with self._free:
            smtp = await self._reusable() or await self._connect()
            try:
                yield smtp
            except SMTPResponseException:
                raise  # the server has answered, and the transaction was reset
            except BaseException:
                smtp.close()
                raise
            finally:
                if smtp.is_connected:
                    self._idle.append(_Connection(smtp, asyncio.get_running_loop().time()))

    async def _reusable(self) -> SMTP | None:
        """A connection that is still open: one that the server has given up is found out before a mail is put into it."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            last = self._idle.pop()
            if not last.smtp.is_connected:
                continue
            if now - last.used < FRESH_SECONDS:
                return last.smtp
            if now - last.used < IDLE_SECONDS:
                try:
                    await last.smtp.noop()
                except (SMTPException, OSError):
                    continue
                return last.smtp
            last.smtp.close()
        return None

    async def _connect(self) -> SMTP:
        server = self._server
        if self._context is None and server.tls != "none":
            self._context = await asyncio.to_thread(ssl.create_default_context, cafile=server.ca_file)
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password.get_secret_value() if server.user and not server.tokens else None,
            oauth_token_generator=server.tokens.get if server.tokens else None,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=self._context,
            timeout=self._timeout,
            local_hostname="[127.0.0.1]",  # as mail programs do: nobody's business, and no look-up that may take long
        )
        try:
            await smtp.connect()
        except SMTPAuthenticationError:
            if server.tokens is not None:
                server.tokens.forget()
            raise
        return smtp


async def _transaction(smtp: SMTP, envelope: Envelope, recipients: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Returns who was refused, with code and text; if it was everybody, nothing was sent."""
    encoding = "utf-8" if envelope.utf8 else "ascii"
    if smtp.is_ehlo_or_helo_needed:
        await smtp.ehlo()
    options = [f"SIZE={envelope.size}"] if smtp.supports_extension("size") else []
    if envelope.utf8:
        if not smtp.supports_extension("smtputf8"):
            raise SMTPNotSupported("SMTPUTF8")
        options.append("SMTPUTF8")
    refused: dict[str, tuple[int, str]] = {}
    try:
        await smtp.mail(envelope.sender, options=options, encoding=encoding)
        for address in recipients:
            try:
                await smtp.rcpt(address, encoding=encoding)
            except SMTPRecipientRefused as error:
                if not smtp.is_connected:  # 421: the server goes away
                    raise
                refused[address] = (error.code, error.message)
        if len(refused) < len(recipients):
            await _data(smtp, envelope.chunks())
        else:
            await smtp.rset()
    except SMTPResponseException:
        with suppress(SMTPException, OSError):
            await smtp.rset()
        raise
    return refused


async def _data(smtp: SMTP, chunks: Iterator[bytes]) -> None:
    """aiosmtplib's own `data` takes the whole mail, and copies it four times; this holds a chunk and what is in the socket.

    Raises `DeliveryUncertain` if the server is lost after it has got the whole mail and before it has said whether it takes it.
    """
    started = await smtp.execute_command(b"DATA")
    protocol, transport = smtp.protocol, smtp.transport
    if started.code != SMTPStatus.start_input:
        raise SMTPDataError(started.code, started.message)
    if protocol is None or not isinstance(transport, asyncio.WriteTransport):
        raise SMTPServerDisconnected("Connection lost")
    whole = False
    answer = asyncio.ensure_future(protocol.read_response())  # some refuse a mail before they have read it
    try:
        async with asyncio.timeout(DATA_SECONDS):
            dots = _Dots()
            while not answer.done() and (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                protocol.write(dots.stuffed(chunk))
                while transport.get_write_buffer_size() > MOST_BUFFERED and not answer.done():  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(DRAIN_SECONDS)
            if not answer.done():
                whole = True
                protocol.write(dots.end())
            response = await answer
    except (SMTPException, OSError, EOFError) as error:
        smtp.close()
        if whole:
            raise DeliveryUncertain(f"the mail server was lost while it took the mail: {type(error).__name__}") from None
        raise
    finally:
        answer.cancel()
    if not whole:
        smtp.close()  # the rest of the mail would be taken for commands
    if response.code != SMTPStatus.completed or not whole:
        raise SMTPDataError(response.code, response.message)


class _Dots:
    """Lines that begin with a dot get another one (RFC 5321, section 4.5.2), wherever the chunks are cut."""

    def __init__(self) -> None:
        self._last = b"\r\n"

    def stuffed(self, chunk: bytes) -> bytes:
        joined = (self._last + chunk).replace(b"\r\n.", b"\r\n..")
        stuffed = joined[len(self._last) :]
        self._last = (self._last + chunk)[-2:]
        return stuffed

    def end(self) -> bytes:
        return b".\r\n" if self._last == b"\r\n" else b"\r\n.\r\n"


async def _quit(smtp: SMTP) -> None:
    try:
        await smtp.quit(timeout=2)
    except (SMTPException, OSError):
        pass
    finally:
        smtp.close()


def _problem(code: int, text: str, *, login: bool = False) -> DeliveryDeferred | DeliveryRejected:
    """4xx may be tried again. So may a refused login: the password is put right, and what waits shall not be lost by then."""
    said = _said(code, text)
    if login or code in (530, 534, 535, 538):
        return DeliveryDeferred(f"the mail server refuses the login: {said}")
    return DeliveryRejected(said) if 500 <= code < 600 else DeliveryDeferred(said)


def _said(code: int, text: str) -> str:
    """The server's answer for people."""
    enhanced = f" {found[1]}" if (found := ENHANCED.match(text)) else ""
    return f"SMTP {code}{enhanced}: {without_addresses(ENHANCED.sub('', text, count=1))}"


def without_addresses(text: str) -> str:
    """What another system says, on one line, without naming anybody, and not too long."""
    words = ADDRESS.sub("<...>", IN_ANGLES.sub("<...>", text))
    return " ".join("".join(character if character.isprintable() else " " for character in words).split())[:200]


def _words(error: Exception) -> str:
    reason = error.__cause__ or error
    return getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or type(reason).__name__
