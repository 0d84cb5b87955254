"""Agents answer customers of another channel from Slack."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from frontdesk.channels.slack.agents_render import first_message
from frontdesk.core.app import App
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected, TransientError
from frontdesk.core.messages import Attachment, FilePart, Note, Outgoing, TextPart
from frontdesk.core.testing import a_message
from frontdesk.core.testing.platform import until
from frontdesk.testing.slack.blocks import checked

from .conftest import Office


@pytest.fixture
async def app(office: Office) -> AsyncIterator[App]:
    async with office.open() as app:
        yield app


class TestThreads:
    async def test_an_escalation_opens_a_thread_with_its_context(self, app: App, office: Office) -> None:
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

    async def test_the_buttons_are_there_whatever_the_reason_is(self, app: App, office: Office) -> None:
        await office.escalate()
        state = await app.store.conversation("test:1")
        assert state is not None
        assert state.handoff is not None
        state = msgspec.structs.replace(state, handoff=msgspec.structs.replace(state.handoff, reason="<" * 3000))
        thread = await app.channels["slack"]._agents._db.thread_of("test:1")  # type: ignore[attr-defined]
        assert checked(first_message(thread, state)[1]), "Slack takes all of it"

    async def test_what_customers_write_is_never_markup(self, app: App, office: Office) -> None:
        root = await office.escalate()
        assert "*urgent* <!channel>" in root.text
        await office.says("<!channel> <https://evil.example|our page> *hi* &amp; @here")
        await until(lambda: "evil" in office.read())
        assert "<!channel> <https://evil.example|our page> *hi* &amp; @here" in office.read()
        posted = [call.arguments for call in office.slack.called("chat.postMessage")]
        assert "<!channel>" not in "".join(arguments["text"] for arguments in posted)

    async def test_who_took_it_is_shown(self, app: App, office: Office) -> None:
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

    async def test_the_conversation_is_followed(self, app: App, office: Office) -> None:
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

    async def test_edits_and_deletions_by_the_customer_are_shown(self, app: App, office: Office) -> None:
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

    async def test_files_of_customers_are_in_the_thread(self, app: App, office: Office) -> None:
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

    async def test_resolved_and_asked_again(self, app: App, office: Office) -> None:
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

    async def test_resolved_twice_is_resolved_once(self, app: App, office: Office) -> None:
        root = await office.escalate()
        await office.take()
        await asyncio.gather(*(as_seen_by(office, root, person).press("Resolve") for person in (office.ann, office.bob)))
        await until(lambda: root.buttons == ["Take"])
        await office.is_settled()
        assert office.read().count("has resolved the conversation") == 1

    async def test_given_back_to_the_bot(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        await office.view().press("Give back to the bot")
        await until(lambda: "the bot has the conversation" in office.roots()[-1].text)
        await office.says("thanks")
        await until(lambda: office.channel.sent[-1].text == "You said: thanks")

    async def test_taken_up_again_after_it_was_closed(self, app: App, office: Office) -> None:
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

    async def test_conversations_have_threads_of_their_own(self, app: App, office: Office) -> None:
        for number in range(1, 4):
            await office.escalate(f"test:{number}")
        await office.take()
        await office.write("for the third")
        await office.arrives()
        assert office.channel.sent[-1].conversation == "test:3"

    async def test_a_conversation_that_nobody_asked_about_has_none(self, app: App, office: Office) -> None:
        await office.says("hello")
        await office.channel.wait_for(1)
        await app.handoff.reply("test:1", "Dora Desk", "hi")
        await office.arrives()
        await office.is_settled()
        assert office.roots() == []

    async def test_long_words_are_shortened(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.says("long " * 5000)
        await until(lambda: "long long" in office.read())
        assert office.thread()[-1].text.endswith("long…")
        await app.handoff.reply("test:1", "Dora Desk", "word " * 3000)
        await until(lambda: "… shortened" in office.read())


class TestReplies:
    async def test_what_an_agent_writes_reaches_the_customer(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("Your parcel is *not* lost: https://shop.example/track?a=1&b=2 😀")
        assert await office.arrives() == ["Your parcel is *not* lost: https://shop.example/track?a=1&b=2 😀"]
        sent = office.channel.sent[-1]
        assert (sent.author, sent.conversation, sent.channel) == ("agent:Ann Agent", "test:1", "test")
        await until(lambda: written.reactions == ["white_check_mark"])
        await office.is_settled()
        assert office.read().count("Your parcel") == 1, "what is in the thread already is not shown again"

    async def test_formatted_text_becomes_markdown(self, app: App, office: Office) -> None:
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

    async def test_files_reach_the_customer(self, app: App, office: Office) -> None:
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

    async def test_a_file_that_cannot_be_had_sends_nothing(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        office.slack.fail("download", status=404, times=9)
        await office.write("the label", files={"label.pdf": b"PDF"})
        await until(lambda: any("Not sent" in words for words in office.whispers(office.ann)))
        await office.is_settled()
        assert office.received() == []

    async def test_edits_are_carried_over(self, app: App, office: Office) -> None:
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

    async def test_a_preview_of_a_link_is_no_edit(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("see https://shop.example")
        await office.arrives()
        await written.unfurl()
        await written.edit("see https://shop.example")
        await office.is_settled()
        assert len(office.received()) == 1

    async def test_deletions_do_not_take_back(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("oops")
        await office.arrives()
        await written.delete()
        await until(lambda: any("already received" in words for words in office.whispers(office.ann)))
        assert len(office.received()) == 1

    async def test_what_cannot_be_delivered_is_told(self, app: App, office: Office) -> None:
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

    async def test_what_is_not_yet_a_reply_has_not_failed(
        self, app: App, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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

    async def test_what_is_on_its_way_is_marked_later(self, app: App, office: Office) -> None:
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

    async def test_a_repeated_event_is_one_reply(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("once")
        await office.arrives()
        await written.repeat()
        again = dict(written.deliveries[0].payload) | {"event_id": "Ev0OTHER"}
        await office.slack.deliver(again)
        await office.write("twice")
        assert await office.arrives(2) == ["once", "twice"]

    async def test_lines_keep_their_order(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        office.slack.fail("download", status=503)
        await office.write("first", files={"slow.pdf": b"PDF"})
        for number in range(5):
            await office.write(f"line {number}")
        assert await office.arrives(6) == ["first", *(f"line {number}" for number in range(5))]


class TestInternal:
    """What is not sent. Where an agent may have meant to send it, they are told."""

    async def test_before_it_is_taken(self, app: App, office: Office) -> None:
        await office.escalate()
        written = await office.write("looks like fraud")
        await until(lambda: any("take the conversation first" in words for words in office.whispers(office.ann)))
        assert office.whispers(office.bob) == []
        assert await office.notes() == ["looks like fraud"]
        assert written.reactions == ["lock"]
        whisper = next(message for message in office.view().messages if message.only_you)
        await whisper.press("Take")
        await until(lambda: "Taken by Ann Agent" in office.roots()[-1].text)
        await office.is_settled()
        assert office.received() == [], "taking does not send what was written before"

    async def test_by_somebody_else_than_who_took_it(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take(office.ann)
        await office.write("I know this one", office.bob)
        await until(lambda: any("somebody else has this" in words for words in office.whispers(office.bob)))
        await app.handoff.take("test:1", "Dora Desk")
        await office.write("still mine?", office.ann)
        await until(lambda: any("somebody else has this" in words for words in office.whispers(office.ann)))
        assert office.received() == []
        assert await office.notes() == ["I know this one", "still mine?"]

    async def test_after_it_was_closed(self, app: App, office: Office) -> None:
        root = await office.escalate()
        await office.take()
        await office.view().press("Resolve")
        await until(lambda: root.buttons == ["Take"])
        await office.write("one more thing")
        await until(lambda: any("is closed" in words for words in office.whispers(office.ann)))
        assert office.received() == []

    @pytest.mark.parametrize(
        "text",
        ["// he is angry", "  //he is angry", "🔒 he is angry", "／／ he is angry", "\u200b// he is angry", "// a\nb\n\nc"],
    )
    async def test_lines_that_are_marked(self, app: App, office: Office, text: str) -> None:
        await office.escalate()
        await office.take()
        written = await office.write(text)
        await until(lambda: written.reactions == ["lock"])
        assert len(await office.notes()) == 1
        assert (office.received(), office.whispers(office.ann)) == ([], [])

    async def test_what_follows_a_marked_line(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("It is on its way.\n\n// third call today\nreally")
        assert await office.arrives() == ["It is on its way."]
        await until(lambda: any("marked as internal was not sent" in words for words in office.whispers(office.ann)))
        assert await office.notes() == ["// third call today\nreally"]
        await until(lambda: set(written.reactions) == {"lock", "white_check_mark"})

    async def test_what_mentions_somebody(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        for text in (f"{office.bob.mention} do you know?", "<!here> anybody?", f"<#{office.place.id}> please", "hm <@U0BOT>?"):
            await office.write(text)
        await until(lambda: len(office.whispers(office.ann)) == 4)
        assert all("it mentions somebody" in words for words in office.whispers(office.ann))
        assert office.received() == []

    async def test_what_is_also_sent_to_the_channel(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        await office.write("look at this one", broadcast=True)
        await until(lambda: any("also sent to the channel" in words for words in office.whispers(office.ann)))
        assert office.received() == []

    async def test_what_shares_another_message(self, app: App, office: Office) -> None:
        root = await office.escalate()
        await office.take()
        ts = office.slack.clock.ts()
        shared = {"is_share": True, "is_msg_unfurl": True, "text": "our margin is 60 %", "channel_id": "C0OTHER"}
        event = {"type": "message", "user": office.ann.id, "text": "see", "ts": ts, "thread_ts": root.ts, "attachments": [shared]}
        place = {"channel": office.place.id, "channel_type": "group", "event_ts": ts}
        await office.slack.tell(office.slack.workspace, event | place)
        await until(lambda: any("shares another message" in words for words in office.whispers(office.ann)))
        assert office.received() == []

    async def test_files_of_internal_lines_stay(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("// for us", files={"margin.xlsx": b"60 %"})
        await until(lambda: written.reactions == ["lock"])
        await office.write("", office.bob, files={"other.xlsx": b"70 %"})
        await until(lambda: bool(office.whispers(office.bob)))
        await office.is_settled()
        assert (office.received(), office.slack.downloads) == ([], [])

    async def test_guests_strangers_and_bots(self, app: App, office: Office) -> None:
        root = await office.escalate()
        await office.take()
        await office.write("I am a guest", office.guest)
        await office.write("I am from elsewhere", office.stranger)
        for person in (office.guest, office.stranger):
            await until(lambda person=person: any("only full members" in words for words in office.whispers(person)))
            await as_seen_by(office, root, person).press("Take it over")
        event = {"type": "message", "subtype": "bot_message", "bot_id": "B0", "text": "buy", "thread_ts": root.ts}
        ts = office.slack.clock.ts()
        place = {"channel": office.place.id, "channel_type": "group", "ts": ts, "event_ts": ts}
        await office.slack.tell(office.slack.workspace, event | place)
        await office.is_settled()
        state = await app.store.conversation("test:1")
        assert state is not None
        assert (office.received(), state.agent, await office.notes()) == ([], "Ann Agent", [])

    async def test_buttons_pressed_from_outside_of_the_channel(self, app: App, office: Office) -> None:
        root = await office.escalate()
        carl = office.slack.user("Carl Curious")
        office.place.members.append(carl.id)
        button = as_seen_by(office, root, carl)
        office.place.members.remove(carl.id)
        await button.press("Take")
        await office.is_settled()
        state = await app.store.conversation("test:1")
        assert state is not None
        assert state.owner == "queue"

    async def test_an_edit_never_sends_what_was_internal(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("// internal")
        await until(lambda: written.reactions == ["lock"])
        await written.edit("not internal")
        await until(lambda: any("an edit does not send it" in words for words in office.whispers(office.ann)))
        assert office.received() == []

    async def test_an_edit_of_what_is_internal_changes_the_note(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("// he is agnry")
        await until(lambda: written.reactions == ["lock"])
        for text in ("// he is agnry", "// he is angry", "// he is very angry", "// he is very angry"):
            await written.edit(text)
            await office.is_settled()
        notes = [entry.body for entry in await app.store.transcript("test:1") if isinstance(entry.body, Note)]
        assert [note.text for note in notes] == ["// he is agnry", "// he is angry", "// he is very angry"]
        assert [note.replaces for note in notes] == [None, notes[0].id, notes[1].id]
        assert (office.received(), office.whispers(office.ann)) == ([], [])

    async def test_an_edit_of_an_internal_file_keeps_its_name(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("// for us", files={"margin.xlsx": b"60 %"})
        await until(lambda: written.reactions == ["lock"])
        await written.edit("// for us only")
        await office.is_settled()
        assert await office.notes() == ["// for us\n📎 margin.xlsx", "// for us only\n📎 margin.xlsx"]

    async def test_an_edit_never_sends_the_internal_part_of_a_message(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("On its way.\n// third call today")
        assert await office.arrives() == ["On its way."]
        await written.edit("On its way.\nthird call today")
        await until(lambda: any("a part of the message was internal" in words for words in office.whispers(office.ann)))
        assert office.received() == ["On its way."]

    async def test_files_beside_a_marked_line_stay(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        await office.write("Look.\n// our margin", files={"margin.xlsx": b"60 %"})
        assert await office.arrives() == ["Look."]
        await office.is_settled()
        assert not any(outgoing.attachments for outgoing in office.channel.sent)
        assert await office.notes() == ["// our margin\n📎 margin.xlsx"]

    async def test_what_was_written_before_the_take_and_told_later(self, app: App, office: Office) -> None:
        """Slack sends an event again after a minute, and after five."""
        root = await office.escalate()
        ts = office.slack.clock.ts()
        await office.take()
        event = {
            "type": "message",
            "user": office.ann.id,
            "text": "what a nuisance",
            "thread_ts": root.ts,
            "ts": ts,
            "event_ts": ts,
        }
        await office.slack.tell(office.slack.workspace, event | {"channel": office.place.id, "channel_type": "group"})
        await until(lambda: any("take the conversation first" in words for words in office.whispers(office.ann)))
        await root.press("Take it over")
        await office.write("Hello.")
        assert await office.arrives() == ["Hello."]

    async def test_an_edit_does_not_hide_what_was_sent(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        written = await office.write("said")
        await office.arrives()
        await written.edit("// said")
        await until(lambda: any("this change was not sent" in words for words in office.whispers(office.ann)))
        assert office.received() == ["said"]

    async def test_a_slash_command_is_answered_to_its_writer_alone(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.take()
        await office.ann.command("/frontdesk", "who is this?", at=office.view())
        dm = await office.ann.dm()
        await until(lambda: [reply.text for reply in dm.replies] == ["You said: who is this?"])
        assert office.received() == []

    async def test_outside_of_threads_nothing_is_anybodys(self, app: App, office: Office) -> None:
        await office.escalate()
        await office.view().write("lunch?")
        await office.view().write(f"<@{office.slack.workspace.bot.id}> hello")
        await office.is_settled()
        await office.says("hello again")
        await until(lambda: "hello again" in office.read())
        states = await app.store.conversations()
        assert [state.id for state in states] == ["test:1"], "an agent is no customer"


class TestFailures:
    async def test_threads_are_opened_for_what_waited_while_the_bot_was_down(self, office: Office) -> None:
        async with office.open():
            office.slack.fail("chat.postMessage", status=503, times=1000)
            await office.says("human please")
            await office.channel.wait_for(1)
        office.slack.faults.clear()
        assert office.roots() == []
        async with office.open():
            await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
        assert len(office.roots()) == 1

    async def test_an_answer_of_slack_that_was_lost_posts_nothing_twice(self, app: App, office: Office) -> None:
        office.slack.fail("chat.postMessage", lost=True, times=2)
        await office.escalate()
        office.slack.fail("chat.postMessage", lost=True)
        await office.says("one")
        await office.says("two")
        await until(lambda: "two" in office.read())
        assert (len(office.roots()), office.read().count("one"), office.read().count("The last")) == (1, 1, 1)

    async def test_a_restart_shows_nothing_twice_and_misses_nothing(self, office: Office) -> None:
        async with office.open():
            await office.escalate()
            await office.take()
            await office.says("before")
            await until(lambda: "before" in office.read())
            office.slack.fail("chat.*", status=503, times=1000)
            await office.says("meanwhile")
            await office.write("an answer")
            await office.arrives()
        office.slack.faults.clear()
        async with office.open():
            await until(lambda: "meanwhile" in office.read())
            await office.write("again")
            assert await office.arrives() == ["again"], "what was sent before is not sent again"
        assert (len(office.roots()), office.read().count("before"), office.read().count("meanwhile")) == (1, 1, 1)

    async def test_acts_that_were_acknowledged_are_carried_out_after_a_restart(self, office: Office) -> None:
        async with office.open():
            await office.escalate()
            await office.take()
            office.slack.fail("download", status=503, times=1)
            await office.write("with a file", files={"a.pdf": b"PDF"})
        async with office.open():
            assert await office.arrives() == ["with a file"]

    async def test_what_cannot_be_kept_is_not_acknowledged(
        self, app: App, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await office.escalate()
        await office.take()
        agents = app.channels["slack"]._agents  # type: ignore[attr-defined]
        keep, refused = agents._db.keep, []

        async def full(*row: Any) -> bool:
            if not refused:
                refused.append(row)
                raise TransientError("the disk is full")
            return bool(await keep(*row))

        monkeypatch.setattr(agents._db, "keep", full)
        written = await office.write("hello")
        assert written.deliveries[0].answers[0].status == 503
        assert await office.arrives() == ["hello"]

    async def test_slack_says_later(self, app: App, office: Office) -> None:
        office.slack.fail("*", status=429, retry_after=1, times=2)
        await office.escalate()
        office.slack.fail("users.info", status=500, times=2)
        await office.take()
        await office.write("patience")
        assert await office.arrives() == ["patience"]

    async def test_scopes_that_are_missing(self, app: App, office: Office) -> None:
        """Without looking at what was posted it goes on; without knowing who is a member nobody takes anything."""
        office.slack.fail("conversations.*", error="missing_scope", times=100)
        root = await office.escalate()
        await root.press("Take")
        await until(lambda: any("Only full members" in words for words in office.whispers(office.ann)))
        await office.says("still there?")
        await until(lambda: "still there?" in office.read())

    async def test_customers_in_slack_are_served_too(self, app: App, office: Office) -> None:
        dm = await office.slack.user("Cleo Customer").dm()
        await dm.write("human please")
        await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
        await office.take()
        await office.write("How can I help?")
        await until(lambda: dm.replies[-1].text == "How can I help?")
        assert "proven" in office.roots()[-1].text
        assert "cleo needs a person" in office.roots()[-1].text.lower()

    async def test_several_people_in_a_thread_are_told_apart(self, app: App, office: Office) -> None:
        cleo, dan = office.slack.user("Cleo Customer"), office.slack.user("Dan Customer")
        general = office.slack.channel("general", cleo, dan)
        root = await cleo.at(general).write(f"<@{office.slack.workspace.bot.id}> human please")
        await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
        await dan.at(general).write("me too", thread=root)
        await until(lambda: "me too" in office.read())
        await cleo.at(general).write("and I", thread=root)
        await until(lambda: "and I" in office.read())
        shown = office.read().lower()
        assert shown.index("cleo") < shown.index("dan") < shown.rindex("cleo")


def as_seen_by(office: Office, root: Any, person: Any) -> Any:
    return next(message for message in office.view(person).messages if message.ts == root.ts)
