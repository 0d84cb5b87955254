import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.core.markdown import plain, split


def fits(limit: int):  # type: ignore[no-untyped-def]
    return lambda text: len(text) <= limit


LONG = "\n\n".join(
    [
        "# Title",
        "One paragraph. With two sentences!",
        "- first\n- second",
        "```py\nx = 1\ny = 2\nz = 3\n```",
        "word " * 50,
        "长句子。" * 30,
    ]
)


def test_what_fits_is_left_alone() -> None:
    assert split("a *b*\n\n- c", fits(100)) == ["a *b*\n\n- c"]
    assert split("", fits(100)) == [""]


def test_it_is_cut_at_paragraph_ends() -> None:
    assert split("first one\n\nsecond one\n\nthird", fits(22)) == ["first one\n\nsecond one", "third"]


def test_a_long_paragraph_is_cut_at_sentences_then_words_then_anywhere() -> None:
    assert split("One is here. Two is there.", fits(15)) == ["One is here.", "Two is there."]
    assert split("第一句在这里。第二句在那里。", fits(8)) == ["第一句在这里。", "第二句在那里。"]
    assert split("some longer words", fits(11)) == ["some longer", "words"]
    assert split("x" * 25, fits(10)) == ["x" * 10, "x" * 10, "x" * 5]


def test_code_is_fenced_in_each_piece() -> None:
    assert split("```py\nx=1\ny=2\nz=3\n```", fits(18)) == ["```py\nx=1\ny=2\n```", "```py\nz=3\n```"]
    assert all(piece.startswith("```") and piece.endswith("```") for piece in split(f"```\n{'y' * 50}\n```", fits(20)))


def test_a_table_has_its_head_in_each_piece() -> None:
    rows = [f"| day {number} | 9-17 |" for number in range(20)]
    pieces = split("\n".join(["| day | hours |", "| --- | --- |", *rows]), fits(150))
    assert all(piece.startswith("| day | hours |\n| --- | --- |\n| day") for piece in pieces)
    assert [row for piece in pieces for row in piece.splitlines()[2:]] == rows


def test_a_line_that_is_cut_leaves_no_half_of_its_markup() -> None:
    pieces = split(f"**{'bold words ' * 5}** and [a link](https://shop.example/{'x' * 10})", fits(40))
    assert not any("**" in piece or "](" in piece for piece in pieces)


def test_plain_words_name_their_links() -> None:
    assert plain("see [our *shop*](https://a.example)!") == "see our shop (https://a.example)!"
    assert plain("<https://a.example>") == "https://a.example"


@pytest.mark.parametrize("limit", [12, 30, 60, 200])
def test_nothing_is_lost(limit: int) -> None:
    pieces = split(LONG, fits(limit))
    assert all(len(piece) <= limit for piece in pieces)
    words = re.findall(r"\w+", LONG)
    assert [word for piece in pieces for word in re.findall(r"\w+", piece.replace("```py", "").replace("```", ""))] == [
        word for word in words if word != "py"
    ] or limit < 30


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(4, 80))
def test_any_text_is_cut_to_pieces_that_fit(text: str, limit: int) -> None:
    assert all(len(piece) <= limit for piece in split(text, fits(limit)))


def test_a_long_list_is_measured_few_times() -> None:
    measured = 0

    def fits_and_counts(text: str) -> bool:
        nonlocal measured
        measured += 1
        return len(text) <= 4000

    pieces = split("\n".join(f"- item {number}" for number in range(5000)), fits_and_counts)
    assert sum(piece.count("- item") for piece in pieces) == 5000
    assert measured < 30 * len(pieces)
