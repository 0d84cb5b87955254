"""Replies as Telegram's messages: never refused, never too long, nothing lost."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frontdesk.channels.telegram import markup, render
from frontdesk.channels.telegram.entities import units
from frontdesk.channels.telegram.markup import Text, rendered
from frontdesk.core.messages import Attachment, Choice, Contact, Entry, Outgoing
from frontdesk.core.testing.platform import MARKDOWN

SPLITTABLE = {"bold", "italic", "strikethrough"}
ALL = SPLITTABLE | {"code", "pre", "text_link", "blockquote"}


def check(text: Text) -> None:
    """What Telegram's server holds entities to; it would repair what is wrong, or refuse it."""
    length = units(text.text)
    assert text.text == text.text.strip(), "Telegram trims, which would move the entities"
    encoded = text.text.encode("utf-16-le", "surrogatepass")
    around: list[tuple[str, int]] = []
    before = (0, -units(text.text))
    for entity in text.entities:
        type, start, end = entity["type"], entity["offset"], entity["offset"] + entity["length"]
        assert type in ALL
        assert 0 <= start < end <= length
        assert (start, -end) >= before, "sorted, the outer first"
        before = (start, -end)
        for edge in (start, end):
            assert not 0xDC00 <= int.from_bytes(encoded[2 * edge : 2 * edge + 2], "little") <= 0xDFFF, "half a character"
        around = [(outer, until) for outer, until in around if until > start]
        assert all(end <= until for _, until in around), "one inside the other or apart"
        inside = {outer for outer, _ in around}
        assert type not in inside
        assert not inside & {"pre", "code"}
        assert type not in ("pre", "code") or not inside - {"blockquote"}
        assert type != "blockquote" or not inside - SPLITTABLE
        if type == "text_link":
            assert re.match(r"https?://[^/?#]", entity["url"], re.IGNORECASE)
            assert not re.search(r"\s", entity["url"])
        around.append((type, end))


MARKS = r"a|b c|  |    |*|**|_|~~|`|```|> |- |1. |9) |# |###|[|](|)|<b>|&amp;|&#x20;|\\|😀|中文|***|---|===|[r]|é| "
PIECES = st.sampled_from(
    (
        *MARKS.split("|"),
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "```py\n",
        "| a | b |\n|---|---|\n| c | d |\n",
        "|",
        "[x](https://a.example/b)",
        "[x](/y)",
        "[m](mailto:a@b.c)",
        "![i](http://i.m)",
        "<https://x.example>",
        "\n\n[r]: https://r.example/long/address\n\n",
        "\u00a0",
        "\u200b",
        "\u2028",
        "\0",
    )
)
MARKDOWNS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200)


@given(MARKDOWNS)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_markdown_is_taken(source: str) -> None:
    check(rendered(source))


@given(st.lists(MARKDOWNS, min_size=1, max_size=4), st.integers(1, 12))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_markdown_is_split_within_the_limit(sources: list[str], times: int) -> None:
    for piece in render.words(outgoing("\n\n".join(sources) * times * 5)):
        assert 0 < piece.text.length <= render.MAX_TEXT
        check(piece.text)
        assert len(piece.text.entities) <= 100
        for text in render.unmarked(piece.source):
            assert text.length <= render.MAX_TEXT


@given(st.text(max_size=50))
@settings(max_examples=500)
def test_plain_lines_mean_the_same_without_markdown(line: str) -> None:
    if markup._PLAIN.fullmatch(line):
        slowly = markup._Writer().write(markup.markdown.tokens(line))
        assert (rendered(line).text, list(rendered(line).entities)) == (slowly.text, list(slowly.entities))


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("# Head\ntext", "Head\n\ntext", ["bold:Head"]),
        ("**b** *i* ~~s~~ `c`", "b i s c", ["bold:b", "italic:i", "strikethrough:s", "code:c"]),
        ("**b *i* b**", "b i b", ["bold:b i b", "italic:i"]),
        ("**see `x`**", "see x", ["bold:see x"]),
        ("- a\n- b\n  - c\n- d", "• a\n• b\n  ◦ c\n• d", []),
        ("3. x\n3. y", "3. x\n4. y", []),
        ("intro\n\n- a\n\nend", "intro\n\n• a\n\nend", []),
        ("```py\nx = 1\n```", "x = 1", ["pre:x = 1"]),
        ("> one\n> two", "one\ntwo", ["blockquote:one\ntwo"]),
        ("> > in\n\nout", "in\n\nout", ["blockquote:in"]),
        ("[x](https://a.example)", "x", ["text_link:x"]),
        ("[x](/faq) [m](mailto:a@b.example)", "x (/faq) m (a@b.example)", []),
        ("<mailto:a@b.example>", "mailto:a@b.example", []),
        ("![cat](https://a.example/c.png)", "cat", ["text_link:cat"]),
        ("![](https://a.example/c.png)", "https://a.example/c.png", ["text_link:https://a.example/c.png"]),
        ("a\n\n---\n\nb", "a\n\n———\n\nb", []),
        ("😀 **b**", "😀 b", ["bold:b"]),
        ("&lt;b&gt; <i>", "<b> <i>", []),
        ("| a | 中文 |\n|---|---|\n| bb | c |", "a   中文\n──  ────\nbb  c", ["pre:a   中文\n──  ────\nbb  c"]),
        ("", "", []),
        ("\n \n", "", []),
    ],
)
def test_markup(source: str, text: str, entities: list[str]) -> None:
    found = rendered(source)
    assert found.text == text
    assert [f"{entity['type']}:{covered(text, entity)}" for entity in found.entities] == entities


def covered(text: str, entity: dict[str, Any]) -> str:
    return text.encode("utf-16-le")[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def test_the_contracts_markdown() -> None:
    check(rendered(MARKDOWN))


def outgoing(
    text: str, *, id: str = "telegram:1:2:3/0", choices: Sequence[Choice] = (), files: Sequence[Attachment] = ()
) -> Outgoing:
    return Outgoing(
        id=id,
        channel="telegram",
        conversation="telegram:1:2",
        contact=Contact(id="2"),
        text=text,
        at=datetime.now(UTC),
        choices=tuple(choices),
        question="q",
        attachments=tuple(files),
    )


def file(name: str, media_type: str, size: int = 10) -> Attachment:
    return Attachment(id="0" * 32, name=name, media_type=media_type, size=size)


def test_long_text_is_cut_at_paragraph_ends() -> None:
    source = "\n\n".join(f"Paragraph {number}. " + "words " * 100 for number in range(40))
    found = render.words(outgoing(source))
    assert len(found) == 7
    assert all(piece.text.text.startswith("Paragraph") for piece in found)
    assert " ".join(piece.text.text for piece in found).split() == source.split()


def test_no_more_entities_than_telegram_keeps() -> None:
    source = " ".join(f"[{number}](https://a.example/{number})" for number in range(250))
    found = render.words(outgoing(source))
    assert all(len(piece.text.entities) <= 100 for piece in found)
    assert " ".join(piece.text.text for piece in found).split()[0] == "0"


def test_characters_outside_the_basic_plane_count_twice() -> None:
    found = render.words(outgoing("😀" * 5000))
    assert [piece.text.length for piece in found] == [4096, 4096, 1808]


def test_buttons_stand_below_the_last_piece() -> None:
    found = render.words(outgoing("word " * 2000, choices=[Choice("Yes", "yes"), Choice("No", "no")]))
    assert [piece.keyboard is not None for piece in found] == [False, False, True]
    assert found[-1].keyboard == [
        [
            {"text": "Yes", "callback_data": "0|telegram:1:2:3/0"},
            {"text": "No", "callback_data": "1|telegram:1:2:3/0"},
        ]
    ]


def test_long_labels_have_rows_of_their_own() -> None:
    choices = [Choice("A rather long label of a button", "1"), Choice("short", "2"), Choice("", "no label")]
    keyboard = render.words(outgoing("?", choices=choices))[0].keyboard
    assert keyboard is not None
    assert [[key["text"] for key in row] for row in keyboard] == [["A rather long label of a button"], ["short", "no label"]]


def test_more_buttons_than_a_keyboard_holds() -> None:
    found = render.words(outgoing("?", choices=[Choice(f"choice {n}", str(n)) for n in range(250)]))
    assert [sum(map(len, piece.keyboard or [])) for piece in found] == [100, 100, 50]


@given(st.text(min_size=1, max_size=80), st.text(max_size=3000), st.integers(0, 30))
def test_any_value_comes_back_from_a_button(id: str, value: str, place: int) -> None:
    choices = [Choice(f"label {n}", f"{n}") for n in range(place)] + [Choice("this", value)]
    reply = outgoing("?", id=id, choices=choices)
    data = render.data(id, place)
    assert len(data.encode("utf-8", "replace")) <= render.MAX_DATA
    others = [Entry(seq=n, body=outgoing("?", id=f"{id}{n}", choices=choices), status="sent") for n in (1, 3)]
    found = render.chosen(data, [others[0], Entry(seq=2, body=reply, status="sent"), others[1]])
    assert found == (reply, choices[place])
    assert render.named(data) in (None, id)


def test_a_short_text_is_the_caption_of_one_file() -> None:
    (piece,) = render.pieces(outgoing("Here **it** is.", files=[file("bill.pdf", "application/pdf")]))
    assert isinstance(piece, render.Files)
    assert piece.caption is not None
    assert (piece.kind, piece.caption.text.text) == ("document", "Here it is.")


def test_a_long_text_stands_before_the_file() -> None:
    text, picture = render.pieces(outgoing("x" * 1025, files=[file("a.png", "image/png")]))
    assert isinstance(text, render.Words)
    assert isinstance(picture, render.Files)
    assert (picture.kind, picture.caption) == ("photo", None)


def test_files_of_one_kind_are_an_album() -> None:
    pictures = [file(f"{n}.png", "image/png") for n in range(12)]
    voice, large = file("a.ogg", "audio/ogg"), file("large.png", "image/png", render.MAX_PHOTO + 1)
    found = render.pieces(outgoing("These.", files=[*pictures, voice, voice, large]))
    kinds = [(piece.kind, len(piece.attachments)) for piece in found if isinstance(piece, render.Files)]
    assert kinds == [("photo", 10), ("photo", 2), ("voice", 1), ("voice", 1), ("document", 1)]


def test_a_reply_without_words() -> None:
    assert render.pieces(outgoing(" ")) == []
    assert [piece.text.text for piece in render.words(outgoing("", choices=[Choice("Yes", "yes")]))] == ["…"]


def test_no_link_calls_a_person() -> None:
    text = rendered("[Ann](tg://user?id=42)")
    assert (text.text, text.entities) == ("Ann (tg://user?id=42)", [])


def test_without_markup_the_addresses_are_shown() -> None:
    assert render.unmarked("see **[here](https://a.example)**") == [Text("see here (https://a.example)")]
