import sys

import pytest

from frontdesk.core.dialogue.language import LanguageDetector

LANGUAGES = ("en", "zh", "de", "fr", "ja", "ru", "ar")


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    detector = LanguageDetector(LANGUAGES)
    detector.load()
    return detector


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order, please?", "en"),
        ("我想取消我的订单。", "zh"),
        ("我的 Brass Lantern 灯还没有收到，怎么回事？", "zh"),
        ("好的", "zh"),
        ("请把地址改成 Prinsengracht 263, 1016 GV Amsterdam, Netherlands", "zh"),
        ("Wo ist meine Bestellung geblieben?", "de"),
        ("Je voudrais annuler ma commande", "fr"),
        ("注文をキャンセルしたいです", "ja"),
        ("Где мой заказ?", "ru"),
        ("أين طلبي؟", "ar"),
    ],
)
def test_a_sentence_shows_its_language(detector: LanguageDetector, text: str, language: str) -> None:
    assert detector.detect(text, "en") == language
    assert detector.detect(text, None) == language


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "Brook kettle",
        "LL-10423",
        "",
        "👍👍",
        "https://shop.example/zh",
        "a@b.example",
        "12.50",
        "/link K4XN-A2CD",
        "/unlink",
        "K4XN-A2CD",
    ],
)
def test_what_tells_nothing_keeps_the_language(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text, "zh") == "zh"
    assert detector.detect(text, None) == "en"


def test_the_script_is_enough_where_it_is_one_languages_own() -> None:
    sys.modules.pop("py3langid.langid", None)
    detector = LanguageDetector(("en", "zh"))
    detector.load()
    assert detector.detect("Where is my order, please?", "zh") == "en"
    assert detector.detect("我想取消我的订单", "en") == "zh"
    assert "py3langid.langid" not in sys.modules


def test_a_language_the_bot_does_not_speak_keeps_the_conversations(detector: LanguageDetector) -> None:
    assert LanguageDetector(("en", "zh")).detect("주문을 취소하고 싶어요", "zh") == "zh"


def test_region_tags_are_kept() -> None:
    assert LanguageDetector(("en-GB", "zh-TW")).detect("我想取消我的訂單", None) == "zh-TW"


def test_a_flood_without_spaces_costs_no_time() -> None:
    detector = LanguageDetector(("en", "zh"))
    assert detector.detect("a" * 1_000_000, None) == "en"
