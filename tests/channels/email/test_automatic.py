"""Programs are told from people, and what bounced is found. The cases are files named after their kind."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.channels.email import automatic as module
from frontdesk.channels.email.automatic import Automatic, automatic
from frontdesk.channels.email.mime import read

from .hostile import NOTICES, repeated

CASES = Path(__file__).parent / "automatic_cases"
AUTOMATIC = sorted((CASES / "automatic").glob("*.eml"))
HUMAN = sorted((CASES / "human").glob("*.eml"))
OWN = ("shop@frontdesk.example",)


def classified(file: Path) -> Automatic | None:
    return automatic(read(file.read_bytes()), own=OWN)


def made(headers: str = "", text: str = "Where is my order?", subject: str = "Order 77") -> Automatic | None:
    mail = f"From: Ann <ann@customer.example>\nSubject: {subject}\n{headers}Content-Type: text/plain; charset=utf-8\n\n{text}\n"
    return automatic(read(mail.encode()), own=OWN)


def test_there_are_cases():
    assert len(AUTOMATIC) >= 40
    assert len(HUMAN) >= 40


@pytest.mark.parametrize("file", AUTOMATIC, ids=lambda file: file.stem)
def test_programs_are_recognised(file: Path):
    found = classified(file)
    assert found is not None
    assert found.kind == file.stem.partition("-")[0]
    assert found.reason


@pytest.mark.parametrize("file", HUMAN, ids=lambda file: file.stem)
def test_people_are_never_taken_for_programs(file: Path):
    assert classified(file) is None


@pytest.mark.parametrize("file", [file for file in AUTOMATIC if file.stem.startswith("bounce-")], ids=lambda file: file.stem)
def test_a_bounce_says_whose_address_failed(file: Path):
    found = classified(file)
    assert found is not None
    assert found.bounce is not None
    assert "ann@gone.example" in found.bounce.recipients
    assert found.bounce.original_message_id in (None, "<order-77@frontdesk.example>")
    temporary = "delayed" in file.stem or "4.2.2" in file.stem
    assert found.bounce.permanent is not temporary
    assert not found.keep


def test_a_delivery_report_is_read():
    found = classified(CASES / "automatic" / "bounce-two-recipients.eml")
    assert found is not None
    assert found.bounce is not None
    assert found.bounce.recipients == ("ann@gone.example", "robert@gone.example", "bob@gone.example")
    assert found.bounce.status == "5.1.1"
    assert found.bounce.permanent
    assert found.bounce.original_message_id == "<order-77@frontdesk.example>"
    assert found.bounce.diagnostic.splitlines() == ["550 unknown", "552 full"]


def test_a_complaint_names_the_mail():
    found = classified(CASES / "automatic" / "complaint-arf.eml")
    assert found is not None
    assert found.bounce is not None
    assert found.bounce.original_message_id == "<order-77@frontdesk.example>"
    assert found.bounce.recipients == ("ann@gone.example",)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("Auto-Submitted: auto-replied\n", "auto_reply"),
        ("Auto-Submitted: auto-replied; owner-email=ann@customer.example\n", "auto_reply"),
        ("Auto-Submitted: auto-generated\n", "auto_generated"),
        ("Auto-Submitted: auto-notified\n", "auto_generated"),
        ("AUTO-SUBMITTED: Auto-Replied (vacation)\n", "auto_reply"),
        ("X-Autoreply: yes\n", "auto_reply"),
        ("X-Autorespond: Order\n", "auto_reply"),
        ("Precedence: auto_reply\n", "auto_reply"),
        ("Precedence: bulk\n", "bulk"),
        ("Precedence: junk\n", "bulk"),
        ("Precedence: list\n", "list"),
        ("List-Id: <users.lists.example>\n", "list"),
        ("List-Unsubscribe: <mailto:u@other.example>\n", "bulk"),
        ("Feedback-ID: 1:2:3\n", "bulk"),
        ("X-Auto-Response-Suppress: OOF, AutoReply\n", "auto_generated"),
        ("Return-Path: <>\n", "auto_generated"),
        ("X-Loop: shop@frontdesk.example\n", "auto_generated"),
    ],
)
def test_headers_prove_it(headers: str, kind: str):
    found = made(headers)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: no\n",
        "Auto-Submitted: no (really)\n",
        "X-Autoreply: no\n",
        "Precedence: normal\n",
        "X-Auto-Response-Suppress: None\n",
        "Return-Path: <ann@customer.example>\n",
        "X-Loop: elsewhere\n",
        "List-Id: Shop <shop.frontdesk.example>\nPrecedence: list\n",
    ],
)
def test_headers_that_prove_nothing(headers: str):
    assert made(headers) is None


def test_what_a_person_may_have_written_is_kept():
    for headers in (
        "Precedence: bulk\n",
        "List-Id: <users.lists.example>\n",
        "Auto-Submitted: auto-generated\n",
        "Return-Path: <>\n",
    ):
        found = made(headers)
        assert found is not None
        assert found.keep


def test_words_alone_never_drop_a_mail():
    found = made(text="This is an automatic reply. I am out of the office until Monday.", subject="Hello")
    assert found is not None
    assert found.kind == "auto_reply"
    assert found.keep


def test_what_is_quoted_does_not_count():
    text = "Yes please.\n\nOn Tue, 14 May 2024 at 10:00, Shop <shop@frontdesk.example> wrote:\n> This is an automatic reply."
    assert made(text=text) is None


ANSWER = "In-Reply-To: <order-77@frontdesk.example>\n"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Order 77", "Hello, thank you for your message. I am travelling until 3 June and will answer when I am back."),
        ("Re: Order 77", "Out until the 4th. I'll get back to you when I return."),
        ("Re: Order 77", "I'm on PTO this week, returning Thursday."),
        ("Re: Order 77", "This is an automated message. I look at my mail once a week."),
        ("Re: Order 77", "This mailbox is no longer monitored. Please write to hello@customer.example."),
        ("Re: Order 77", "Thanks for contacting Customer Ltd! Our team will answer within 2 business days."),
        ("Re: Order 77", "Guten Tag, ich bin bis 12.6. im Urlaub. In dringenden Fällen: Frau Kurz, kurz@kunde.example."),
        ("Re: Order 77", "Bonjour, je suis en congé jusqu'au 12 juin. En cas d'urgence, écrivez à lise@client.example."),
        ("Re: Order 77", "Me encuentro de vacaciones. Para asuntos urgentes, escriba a luis@cliente.example."),
        ("Re: Order 77", "Estou de férias até 12 de junho, sem acesso ao correio eletrónico."),
        ("Re: Order 77", "Sono in ferie fino al 12 giugno. Per urgenze: anna@cliente.example."),
        ("Re: Order 77", "Ik ben met vakantie. Voor dringende zaken kunt u bij Jan terecht, jan@klant.example."),
        ("Re: Order 77", "Jestem na urlopie do 12 czerwca i nie mam dostępu do poczty."),
        ("Re: Order 77", "Я в отпуске до 12 июня. По срочным вопросам пишите Анне: anna@client.example."),
        ("Re: Order 77", "我正在休假，6月12日返回。如有急事请联系李华 li@client.example。"),
        ("Re: Order 77", "休暇中のため、メールの確認ができません。"),
        ("Re: Order 77", "휴가 중입니다. 급한 용무는 kim@client.example 로 연락 바랍니다."),
        ("Away until 12 June", ""),
        ("OOO until 6/12", ""),
        ("[Automatyczna odpowiedź] Zamówienie", "Dziękuję."),
        ("[AUTO GENERATED] Order 77", "Noted."),
    ],
)
def test_two_signs_make_a_notice_that_no_header_marks(subject: str, text: str):
    found = made(ANSWER if subject.startswith("Re:") else "", text, subject)
    assert found is not None
    assert found.kind == "auto_reply"
    assert found.keep


@pytest.mark.parametrize(
    "text",
    [
        "I'm on vacation until the 20th but would like the lamp very much!",
        "I am away until Monday. Leave it with my neighbour.",
        "I will be out of the office tomorrow, come on Thursday then.",
        "I got your automatic reply from Monday and still have no answer.",
        "Your last mail bounced from our old address, use this one. It said: Status: 5.1.1 and so on.",
        "This is urgent: I am on holiday from Friday on.",
        "We are closed on Mondays, any other day is good.",
        "I was out of the office last week, sorry. Blue it is.",
        "Thank you for your message, I will think about it.",
        "Ich bin ab Freitag im Urlaub, es ist also dringend.",
        "Je suis en vacances, c'est donc urgent.",
        "Estoy de vacaciones, por favor, es urgente.",
        "Sono in ferie, per favore è urgente.",
        "Я в отпуске, срочно нужен ответ.",
        "我在出差，请尽快处理。",
        "휴가 중이니 다음 주에 보내 주세요.",
        "Schreiben Sie mir bitte nicht mehr.",
        "STOP",
    ],
)
def test_people_who_are_away_or_were_are_people(text: str):
    assert made(ANSWER, text, "Re: Order 77") is None


@pytest.mark.parametrize("sender", ["post_master", "Mail.Delivery.System", "mailer_daemon", "bounce-handler", "MAILER-DAEMON+x"])
def test_mail_systems_are_known_however_they_spell_themselves(sender: str):
    mail = f"From: {sender}@gone.example\nSubject: Re: Order 77\n\n550 no such user here\nRCPT TO: ann@gone.example\n"
    found = automatic(read(mail.encode()), own=OWN)
    assert found is not None
    assert found.kind == "bounce"


@pytest.mark.parametrize("sender", ["no-reply", "accounts-noreply", "noreply-orders", "do_not_reply+7"])
def test_a_mail_that_comes_back_from_an_unattended_address_is_a_bounce(sender: str):
    mail = (
        f"From: {sender}@gone.example\nSubject: Notice\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n"
        "Could not be delivered to: <ann@gone.example>\n\n--x\nContent-Type: message/rfc822\n\n"
        "From: shop@frontdesk.example\nMessage-ID: <order-77@frontdesk.example>\n\nHello\n--x--\n"
    )
    found = automatic(read(mail.encode()), own=OWN)
    assert found is not None
    assert found.bounce is not None
    assert found.bounce.original_message_id == "<order-77@frontdesk.example>"


def test_programs_that_answer_are_known_by_their_message_id():
    found = made("Message-ID: <dovecot-sieve-1410877454-0@customer.example>\n", "See you.", "Auto: Order 77")
    assert found is not None
    assert found.kind == "auto_reply"


@given(st.binary(max_size=600))
def test_any_bytes(data: bytes):
    mail = b"Subject: x\nReturn-Path: <>\n" + data
    found = automatic(read(mail), own=OWN)
    assert found is None or found.reason


@given(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["Auto-Submitted", "Precedence", "List-Id", "From", "X-Loop", "Return-Path", "Content-Type"]), max_size=4
    ),
    st.text(max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_any_headers(value: str, names: list[str], text: str):
    fields = "".join(f"{name}: {value.replace(chr(10), ' ')}\n" for name in names)
    automatic(read(f"{fields}Subject: {value}\n\n{text}".encode("utf-8", "replace")), own=OWN)


@pytest.mark.parametrize("unit", NOTICES)
@pytest.mark.parametrize("sender", ["a@b.example", "mailer-daemon@b.example"])
def test_time_grows_with_the_text_and_no_faster(sender: str, unit: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_LONGEST", sys.maxsize)  # it would hide a quadratic step from this test
    text = repeated(unit, 300_000)
    subject = " ".join(text[:5000].split())
    found = automatic(read(f"From: {sender}\nReturn-Path: <>\nSubject: {subject}\n\n{text}".encode()), own=OWN)
    assert found is not None
