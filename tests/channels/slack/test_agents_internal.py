"""What agents write in Slack and is not sent. Where they may have meant to send it, they are told."""

import pytest

from frontdesk.core.app import App
from frontdesk.core.messages import Note
from frontdesk.core.testing.platform import until

from .conftest import Office


async def test_before_it_is_taken(app: App, office: Office) -> None:
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


async def test_by_somebody_else_than_who_took_it(app: App, office: Office) -> None:
    await office.escalate()
    await office.take(office.ann)
    await office.write("I know this one", office.bob)
    await until(lambda: any("somebody else has this" in words for words in office.whispers(office.bob)))
    await app.handoff.take("test:1", "Dora Desk")
    await office.write("still mine?", office.ann)
    await until(lambda: any("somebody else has this" in words for words in office.whispers(office.ann)))
    assert office.received() == []
    assert await office.notes() == ["I know this one", "still mine?"]


async def test_after_it_was_closed(app: App, office: Office) -> None:
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
async def test_lines_that_are_marked(app: App, office: Office, text: str) -> None:
    await office.escalate()
    await office.take()
    written = await office.write(text)
    await until(lambda: written.reactions == ["lock"])
    assert len(await office.notes()) == 1
    assert (office.received(), office.whispers(office.ann)) == ([], [])


async def test_what_follows_a_marked_line(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("It is on its way.\n\n// third call today\nreally")
    assert await office.arrives() == ["It is on its way."]
    await until(lambda: any("marked as internal was not sent" in words for words in office.whispers(office.ann)))
    assert await office.notes() == ["// third call today\nreally"]
    await until(lambda: set(written.reactions) == {"lock", "white_check_mark"})


async def test_what_mentions_somebody(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    for text in (f"{office.bob.mention} do you know?", "<!here> anybody?", f"<#{office.place.id}> please", "hm <@U0BOT>?"):
        await office.write(text)
    await until(lambda: len(office.whispers(office.ann)) == 4)
    assert all("it mentions somebody" in words for words in office.whispers(office.ann))
    assert office.received() == []


async def test_what_is_also_sent_to_the_channel(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    await office.write("look at this one", broadcast=True)
    await until(lambda: any("also sent to the channel" in words for words in office.whispers(office.ann)))
    assert office.received() == []


async def test_what_shares_another_message(app: App, office: Office) -> None:
    root = await office.escalate()
    await office.take()
    ts = office.slack.clock.ts()
    shared = {"is_share": True, "is_msg_unfurl": True, "text": "our margin is 60 %", "channel_id": "C0OTHER"}
    event = {"type": "message", "user": office.ann.id, "text": "see", "ts": ts, "thread_ts": root.ts, "attachments": [shared]}
    place = {"channel": office.place.id, "channel_type": "group", "event_ts": ts}
    await office.slack.tell(office.slack.workspace, event | place)
    await until(lambda: any("shares another message" in words for words in office.whispers(office.ann)))
    assert office.received() == []


async def test_files_of_internal_lines_stay(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("// for us", files={"margin.xlsx": b"60 %"})
    await until(lambda: written.reactions == ["lock"])
    await office.write("", office.bob, files={"other.xlsx": b"70 %"})
    await until(lambda: bool(office.whispers(office.bob)))
    await office.is_settled()
    assert (office.received(), office.slack.downloads) == ([], [])


async def test_guests_strangers_and_bots(app: App, office: Office) -> None:
    root = await office.escalate()
    await office.take()
    await office.write("I am a guest", office.guest)
    await office.write("I am from elsewhere", office.stranger)
    for person in (office.guest, office.stranger):
        await until(lambda person=person: any("only full members" in words for words in office.whispers(person)))
        await office.as_seen_by(root, person).press("Take it over")
    event = {"type": "message", "subtype": "bot_message", "bot_id": "B0", "text": "buy", "thread_ts": root.ts}
    ts = office.slack.clock.ts()
    place = {"channel": office.place.id, "channel_type": "group", "ts": ts, "event_ts": ts}
    await office.slack.tell(office.slack.workspace, event | place)
    await office.is_settled()
    state = await app.store.conversation("test:1")
    assert state is not None
    assert (office.received(), state.agent, await office.notes()) == ([], "Ann Agent", [])


async def test_buttons_pressed_from_outside_of_the_channel(app: App, office: Office) -> None:
    root = await office.escalate()
    carl = office.slack.user("Carl Curious")
    office.place.members.append(carl.id)
    button = office.as_seen_by(root, carl)
    office.place.members.remove(carl.id)
    await button.press("Take")
    await office.is_settled()
    state = await app.store.conversation("test:1")
    assert state is not None
    assert state.owner == "queue"


async def test_an_edit_never_sends_what_was_internal(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("// internal")
    await until(lambda: written.reactions == ["lock"])
    await written.edit("not internal")
    await until(lambda: any("an edit does not send it" in words for words in office.whispers(office.ann)))
    assert office.received() == []


async def test_an_edit_of_what_is_internal_changes_the_note(app: App, office: Office) -> None:
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


async def test_an_edit_of_an_internal_file_keeps_its_name(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("// for us", files={"margin.xlsx": b"60 %"})
    await until(lambda: written.reactions == ["lock"])
    await written.edit("// for us only")
    await office.is_settled()
    assert await office.notes() == ["// for us\n📎 margin.xlsx", "// for us only\n📎 margin.xlsx"]


async def test_an_edit_never_sends_the_internal_part_of_a_message(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("On its way.\n// third call today")
    assert await office.arrives() == ["On its way."]
    await written.edit("On its way.\nthird call today")
    await until(lambda: any("a part of the message was internal" in words for words in office.whispers(office.ann)))
    assert office.received() == ["On its way."]


async def test_files_beside_a_marked_line_stay(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    await office.write("Look.\n// our margin", files={"margin.xlsx": b"60 %"})
    assert await office.arrives() == ["Look."]
    await office.is_settled()
    assert not any(outgoing.attachments for outgoing in office.channel.sent)
    assert await office.notes() == ["// our margin\n📎 margin.xlsx"]


async def test_what_was_written_before_the_take_and_told_later(app: App, office: Office) -> None:
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


async def test_an_edit_does_not_hide_what_was_sent(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    written = await office.write("said")
    await office.arrives()
    await written.edit("// said")
    await until(lambda: any("this change was not sent" in words for words in office.whispers(office.ann)))
    assert office.received() == ["said"]


async def test_a_slash_command_is_answered_to_its_writer_alone(app: App, office: Office) -> None:
    await office.escalate()
    await office.take()
    await office.ann.command("/frontdesk", "who is this?", at=office.view())
    dm = await office.ann.dm()
    await until(lambda: [reply.text for reply in dm.replies] == ["You said: who is this?"])
    assert office.received() == []


async def test_outside_of_threads_nothing_is_anybodys(app: App, office: Office) -> None:
    await office.escalate()
    await office.view().write("lunch?")
    await office.view().write(f"<@{office.slack.workspace.bot.id}> hello")
    await office.is_settled()
    await office.says("hello again")
    await until(lambda: "hello again" in office.read())
    states = await app.store.conversations()
    assert [state.id for state in states] == ["test:1"], "an agent is no customer"
