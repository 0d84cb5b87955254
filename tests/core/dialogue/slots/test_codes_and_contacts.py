import pytest

from frontdesk.core.dialogue.slots import Choice, Email, FreeText, Pattern, Phone
from frontdesk.core.text import Text


class OrderId(Pattern):
    pattern = r"LL-\d{5}"
    loose = r"(?:ll|order|订单号?)[ -]{0,3}(?P<digits>\d{5})"
    bare = r"(?P<digits>\d{5})"
    canonical = "LL-{digits}"


class Size(Choice):
    options = {"s": Text(en="small", zh="小号"), "m": {"en": ["medium", "middle"], "zh": "中号"}, "l": "large"}  # noqa: RUF012


@pytest.mark.parametrize(
    "text", ["LL-10423", "ll-10423", "ll 10423", "LL10423", "order 10423", "订单ll-10423还没到", "ＬＬ－１０４２３", "LL–10423!"]
)
def test_an_order_number_in_all_its_forms(values, text):
    assert values(OrderId, text, answering=False) == ["LL-10423"]


def test_a_bare_number_is_an_answer_only(values):
    assert values(OrderId, "10423") == ["LL-10423"]
    assert values(OrderId, "10423", answering=False) == []
    assert values(OrderId, "LL-104233") == []


def test_several_codes_in_order(values):
    assert values(OrderId, "LL-10424, not order 10423") == ["LL-10424", "LL-10423"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [({}, "needs a pattern"), ({"pattern": "("}, "unterminated"), ({"pattern": "a*"}, "matches nothing"),
     ({"pattern": "a", "loose": "b"}, "canonical"),
     ({"pattern": "a", "loose": "b", "canonical": "{x}"}, "no group named x")],
)  # fmt: skip
def test_a_pattern_that_cannot_work_is_refused_at_once(attributes, message):
    with pytest.raises(TypeError, match=message):
        type("Broken", (Pattern,), attributes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("mail me at Foo.Bar@Example.com.", "Foo.Bar@example.com"), ("我的邮箱是a@b.com谢谢", "a@b.com"), ("<a@b.de>", "a@b.de")],
)
def test_email(values, text, expected):
    assert values(Email, text, answering=False) == [expected]


def test_a_spoken_address_is_an_answer_only(values):
    assert values(Email, "john at example dot com") == ["john@example.com"]
    assert values(Email, "john at example dot com", answering=False) == []


@pytest.mark.parametrize("text", ["a@b", "x@y..com", "@@@", "meet me @ noon"])
def test_what_is_no_address(values, text):
    assert values(Email, text) == []


@pytest.mark.parametrize(
    ("region", "text", "expected"),
    [("DE", "call 030 123456 please", "+4930123456"), ("DE", "+1 650-253-0000", "+16502530000"),
     ("US", "(650) 253-0000", "+16502530000"),
     ("CN", "我的手机13812345678", "+8613812345678"), ("FR", "06 12 34 56 78", "+33612345678"),
     ("GB", "020 7946 0018", "+442079460018")],
)  # fmt: skip
def test_phone(values, region, text, expected):
    assert values(Phone, text, region=region, answering=False) == [expected]


@pytest.mark.parametrize("text", ["order 10423", "2025-05-03", "LL-10423456789", "12"])
def test_what_is_no_phone_number(values, text):
    assert values(Phone, text) == []


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [("en", "2", "m"), ("en", "#3", "l"), ("en", "the second one", "m"), ("en", "the last one", "l"),
     ("en", "number two", "m"),
     ("en", "MEDIUM please", "m"), ("en", "ｍｅｄｉｕｍ", "m"), ("en", "med", "m"), ("en", "m", "m"),
     ("zh", "第二个", "m"),
     ("zh", "我要中号的", "m"), ("de", "die zweite", "m"), ("fr", "la deuxième", "m"), ("es", "la segunda", "m"),
     ("pt", "o segundo", "m"),
     ("it", "la seconda", "m"), ("nl", "de tweede", "m"), ("pl", "druga", "m"), ("ru", "второй", "m"),
     ("ja", "二番目", "m"),
     ("ko", "두 번째", "m"), ("ar", "الثاني", "m"), ("tr", "ikincisi", "m")],
)  # fmt: skip
def test_choice(values, language, text, expected):
    assert values(Size, text, language) == [expected]


@pytest.mark.parametrize("text", ["7", "x", "I'm not sure", ""])
def test_no_choice(values, text):
    assert values(Size, text) == []


def test_a_choice_in_an_utterance_needs_its_label(values):
    assert values(Size, "a large shirt", answering=False) == ["l"]
    assert values(Size, "I'm after the second one", answering=False) == []


def test_two_options_may_not_share_a_label():
    with pytest.raises(TypeError, match="share the label"):
        type("Twice", (Choice,), {"options": {"a": "Red", "b": "red"}})


def test_only_an_option_comes_back_from_json():
    assert Size.from_json("s") == "s"
    with pytest.raises(ValueError, match="not an option"):
        Size.from_json("xl")


def test_free_text_is_an_answer_only(values):
    class Reason(FreeText):
        min_length = 3
        max_length = 10

    assert values(Reason, "  too small \n") == ["too small"]
    assert values(Reason, "no") == []
    assert values(Reason, "x" * 11) == []
    assert values(Reason, "too small", answering=False) == []
