import pytest

from frontdesk.core.dialogue.questions import pick
from frontdesk.core.messages import Choice

CHOICES = (Choice("Front", "front"), Choice("Back", "back"))


def test_a_flood_of_spaces_costs_no_time() -> None:
    assert pick(CHOICES, "1" + " " * 1_000_000 + "x") is None


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("front", "en", "front"),
        ("ba", "en", "back"),
        ("2", "en", "back"),
        ("number 1", "en", "front"),
        ("the second one", "en", "back"),
        ("the last one please", "en", "back"),
        ("第二个", "zh", "back"),
        ("3", "en", None),
        ("the third", "en", None),
        ("the first or the second", "en", None),
        ("I ordered it on the second of May", "en", None),
        ("neither", "en", None),
        ("", "en", None),
    ],
)
def test_a_choice_is_named_in_many_ways(text: str, language: str, value: str | None) -> None:
    picked = pick(CHOICES, text, language)
    assert (picked.value if picked else None) == value
