"""What agents write in Slack reaches customers of another channel."""

import asyncio
from typing import Any

import pytest

from frontdesk.core.app import App
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected
from frontdesk.core.messages import Outgoing
from frontdesk.core.testing.platform import until

from .conftest import Office


async def test_what_an_agent_writes_reaches_the_customer(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("Your parcel is *not* lost: https://shop.example/track?a=1&b=2 😀")
    assert await office.arrives() == ["Your parcel is *not* lost: https://shop.example/track?a=1&b=2 😀"]
    sent = office.channel.sent[-1]
    assert (sent.author, sent.conversation, sent.channel) == ("agent:Ann Agent", "test:1", "test")
    await until(lambda: written.reactions == ["white_check_mark"])
    await office.is_settled()
    assert office.read().count("Your parcel") == 1, "what is in the thread already is not shown again"


async def test_formatted_text_becomes_markdown(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    inside = [{"type": "text", "text": "bold", "style": {"bold": True}}, {"type": "text", "text": " and 1 < 2"}]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": name}]} for name in ("one", "two")]
    elements = [
        {"type": "rich_text_section", "elements": inside},
        {"type": "rich_text_list", "style": "bullet", "elements": items},
    ]
    await office.write("x", blocks=[{"type": "rich_text", "elements": elements}])
    assert await office.arrives() == ["**bold** and 1 < 2\n\n- one\n- two"]


async def test_files_reach_the_customer(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    data = bytes(range(256)) * 100
    await office.write("the label", files={"../label.pdf": data})
    await office.write("", files={"second.png": b"PNG"})
    await office.arrives(2)
    first, second = office.channel.sent[-2:]
    assert [(file.name, file.size) for file in first.attachments] == [("label.pdf", len(data))]
    assert app.attachments.path(first.attachments[0].id).read_bytes() == data
    assert (second.text, [file.name for file in second.attachments]) == ("", ["second.png"])


async def test_a_file_that_cannot_be_had_sends_nothing(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    office.slack.fail("download", status=404, times=9)
    await office.write("the label", files={"label.pdf": b"PDF"})
    await until(lambda: any("Not sent" in words for words in office.whispers(office.ann)))
    await office.is_settled()
    assert office.received() == []


async def test_edits_are_carried_over(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("At nien.")
    await office.arrives()
    await written.edit("At nine.")
    await office.arrives(2)
    await written.edit("At nine o'clock.")
    assert await office.arrives(3) == ["At nien.", "At nine.", "At nine o'clock."]
    first, second, third = office.channel.sent[-3:]
    assert (second.replaces, third.replaces) == (first.id, second.id)
    assert len({first.id, second.id, third.id}) == 3
    assert office.whispers(office.ann) == []


async def test_a_preview_of_a_link_is_no_edit(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("see https://shop.example")
    await office.arrives()
    await written.unfurl()
    await written.edit("see https://shop.example")
    await office.is_settled()
    assert len(office.received()) == 1


async def test_deletions_do_not_take_back(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("oops")
    await office.arrives()
    await written.delete()
    await until(lambda: any("already received" in words for words in office.whispers(office.ann)))
    assert len(office.received()) == 1


async def test_what_cannot_be_delivered_is_told(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()

    def refuse(outgoing: Outgoing) -> None:
        raise DeliveryRejected("the customer has blocked the bot")

    office.channel.refuse = refuse
    written = await office.write("hello?")
    await until(lambda: "did not reach the customer: the customer has blocked the bot" in office.read())
    await until(lambda: written.reactions == ["warning"])
    office.channel.refuse = None
    (dead,) = await app.store.dead()
    await app.store.replay(dead.seq)
    await until(lambda: "white_check_mark" in written.reactions)


async def test_what_is_not_yet_a_reply_has_not_failed(app: App, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.escalate()
    await office.take()
    reply, held = app.handoff.reply, asyncio.Event()

    async def slow(*arguments: Any, **named: Any) -> Any:
        await app.handoff.note("test:1", "Dora Desk", "meanwhile")
        await until(lambda: "meanwhile" in office.read())
        await held.wait()
        return await reply(*arguments, **named)

    monkeypatch.setattr(app.handoff, "reply", slow)
    written = await office.write("hello?")
    await until(lambda: "meanwhile" in office.read())
    held.set()
    await until(lambda: written.reactions == ["white_check_mark"])
    assert "did not reach" not in office.read()


async def test_what_is_on_its_way_is_marked_later(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    held = asyncio.Event()

    def later(outgoing: Outgoing) -> None:
        if not held.is_set():
            raise DeliveryDeferred("later", 0.05)

    office.channel.refuse = later
    written = await office.write("hello?")
    await office.is_settled()
    assert written.reactions == []
    held.set()
    await until(lambda: written.reactions == ["white_check_mark"])


async def test_a_repeated_event_is_one_reply(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("once")
    await office.arrives()
    await written.repeat()
    again = dict(written.deliveries[0].payload) | {"event_id": "Ev0OTHER"}
    await office.slack.deliver(again)
    await office.write("twice")
    assert await office.arrives(2) == ["once", "twice"]


async def test_lines_keep_their_order(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    office.slack.fail("download", status=503)
    await office.write("first", files={"slow.pdf": b"PDF"})
    for number in range(5):
        await office.write(f"line {number}")
    assert await office.arrives(6) == ["first", *(f"line {number}" for number in range(5))]
