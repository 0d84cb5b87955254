"""Replies as mails: both forms, headers that keep threads, nothing smuggled in, and the same bytes at every try."""

import base64
import html as entities
import random
import re
import tracemalloc
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.channels.email.mime import read
from frontdesk.channels.email.parse import original, parse
from frontdesk.channels.email.phrases import CHOOSE, CORRECTION, SUBJECT, WROTE
from frontdesk.channels.email.render import Sender, Written, render
from frontdesk.channels.email.reply_text import new_html, new_text
from frontdesk.channels.email.threads import Threads
from frontdesk.core.errors import DeliveryRejected
from frontdesk.core.messages import Attachment, Choice, Contact, Message, Outgoing, Source
from frontdesk.core.plaintext import plain
from frontdesk.core.testing.platform import MARKDOWN

SHOP = "support@shop.example"
SENDER = Sender(address=SHOP, name="Shop support", domain="shop.example")
THREADS = Threads(b"k" * 32, [SHOP])
AT = datetime(2026, 3, 7, 12, tzinfo=UTC)
OUTLOOK = "<DB7PR04MB5178A1B2C3D4E5F60718293A4B5C6D7E8F9@DB7PR04MB5178.eurprd04.prod.outlook.example.com>"


ANN = "Ann <ann@home.example>"


def a_mail(headers: str = "", text: str = "Where is it?", *, sender: str = ANN, subject: str = "Lamp") -> Message:
    head = f"From: {sender}\r\nTo: {SHOP}\r\nSubject: {subject}\r\nMessage-ID: <1@home.example>\r\n"
    mail = read(f"{head}Date: Sat, 7 Mar 2026 11:30:00 +0100\r\n{headers}\r\n{text}\r\n".encode())
    return parse(mail, mailbox=SHOP, threads=THREADS, trusted=("mx",), own={SHOP}, now=AT).message


def a_reply(text: str = "On its way.", *, to: Message | None = None, sender: Sender = SENDER, **fields: Any) -> Written:
    answered = to or a_mail()
    files = fields.pop("files", {})
    fields = {"id": "outgoing-1", "at": AT, "conversation": answered.conversation, "contact": answered.contact, **fields}
    return render(Outgoing(channel="email", text=text, **fields), sender=sender, threads=THREADS, answered=answered, files=files)


def data_of(mail: Written) -> bytes:
    data = b"".join(mail.chunks())
    assert mail.size == len(data)
    return data


def sent(mail: Written) -> EmailMessage:
    """As the other side reads it, by another parser than ours."""
    data = data_of(mail)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    received = message_from_bytes(data, policy=policy.default)
    assert isinstance(received, EmailMessage)
    assert not received.defects
    return received


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def test_the_headers_of_an_answer() -> None:
    mail = sent(a_reply(language="de"))
    assert mail["From"] == "Shop support <support@shop.example>"
    assert mail["To"] == "Ann <ann@home.example>"
    assert mail["Subject"] == "Re: Lamp"
    assert mail["Date"] == "Sat, 07 Mar 2026 12:00:00 +0000"
    assert mail["In-Reply-To"] == mail["References"] == "<1@home.example>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "OOF" in mail["X-Auto-Response-Suppress"]
    assert mail["Content-Language"] == "de"
    assert THREADS.sent(mail["Message-ID"]) == a_mail().conversation
    assert mail.get_content_type() == "multipart/alternative"


def test_the_answer_to_the_answer_comes_back() -> None:
    mail = sent(a_reply())
    for headers in (f"In-Reply-To: {mail['Message-ID']}\r\n", f"To: {mail['Reply-To']}\r\n"):
        assert (
            a_mail(headers.replace("To:", "Cc:") if headers.startswith("To") else headers).conversation == a_mail().conversation
        )
    assert mail["Reply-To"].addresses[0].addr_spec.startswith("support+")
    assert sent(a_reply(sender=Sender(address=SHOP, name="", domain="shop.example", plus=False)))["Reply-To"] is None


def test_an_agent_writes_under_their_name() -> None:
    mail = sent(a_reply(author="agent:Bo Berg"))
    assert mail["From"] == '"Bo Berg (Shop support)" <support@shop.example>'
    assert mail["Auto-Submitted"] is None


def test_both_forms_leak_no_markup() -> None:
    mail = sent(a_reply(MARKDOWN))
    text, html = text_of(mail), text_of(mail, "html")
    shown = entities.unescape(re.sub(r"<[^>]*>", "", html))
    for words in ("Opening hours", "first item", "a quotation", "Mon | 9-17", 'print("a & b")', "3 * 4 * 5 = 60", "<b>tag</b>"):
        assert words in text
    for markup in ("**", "~~", "](", "## ", "&lt;", "```python"):
        assert markup not in text
        assert markup not in shown
    for tag in ("<strong>open</strong>", "<li>second item</li>", '<table border="1"', "&lt;b&gt;tag&lt;/b&gt;", "<pre style"):
        assert tag in html
    assert "<b>" not in html


@pytest.mark.parametrize("language", ["en", "de", "ar", "he", "zh-TW", ""])
def test_language_and_direction(language: str) -> None:
    html = text_of(sent(a_reply(language=language or None)), "html")
    assert f'<html lang="{language or "en"}" dir="{"rtl" if language in ("ar", "he") else "ltr"}">' in html


def test_scripts_and_styles_are_taken_out() -> None:
    html = text_of(
        sent(a_reply("<script>x</script> [a](javascript:alert(1)) ![p](data:image/png;base64,AA) <img src=x onerror=y>")), "html"
    )
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert 'src="data' not in html
    assert "<img src=x" not in html


def test_choices_are_numbered_and_sources_named() -> None:
    choices = (Choice("Dark *red*", "red"), Choice("1. Blue\nor so", "blue"))
    mail = sent(a_reply("Which?", choices=choices, sources=(Source(title="FAQ", url="https://shop.example/faq"),)))
    assert "Which?\n\n1. Dark *red*\n2. 1. Blue or so\n" in text_of(mail)
    assert CHOOSE["en"] in text_of(mail)
    assert "Source: FAQ (https://shop.example/faq)" in text_of(mail)
    assert "<li>Dark *red*</li>" in text_of(mail, "html")


def test_a_correction_says_so() -> None:
    assert text_of(sent(a_reply("Better.", replaces="outgoing-0"))).startswith(f"{CORRECTION['en']}\n\nBetter.")


def test_the_customers_mail_is_quoted() -> None:
    mail = sent(a_reply(to=a_mail(text="Where is it?\r\n> older\r\n\r\n<b>x</b> & y")))
    assert "\n\nOn 2026-03-07 11:30, Ann wrote:\n> Where is it?\n>> older\n>\n> <b>x</b> & y\n" in text_of(mail)
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in text_of(mail, "html")


def test_a_mail_without_a_date_is_quoted_with_its_arrival() -> None:
    data = f"From: {ANN}\r\nSubject: Lamp\r\n\r\nWhere is it?\r\n".encode()
    answered = parse(read(data), mailbox=SHOP, threads=THREADS, trusted=(), own={SHOP}, now=AT).message
    assert "On 2026-03-07 12:00, Ann wrote:\n> Where is it?" in text_of(sent(a_reply(to=answered)))


def test_a_long_mail_is_quoted_in_part() -> None:
    mail = sent(a_reply(to=a_mail(text="word\r\n" * 5000)))
    assert text_of(mail).count("> word") == 150
    assert "> […]" in text_of(mail)
    assert len(text_of(sent(a_reply(to=a_mail(text="word " * 5000))))) < 10_000


@pytest.mark.parametrize("language", list(WROTE))
def test_our_own_quotes_are_known_as_quotes(language: str) -> None:
    mail = sent(a_reply("On its way.", language=language))
    assert new_text(text_of(mail)).text == "On its way."
    assert "Where is it?" not in new_html(text_of(mail, "html"))


def test_phrases_are_there_in_the_same_languages() -> None:
    assert set(WROTE) == set(CHOOSE) == set(CORRECTION) == set(SUBJECT)


LONG = "Grüße aus München, das ist ein sehr langer Betreff aus vielen Wörtern, die größtenteils überflüssig sind"
SMUGGLED = "x\r\nBcc: all@home.example\r\n\r\nbody"


def test_nothing_is_smuggled_into_a_header() -> None:
    customer = Contact(id="ann@home.example", name=SMUGGLED, email="ann@home.example")
    answered = a_mail(
        sender="=?utf-8?Q?x=0D=0ABcc:_all@home.example?= <ann@home.example>", subject="=?utf-8?Q?x=0D=0ABcc:_y@z.example?="
    )
    attachment = Attachment(id="a", name=SMUGGLED, media_type=f"text/plain\r\n{SMUGGLED}", size=1)
    sender = Sender(address=SHOP, name=SMUGGLED, domain="shop.example")
    mail = a_reply(
        to=answered, contact=customer, sender=sender, author=f"agent:{SMUGGLED}", language=SMUGGLED,
        attachments=(attachment,), files={"a": Path(__file__)},
    )  # fmt: skip
    received = sent(mail)
    assert received["Bcc"] is None
    assert received["To"].addresses[0].addr_spec == "ann@home.example"
    assert len(received["To"].addresses) == 1
    assert received["Content-Language"] is None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.text(max_size=60), st.text(max_size=200))
def test_any_words_make_a_mail(subject: str, name: str, text: str) -> None:
    answered = a_mail()
    kept = original(answered)
    assert kept is not None
    mail = a_reply(text, sender=Sender(address=SHOP, name=name, domain="shop.example"), author=f"agent:{subject}", language="en")
    data = data_of(mail)
    received = message_from_bytes(data, policy=policy.default)
    assert received["To"].addresses[0].addr_spec == "ann@home.example"
    assert received["From"].addresses[0].addr_spec == SHOP
    assert len(received.keys()) == len(set(map(str.lower, received.keys())))


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Lamp", "Re: Lamp"),
        ("AW: Re: Lamp", "Re: Lamp"),
        ("回复：灯", "Re: 灯"),
        (LONG, f"Re: {LONG}"),
        ("", "Re: Your message"),
        ("Re:", "Re: Your message"),
        ("x" * 500, f"Re: {'x' * 200}"),
    ],
)
def test_subjects_are_not_stacked(subject: str, answer: str) -> None:
    assert sent(a_reply(to=a_mail(subject=subject)))["Subject"] == answer


def test_long_message_ids_stay_whole() -> None:
    answered = a_mail(f"References: {' '.join([OUTLOOK] * 3)} <2@home.example>\r\n")
    data = data_of(a_reply(to=answered)).decode()
    assert f"References: {OUTLOOK}\r\n <2@home.example>\r\n <1@home.example>\r\n" in data


def test_attachments_go_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello w\xc3\xb6rld")
    kinds = ["text/plain", "image/png", "message/rfc822", "multipart/mixed", "nonsense", "application/pdf"]
    attachments = tuple(
        Attachment(id="a", name=f"grüße {index}{' lang' * 20}.txt", media_type=kind, size=12) for index, kind in enumerate(kinds)
    )
    mail = sent(a_reply(attachments=attachments, files={"a": tmp_path / "a"}))
    found = list(mail.iter_attachments())
    assert [part.get_filename() for part in found] == [attachment.name for attachment in attachments]
    assert {part.get_payload(decode=True) for part in found} == {b"hello w\xc3\xb6rld"}
    assert [part.get_content_type() for part in found[:3]] == ["text/plain", "image/png", "application/octet-stream"]


def test_the_same_reply_is_the_same_mail(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    fields: dict[str, Any] = {"attachments": (Attachment(id="a", name="a", media_type="text/plain", size=1),)}
    fields["files"] = {"a": tmp_path / "a"}
    assert data_of(a_reply(**fields)) == data_of(a_reply(**fields))
    assert data_of(a_reply(**fields, id="outgoing-2")) != data_of(a_reply(**fields))


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 57 * 1000 - 1, 57 * 1000, 57 * 1000 + 1, 200_000])
def test_attachments_are_encoded_as_the_standard_library_does_it(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(content)
    attachment = Attachment(id="a", name="a.bin", media_type="application/x-a", size=size)
    found = data_of(a_reply(attachments=(attachment,), files={"a": tmp_path / "a"}))
    (part,) = message_from_bytes(found, policy=policy.default).iter_attachments()
    assert part.get_payload().split() == base64.encodebytes(content).decode().split()
    assert part.get_payload(decode=True) == content


def test_of_an_attachment_only_a_piece_is_held(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    attachment = Attachment(id="a", name="a.bin", media_type="application/x-a", size=32 * 1024 * 1024)
    tracemalloc.start()
    try:
        mail = a_reply(attachments=(attachment,), files={"a": tmp_path / "a"})
        assert sum(map(len, mail.chunks())) == mail.size > 43_000_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("headers", "to"),
    [
        ("Reply-To: ann+shop@home.example\r\n", "ann+shop@home.example"),
        ("Reply-To: eve@home.example\r\n", "ann@home.example"),
        ("Reply-To: ann@work.example\r\n", "ann@home.example"),
        ("Authentication-Results: mx; dmarc=pass header.from=home.example\r\nReply-To: ann@work.example\r\n", "ann@work.example"),
        ("Authentication-Results: mx; dmarc=fail header.from=home.example\r\nReply-To: ann@work.example\r\n", "ann@home.example"),
        (f"Reply-To: {SHOP}\r\n", "ann@home.example"),
        ("Reply-To: list@home.example\r\nList-Id: <list.home.example>\r\n", "ann@home.example"),
        ("Reply-To: <>\r\n", "ann@home.example"),
    ],
)
def test_where_an_answer_goes(headers: str, to: str) -> None:
    assert sent(a_reply(to=a_mail(headers)))["To"].addresses[0].addr_spec == to


def test_who_forges_a_sender_sends_nobody_their_words_through_us() -> None:
    failed = "Authentication-Results: mx; dmarc=fail header.from=home.example\r\n"
    mail = sent(a_reply(to=a_mail(failed, text="Buy this")))
    assert mail["To"] == "Ann <ann@home.example>"
    assert "Buy this" not in text_of(mail) + text_of(mail, "html")
    assert "Buy this" in text_of(sent(a_reply(to=a_mail(text="Buy this"))))


@pytest.mark.parametrize("sender", [SHOP, "Shop <SUPPORT+abc@shop.example>"])
def test_we_do_not_write_to_ourselves(sender: str) -> None:
    with pytest.raises(DeliveryRejected):
        a_reply(to=a_mail(sender=sender))


def test_a_reply_without_a_mail_goes_to_the_contact() -> None:
    contact = Contact(id="ann@home.example", email="ann@home.example")
    outgoing = Outgoing(id="1", channel="email", conversation=f"email:{SHOP}:{'a' * 16}", contact=contact, text="Hello", at=AT)
    mail = sent(render(outgoing, sender=SENDER, threads=THREADS, answered=None, files={}))
    assert (mail["To"], mail["Subject"], mail["In-Reply-To"]) == ("ann@home.example", "Your message", None)
    nobody = Outgoing(id="1", channel="email", conversation=outgoing.conversation, contact=Contact(id="x"), text="", at=AT)
    with pytest.raises(DeliveryRejected):
        render(nobody, sender=SENDER, threads=THREADS, answered=None, files={})


def test_addresses_beyond_ascii_need_smtputf8() -> None:
    assert not a_reply(to=a_mail(sender="Bücher <a@bücher.example>")).utf8
    assert sent(a_reply(to=a_mail(sender="Bücher <a@bücher.example>")))["To"].addresses[0].domain == "xn--bcher-kva.example"
    mail = a_reply(to=a_mail(sender="用户 <用户@home.example>", subject="灯"))
    assert mail.utf8
    assert "To: 用户 <用户@home.example>\r\nReply-To" in data_of(mail).decode()
    assert "Subject: Re: 灯\r\n" in data_of(mail).decode()


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("a\nb\n\nc", "a\nb\n\nc"),
        ("- a\n- b\n  - c\n\nd", "- a\n- b\n  - c\n\nd"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("> a\n> > b\n\nc", "> a\n>\n> > b\n\nc"),
        ("# T\ntext", "T\n\ntext"),
        ("```\nx  y\n```\nz", "x  y\n\nz"),
        (
            "[a](https://x.example) <https://y.example> [m@x.example](mailto:m@x.example)",
            "a (https://x.example) https://y.example m@x.example",
        ),
        ("![lamp](https://x.example/l.png)", "lamp (https://x.example/l.png)"),
        ("| a | b |\n| - | - |\n| c |  |\n", "a | b\nc |"),
        ("a\n\n---\n\nb", f"a\n\n{'-' * 20}\n\nb"),
        ("", ""),
    ],
)
def test_plain_text(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@given(st.text())
def test_any_markdown_is_plain_text(text: str) -> None:
    assert "\r" not in plain(text)
    assert not re.search(r"\n{4,}", plain(re.sub(r"[`~]", "", text)))
