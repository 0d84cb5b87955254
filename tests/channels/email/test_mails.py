"""Mails as real programs write them, files named after their shape, and what must be read from each (`mails/expected.json`)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frontdesk.channels.email.mime import read
from frontdesk.channels.email.parse import Incoming, original, parse
from frontdesk.channels.email.threads import Threads
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment, AudioPart, FilePart, ImagePart, decode, encode

MAILS = sorted((Path(__file__).parent / "mails").glob("*.eml"))
EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "mails" / "expected.json").read_text("utf-8"))
NOW = datetime(2026, 4, 1, tzinfo=UTC)
SHOP = "support@shop.example"
THREADS = Threads(b"k" * 32, [SHOP])


def parsed(data: bytes) -> Incoming:
    return parse(read(data), mailbox=SHOP, threads=THREADS, trusted=("mx.shop.example", ""), own={SHOP}, now=NOW)


def test_every_mail_has_an_expectation() -> None:
    assert len(MAILS) >= 90
    assert {file.stem for file in MAILS} == set(EXPECTED)


@pytest.mark.parametrize("file", MAILS, ids=lambda file: file.stem)
def test_what_is_read(file: Path) -> None:
    expected = EXPECTED[file.stem]
    incoming = parsed(file.read_bytes())
    message = incoming.message
    kept = original(message)
    assert kept is not None
    assert message.text == expected["text"]
    assert message.contact.id == message.contact.email == kept.sender == expected["sender"]
    assert message.contact.name == expected.get("name")
    assert message.contact.verified == expected.get("verified", False)
    assert (kept.signed, kept.encrypted) == (expected.get("signed"), expected.get("encrypted"))
    files = [part.attachment for part in message.parts if isinstance(part, ImagePart | AudioPart | FilePart)]
    read = [[file.name, file.media_type, len(incoming.files[file.remote or ""].data())] for file in files]
    assert read == expected.get("files", [])
    assert message.at <= NOW
    assert decode(encode(message)) == message


@pytest.mark.parametrize("file", MAILS, ids=lambda file: file.stem)
def test_a_mail_cut_anywhere_is_still_read(file: Path) -> None:
    data = file.read_bytes()
    for length in range(len(data) // 3, len(data), max(1, len(data) // 40)):
        mail = read(data[:length], whole=False)
        assert mail.cut


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_damaged_mail_is_read_or_refused(data: st.DataObject) -> None:
    mail = bytearray(data.draw(st.sampled_from(MAILS)).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(mail)))
        end = min(len(mail), start + data.draw(st.integers(0, 200)))
        match data.draw(st.sampled_from(("cut", "double", "noise", "bits", "other"))):
            case "cut":
                del mail[start:end]
            case "double":
                mail[start:start] = mail[start:end]
            case "noise":
                mail[start:end] = data.draw(st.binary(max_size=30))
            case "bits" if mail:
                mail[min(start, len(mail) - 1)] ^= data.draw(st.integers(1, 255))
            case "other":
                other = data.draw(st.sampled_from(MAILS)).read_bytes()
                mail[start:start] = other[: data.draw(st.integers(0, len(other)))]
    try:
        incoming = parsed(bytes(mail))
    except InvalidInput:
        return
    assert incoming.message.parts
    assert incoming.message.at <= NOW
    for file in incoming.files.values():
        assert len(file.data()) <= 3 * len(mail) + 100
    saved = {
        key: Attachment(id="0" * 32, name=file.name, media_type=file.media_type, size=1) for key, file in incoming.files.items()
    }
    assert decode(encode(incoming.with_files(saved))).id == incoming.message.id


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parsed(b"From: ann@home.example\n" + data)
        read(data)
    except InvalidInput:
        pass
