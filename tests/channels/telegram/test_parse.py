"""Telegram's updates as messages: what the payloads do not show."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import MessageEntity

from frontdesk.channels.telegram import plain
from frontdesk.channels.telegram.addresses import Address
from frontdesk.channels.telegram.entities import covered, markdown, units
from frontdesk.channels.telegram.parse import Me, Written, parse
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import TextPart

ME = Me(id="123", username="shop_bot")
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "de"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann"}
GROUP = {"id": -100, "type": "supergroup", "title": "Group"}


def update(chat: dict[str, Any] = PRIVATE, **fields: Any) -> bytes:
    message = {"message_id": 5, "from": ANN, "chat": chat, "date": 1732384000, **fields}
    return json.dumps({"update_id": 3, "message": message}).encode()


def written(raw: bytes) -> Written:
    event = parse(raw, ME)
    assert isinstance(event, Written), event
    return event


def entity(type: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": type, "offset": offset, "length": length, **more}


names = st.text(max_size=5)


@given(
    text=st.text(max_size=20),
    first=names,
    last=names,
    username=st.none() | names,
    language=st.none() | st.just("en"),
    date=st.integers(-(2**33), 2**33),
    id=st.integers(1, 2**52),
)
def test_plain_messages_are_read_as_the_library_reads_them(
    text: str, first: str, last: str, username: str | None, language: str | None, date: int, id: int
) -> None:
    sender = {"id": id, "is_bot": False, "first_name": first, "last_name": last, "username": username, "language_code": language}
    known = {key: value for key, value in sender.items() if value not in (None, "") or key == "first_name"}
    fields: dict[str, Any] = {"from": known, "chat": {"id": id, "type": "private"}, "text": text, "date": date}
    raw = update(**fields)
    if plain.message(raw, ME.id) is None:
        return
    # A field that the short way does not know leads to the long way.
    other = update(**fields, has_protected_content=True)
    assert plain.message(other, ME.id) is None
    short, long = written(raw).message, written(other).message
    assert {name: getattr(short, name) for name in short.__struct_fields__ if name != "raw"} == {
        name: getattr(long, name) for name in long.__struct_fields__ if name != "raw"
    }


def test_the_short_way_is_taken() -> None:
    assert plain.message(update(text="hello"), ME.id) is not None
    for odd in (
        update(GROUP, text="hello"),
        update(text="a", entities=[]),
        update(text=" "),
        update(text=7),
        b"",
        b"\xff",
        b"[]",
    ):
        assert plain.message(odd, ME.id) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(names, inner)
)


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_update_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse(raw, ME)


@pytest.mark.parametrize(
    ("text", "entities", "addressed", "said"),
    [
        ("hello all", [], False, "hello all"),
        ("@shop_bot where is it?", [entity("mention", 0, 9)], True, "where is it?"),
        ("@Shop_Bot: where is it?", [entity("mention", 0, 9)], True, "where is it?"),
        ("😀 hey @shop_bot, where?", [entity("mention", 7, 9)], True, "😀 hey, where?"),
        ("where is it @shop_bot", [entity("mention", 12, 9)], True, "where is it"),
        ("where is it @shop_bot?", [entity("mention", 12, 9)], True, "where is it?"),
        ("@shop_bot2 hi", [entity("mention", 0, 10)], False, "@shop_bot2 hi"),
        ("bot hi", [entity("text_mention", 0, 3, user={"id": 123, "is_bot": True, "first_name": "Shop"})], True, "hi"),
        ("/help@shop_bot", [entity("bot_command", 0, 14)], True, "/help@shop_bot"),
        ("/help@other_bot", [entity("bot_command", 0, 15)], False, "/help@other_bot"),
        ("/help", [entity("bot_command", 0, 5)], False, "/help"),
    ],
)
def test_who_is_addressed_in_a_group(text: str, entities: list[dict[str, Any]], addressed: bool, said: str) -> None:
    event = written(update(GROUP, text=text, entities=entities))
    assert (event.addressed, event.message.text, event.message.public) == (addressed, said, True)


def test_who_only_calls_the_bot_by_its_name_is_heard() -> None:
    event = written(update(GROUP, text="@shop_bot", entities=[entity("mention", 0, 9)]))
    assert (event.addressed, event.message.text) == (True, "/start")


@pytest.mark.parametrize(
    ("text", "entities", "expected"),
    [
        ("plain *text*", [], "plain *text*"),
        ("a bold c", [entity("bold", 2, 4)], "a **bold** c"),
        ("a bold c", [entity("bold", 2, 5)], "a **bold** c"),
        ("😀 bold", [entity("bold", 3, 4)], "😀 **bold**"),
        ("link", [entity("text_link", 0, 4, url="https://x.example/a_(b)")], "[link](<https://x.example/a_(b)>)"),
        ("both", [entity("bold", 0, 4), entity("italic", 0, 4)], "***both***"),
        ("ab cd", [entity("bold", 0, 5), entity("italic", 3, 2)], "**ab *cd***"),
        ("one two three", [entity("bold", 0, 7), entity("italic", 4, 9)], "**one two** three"),
        ("x = `1`", [entity("code", 4, 3)], "x = `` `1` ``"),
        ("print()", [entity("pre", 0, 7, language="python")], "```python\nprint()\n```"),
        ("q1\nq2\nmine", [entity("blockquote", 0, 5)], "> q1\n> q2\n\nmine"),
        ("x", [entity("bold", 5, 7), entity("bold", -3, 2), entity("bold", 0, 0), entity("italic", 0, 900)], "*x*"),
        ("mine", [entity("mention", 0, 4), entity("hashtag", 0, 4), entity("underline", 0, 4)], "mine"),
    ],
)
def test_formatting_becomes_markdown(text: str, entities: list[dict[str, Any]], expected: str) -> None:
    assert written(update(text=text, entities=entities)).message.text == expected


@given(
    text=st.text(alphabet=st.sampled_from("ab \n😀ü*`"), max_size=30),
    spans=st.lists(
        st.tuples(
            st.sampled_from(["bold", "italic", "code", "pre", "blockquote", "text_link", "mention"]),
            st.integers(-3, 40),
            st.integers(-3, 40),
        ),
        max_size=6,
    ),
)
def test_any_entities_keep_all_the_words(text: str, spans: list[tuple[str, int, int]]) -> None:
    entities = [
        MessageEntity(type, offset, length, url="http://x" if type == "text_link" else None) for type, offset, length in spans
    ]
    shown = markdown(text, entities)
    assert [letter for letter in shown if letter in "ab😀ü"] == [letter for letter in text if letter in "ab😀ü"] or "x" in shown
    assert all(isinstance(covered(text, one), str) for one in entities)


def test_a_forwarded_command_is_not_obeyed() -> None:
    origin = {"type": "user", "date": 1732384000, "sender_user": {**ANN, "id": 9}}
    assert written(update(text="/human\nnow", forward_origin=origin)).message.text == "> /human\n> now"


def test_a_picked_quotation_stands_above() -> None:
    quote = {"text": "14 days", "position": 0, "is_manual": True}
    assert written(update(text="from when?", quote=quote)).message.text == "> 14 days\n\nfrom when?"
    assert written(update(text="yes", quote={**quote, "is_manual": False})).message.text == "yes"


@pytest.mark.parametrize("conversation", ["telegram:1:2", "telegram:1:-100:17", "telegram:1:2:bAb-c_d", "telegram:1:-100:d5"])
def test_conversations_say_where_the_answer_goes(conversation: str) -> None:
    assert Address.parse(conversation).conversation == conversation


@pytest.mark.parametrize(
    "conversation", ["web:1", "telegram:1", "telegram:1:x", "telegram:1:2:x", "telegram:1:2:dx", "slack:1:2"]
)
def test_other_conversations_are_not_ours(conversation: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Address.parse(conversation)


@given(st.text())
def test_units_are_those_of_utf_16(text: str) -> None:
    assert units(text) == sum(2 if ord(letter) > 0xFFFF else 1 for letter in text)


def test_empty_parts_are_left_out() -> None:
    event = written(update(caption=" ", photo=[{"file_id": "a", "file_unique_id": "u", "width": 1, "height": 1}]))
    assert not any(isinstance(part, TextPart) for part in event.message.parts)
