"""Whatever a browser sends is read into typed frames, or refused with words that can be shown."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.channels.web import parse
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment, AudioPart, ChoicePart, FilePart, ImagePart, Message, TextPart, encode

ID = "0b8f6b1e-6f0c-4a53-9a5e-1f6b0e3c7d11"
AT = datetime(2026, 3, 1, tzinfo=UTC)


def send(data: bytes) -> parse.Send:
    frame = parse.frame(data)
    assert isinstance(frame, parse.Send)
    return frame


def message(text: str = "", **fields: Any) -> Message:
    return parse.message(parse.Send(id=UUID(ID), text=text, **fields), "web:abc", AT, max_text=4000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not valid JSON"),
        (b"hello", "not valid JSON"),
        (b'{"type":"message"', "not valid JSON"),
        (b"[]", "not understood"),
        (b"null", "not understood"),
        (b'{"type":"nothing"}', "not understood"),
        (b'{"type":"message","text":"no id"}', "not understood"),
        (b'{"type":"message","id":"1","text":"an id that is no UUID"}', "not understood"),
        (b'{"type":"message","id":"%s","text":NaN}' % ID.encode(), "not valid JSON"),
        (b'{"type":"message","id":"%s","text":1}' % ID.encode(), "not understood"),
        (b'{"type":"message","id":"%s","admin":true}' % ID.encode(), "not understood"),
        (b'{"type":"message","id":"%s","text":"\xff"}' % ID.encode(), "not UTF-8"),
        (b'{"type":"history","before":-1}', "not understood"),
        (b'{"type":"history","before":1e400}', "not"),
        (b'{"type":"message","id":"%s","choice":{"value":""}}' % ID.encode(), "not understood"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        parse.frame(data)
    assert refused.value.status == 400


@pytest.mark.parametrize("key", ["text", "choice", "unknown"])
def test_ten_thousand_levels_are_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        parse.frame(b'{"type":"message","id":"%s","%s":%s}' % (ID.encode(), key.encode(), b"[" * 10_000 + b"]" * 10_000))


def test_ten_thousand_levels_beside_a_lone_surrogate_are_refused() -> None:
    with pytest.raises(InvalidInput):
        parse.frame(b'{"type":"message","text":"\\ud800","x":%s}' % (b"[" * 10_000 + b"]" * 10_000))


def test_of_a_repeated_key_the_last_value_counts() -> None:
    assert send(b'{"type":"message","id":"%s","text":"one","text":"two"}' % ID.encode()).text == "two"


def test_lone_surrogates_are_dropped_and_pairs_are_kept() -> None:
    frame = send(b'{"type":"message","id":"%s","text":"a\\ud83d b\\ude00 \\ud83d\\ude00"}' % ID.encode())
    assert frame.text == "a b \N{GRINNING FACE}"


def test_nul_is_dropped_and_a_message_of_nothing_else_is_empty() -> None:
    assert message("a\0b").text == "ab"
    with pytest.raises(InvalidInput, match="empty"):
        message("\0 \0")


@pytest.mark.parametrize(
    "text", ["\u200d\u200bab", "\u202eabc\u202c", "مرحبا", "我想取消我的订单", "<script>alert(1)</script>", "ﬀ é"]
)
def test_text_is_kept_as_it_was_written(text: str) -> None:
    assert message(text).text == text


def test_a_text_that_is_too_long_is_refused_with_its_length() -> None:
    assert message("x" * 4000).text
    with pytest.raises(InvalidInput, match="4001 characters") as refused:
        message("x" * 4001)
    assert refused.value.status == 413


def test_an_id_holds_the_conversation_so_that_another_cannot_take_it() -> None:
    first = parse.message(parse.Send(id=UUID(ID), text="a"), "web:abc", AT, max_text=10)
    other = parse.message(parse.Send(id=UUID(ID), text="a"), "web:xyz", AT, max_text=10)
    assert (first.id, other.id) == (f"web:abc:{ID}", f"web:xyz:{ID}")
    assert first.contact.id == "web:abc"
    assert not first.contact.verified


def test_parts_follow_the_frame() -> None:
    files = tuple(
        Attachment(id=str(number), name="n", media_type=type, size=1)
        for number, type in enumerate(("image/png", "audio/ogg", "application/pdf"))
    )
    frame = parse.Send(id=uuid4(), text=" hello ", choice=parse.Pressed(value="v", question="q", label="l"))
    parts = parse.message(frame, "web:abc", AT, attachments=files, max_text=10).parts
    assert parts == (
        TextPart("hello"),
        ChoicePart("v", question="q", label="l"),
        ImagePart(files[0]),
        AudioPart(files[1]),
        FilePart(files[2]),
    )


def test_more_files_than_allowed_are_refused() -> None:
    with pytest.raises(InvalidInput):
        parse.frame(json.dumps({"type": "message", "id": ID, "files": ["x"] * (parse.MAX_FILES + 1)}).encode())


@given(st.binary(max_size=200))
def test_any_bytes_give_a_frame_or_a_refusal(data: bytes) -> None:
    with suppress(InvalidInput):
        assert parse.frame(data) is not None


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_gives_a_message_that_can_be_stored_or_a_refusal(text: str) -> None:
    data = json.dumps({"type": "message", "id": ID, "text": text}).encode()
    try:
        encode(parse.message(send(data), "web:abc", AT, max_text=4000))
    except InvalidInput:
        assert not text.replace("\0", "").encode("utf-8", "ignore").decode().strip()
