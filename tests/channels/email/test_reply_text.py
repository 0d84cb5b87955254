"""The new text of mails: own cases in 23 languages, doubts, properties, and hostile texts that must cost no time."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.channels.email import reply_text
from frontdesk.channels.email.evaluation import Case, read_cases, score, token_f1
from frontdesk.channels.email.reply_text import Extracted, new_text

from .hostile import UNITS, repeated

CASES = Path(__file__).parent / "reply_text_cases"
ALL = list(read_cases(CASES))


def test_there_are_cases():
    assert len(ALL) >= 300
    assert len(list(CASES.glob("*.json"))) >= 23


@pytest.mark.parametrize("file", sorted(CASES.glob("*.json")), ids=lambda file: file.stem)
def test_the_new_text_is_found(file: Path):
    cases = [case for case in ALL if case.name.startswith(f"{file.stem}: ")]
    found = score(cases)
    assert found.failed == ()


def test_the_targets_are_met():
    found = score(ALL)
    assert found.exact >= 0.9
    assert found.f1 >= 0.95


def test_every_part_is_told():
    text = "Yes.\n\nBest regards,\nAnn\n\nOn Tue, May 14, 2024 at 10:00 AM Shop <shop@example.com> wrote:\n> Blue?\n"
    assert new_text(text) == Extracted(
        text="Yes.",
        quoted="On Tue, May 14, 2024 at 10:00 AM Shop <shop@example.com> wrote:\n> Blue?",
        signature="Best regards,\nAnn",
    )


def test_line_ends_of_every_kind():
    text = "Yes.\n\nOn 14 May 2024, at 10:00, Shop wrote:\n> Blue?"
    for end in ("\r\n", "\r"):
        assert new_text(text.replace("\n", end)).text == "Yes."


def test_answers_between_quotes_keep_their_questions():
    text = "See below.\n\nOn 14 May 2024, at 10:00, Shop wrote:\n> Size?\nXL\n> Colour?\nBlue\n> Thanks\n"
    assert new_text(text).text == "See below.\n> Size?\nXL\n> Colour?\nBlue"


def test_an_answer_below_a_long_quote_is_kept():
    quote = "> old\n" * 60_000
    assert new_text(f"On 14 May 2024, at 10:00, Shop wrote:\n{quote}\nMy answer.").text == "My answer."


def test_nothing_is_lost_when_all_would_be_cut():
    for text in ("> only a quote", "-- \nAnn", "Sent from my iPhone", "From: a@b.example\nTo: c@d.example\nSubject: x\n\nold"):
        assert new_text(text).text == text


def test_empty_texts():
    assert new_text("").text == ""
    assert new_text(" \n\t\n").text == ""


@given(st.text())
def test_any_text(text: str):
    found = new_text(text)
    assert len(found.text) <= len(text)
    assert bool(found.text) == bool(text.replace("\u2028", "\n").strip())


PIECES = st.sampled_from(
    [
        *(
            "On Tue, May 14, 2024 at 10:00 AM Shop <shop@example.com> wrote:",
            "Am 14.05.2024 um 10:00 schrieb Shop:",
            "> old",
            ">> older",
            "",
        ),
        *(
            "-----Original Message-----",
            "From: a@b.example",
            "Sent: 1 May 2024",
            "To: c@d.example",
            "Subject: x",
            "-- ",
            "--",
            "Ann",
            "_" * 30,
        ),
        *(
            "Best regards,",
            "Sent from my iPhone",
            "This is confidential.",
            "human text here",
            "wrote:",
            "在 2024年 写道：",
            "- item",
            "&gt; x",
        ),
    ]
)


@given(st.lists(PIECES, max_size=25))
@settings(max_examples=300)
def test_any_order_of_lines(lines: list[str]):
    text = "\n".join(lines)
    found = new_text(text)
    assert len(found.text) <= len(text)
    assert set(found.text.split()) <= set(text.split())
    if "human text here" in lines and lines.index("human text here") == 0:
        assert "human text here" in found.text


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit[:12]))
def test_time_grows_with_the_text_and_no_faster(unit: str, monkeypatch: pytest.MonkeyPatch):
    for limit in ("LIMIT", "_MOST_ATTEMPTS", "_MOST_RUNS"):  # they would hide a quadratic step from this test
        monkeypatch.setattr(reply_text, limit, sys.maxsize)
    text = repeated(unit, 300_000)
    assert len(new_text(text).text) <= len(text)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit[:12]))
def test_a_megabyte_is_read(unit: str):
    text = repeated(unit)
    assert len(new_text(text).text) <= len(text)


def test_scores():
    cases = [Case("same", "Yes.\n> old", "Yes."), Case("other", "Yes.", "No, thanks.")]
    found = score(cases)
    assert (found.cases, found.exact, found.f1, found.failed) == (2, 0.5, 0.5, ("other",))
    assert token_f1(["a", "b"], ["b", "c"]) == 0.5
    assert token_f1([], []) == 1
    with pytest.raises(ValueError, match="no cases"):
        score([])


def test_folders_of_pairs(tmp_path: Path):
    for folder, text in (("emails", "Yes.\n> old"), ("replies", "Yes.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.txt").write_text(text)
    assert list(read_cases(tmp_path)) == [Case("one", "Yes.\n> old", "Yes.")]
    (tmp_path / "replies" / "one.txt").unlink()
    with pytest.raises(ValueError, match="has no"):
        list(read_cases(tmp_path))
    (tmp_path / "bad.json").write_text("{}[")
    with pytest.raises(ValueError, match=r"bad\.json"):
        list(read_cases(tmp_path))
