import msgspec

from frontdesk.core.messages import Source
from frontdesk.core.rendering import with_sources
from frontdesk.core.testing.stores import a_reply


def test_sources_are_named_below_the_text_in_its_language() -> None:
    sources = (Source(title="Returns [EU]", url="https://shop.example/r"), Source(title="Leaflet"))
    reply = msgspec.structs.replace(a_reply("Within 30 days.", id="r1"), sources=sources, language="zh-CN")
    assert with_sources(reply) == "Within 30 days.\n\n来源：[Returns \\[EU\\]](<https://shop.example/r>), Leaflet"


def test_a_reply_without_sources_is_left_alone() -> None:
    assert with_sources(a_reply("Yes.", id="r1")) == "Yes."
