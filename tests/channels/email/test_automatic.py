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
