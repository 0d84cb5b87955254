"""The mail server in memory, spoken to by the clients of the standard library. That it serves ours is shown in channels/email."""

import asyncio
import imaplib
import shutil
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from frontdesk.testing.mail import MailServer

ANN, BOT = "ann@home.example", "bot@shop.example"
MAIL = "Subject: Grüße\r\nFrom: ann@home.example\r\n\r\n.one dot\r\n".encode()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer({ANN: "a", BOT: "b"}) as server:
        yield server


def send(server: MailServer, to: str = BOT, data: bytes = MAIL) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp.port) as client:
        client.login(ANN, "a")
        client.sendmail(ANN, [to], data)


def inbox(server: MailServer) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", server.imap.port)
    client.login(BOT, "b")
    client.select()
    return client


async def test_what_is_sent_is_read_by_imap(server: MailServer) -> None:
    def work() -> None:
        send(server, "bot+token@shop.example")
        with inbox(server) as client:
            assert client.uid("search", None, "UNSEEN")[1] == [b"1"]  # type: ignore[arg-type]
            head, data = client.uid("fetch", "1", "(RFC822.SIZE BODY.PEEK[])")[1][0]  # type: ignore[misc]
            assert data.endswith(MAIL)
            assert data.startswith(b"Return-Path: <ann@home.example>\r\nReceived: ")
            assert b"RFC822.SIZE %d " % len(data) in head
            assert client.uid("search", None, "UNSEEN")[1] == [b"1"]  # type: ignore[arg-type]
            client.fetch("1", "(RFC822)")
            assert client.fetch("1", "(BODY[HEADER.FIELDS (Subject)])")[1][0][1] == "Subject: Grüße\r\n\r\n".encode()  # type: ignore[index]
            assert client.fetch("1", "(BODY.PEEK[TEXT]<1.3>)")[1][0][1] == b"one"  # type: ignore[index]
            client.uid("store", "1", "+FLAGS", r"(\Seen \Flagged)")
            assert client.search(None, "UNSEEN")[1] == [b""]
            assert client.search(None, "FLAGGED", "SINCE", "1-Jan-2020", "NOT", "DELETED", "FROM", "ann@")[1] == [b"1"]

    await asyncio.to_thread(work)
    assert server.inbox(BOT).mails[0].flags == {r"\Seen", r"\Flagged"}


async def test_folders_copies_moves_and_expunges(server: MailServer) -> None:
    for number in range(4):
        server.deliver(b"Subject: %d\r\n\r\n" % number, BOT)

    def work() -> None:
        with inbox(server) as client:
            assert client.create("Done")[0] == "OK"
            assert client.uid("copy", "1", "Done")[0] == "OK"
            assert client.uid("move", "2:3", "Done")[0] == "OK"
            assert client.uid("move", "1", "Nowhere")[0] == "NO"
            assert client.append("Done", r"(\Seen)", "", MAIL)[0] == "OK"
            client.store("1", "+FLAGS", r"(\Deleted)")
            assert client.expunge()[1] == [b"3", b"2", b"1"], "the two that were moved away, and this one"
            assert client.list()[1] == [b'() "/" "INBOX"', b'() "/" "Done"']
            assert client.status("Done", "(MESSAGES UNSEEN)")[1] == [b'"Done" (MESSAGES 4 UNSEEN 3)']

    await asyncio.to_thread(work)
    assert [mail.uid for mail in server.inbox(BOT).mails] == [4]
    assert server.accounts[BOT].folders["Done"].mails[-1].data == MAIL


async def test_refusals(server: MailServer) -> None:
    def work() -> None:
        with pytest.raises(imaplib.IMAP4.error):
            imaplib.IMAP4("127.0.0.1", server.imap.port).login(BOT, "wrong")
        with pytest.raises(smtplib.SMTPAuthenticationError), smtplib.SMTP("127.0.0.1", server.smtp.port) as client:
            client.login(BOT, "wrong")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(server, "nobody@shop.example")
        server.smtp.refuse("452 4.2.2 full", at="data")
        with pytest.raises(smtplib.SMTPDataError):
            send(server)
        send(server)

    await asyncio.to_thread(work)
    assert len(server.inbox(BOT).mails) == 1


async def test_everybody_can_have_a_mailbox(server: MailServer) -> None:
    async with MailServer({ANN: "a"}, everybody=True) as open_house:
        await asyncio.to_thread(send, open_house, "bob@elsewhere.example")
        assert len(open_house.inbox("bob@elsewhere.example").mails) == 1
        assert open_house.log_in("bob@elsewhere.example", "") is None


@pytest.mark.parametrize("implicit", [True, False])
async def test_tls(certificate: tuple[Path, Path], implicit: bool) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])

    def work() -> None:
        if implicit:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL("localhost", server.smtp.port, context=trusting)
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", server.imap.port, ssl_context=trusting)
        else:
            smtp, imap = smtplib.SMTP("localhost", server.smtp.port), imaplib.IMAP4("localhost", server.imap.port)
            smtp.starttls(context=trusting)
            imap.starttls(trusting)
        with smtp, imap:
            smtp.sendmail(ANN, [BOT], MAIL)
            imap.login(BOT, "b")
            assert imap.select()[1] == [b"1"]

    async with MailServer({BOT: "b"}, tls=context, implicit_tls=implicit) as server:
        await asyncio.to_thread(work)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
