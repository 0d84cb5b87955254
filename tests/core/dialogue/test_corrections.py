import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.dialogue.corrections import abandons, correction

LANGUAGES = ["en", "zh", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "ja", "ko", "ar", "tr"]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "forget it"), ("en", "Never mind, I found it"), ("en", "cancel that"),
     ("en", "no thanks, forget it please"), ("zh", "算了"),
     ("zh", "不用了，谢谢"), ("zh", "算了吧"), ("de", "Vergiss es"), ("de", "schon gut, danke"),
     ("fr", "laissez tomber"), ("es", "olvídalo"),
     ("pt", "deixa pra lá"), ("it", "lascia perdere"), ("nl", "laat maar"), ("pl", "nieważne"), ("ru", "забудьте"),
     ("ja", "もういいです"),
     ("ko", "됐어요"), ("ar", "لا يهم"), ("tr", "boş ver"), ("de", "never mind")],
)  # fmt: skip
def test_abandoning(language, text):
    assert abandons(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "cancel my order"), ("en", "I want to cancel"), ("en", "cancel it"),
     ("en", "I forget it every time I log in"), ("en", "no"),
     ("en", "never mind the colour"), ("en", "forget it, use LL-10424"), ("en", "never mind, where is my other order?"),
     ("zh", "我想取消我的订单"),
     ("zh", "不用退款，换货就行"), ("de", "bitte stornieren"), ("fr", "annulez ma commande"), ("es", "quiero cancelar"),
     ("en", "")],
)  # fmt: skip
def test_what_is_not_abandoning(language, text):
    assert not abandons(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "no, the other order"), ("en", "not that one"), ("en", "the other one please"),
     ("zh", "不是这个，是另一个"), ("zh", "不是这个"),
     ("de", "nein, die andere Bestellung"), ("fr", "non, l'autre commande"), ("fr", "pas celle-là"),
     ("es", "no, el otro pedido"),
     ("pt", "não, o outro"), ("it", "no, l'altro ordine"), ("nl", "nee, de andere"), ("pl", "nie, to drugie"),
     ("ru", "нет, другой заказ"),
     ("ja", "いいえ、別の注文です"), ("ja", "それじゃなくて、もう一つの"), ("ko", "아니요, 다른 주문이요"),
     ("ar", "لا، الطلب الآخر"),
     ("tr", "hayır, diğer sipariş")],
)  # fmt: skip
def test_the_other_one(language, text):
    found = correction(text, language)
    assert found is not None
    assert found.other


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "I meant LL-10424"), ("en", "no, LL-10424"), ("en", "not that one, LL-10424"),
     ("en", "not LL-10423 but LL-10424"),
     ("en", "sorry, 不对，是 LL-10424"), ("zh", "sorry, 不对，是 LL-10424"), ("zh", "不是LL-10423，而是LL-10424"),
     ("de", "ich meinte LL-10424"),
     ("fr", "pardon, je voulais dire LL-10424"), ("es", "perdón, quise decir LL-10424"),
     ("pt", "desculpe, quis dizer LL-10424"),
     ("it", "scusi, intendevo LL-10424"), ("nl", "sorry, ik bedoelde LL-10424"), ("pl", "nie, LL-10424"),
     ("ru", "я имел в виду LL-10424"),
     ("ja", "すみません、LL-10424"), ("ko", "아니요, LL-10424"), ("ar", "أقصد LL-10424"), ("tr", "pardon, LL-10424")],
)  # fmt: skip
def test_a_new_value(language, text):
    found = correction(text, language)
    assert found is not None
    assert not found.other
    assert "LL-10424" in found.rest
    assert "LL-10423" not in found.rest


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "no"), ("en", "yes"), ("en", "what about the other order?"), ("en", "I have another question"),
     ("en", "no news of LL-10424"),
     ("en", "actually I have a question about shipping to 3 places"), ("en", "no problem"), ("zh", "是的"),
     ("zh", "是昨天的"), ("zh", "不是"),
     ("en", "no I never got 2 of my parcels and I want my money back"), ("de", "nein"), ("en", "")],
)  # fmt: skip
def test_what_is_no_correction(language, text):
    assert correction(text, language) is None


@given(text=st.text(st.characters(), max_size=300), language=st.sampled_from([*LANGUAGES, "sv", ""]))
def test_any_text_is_read_without_an_error(text, language):
    abandons(text, language)
    found = correction(text, language)
    assert found is None or found.rest in text
