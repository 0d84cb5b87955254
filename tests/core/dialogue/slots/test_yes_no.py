import pytest

from frontdesk.core.dialogue.slots import YesNo

YES = [
    ("en", "yes"), ("en", "Yes please!"), ("en", "yep"), ("en", "yes, cancel it"),
    ("en", "sure, go ahead and cancel my order please"),
    ("en", "👍🏽"), ("en", "no problem"), ("zh", "好的"), ("zh", "是的，取消我的订单"), ("zh", "好的谢谢"),
    ("zh", "没问题"), ("de", "Ja, bitte"),
    ("de", "natürlich"), ("fr", "Oui, s'il vous plaît"), ("fr", "d’accord"), ("es", "Sí, claro"), ("es", "si"),
    ("pt", "sim"),
    ("pt", "pode ser"), ("it", "Sì grazie"), ("it", "va bene"), ("nl", "Ja graag"), ("pl", "tak, proszę"),
    ("ru", "да, конечно"),
    ("ja", "はい、お願いします"), ("ko", "네, 취소해 주세요"), ("ar", "نعم من فضلك"), ("tr", "Evet lütfen"),
    ("en", "да"), ("sv", "yes"),
]  # fmt: skip
NO = [
    ("en", "no"), ("en", "no thanks"), ("en", "Nope."), ("en", "no, don't cancel it"), ("en", "👎"), ("zh", "不要"),
    ("zh", "不用了，谢谢"),
    ("zh", "别取消"), ("zh", "不是"), ("de", "Nein danke"), ("de", "lieber nicht"), ("fr", "non merci"),
    ("es", "no, gracias"),
    ("pt", "Não, obrigado"), ("pt", "nao"), ("it", "no grazie"), ("nl", "nee, dank je"), ("pl", "nie, dziękuję"),
    ("ru", "нет, спасибо"),
    ("ja", "いいえ、結構です"), ("ko", "아니요"), ("ar", "لا شكرا"), ("tr", "hayır, teşekkürler"),
]  # fmt: skip
UNCLEAR = [
    ("en", "no idea what you mean"), ("en", "yes but which one?"), ("en", "yes?"), ("en", "no, the other order"),
    ("en", "not that one"),
    ("en", "no, cancel my order"), ("en", "yes and no"), ("en", "right, no"), ("en", "I don't know"), ("en", "maybe"),
    ("en", "thanks"),
    ("en", "nothing"), ("en", "OK I will call you tomorrow"), ("en", "yesterday"), ("en", "never mind"), ("en", ""),
    ("zh", "好吗"),
    ("zh", "不知道"), ("zh", "是不是"), ("zh", "不是这个"), ("zh", "不好意思"), ("zh", "对不起"),
    ("de", "keine Ahnung"), ("fr", "je ne sais pas"),
    ("es", "no sé"), ("pt", "não sei"), ("it", "non lo so"), ("nl", "geen idee"), ("pl", "no"), ("pl", "nie wiem"),
    ("ru", "не знаю"),
    ("ja", "わかりません"), ("ja", "大丈夫です"), ("ko", "괜찮아요"), ("en", "yes I don't want it"),
    ("zh", "好不要"), ("ko", "모르겠어요"), ("ko", "예약"), ("ar", "لا أعرف"), ("tr", "bilmiyorum"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [(*case, [True]) for case in YES] + [(*case, [False]) for case in NO] + [(*case, []) for case in UNCLEAR],
)
def test_yes_no_or_unclear(values, language, text, expected):
    assert values(YesNo, text, language) == expected


def test_an_utterance_that_answers_nothing_is_no_yes(values):
    assert values(YesNo, "yes", answering=False) == []
