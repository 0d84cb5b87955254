from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from frontdesk.plugins.models.stops import Stops


def cut(text: str, places: list[int]) -> list[str]:
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(borders)]


def passed(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    ending = Stops(stops)
    shown = "".join(map(ending.pass_on, pieces))
    return shown + ("" if ending.stopped else ending.rest()), ending.stopped


def test_a_text_ends_before_its_stop_sequence() -> None:
    assert passed(["One. Two. Three."], [". T"]) == ("One", True)
    assert passed(["One."], ["Two"]) == ("One.", False)


def test_a_stop_sequence_over_several_pieces_is_never_shown() -> None:
    ending = Stops(["</answer>"])
    assert [ending.pass_on(piece) for piece in ("Yes", " <", "/ans", "wer", "> and so on", "more")] == [
        "Yes",
        " ",
        "",
        "",
        "",
        "",
    ]
    assert ending.stopped


def test_what_only_began_like_a_stop_sequence_is_shown_in_the_end() -> None:
    ending = Stops(["</answer>"])
    assert ending.pass_on("a < b </ans") == "a < b "
    assert ending.pass_on("!") == "</ans!"
    assert ending.pass_on("</") == ""
    assert ending.rest() == "</"


def test_empty_stop_sequences_stop_nothing() -> None:
    assert passed(["Yes"], [""]) == ("Yes", False)


@given(st.text("ab<", max_size=30), st.lists(st.text("ab<", min_size=1, max_size=4), max_size=3), st.lists(st.integers(0, 30)))
def test_how_a_text_is_cut_into_pieces_changes_nothing(text: str, stops: list[str], places: list[int]) -> None:
    whole = passed([text], stops)
    assert passed(cut(text, places), stops) == passed(list(text), stops) == whole
    assert text.startswith(whole[0])
    assert not any(stop in whole[0] for stop in stops)
