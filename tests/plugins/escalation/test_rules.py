import pytest
from pydantic import ValidationError

from frontdesk.plugins.escalation import EscalationSettings, Rule
from frontdesk.plugins.escalation.settings import LEGAL, SAFETY


@pytest.mark.parametrize(
    "text",
    [
        "the kettle caught fire",
        "MY SON WAS INJURED by the lamp",
        "I burned my hand on it",
        "there is a gas leak",
        "it smells like gas here",
        "my glass tea pot exploded",
        "水壶着火了",
        "我被割伤了",
        "灯漏电",
        "meine Tochter hat sich verletzt",
        "die Lampe ist in Brand geraten",
        "der Kessel steht in Brand",
        "ich habe einen Stromschlag bekommen",
        "mon fils est blessé",
        "la lampe a pris feu",
        "mi hija está herida",
    ],
)
def test_safety(text: str) -> None:
    assert SAFETY.found_in.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "my lawyer will write to you",
        "I'll sue you",
        "I have asked my bank for a chargeback",
        "我要找律师",
        "我要去消协投诉",
        "我要打12315投诉",
        "我要告你们",
        "Sie hören von meinem Anwalt",
        "ich verklage Sie",
        "je vais porter plainte",
        "voy a llamar a mi abogado",
    ],
)
def test_legal(text: str) -> None:
    assert LEGAL.found_in.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "can I use the pan on an open fire?",
        "do you sell fire pits",
        "I burnt my toast",
        "does the pan work on gas",
        "I am unhappy",
        "avez-vous un couteau pour avocat",
        "can I make a court reservation",
        "is the pot explosion proof",
        "我不满意",
        "wo ist meine Bestellung",
        "quiero demandar información",
        "cancel my order",
        "it is still in brand new condition, can I return it?",
        "are you interested in brand partnerships?",
        "where is LL-12315",
        "物流单号是 RK123150042",
        "请转告你们的仓库",
        "我的信用卡被拒付了",
    ],
)
def test_ordinary_words_break_no_rule(text: str) -> None:
    assert not SAFETY.found_in.search(text)
    assert not LEGAL.found_in.search(text)


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(ValidationError, match=r"'\(press' is not a regular expression"):
        EscalationSettings.model_validate({"rules": [{"reason": "press", "patterns": ["(press"]}]})


@pytest.mark.parametrize(
    "wrong", [{"reason": "", "patterns": ["a"]}, {"reason": "x", "patterns": []}, {"reason": "x", "patterns": ["a"], "text": {}}]
)
def test_an_empty_rule_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(wrong)
