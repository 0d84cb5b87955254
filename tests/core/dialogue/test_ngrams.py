import numpy as np

from frontdesk.core.dialogue.ngrams import CJK_LENGTH, MAX_TERMS, NGrams

TEXTS = ["Where is my order?", "cancel my order", "我想取消订单"]


def test_a_row_of_the_matrix_is_the_features_of_the_text() -> None:
    ngrams = NGrams.learn(TEXTS)
    rows = ngrams.matrix(TEXTS).toarray()
    for text, row, length in zip(TEXTS, rows, (1, 1, CJK_LENGTH), strict=True):
        columns, values = ngrams.features(text)
        np.testing.assert_allclose(row[columns], values)
        assert np.count_nonzero(row) == len(columns)
        np.testing.assert_allclose((row**2).sum(), 2 * length**2, rtol=1e-5)  # words and characters


def test_case_and_width_do_not_matter() -> None:
    ngrams = NGrams.learn(TEXTS)
    for one, other in zip(ngrams.features("CANCEL my Order"), ngrams.features("ｃancel my order"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_text_without_known_terms_has_no_features() -> None:
    columns, values = NGrams.learn(["abc"]).features("☃☃")
    assert len(columns) == len(values) == 0
    assert len(NGrams.learn(["abc"]).features("")[0]) == 0


def test_chinese_shares_terms_without_spaces() -> None:
    rows = NGrams.learn(TEXTS).matrix(["我想取消订单", "怎么取消订单", "今天天气"]).toarray()
    near, far = rows[0] @ rows[1], rows[0] @ rows[2]
    assert near > 0.5
    assert far == 0


def test_keeps_the_most_frequent_terms_only() -> None:
    texts = [f"common {number:x}{number * 7919:x}" for number in range(4000)]
    ngrams = NGrams.learn(texts)
    assert len(ngrams.terms) == MAX_TERMS
    assert "\tcommon" in ngrams.terms
