from datetime import UTC, datetime

import msgspec
import pytest

from frontdesk.channels.console.parse import parse
from frontdesk.channels.console.render import as_json, as_text
from frontdesk.core.messages import Choice, ChoicePart, Contact, Mark, Message, Outgoing, TextPart, decode

NOW = datetime(2026, 1, 2, tzinfo=UTC)
REPLY = Outgoing(
    id="r",
    channel="console",
    conversation="c",
    contact=Contact(id="c"),
    text="Which one?\n\nThe **red** or the blue.",
    at=NOW,
    choices=(Choice("Red", "r"), Choice("Blue", "b")),
    question="q",
)


def _parsed(line: str, last: Outgoing | None = None) -> Message | None:
    return parse(line, id="1", conversation="c", at=NOW, last=last)


@pytest.mark.parametrize("line", ["", "\n", "  \t\n", "\0"])
def test_an_empty_line_is_no_message(line: str) -> None:
    assert _parsed(line) is None


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("2\n", ChoicePart("b", question="q", label="Blue")),
        ("3", TextPart("3")),
        ("0", TextPart("0")),
        ("²", TextPart("²")),
        ("1 please", TextPart("1 please")),
    ],
)
def test_a_number_presses_the_choice_it_stands_before(line: str, part: object) -> None:
    message = _parsed(line, REPLY)
    assert message is not None
    assert message.parts == (part,)


def test_a_number_is_a_number_where_nothing_was_offered() -> None:
    message = _parsed("2", msgspec.structs.replace(REPLY, choices=()))
    assert message is not None
    assert message.text == "2"


def test_a_reply_names_its_speaker_and_numbers_its_choices() -> None:
    shown = as_text(REPLY, customer="You", bot="Bot")
    assert shown == "Bot: Which one?\n\n     The **red** or the blue.\n\n     1. Red\n     2. Blue"
    by_agent = msgspec.structs.replace(REPLY, author="agent:Ann", choices=(), text="Hi")
    assert as_text(by_agent, customer="You", bot="Bot") == "Ann: Hi"


def test_a_mark_is_told_in_words() -> None:
    mark = Mark(id="m", conversation="c", event="taken", at=NOW, by="agent:Ann")
    assert as_text(mark, customer="You", bot="Bot") == "-- Ann has joined --"


def test_nothing_that_is_written_steers_the_terminal() -> None:
    evil = msgspec.structs.replace(REPLY, text="a\x1b[2Jb\x07\u202ec\u200b 👩\u200d🚀", choices=())
    assert as_text(evil, customer="You", bot="Bot") == "Bot: a[2Jbc 👩\u200d🚀"


def test_json_is_one_line_and_can_be_read_back() -> None:
    line = as_json(REPLY)
    assert "\n" not in line
    assert decode(line.encode()) == REPLY
