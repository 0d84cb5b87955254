from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs
from tests.plugins.models.local.conftest import byte_level_tokenizer, unigram_tokenizer

from frontdesk.plugins.models.local.text import BROKEN, Detokenizer, Thoughts

pytestmark = needs("torch", "transformers")

same_tokenizer = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def bytes_of() -> Any:
    return byte_level_tokenizer()


@pytest.fixture(scope="module")
def words_of() -> Any:
    return unigram_tokenizer()


def pieces(tokenizer: Any, ids: list[int], *, special: bool = False) -> list[str]:
    text = Detokenizer(tokenizer, special=special)
    return [*(text.add([id]) for id in ids), text.rest()]


def test_characters_that_several_tokens_share_come_whole(bytes_of: Any) -> None:
    text = "好的👍🏽, 再见"
    ids = bytes_of(text).input_ids
    assert len(ids) > len(text)
    shown = pieces(bytes_of, ids)
    assert "".join(shown) == text
    assert not any(BROKEN in piece for piece in shown)


@same_tokenizer
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BROKEN), max_size=40))
def test_any_text_comes_back_token_by_token(bytes_of: Any, text: str) -> None:
    assert "".join(pieces(bytes_of, bytes_of(text).input_ids)) == text


@same_tokenizer
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BROKEN), max_size=40), st.integers(2, 40))
def test_any_text_comes_back_however_many_tokens_come_at_a_time(bytes_of: Any, text: str, size: int) -> None:
    ids = bytes_of(text).input_ids
    told = Detokenizer(bytes_of, special=False)
    shown = [*(told.add(ids[start : start + size]) for start in range(0, len(ids), size)), told.rest()]
    assert "".join(shown) == text
    assert not any(BROKEN in piece for piece in shown)


@same_tokenizer
@given(st.lists(st.integers(0, 340), max_size=60))
def test_rubbish_from_a_model_has_no_replacement_characters(bytes_of: Any, ids: list[int]) -> None:
    assert BROKEN not in "".join(pieces(bytes_of, ids))


def test_bytes_that_never_become_a_character_do_not_hold_up_the_rest(bytes_of: Any) -> None:
    first_byte = bytes_of("好").input_ids[0]
    rubbish, text = [first_byte] * 100, bytes_of("Fine.").input_ids
    assert "".join(pieces(bytes_of, rubbish + text)) == "Fine."


def test_half_a_character_at_the_end_is_left_out(bytes_of: Any) -> None:
    assert "".join(pieces(bytes_of, bytes_of("Hi 好").input_ids[:-1])) == "Hi "


def test_spaces_between_words_of_sentencepiece_stay(words_of: Any) -> None:
    text = "Where is my order?"
    ids = words_of(text).input_ids
    assert "".join(pieces(words_of, ids)) == text
    assert all(piece == "" or piece in text for piece in pieces(words_of, ids))


def test_special_tokens_are_shown_only_if_they_are_wanted(bytes_of: Any) -> None:
    ids = [*bytes_of("Hi").input_ids, bytes_of.eos_token_id]
    assert "".join(pieces(bytes_of, ids)) == "Hi"
    assert "".join(pieces(bytes_of, ids, special=True)) == "Hi<|im_end|>"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<think>\nThey want a refund.\n</think>\n\nOf course.", "Of course."),
        ("  <think></think>Yes", "Yes"),
        ("<thinking> is what I do", "<thinking> is what I do"),
        ("1 < 2", "1 < 2"),
        ("<thi", "<thi"),
        ("<think>never ends", ""),
        ("", ""),
    ],
)
def test_thoughts_before_an_answer_are_not_shown(said: str, shown: str) -> None:
    for pieces in ([said], list(said)):
        thoughts = Thoughts()
        assert "".join(map(thoughts.add, pieces)) + thoughts.rest() == shown


def test_thoughts_that_the_prompt_began_are_not_shown() -> None:
    thoughts = Thoughts(begun=True)
    assert [thoughts.add(piece) for piece in ("Let me ", "see.</th", "ink>\n", "\nYes", " <think>")] == [
        "",
        "",
        "",
        "Yes",
        " <think>",
    ]
