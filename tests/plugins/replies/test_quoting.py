from frontdesk.plugins.replies.knowledge.quoting import quote, units
from frontdesk.plugins.replies.knowledge.values import Passage


def passage(text: str, **fields: object) -> Passage:
    return Passage(path="/a.md", name="a.md", title="Title", text=text, language="en", **fields)  # type: ignore[arg-type]


def quoted(text: str, wanted: str) -> str:
    parts = units(passage(text))
    return quote(parts, [1.0 if wanted in part.text else 0.0 for part in parts]).text


FILLER = " ".join(["More words stand here to make this section long enough."] * 8)


def test_the_best_sentence_is_quoted_word_for_word() -> None:
    assert quoted(f"First. We open at **10:00**, see [hours](x). {FILLER}", "10:00") == "We open at **10:00**, see [hours](x)."


def test_a_short_section_is_quoted_whole() -> None:
    text = f"Intro.\n\n## One\n\nFirst. Second.\n\nThird.\n\n## Two\n\n{FILLER}"
    assert quoted(text, "Second") == "First. Second.\n\nThird."


def test_a_list_comes_with_the_sentence_that_leads_to_it() -> None:
    text = f"{FILLER} You need:\n\n- a box\n- a label\n\n{FILLER}"
    assert quoted(text, "label") == "You need:\n\n- a box\n- a label"


def test_a_sentence_that_leans_on_the_one_before_brings_it_along() -> None:
    assert quoted(f"{FILLER} Enamel is glass. It chips when it falls. {FILLER}", "chips") == (
        "Enamel is glass. It chips when it falls."
    )


def test_neighbours_join_up_to_four_sentences_within_their_section() -> None:
    parts = units(passage("A one. B two. C three. D four. E five. F six.\n\n## Next\n\nG seven."))
    assert quote(parts, [0.9] * 6 + [0.1]).text.count(".") == 4


def test_the_heading_above_the_quotation_is_told() -> None:
    parts = units(passage(f"Intro.\n\n## How *fast*\n\nTwo days.\n\n## Other\n\n{FILLER}", headings=("Outer",)))
    assert quote(parts, [float("days" in part.text) for part in parts]).heading == "How fast"
    assert quote(parts, [float("Intro" in part.text) for part in parts]).heading == "Outer"


def test_chinese_sentences_are_joined_without_a_space() -> None:
    assert quoted("可以退货。三十天内。\n\n## 别的\n\n没有。", "退货") == "可以退货。三十天内。"


def test_equal_scores_quote_the_beginning() -> None:
    parts = units(passage(f"The lead. {FILLER}\n\n## Later\n\nThe end."))
    assert quote(parts, [0.0] * len(parts)).text.startswith("The lead.")
