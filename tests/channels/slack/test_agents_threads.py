"""What agents see in Slack of a conversation of another channel: a thread with its context, kept up to date."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from frontdesk.channels.slack.agents_render import first_message
from frontdesk.core.app import App
from frontdesk.core.messages import Attachment, FilePart, TextPart
from frontdesk.core.testing import a_message
from frontdesk.core.testing.platform import until
from frontdesk.testing.slack.blocks import checked

from .conftest import Office


async def test_an_escalation_opens_a_thread_with_its_context(app: App, office: Office) -> None:
    await office.says("where is my order?")
    await office.channel.wait_for(1)
    root = await office.escalate()
    assert root.text.startswith("test:1 needs a person · Test")
    for words in ("the customer asks for a person", "Language", "en", "Identity", "not proven", "Order LL-1 is late."):
        assert words in root.text
    assert "Nobody has taken it yet" in root.text
    assert root.buttons == ["Take", "Resolve", "Give back to the bot"]
    context = office.thread()[0].text
    assert context.startswith("The last messages")
    assert "**" not in context
    for words in ("test:1: where is my order?", "🤖 Bot: You said: where is my order?", "test:1: human please"):
        assert words in context


async def test_the_buttons_are_there_whatever_the_reason_is(app: App, office: Office) -> None:
    await office.escalate()
    state = await app.store.conversation("test:1")
    assert state is not None
    assert state.handoff is not None
    state = msgspec.structs.replace(state, handoff=msgspec.structs.replace(state.handoff, reason="<" * 3000))
    thread = await app.channels["slack"]._agents._db.thread_of("test:1")  # type: ignore[attr-defined]
    assert checked(first_message(thread, state)[1]), "Slack takes all of it"


async def test_what_customers_write_is_never_markup(app: App, office: Office) -> None:
    root = await office.escalate()
    assert "*urgent* <!channel>" in root.text
    await office.says("<!channel> <https://evil.example|our page> *hi* &amp; @here")
    await until(lambda: "evil" in office.read())
    assert "<!channel> <https://evil.example|our page> *hi* &amp; @here" in office.read()
    posted = [call.arguments for call in office.slack.called("chat.postMessage")]
    assert "<!channel>" not in "".join(arguments["text"] for arguments in posted)


async def test_who_took_it_is_shown(app: App, office: Office) -> None:
    await office.escalate()
    await office.take(office.ann)
    assert "Taken by Ann Agent" in office.roots()[-1].text
    assert "Ann Agent has taken the conversation" in office.read()
    assert office.roots()[-1].buttons == ["Take it over", "Resolve", "Give back to the bot"]
    state = await app.store.conversation("test:1")
    assert state is not None
    assert (state.owner, state.agent) == ("agent", "Ann Agent")
    await office.take(office.bob)
    state = await app.store.conversation("test:1")
    assert state is not None
    assert state.agent == "Bob Agent"


async def test_the_conversation_is_followed(app: App, office: Office) -> None:
    await office.escalate()
    await office.says("are you there?")
    await until(lambda: "are you there?" in office.read())
    await app.handoff.reply("test:1", "Dora Desk", "A *moment*, please.")
    await until(lambda: "A moment, please." in office.read())
    assert "Taken by Dora Desk" in office.roots()[-1].text
    assert "Dora Desk has taken the conversation\nDora Desk\nA moment, please." in office.read()
    await app.handoff.note("test:1", "Dora Desk", "a difficult one")
    await until(lambda: "🔒 Dora Desk (note)\na difficult one" in office.read())
    await app.handoff.give_back("test:1", "Dora Desk")
    await until(lambda: "given the conversation back" in office.read())
    await office.says("only the bot hears this")
    await office.channel.wait_for(3)
    await office.is_settled()
    assert "only the bot hears this" not in office.read()


async def test_edits_and_deletions_by_the_customer_are_shown(app: App, office: Office) -> None:
    await office.escalate()
    original = a_message("teh parcel", id="test:original")
    await app.intake.accept(original)
    await until(lambda: "teh parcel" in office.read())
    change: dict[str, Any] = {"target": original.id, "kind": "edited", "parts": (TextPart("the parcel"),)}
    await app.intake.accept(msgspec.structs.replace(original, id="test:edit", **change))
    await until(lambda: "test:1 (edited)\nthe parcel" in office.read())
    assert "teh parcel" not in office.read()
    await app.intake.accept(msgspec.structs.replace(original, id="test:gone", target=original.id, kind="deleted", parts=()))
    await until(lambda: "test:1 (deleted by the customer)" in office.read())
    assert "the parcel" not in office.read()


async def test_files_of_customers_are_in_the_thread(app: App, office: Office) -> None:
    await office.escalate()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"PNG"

    saved = await app.attachments.save(chunks(), name="broken.png", media_type="image/png")
    missing = Attachment(id="", name="big.mov", media_type="video/quicktime", size=0, problem="the file is too large")
    message = a_message("see")
    parts = (*message.parts, FilePart(saved), FilePart(missing))
    await app.intake.accept(msgspec.structs.replace(message, parts=parts))
    await until(lambda: any(message.files for message in office.thread()))
    assert [message.files for message in office.thread() if message.files] == [{"broken.png": b"PNG"}]
    assert "📎 broken.png\n📎 big.mov (the file is too large)" in office.read()


async def test_resolved_and_asked_again(app: App, office: Office) -> None:
    first = await office.escalate()
    await office.take()
    await office.view().press("Resolve")
    await until(lambda: "Resolved" in office.roots()[0].text)
    assert first.buttons == ["Take"]
    assert "Ann Agent has resolved the conversation" in office.read()
    state = await app.store.conversation("test:1")
    assert state is not None
    assert (state.owner, state.resolved is not None) == ("bot", True)
    second = await office.escalate()
    assert (second.ts != first.ts, len(office.roots())) == (True, 2)


async def test_resolved_twice_is_resolved_once(app: App, office: Office) -> None:
    root = await office.escalate()
    await office.take()
    await asyncio.gather(*(office.as_seen_by(root, person).press("Resolve") for person in (office.ann, office.bob)))
    await until(lambda: root.buttons == ["Take"])
    await office.is_settled()
    assert office.read().count("has resolved the conversation") == 1


async def test_given_back_to_the_bot(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    await office.view().press("Give back to the bot")
    await until(lambda: "the bot has the conversation" in office.roots()[-1].text)
    await office.says("thanks")
    await until(lambda: office.channel.sent[-1].text == "You said: thanks")


async def test_taken_up_again_after_it_was_closed(app: App, office: Office) -> None:
    root = await office.escalate()
    await office.take()
    await office.view().press("Resolve")
    await until(lambda: root.buttons == ["Take"])
    await office.says("one more thing")
    await office.channel.wait_for(2)
    await office.take(office.bob)
    await until(lambda: "one more thing" in office.read())
    await office.write("I am back.", office.bob)
    assert await office.arrives() == ["I am back."]


async def test_conversations_have_threads_of_their_own(app: App, office: Office) -> None:
    for number in range(1, 4):
        await office.escalate(f"test:{number}")
    await office.take()
    await office.write("for the third")
    await office.arrives()
    assert office.channel.sent[-1].conversation == "test:3"


async def test_a_conversation_that_nobody_asked_about_has_none(app: App, office: Office) -> None:
    await office.says("hello")
    await office.channel.wait_for(1)
    await app.handoff.reply("test:1", "Dora Desk", "hi")
    await office.arrives()
    await office.is_settled()
    assert office.roots() == []


async def test_long_words_are_shortened(app: App, office: Office) -> None:
    await office.escalate()
    await office.says("long " * 5000)
    await until(lambda: "long long" in office.read())
    assert office.thread()[-1].text.endswith("long…")
    await app.handoff.reply("test:1", "Dora Desk", "word " * 3000)
    await until(lambda: "… shortened" in office.read())
