"""Sending: what is tried again and what is not, on the server in memory and on Exim."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise, repeat

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Sink
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from frontdesk.channels.email import smtp
from frontdesk.channels.email.smtp import Envelope, Mailer
from frontdesk.core.errors import ConfigurationError, DeliveryDeferred, DeliveryRejected, DeliveryUncertain
from frontdesk.core.testing.platform import until
from frontdesk.testing.mail import MailServer

from .conftest import host
from .running import ANN, BOB, BOT
from .servers import RealMail

DATA = b"From: support@shop.example\r\nSubject: hello\r\n\r\nwords\r\n.\r\n..two dots\r\n"


def an_envelope(*recipients: str, id: str = "1", data: bytes = DATA) -> Envelope:
    return Envelope(id=id, sender=BOT, recipients=recipients or (ANN,), size=len(data), chunks=lambda: iter([data]))


@pytest.fixture
async def mailer(server: MailServer) -> AsyncIterator[Mailer]:
    mailer = Mailer(host(server.smtp.port), timeout=2)
    yield mailer
    await mailer.close()


async def test_a_mail_arrives_whole_from_whom_it_is(server: MailServer, mailer: Mailer) -> None:
    await mailer.send(an_envelope())
    (received,) = server.smtp.received
    assert received.data == DATA
    assert (received.sender, received.recipients, received.user) == (BOT, (ANN,), BOT)


async def test_a_connection_is_used_again_and_no_more_are_opened_than_allowed(server: MailServer) -> None:
    mailer = Mailer(host(server.smtp.port), connections=2)
    await asyncio.gather(*(mailer.send(an_envelope(id=str(number))) for number in range(12)))
    assert len(server.smtp.received) == 12
    assert server.smtp.connections == 2
    await mailer.close()


async def test_a_connection_that_the_server_has_closed_is_replaced(
    server: MailServer, mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailer.send(an_envelope())
    monkeypatch.setattr(smtp, "FRESH_SECONDS", 0)
    server.smtp.drop()
    await mailer.send(an_envelope(id="2"))
    assert len(server.smtp.received) == 2


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data", "end"])
@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        ("451 4.7.1 <ann@home.example> later, ann@home.example", DeliveryDeferred, "SMTP 451 4.7.1: <...> later, <...>"),
        ("421 4.3.2 shutting down", DeliveryDeferred, "SMTP 421 4.3.2: shutting down"),
        ("550 5.1.1 <ann@home.example>: nobody", DeliveryRejected, "SMTP 550 5.1.1: <...>: nobody"),
        ("554 no", DeliveryRejected, "SMTP 554: no"),
        ("cut", DeliveryDeferred, "out of reach"),
    ],
)  # fmt: skip
async def test_refusals_are_told_apart(
    server: MailServer, mailer: Mailer, stage: str, answer: str, error: type[Exception], told: str
) -> None:
    server.smtp.refuse(answer, at=stage)  # type: ignore[arg-type]
    if stage == "connect":
        error = DeliveryDeferred  # the server lets nobody in: that is no word about this mail
    if answer == "cut" and stage == "end":
        error, told = DeliveryUncertain, "was lost while it took the mail"
    with pytest.raises(error) as raised:
        await mailer.send(an_envelope())
    assert told in str(raised.value)
    assert ANN not in str(raised.value)
    assert not server.smtp.received
    await mailer.send(an_envelope())
    assert len(server.smtp.received) == 1


class Discards(asyncio.Protocol):
    """A server that reads a mail without keeping it, or refuses it in the middle."""

    def __init__(self, refuse_after: int | None = None) -> None:
        self.taken = self.commands = 0
        self._refuse_after = refuse_after
        self._reading = self._refused = False
        self._last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._transport.write(b"220 mx\r\n")

    def data_received(self, data: bytes) -> None:
        if not self._reading:
            self.commands += 1
            self._reading = data.upper().startswith(b"DATA")
            self._transport.write(b"354 go on\r\n" if self._reading else b"250 mx\r\n")
            return
        self.taken += len(data)
        self._last = (self._last + data)[-5:]
        if self._refuse_after is not None and self.taken > self._refuse_after and not self._refused:
            self._refused = True
            self._transport.write(b"552 5.3.4 too big\r\n")
        elif self._last == b"\r\n.\r\n" and not self._refused:
            self._reading = False
            self._transport.write(b"250 2.0.0 taken\r\n")


@asynccontextmanager
async def discarding(**options: int) -> AsyncIterator[tuple[Mailer, list[Discards]]]:
    made: list[Discards] = []

    def factory() -> Discards:
        made.append(Discards(**options))
        return made[-1]

    serving = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    mailer = Mailer(replace(host(serving.sockets[0].getsockname()[1]), user=""))
    try:
        yield mailer, made
    finally:
        await mailer.close()
        serving.close()


def large(size: int) -> Envelope:
    line = b"a" * 76 + b"\r\n"
    chunk = line * 1000
    return Envelope(id="large", sender=BOT, recipients=(ANN,), size=size, chunks=lambda: repeat(chunk, size // len(chunk)))


async def test_a_large_mail_is_never_held_whole() -> None:
    size = 40_000_000
    async with discarding() as (mailer, made):
        await mailer.send(large(size // 100))
        tracemalloc.start()
        try:
            await mailer.send(large(size))
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()
        assert sum(server.taken for server in made) > size


async def test_a_mail_that_is_refused_in_the_middle_is_not_sent_to_its_end() -> None:
    async with discarding(refuse_after=1_000_000) as (mailer, made):
        with pytest.raises(DeliveryRejected, match=r"SMTP 552 5\.3\.4: too big"):
            await mailer.send(large(200_000_000))
        assert made[0].taken < 100_000_000
        with pytest.raises(DeliveryRejected):  # on a connection of its own: the first is in the middle of a mail
            await mailer.send(large(200_000_000))
        assert len(made) == 2


@given(st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"a", b".."]), max_size=12), st.data())
def test_dots_are_doubled_wherever_a_mail_is_cut(pieces: list[bytes], data: st.DataObject) -> None:
    mail = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(mail)), max_size=6)))
    dots = smtp._Dots()
    parts = [mail[start:end] for start, end in pairwise([0, *cuts, len(mail)])]
    sent = b"".join(dots.stuffed(part) for part in parts) + dots.end()
    assert sent.endswith(b"\r\n.\r\n") or sent == b".\r\n"
    body = sent.removesuffix(b".\r\n")
    assert (b"\r\n" + body).replace(b"\r\n..", b"\r\n.") in (b"\r\n" + mail, b"\r\n" + mail + b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + body


async def test_a_refused_login_waits_for_the_right_password(server: MailServer) -> None:
    with pytest.raises(DeliveryDeferred, match="login"):
        await Mailer(host(server.smtp.port, password="wrong")).send(an_envelope())


async def test_a_server_that_is_away_or_silent_is_waited_for(server: MailServer) -> None:
    with pytest.raises(DeliveryDeferred, match="out of reach"):
        await Mailer(host(1)).send(an_envelope())
    server.smtp.delay = 5
    with pytest.raises(DeliveryDeferred, match="out of reach"):
        await Mailer(host(server.smtp.port), timeout=0.1).send(an_envelope())


async def test_a_send_that_is_given_up_leaves_no_connection_in_the_middle(server: MailServer, mailer: Mailer) -> None:
    await mailer.send(an_envelope())
    server.smtp.delay = 0.5
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mailer.send(an_envelope(id="2")), 0.1)
    server.smtp.delay = 0
    await mailer.send(an_envelope(id="3"))
    assert [len(server.smtp.received), server.smtp.connections] == [2, 2]


async def test_who_has_it_does_not_get_it_again(server: MailServer, mailer: Mailer) -> None:
    server.smtp.refuse("451 later", recipient=BOB)
    with pytest.raises(DeliveryDeferred):
        await mailer.send(an_envelope(ANN, BOB))
    await mailer.send(an_envelope(ANN, BOB))
    assert [received.recipients for received in server.smtp.received] == [(ANN,), (BOB,)]


async def test_a_refused_copy_is_no_refused_mail(server: MailServer, mailer: Mailer) -> None:
    with capture_logs() as logs:
        await mailer.send(an_envelope(ANN, "nobody@home.example"))
    assert [received.recipients for received in server.smtp.received] == [(ANN,)]
    assert "nobody" not in str(logs)
    with pytest.raises(DeliveryRejected, match=r"5\.1\.1"):
        await mailer.send(an_envelope("nobody@home.example", ANN, id="2"))


@pytest.mark.parametrize(
    "recipient", ["ann@home.example>\r\nRCPT TO:<bob@home.example", "jürgen@home.example", "ann\0@home.example"]
)
async def test_an_address_that_cannot_be_sent_to_is_a_no(server: MailServer, mailer: Mailer, recipient: str) -> None:
    with pytest.raises(DeliveryRejected):
        await mailer.send(an_envelope(recipient))
    assert not server.smtp.received


async def test_ten_thousand_recipients_are_no_problem(server: MailServer, mailer: Mailer) -> None:
    await mailer.send(an_envelope(ANN, *(f"support+{number}@shop.example" for number in range(10_000))))
    assert len(server.smtp.received[0].recipients) == 10_001


async def test_the_check_names_the_setting(server: MailServer, mailer: Mailer) -> None:
    await mailer.check()
    for wrong in (host(server.smtp.port, password="wrong"), host(1), host(server.smtp.port, tls="starttls")):
        with pytest.raises(ConfigurationError, match="FRONTDESK_CHANNELS__EMAIL__"):
            await Mailer(wrong, timeout=2).check()


async def test_aiosmtpd_takes_it() -> None:
    class Keeps(Sink):
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            self.data = envelope.content  # type: ignore[attr-defined]
            return "250 OK"

    keeps = Keeps()
    controller = UnthreadedController(keeps, "127.0.0.1", 0, loop=asyncio.get_running_loop())
    serving = await controller._create_server()
    mailer = Mailer(replace(host(serving.sockets[0].getsockname()[1]), user=""))
    try:
        await mailer.send(an_envelope())
        assert keeps.data == DATA
    finally:
        await mailer.close()
        serving.close()


async def test_exim_takes_it_over_tls_and_its_refusals_are_told_apart(real: RealMail) -> None:
    mailer = Mailer(host(real.smtp_port, tls="starttls", ca_file=real.certificate))
    await mailer.check()
    await mailer.send(an_envelope())

    async def arrived() -> bool:
        return any(b"..two dots" in mail for mail in await asyncio.to_thread(real.mails, ANN))

    await until(arrived)
    await mailer.send(large(6_000_000))

    async def arrived_whole() -> bool:
        return any(mail.count(b"a" * 76) == 6_000_000 // 78_000 * 1000 for mail in await asyncio.to_thread(real.mails, ANN))

    await until(arrived_whole)
    with pytest.raises(DeliveryRejected, match="SMTP 550"):
        await mailer.send(an_envelope("nobody@home.example"))
    with pytest.raises(DeliveryDeferred, match=r"SMTP 451 4\.7\.1"):
        await mailer.send(an_envelope("later@home.example"))
    with pytest.raises(ConfigurationError, match="self-signed"):
        await Mailer(host(real.smtp_port, tls="starttls")).check()
    with pytest.raises(ConfigurationError, match="refuses the login"):
        await Mailer(host(real.smtp_port, tls="starttls", ca_file=real.certificate, password="wrong")).check()
    await mailer.close()
