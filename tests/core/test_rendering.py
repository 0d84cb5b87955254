import msgspec

from frontdesk.core.messages import Choice, Source
from frontdesk.core.rendering import numbered, with_sources
from frontdesk.core.testing.stores import a_reply


def test_sources_are_named_below_the_text_in_its_language() -> None:
    sources = (Source(title="Returns [EU]", url="https://shop.example/r"), Source(title="Leaflet"))
    reply = msgspec.structs.replace(a_reply("Within 30 days.", id="r1"), sources=sources, language="zh-CN")
    assert with_sources(reply) == "Within 30 days.\n\n来源：[Returns \\[EU\\]](<https://shop.example/r>), Leaflet"


def test_a_reply_without_sources_is_left_alone() -> None:
    assert with_sources(a_reply("Yes.", id="r1")) == "Yes."


def test_choices_are_numbered_once() -> None:
    assert numbered([Choice("Red", "r"), Choice("Blue", "b")]) == ["1. Red", "2. Blue"]
    assert numbered([Choice("1 – bad", "1"), Choice("2 – good", "2")]) == ["1 – bad", "2 – good"]
    assert numbered([Choice("10 kg", "10"), Choice("20 kg", "20")]) == ["1. 10 kg", "2. 20 kg"]
