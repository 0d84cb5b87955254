"""What a mail that begins a conversation says beside its new text: its subject, and the mail that it forwards."""

from datetime import UTC, datetime

import pytest

from frontdesk.channels.email.mime import read
from frontdesk.channels.email.parse import original, parse
from frontdesk.channels.email.threads import Threads
from frontdesk.core.messages import ImagePart, Message, TextPart

SHOP, ANN = "support@shop.example", "ann@home.example"
THREADS = Threads(b"k" * 32, [SHOP])
GMAIL = "---------- Forwarded message ---------\nFrom: Bank <info@bank.example>\nDate: Mon, Mar 2, 2026 at 10:00 AM\n"
GMAIL += "Subject: Invoice\nTo: Ann <ann@home.example>\n\nPlease pay 100 EUR."
OUTLOOK = "Von: Bank <info@bank.example>\nGesendet: Montag, 2. März 2026 10:00\nAn: Ann\nBetreff: Rechnung\n\nBitte zahlen Sie."
APPLE = "Anfang der weitergeleiteten Nachricht:\n\n" + OUTLOOK.replace("Gesendet", "Datum")


def message(text: str = "hello", *, subject: str = "Question", headers: str = "", kind: str = "text/plain") -> Message:
    head = f"From: Ann <{ANN}>\nTo: {SHOP}\nSubject: {subject}\nMessage-ID: <1@home.example>\n{headers}"
    mail = read(f"{head}Content-Type: {kind}; charset=utf-8\n\n{text}\n".encode())
    return parse(mail, mailbox=SHOP, threads=THREADS, trusted=("mx",), own={SHOP}, now=datetime.now(UTC)).message


def said(message: Message) -> list[str]:
    return [part.text for part in message.parts if isinstance(part, TextPart)]


def ours() -> str:
    return THREADS.outgoing_id("1", conversation=message().conversation, participants=[ANN], domain="shop.example")


@pytest.mark.parametrize(
    ("subject", "headers", "text"),
    [
        ("Order 4711", "", "Order 4711\n\nhello"),
        ("Re: Order 4711", "", "Order 4711\n\nhello"),  # many write "Re:" for "about"
        ("Re: Order 4711 was shipped", "In-Reply-To: <1@orders.example>\n", "Order 4711 was shipped\n\nhello"),
        ("Re: Our newsletter", "In-Reply-To: <1@orders.example>\n", "hello"),
        ("Re: Order 4711", "In-Reply-To: {ours}\n", "hello"),
    ],
)
def test_the_subject_is_kept_where_it_may_tell_something_new(subject: str, headers: str, text: str) -> None:
    assert message(subject=subject, headers=headers.format(ours=ours())).text == text


@pytest.mark.parametrize(
    ("subject", "forwarded"), [("Fwd: Invoice", GMAIL), ("Invoice", GMAIL), ("WG: Rechnung", OUTLOOK), ("Rechnung", APPLE)]
)
def test_a_mail_that_is_forwarded_with_a_question_is_not_lost(subject: str, forwarded: str) -> None:
    new, shown = said(message(f"Is this from you?\n\n{forwarded}", subject=subject))
    assert new.endswith("Is this from you?")
    assert shown == forwarded


def test_a_mail_that_is_forwarded_without_a_word_is_shown_once() -> None:
    (text,) = said(message(GMAIL, subject="Fwd: Invoice"))
    assert text.count("Please pay") == 1


def test_a_forwarded_page_is_not_lost_and_keeps_its_pictures() -> None:
    page = "<div>Is this from you?</div><div class=gmail_quote>---------- Forwarded message ---------<br>From: Bank "
    page += "&lt;info@bank.example&gt;<br>Subject: Invoice<br><br>Please pay 100 EUR. <img src=cid:logo></div>"
    parts = f"--b\nContent-Type: text/html\n\n{page}\n--b\nContent-Type: image/png\nContent-ID: <logo>\n\nPNG\n--b--"
    found = message(parts, subject="Fwd: Invoice", kind="multipart/related; boundary=b")
    assert found.text.count("Is this from you?") == found.text.count("Please pay 100 EUR.") == 1
    assert [type(part) for part in found.parts][-1] is ImagePart


def test_a_quote_is_not_taken_for_a_forwarded_mail() -> None:
    quote = f"Thanks!\n\n{OUTLOOK}"
    assert said(message(quote, subject="AW: Rechnung", headers="In-Reply-To: <1@bank.example>\n")) == ["Thanks!"]
    assert said(message(quote, subject="WG: Rechnung", headers=f"References: {ours()}\n")) == ["Thanks!"]


def test_a_message_id_that_no_header_can_hold_is_not_referred_to() -> None:
    ids = f"Message-ID: <\u00fc@home.example>\nReferences: <\u00e4@b> <{'x' * 300}@c> <d@e>\n"
    mail = read(f"From: {ANN}\n{ids}\nhello\n".encode())
    kept = original(parse(mail, mailbox=SHOP, threads=THREADS, trusted=(), own=(), now=datetime.now(UTC)).message)
    assert kept is not None
    assert (kept.message_id, kept.references) == ("", ("<d@e>",))
