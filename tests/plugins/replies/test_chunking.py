import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.plugins.replies.knowledge.articles import Article
from frontdesk.plugins.replies.knowledge.chunking import chunk
from frontdesk.plugins.replies.knowledge.text import anchor, cjk_share, plain, sentences, terms, word_count


def words(count: int, word: str = "word") -> str:
    return " ".join([word] * count)


def chunks(body: str, **limits: int) -> list[tuple[tuple[str, ...], str]]:
    return [(piece.headings, piece.text) for piece in chunk(Article(title="Title", body=body), **limits)]


def test_small_sections_are_joined_and_keep_their_headings_in_the_text() -> None:
    assert chunks("# Title\n\nIntro.\n\n## One\n\nFirst.\n\n## Two\n\nSecond.") == [
        ((), "Intro.\n\n## One\n\nFirst.\n\n## Two\n\nSecond.")
    ]


def test_large_sections_stand_alone_under_their_heading_path() -> None:
    body = f"## Outer\n\n{words(150, 'a')}\n\n### Inner\n\n{words(150, 'b')}\n\n## Next\n\n{words(150, 'c')}"
    assert [headings for headings, _ in chunks(body)] == [("Outer",), ("Outer", "Inner"), ("Next",)]


def test_joined_sections_share_the_path_that_they_have_in_common() -> None:
    body = f"## Outer\n\n### One\n\n{words(20)}\n\n### Two\n\n{words(20)}"
    assert [headings for headings, _ in chunks(body)] == [("Outer",)]


def test_a_long_section_is_cut_between_blocks_and_sentences_and_loses_nothing() -> None:
    body = "## Long\n\n" + "\n\n".join(f"{words(70, f'w{number}')}. Then {words(70, f'v{number}')}." for number in range(5))
    pieces = chunks(body)
    assert all(headings == ("Long",) for headings, _ in pieces)
    assert all(word_count(text) <= 300 for _, text in pieces)
    assert " ".join(text for _, text in pieces).split() == body.removeprefix("## Long\n\n").split()


def test_long_lists_are_cut_between_items() -> None:
    body = "\n".join(f"- item {number} {words(20)}" for number in range(40))
    for _, text in chunks(body):
        assert all(line.startswith("- item") for line in text.splitlines())


def test_a_hash_inside_code_is_no_heading() -> None:
    assert chunks("## Real\n\n```\n# comment\n```") == [(("Real",), "```\n# comment\n```")]


def test_keys_are_the_title_the_heading_paths_and_the_sections() -> None:
    (piece,) = chunk(Article(title="Title", body="Intro **bold**.\n\n## One\n\nFirst [link](x)."))
    assert piece.keys("Title") == ("Title", "Title\nIntro bold.", "Title: One", "Title: One\nFirst link.")


@given(st.text(max_size=400))
def test_any_text_can_be_cut(body: str) -> None:
    for piece in chunk(Article(title="T", body=body), min_words=5, max_words=10):
        assert piece.text.strip()


@pytest.mark.parametrize("wall", [words(2000), "字" * 3000, "x" * 5000, "。" * 2000])
def test_a_wall_of_text_is_cut(wall: str) -> None:
    assert all(word_count(text) <= 301 for _, text in chunks(wall))


def test_terms_stem_english_and_pair_chinese_characters() -> None:
    assert terms("Returned parcels, cancelled ORDERS") == terms("return a parcel; cancel the order")
    assert terms("我想取消订单") == ["取", "消", "订", "单", "取消", "消订", "订单"]
    assert terms("iPhone 15的退货") == ["iphon", "15", "退", "货", "退货"]


def test_sentences_end_where_readers_think_they_do() -> None:
    assert sentences("It costs €4.95, e.g. for books. Is it free? Yes!") == [
        "It costs €4.95, e.g. for books.",
        "Is it free?",
        "Yes!",
    ]
    assert sentences("可以退货。30天内！对吗？") == ["可以退货。", "30天内！", "对吗？"]
    assert sentences("One line\nand the next.") == ["One line and the next."]


def test_plain_text_has_no_marks() -> None:
    assert plain("# A *b*\n\n- [c](d) `e`\n\n| f | g |\n|---|---|\n| h | i |") == "A b\nc e\nf\ng\nh\ni"


def test_small_helpers() -> None:
    assert anchor("When you get your *money* back?") == "when-you-get-your-money-back"
    assert cjk_share("我要 return") == 0.25
    assert cjk_share("123") == 0
