"""Mails are led to their conversation by what we signed and by references, never by a subject, and nobody into another's."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.email.mime import read
from frontdesk.channels.email.parse import parse
from frontdesk.channels.email.threads import Threads, message_key, references, trimmed

SHOP, SALES = "support@shop.example", "sales@shop.example"
ANN, EVE = "ann@home.example", "eve@home.example"
KEY = b"k" * 32
THREADS = Threads(KEY, [SHOP, SALES])


def conversation(
    headers: str = "", *, sender: str = ANN, mailbox: str = SHOP, subject: str = "Hello", id: str = "<1@home>"
) -> str:
    mail = read(f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: {id}\r\n{headers}\r\nhello\r\n".encode())
    incoming = parse(mail, mailbox=mailbox, threads=THREADS, trusted=("mx",), own={SHOP, SALES}, now=datetime.now(UTC))
    return incoming.message.conversation


def ours(conversation: str, *participants: str, id: str = "outgoing-1") -> str:
    return THREADS.outgoing_id(id, conversation=conversation, participants=participants or (ANN,), domain="shop.example")


FIRST = conversation()


def test_a_conversation_names_its_mailbox_and_no_person() -> None:
    assert FIRST.startswith(f"email:{SHOP}:")
    assert ANN not in FIRST


def test_the_same_subject_leads_nowhere() -> None:
    assert conversation(id="<2@home>") != FIRST
    assert conversation(id="<2@home>", subject="Re: Hello") != FIRST


@pytest.mark.parametrize("header", ["In-Reply-To: {}\r\n", "References: <x@y> {} <z@y>\r\n", "In-Reply-To: Your mail {}\r\n"])
def test_an_answer_to_our_mail_goes_on(header: str) -> None:
    assert conversation(header.format(ours(FIRST)), id="<2@home>") == FIRST


def test_an_answer_in_another_mailbox_goes_on() -> None:
    assert conversation(f"In-Reply-To: {ours(FIRST)}\r\n", mailbox=SALES, id="<2@home>") == FIRST


def test_an_answer_whose_message_id_has_lost_its_case_goes_on() -> None:
    assert conversation(f"In-Reply-To: {ours(FIRST).upper()}\r\n", id="<2@home>") == FIRST


def test_who_was_forwarded_our_mail_begins_a_conversation_of_their_own() -> None:
    theirs = conversation(f"In-Reply-To: {ours(FIRST)}\r\nReferences: <1@home> {ours(FIRST)}\r\n", sender=EVE, id="<9@evil>")
    assert theirs != FIRST
    again = conversation(f"References: <1@home> {ours(FIRST)} <9@evil>\r\n", sender=EVE, id="<10@evil>")
    assert again == theirs


def test_both_addresses_of_a_customer_may_answer() -> None:
    id = ours(FIRST, ANN, "ann@work.example")
    for address in (ANN, "ann@work.example", "Ann <ANN@Work.Example>"):
        assert conversation(f"In-Reply-To: {id}\r\n", sender=address, id="<2@home>") == FIRST
    assert conversation(f"In-Reply-To: {id}\r\n", sender=EVE, id="<2@home>") != FIRST


def test_who_pretends_to_be_the_customer_begins_another_conversation() -> None:
    failed = "Authentication-Results: mx; dmarc=fail header.from=home.example\r\n"
    assert conversation(f"{failed}In-Reply-To: {ours(FIRST)}\r\n", id="<2@home>") != FIRST
    assert conversation(f"From: {EVE}\r\nIn-Reply-To: {ours(FIRST)}\r\n", id="<2@home>") != FIRST


def test_a_second_mail_before_our_answer_goes_on() -> None:
    assert conversation("In-Reply-To: <1@home>\r\nReferences: <1@home>\r\n", id="<2@home>") == FIRST
    assert conversation("References: <1@home>\r\n <2@home>\r\n", id="<3@home>") == FIRST
    assert conversation("References: <1@home>\r\n", sender=EVE, id="<2@evil>") != FIRST


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_a_token_in_the_address_leads_back(header: str) -> None:
    address = THREADS.reply_address(SHOP, conversation=FIRST, participant=ANN)
    assert address.startswith("support+")
    assert len(address.partition("@")[0]) <= 64
    assert conversation(f"{header}: Shop <{address.upper()}>\r\n", id="<2@home>") == FIRST
    assert conversation(f"{header}: {address}\r\n", mailbox=SALES, id="<2@home>") == FIRST
    assert conversation(f"{header}: {address}\r\n", sender=EVE, id="<2@evil>") != FIRST


def test_an_address_without_room_for_a_token_stays() -> None:
    long = f"{'a' * 40}@shop.example"
    assert THREADS.reply_address(long, conversation=FIRST, participant=ANN) == long


@given(st.integers(0, 60), st.sampled_from("abc234567."))
def test_a_changed_id_is_not_ours(place: int, letter: str) -> None:
    id = ours(FIRST)
    local = id[1:].partition("@")[0]
    if place < len(local) and local[place] != letter:
        assert THREADS.sent(f"<{local[:place]}{letter}{local[place + 1 :]}@shop.example>") is None


def test_our_ids() -> None:
    id = ours(FIRST)
    assert THREADS.sent(id) == FIRST
    assert ours(FIRST) == id
    assert ours(FIRST, id="outgoing-2") != id
    assert len(ours(FIRST, ANN, EVE)) < 120
    assert Threads(b"x" * 32, [SHOP]).sent(id) is None
    assert Threads(KEY, [SALES]).sent(id) is None
    for other in ("", "<1@home>", "junk", "<a.b.c.d@e>"):
        assert THREADS.sent(other) is None


def test_references_are_trimmed_in_the_middle() -> None:
    ids = [f"<{number}@home>" for number in range(50)]
    assert trimmed(ids[:5]) == tuple(ids[:5])
    assert trimmed(ids) == (ids[0], *ids[-11:])
    mail = read(f"From: a@home\r\nIn-Reply-To: <1@home>\r\nReferences: {' '.join(ids)} junk <broken\r\n\r\n".encode())
    assert references(mail)[:3] == ["<1@home>", "<49@home>", "<48@home>"]


MAIL = (
    "Received: from b by mx.shop.example; Sat, 7 Mar 2026 10:00:01 +0000\r\n"
    "Received: from a by b; Sat, 7 Mar 2026 10:00:00 +0000\r\n"
    "From: Ann <ann@home.example>\r\nSubject: Hello\r\nDate: Sat, 7 Mar 2026 10:00:00 +0000\r\n{id}"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b\r\nContent-Type: image/png\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nQUJDREVGR0hJ\r\n--b--\r\n"
)


def key(*, id: str = "Message-ID: <1@home>\r\n", text: str = "hello", change: tuple[str, str] = ("", "")) -> str:
    return message_key(read(MAIL.format(id=id, text=text).replace(*change).encode()))


@pytest.mark.parametrize("id", ["Message-ID: <1@home>\r\n", "Message-ID: no-brackets@home\r\n", "Message-ID: <>\r\n", ""])
def test_copies_of_a_mail_are_one(id: str) -> None:
    assert key(id=id) == key(id=id)
    assert key(id=id) == key(id=id, change=("mx.shop.example", "mx2.shop.example"))
    assert key(id=id) == key(id=id, change=("Subject:", "Delivered-To: sales@shop.example\r\nX-Spam: no\r\nSubject:"))
    assert key(id=id) == key(id=id, change=("QUJDREVGR0hJ", "QUJDREVG\r\nR0hJ"))
    assert key(id=id) == key(id=id, change=("\r\n", "\n"))


def test_another_content_is_another_mail() -> None:
    assert key() != key(text="hello again")
    assert key() != key(change=("QUJDREVGR0hJ", "QUJDREVGR0hK"))
    assert key() != key(id="Message-ID: <2@home>\r\n")
    assert key() != key(change=("ann@home", "bob@home"))


def test_without_a_message_id_the_first_server_tells_mails_apart() -> None:
    assert key(id="") != key(id="", change=("from a by b; Sat, 7 Mar 2026 10:00:00", "from a by b; Sun, 8 Mar 2026 10:00:00"))
    assert key(id="") != key(id="", change=("Date: Sat, 7", "Date: Sat, 14"))
