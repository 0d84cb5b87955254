"""What is special to Slack, on a Slack of our own with the real SDK on both sides."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frontdesk.channels.slack import SlackChannel
from frontdesk.channels.slack.people import Person as SlackPerson
from frontdesk.core.app import App, Options
from frontdesk.core.errors import DeliveryDeferred, DeliveryRejected, DeliveryUncertain, InvalidInput, TransientError
from frontdesk.core.messages import Attachment, Choice, Contact, Message, Outgoing
from frontdesk.core.outcomes import Ask, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import free_port, until
from frontdesk.core.turn import Answer, Arguments, Turn
from frontdesk.testing.slack import FakeSlack, Person, View

from .platform import PATHS, settings_for


def a_bot() -> Plugin:
    plugin = Plugin("bot")
    plugin.hold = asyncio.Event()  # type: ignore[attr-defined]

    @plugin.pattern(r"^menu (\d+)$")
    async def menu(turn: Turn) -> Ask:
        count = int(turn.text.split()[1])
        return Ask("Which one?", then=chosen, choices=[Choice(f"No. {n}", f"{n} " + "x" * 3000) for n in range(count)])

    @plugin.step
    async def chosen(turn: Turn, which: Answer) -> Reply:
        return Reply(f"You chose {which.split()[0]}.")

    @plugin.command("human", help="calls a person")
    async def human(turn: Turn, words: Arguments) -> Reply:
        return Reply(f"A person comes. {words}".strip())

    @plugin.pattern(r"^slow$")
    async def slow(turn: Turn) -> Reply:
        await asyncio.wait_for(plugin.hold.wait(), 60)  # type: ignore[attr-defined]
        return Reply("slowly done")

    @plugin.answer
    async def echo(turn: Turn) -> Reply:
        return Reply(f"You said: {turn.text}")

    return plugin


@pytest.fixture
def plugin() -> Plugin:
    return a_bot()


@pytest.fixture
async def app(slack: FakeSlack, plugin: Plugin, tmp_path: Path) -> AsyncIterator[App]:
    port = free_port()
    slack.serve(**{kind: f"http://127.0.0.1:{port}{path}" for kind, path in PATHS.items()})
    async with App(
        Options(data_folder=tmp_path / "data", port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[plugin],
        transports=[(SlackChannel, settings_for(slack))],
    ) as app:
        yield app


@pytest.fixture
def channel(app: App) -> SlackChannel:
    channel = app.channels["slack"]
    assert isinstance(channel, SlackChannel)
    return channel


@pytest.fixture
def ann(slack: FakeSlack) -> Person:
    return slack.user("Ann", email="ann@shop.example", locale="de-DE")


@pytest.fixture
async def dm(ann: Person) -> View:
    return await ann.dm()


async def said(view: View, count: int) -> list[str]:
    await until(lambda: len(view.replies) >= count)
    return [reply.text for reply in view.replies]


async def settled(app: App) -> None:
    async def done() -> bool:
        health = await app.store.health()
        return not health.inbox and not health.outbox

    await until(done)


def a_reply(dm: View, text: str = "hello", **fields: object) -> Outgoing:
    conversation = f"slack:{dm.place.workspace.id}:{dm.place.id}"
    fields = {"id": "r1", "at": datetime.now(UTC), "conversation": conversation, **fields}
    return Outgoing(channel="slack", contact=Contact(id="x"), text=text, **fields)  # type: ignore[arg-type]


class TestChannels:
    async def test_a_mention_is_answered_in_its_thread_once(self, app: App, slack: FakeSlack, ann: Person) -> None:
        view = ann.at(slack.channel("help", ann))
        root = await view.write(f"<@{slack.workspace.bot.id}> where is my order?")
        await said(view, 1)
        await view.write("LL-1", thread=root)
        assert await said(view, 2) == ["You said: where is my order?", "You said: LL-1"]
        assert {reply.thread_ts for reply in view.replies} == {root.ts}
        await settled(app)
        assert len(view.replies) == 2
        (state,) = await app.store.conversations()
        assert state.contact.verified

    async def test_what_people_say_to_each_other_is_not_kept(self, app: App, slack: FakeSlack, ann: Person) -> None:
        bob = slack.user("Bob")
        place = slack.channel("help", ann, bob)
        root = await ann.at(place).write("has anybody seen my parcel?")
        await bob.at(place).write("no", thread=root)
        await root.edit("has anybody seen my other parcel?")
        await root.react("👍")
        await root.delete()
        assert (await app.store.health()).inbox == 0
        assert not await app.store.conversations()

    async def test_a_bot_that_is_called_into_a_thread_stays_there(self, app: App, slack: FakeSlack, ann: Person) -> None:
        bob = slack.user("Bob")
        place = slack.channel("help", ann, bob)
        root = await ann.at(place).write("my parcel is late")
        await bob.at(place).write(f"<@{slack.workspace.bot.id}> can you help?", thread=root, broadcast=True)
        await said(ann.at(place), 1)
        await ann.at(place).write("please", thread=root)
        assert await said(ann.at(place), 2) == ["You said: can you help?", "You said: please"]

    async def test_a_group_is_answered_where_the_bot_is_mentioned(self, app: App, slack: FakeSlack, ann: Person) -> None:
        view = ann.at(slack.group(ann, slack.user("Bob")))
        await view.write("shall we ask the bot?")
        await view.write(f"<@{slack.workspace.bot.id}> are you there?")
        assert await said(view, 1) == ["You said: are you there?"]
        await settled(app)
        assert len(view.replies) == 1

    async def test_edits_and_reactions_in_a_thread_are_recorded(self, app: App, slack: FakeSlack, ann: Person) -> None:
        view = ann.at(slack.channel("help", ann))
        root = await view.write(f"<@{slack.workspace.bot.id}> teh question")
        await said(view, 1)
        await root.edit(f"<@{slack.workspace.bot.id}> the question")
        await root.react("👍")
        await view.replies[0].react("🎉")
        await settled(app)
        bodies = [entry.body for entry in await app.store.transcript(f"slack:{slack.workspace.id}:{view.place.id}:{root.ts}")]
        kinds = [body.kind for body in bodies if isinstance(body, Message)]
        assert kinds == ["new", "edited", "reaction", "reaction"], "also that to the bot's reply"
        assert isinstance(bodies[0], Message)
        assert bodies[0].text == "the question"
        assert len(view.replies) == 1

    async def test_previews_of_links_are_no_edits(self, app: App, dm: View) -> None:
        message = await dm.write("see https://shop.example")
        await said(dm, 1)
        await message.unfurl()
        await settled(app)
        (state,) = await app.store.conversations()
        assert [entry.body.kind for entry in await app.store.transcript(state.id) if isinstance(entry.body, Message)] == ["new"]


class TestChoices:
    @pytest.mark.parametrize("count", [3, 7])
    async def test_values_of_any_length_come_back(self, app: App, dm: View, count: int) -> None:
        await dm.write(f"menu {count}")
        await said(dm, 1)
        await dm.press("No. 2")
        assert (await said(dm, 2))[-1] == "You chose 2."
        await until(lambda: "✓ No. 2" in dm.replies[0].text)
        assert not dm.replies[0].buttons
        assert not dm.replies[0].options

    async def test_the_same_button_twice_is_one_choice(self, app: App, dm: View, slack: FakeSlack) -> None:
        slack.fail("chat.update", error="internal_error")
        await dm.write("menu 2")
        await said(dm, 1)
        await asyncio.gather(dm.replies[0].press("No. 1"), dm.replies[0].press("No. 1"))
        await said(dm, 2)
        await settled(app)
        assert len(dm.replies) == 2

    async def test_a_forged_value_is_skipped(self, app: App, dm: View) -> None:
        await dm.write("menu 2")
        await said(dm, 1)
        for value in ("{}{", "[]", '{"v":5}'):
            assert (await dm.replies[0].press("No. 1", value=value)).acknowledged
        await settled(app)
        assert not any("chose" in reply.text for reply in dm.replies)


class TestAroundConversations:
    async def test_the_home_tab_has_help_and_a_way_to_a_person(self, app: App, ann: Person, slack: FakeSlack, dm: View) -> None:
        await ann.open_home()
        await until(lambda: ann.home is not None)
        assert ann.home is not None
        assert ann.home.buttons == ["Mit einem Menschen sprechen"]
        assert "/help" in ann.home.text
        await ann.home.press("Mit einem Menschen sprechen")
        assert await said(dm, 1) == ["A person comes."]
        await ann.open_home()
        await ann.open_home("messages")
        await settled(app)
        assert len(slack.called("views.publish")) == 1

    async def test_an_old_home_tab_is_replaced(self, channel: SlackChannel, ann: Person, slack: FakeSlack) -> None:
        await ann.open_home()
        await until(lambda: ann.home is not None)
        channel._inbound._settings = channel.settings.model_copy(update={"command": "/help-me"})
        await ann.open_home()
        await until(lambda: ann.home is not None and "/help-me" in ann.home.text)

    async def test_a_command_is_answered_in_the_direct_message(self, app: App, slack: FakeSlack, ann: Person, dm: View) -> None:
        bob = slack.user("Bob")
        view = ann.at(slack.channel("general", ann, bob))
        delivery = await ann.command("/frontdesk", "where is *my* order &amp; <@U1|bob>?", at=view)
        assert delivery.acknowledged
        assert view.replies[0].only_you
        assert await said(dm, 1) == ["You said: where is my order & @bob?"]
        assert len(view.replies) == 1

    async def test_a_command_without_words_asks_for_help(self, app: App, ann: Person, dm: View) -> None:
        await ann.command("/frontdesk")
        await until(lambda: any("/help" in reply.text for reply in dm.replies))

    async def test_shortcuts_hand_over_to_a_person(self, app: App, slack: FakeSlack, ann: Person, dm: View) -> None:
        assert (await ann.shortcut("frontdesk_hand_over")).acknowledged
        await said(dm, 1)
        view = ann.at(slack.channel("help", ann))
        root = await view.write(f"<@{slack.workspace.bot.id}> help")
        await said(view, 1)
        await root.shortcut("frontdesk_hand_over_message")
        assert (await said(view, 2))[-1] == "A person comes."
        other = await view.write("my *parcel* is late")
        await other.shortcut("frontdesk_hand_over_message")
        assert (await said(dm, 2))[-1] == "A person comes. my parcel is late"
        await ann.shortcut("somebody_elses")
        await settled(app)
        assert len(dm.replies) == 2

    async def test_who_cannot_be_written_to_gets_no_answer_and_nothing_breaks(
        self, app: App, slack: FakeSlack, ann: Person
    ) -> None:
        slack.fail("conversations.open", error="user_disabled")
        assert (await ann.shortcut("frontdesk_hand_over")).acknowledged
        slack.fail("conversations.open", status=500)
        assert (await ann.shortcut("frontdesk_hand_over")).status == 503

    async def test_names_languages_and_addresses_are_learnt(self, app: App, slack: FakeSlack, ann: Person, dm: View) -> None:
        await dm.write("hello")
        await said(dm, 1)
        await until(lambda: bool(slack.called("users.info")))
        await dm.write(f"and {ann.mention}")
        assert (await said(dm, 2))[-1] == "You said: and @ann"
        (state,) = await app.store.conversations()
        assert (state.contact.name, state.contact.email) == ("ann", "ann@shop.example")

    async def test_changes_of_people_who_never_write_are_not_kept(
        self, channel: SlackChannel, slack: FakeSlack, ann: Person
    ) -> None:
        account = slack.workspace.id
        for user in (ann.id, "U0STRANGER"):
            changed = {"id": user, "profile": {"display_name": "Changed"}}
            await slack.tell(slack.workspace, {"type": "user_change", "user": changed, "event_ts": "1.1"})
        assert not channel.people._known
        channel.people.learn(account, ann.id, None)
        await slack.tell(slack.workspace, {"type": "user_change", "user": {"id": ann.id, "name": "ann2"}, "event_ts": "1.2"})
        await until(lambda: channel.people.get(account, ann.id) == SlackPerson("ann2"))

    async def test_names_are_not_asked_for_while_there_were_too_many_questions(
        self, app: App, slack: FakeSlack, ann: Person, dm: View
    ) -> None:
        slack.fail("users.info", status=429, retry_after=60)
        for number in range(1, 4):
            await dm.write("hello")
            await said(dm, number)
        assert len(slack.called("users.info")) == 1

    async def test_the_working_sign_is_taken_back(self, app: App, plugin: Plugin, dm: View) -> None:
        message = await dm.write("slow")
        await until(lambda: message.reactions == ["eyes"])
        plugin.hold.set()  # type: ignore[attr-defined]
        await said(dm, 1)
        await until(lambda: not message.reactions)

    async def test_threads_show_a_status(self, app: App, plugin: Plugin, ann: Person, dm: View) -> None:
        root = await ann.open_assistant()
        await dm.write("slow", thread=root)
        await until(lambda: bool(dm.status))
        plugin.hold.set()  # type: ignore[attr-defined]
        await said(dm, 1)
        assert dm.replies[0].thread_ts == root.ts
        assert not dm.status


class TestSending:
    async def test_a_lost_answer_makes_no_second_message(self, app: App, slack: FakeSlack, dm: View) -> None:
        slack.fail("chat.postMessage", lost=True)
        await dm.write("hello")
        await said(dm, 1)
        await settled(app)
        assert [reply.text for reply in dm.replies] == ["You said: hello"]
        assert len(slack.called("chat.postMessage")) == 1

    async def test_nothing_is_posted_before_it_could_be_looked_for(
        self, slack: FakeSlack, channel: SlackChannel, dm: View
    ) -> None:
        slack.fail("chat.postMessage", lost=True)
        with pytest.raises(DeliveryUncertain):
            await channel.send(a_reply(dm))
        slack.fail("conversations.history", drop=True)
        with pytest.raises(DeliveryDeferred):
            await channel.send(a_reply(dm))
        await channel.send(a_reply(dm))
        assert [reply.text for reply in dm.replies] == ["hello"]

    async def test_a_pause_asked_for_in_two_channels_is_one_of_the_workspace(
        self, slack: FakeSlack, channel: SlackChannel, dm: View
    ) -> None:
        third = slack.channel("third")
        slack.fail("chat.postMessage", status=429, retry_after=7, times=2)
        for number, place in enumerate((dm.place, slack.channel("second"))):
            conversation = f"slack:{slack.workspace.id}:{place.id}"
            with pytest.raises(DeliveryDeferred):
                await channel.send(a_reply(dm, conversation=conversation))
            waits = asyncio.wait_for(channel.ready(f"slack:{slack.workspace.id}:{third.id}"), 0.05)
            if number == 0:
                await waits
            else:
                with pytest.raises(TimeoutError):
                    await waits

    async def test_what_an_earlier_process_has_sent_is_not_sent_again(
        self, slack: FakeSlack, channel: SlackChannel, dm: View
    ) -> None:
        for thread in ("", ":" + (await dm.write("root")).ts):
            before = a_reply(dm, id=f"r{thread}", at=datetime(2020, 1, 1, tzinfo=UTC))
            conversation = before.conversation + thread
            before = Outgoing(**{**{f: getattr(before, f) for f in before.__struct_fields__}, "conversation": conversation})
            assert await channel.send(before) == await channel.send(before)
        assert sum(reply.text == "hello" for reply in dm.replies) == 2

    @pytest.mark.parametrize(
        ("fault", "error", "words"),
        [
            ({"error": "channel_not_found"}, DeliveryRejected, "channel_not_found"),
            ({"error": "is_archived"}, DeliveryRejected, "is_archived"),
            ({"error": "not_in_channel"}, DeliveryRejected, "invite the bot"),
            ({"error": "account_inactive"}, DeliveryRejected, "account_inactive"),
            ({"error": "invalid_auth"}, DeliveryRejected, "invalid_auth"),
            ({"error": "msg_too_long"}, DeliveryRejected, "msg_too_long"),
            ({"error": "restricted_action"}, DeliveryRejected, "restricted_action"),
            ({"error": "ratelimited"}, DeliveryDeferred, "ratelimited"),
            ({"error": "fatal_error"}, DeliveryUncertain, "fatal_error"),
            ({"error": "internal_error"}, DeliveryUncertain, "internal_error"),
            ({"status": 500}, DeliveryUncertain, "internal_error"),
            ({"status": 504}, DeliveryUncertain, "internal_error"),
            ({"status": 429, "retry_after": 7}, DeliveryDeferred, "ratelimited"),
            ({"status": 503}, DeliveryDeferred, "service_unavailable"),
            ({"lost": True}, DeliveryUncertain, "Disconnected|OSError"),
            ({"drop": True}, DeliveryUncertain, "Disconnected|OSError"),
        ],
    )
    async def test_what_slack_says_decides_what_is_done_next(
        self, slack: FakeSlack, channel: SlackChannel, dm: View, fault: dict[str, object], error: type[Exception], words: str
    ) -> None:
        slack.fail("chat.postMessage", **fault)
        with pytest.raises(error, match=words) as raised:
            await channel.send(a_reply(dm))
        if isinstance(raised.value, DeliveryDeferred) and fault.get("status") == 429:
            assert raised.value.retry_after == 7
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.ready(a_reply(dm).conversation), 0.05)

    async def test_nobody_is_reached_who_is_not_there(self, slack: FakeSlack, dm: View, channel: SlackChannel) -> None:
        slack.serve("http://127.0.0.1:9/")
        settings = settings_for(slack).model_copy(update={"api_url": "http://127.0.0.1:9/api/"})
        unreachable = SlackChannel(settings, channel.services)
        await unreachable.start()
        try:
            with pytest.raises(DeliveryDeferred):
                await unreachable.send(a_reply(dm))
        finally:
            await unreachable.stop()

    async def test_blocks_that_slack_does_not_take_become_words(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        slack.fail("chat.postMessage", error="invalid_blocks")
        await channel.send(a_reply(dm, "**bold** & <more>"))
        assert dm.replies[0].text == "bold & <more>"
        assert not dm.replies[0].post.blocks

    async def test_an_edit_may_need_more_messages_or_fewer(self, channel: SlackChannel, dm: View) -> None:
        long = "\n\n".join(["word " * 300] * 6)
        sent = await channel.send(a_reply(dm, "short"))
        assert sent is not None
        longer = await channel.edit(a_reply(dm, long, id="r2"), sent)
        assert longer is not None
        count = len(longer.split(","))
        assert count == len(dm.replies) > 1
        assert await channel.edit(a_reply(dm, "short again", id="r3"), longer) == sent
        assert [reply.text for reply in dm.replies] == ["short again"]
        with pytest.raises(DeliveryRejected):
            await channel.edit(a_reply(dm, "x", id="r4"), "1.1")

    async def test_links_are_not_unfolded_and_the_reply_is_named(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        await channel.send(a_reply(dm, "https://shop.example"))
        (call,) = slack.called("chat.postMessage")
        assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
        assert call.arguments["metadata"]["event_payload"] == {"id": "r1#0"}

    async def test_limits_are_kept_ahead(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        paced = SlackChannel(settings_for(slack, burst=2, messages_per_second=10), channel.services)
        loop, conversation = asyncio.get_running_loop(), a_reply(dm).conversation
        started = loop.time()
        for _ in range(4):
            await paced.ready(conversation)
        assert loop.time() - started >= 0.15
        another = paced.ready(f"{conversation}2")
        with pytest.raises(StopIteration):  # it ends without waiting for anything
            another.send(None)

    async def test_a_file_that_is_gone_is_a_dead_letter(self, channel: SlackChannel, dm: View) -> None:
        lost = Attachment(id="0" * 32, name="x.txt", media_type="text/plain", size=1)
        with pytest.raises(DeliveryRejected):
            await channel.send(a_reply(dm, attachments=(lost,)))


class TestFiles:
    def message(self, dm: View) -> Message:
        conversation = a_reply(dm).conversation
        at = datetime.now(UTC)
        return Message(id="m", channel="slack", conversation=conversation, contact=Contact(id="x"), parts=(), at=at)

    async def read(self, channel: SlackChannel, dm: View, remote: str, **fields: object) -> bytes:
        fields = {"id": "", "name": "a.bin", "media_type": "application/octet-stream", "size": 0, **fields}
        attachment = Attachment(remote=remote, **fields)  # type: ignore[arg-type]
        return b"".join([chunk async for chunk in channel.fetch(self.message(dm), attachment)])

    @pytest.mark.parametrize(
        "remote",
        [
            "https://evil.example/files-pri/T1-F1/a.png",
            "https://slack.com.evil.example/a",
            "https://evilslack.com/a",
            "http://files.slack.com/a",
            "https://files.slack.com@evil.example/a",
            "file:///etc/passwd",
            "https://[::1/a",
            "://",
        ],
    )
    async def test_the_token_goes_to_slack_alone(
        self, channel: SlackChannel, dm: View, remote: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(channel.workspaces.session, "get", None)
        with pytest.raises(InvalidInput):
            await self.read(channel, dm, remote)

    async def test_files_of_connected_workspaces_are_asked_for(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        file = slack.add_file(slack.workspace, "a.bin", b"12345", dm.person.id)
        assert await self.read(channel, dm, file.id) == b"12345"
        with pytest.raises(InvalidInput):
            await self.read(channel, dm, "F404")

    async def test_what_may_be_had_later(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        file = slack.add_file(slack.workspace, "a.bin", b"12345", dm.person.id)
        for fault in ({"status": 503}, {"status": 429, "retry_after": 3}, {"drop": True, "times": 2}, {"lost": True}):
            slack.fail("download", **fault)
            with pytest.raises(TransientError):
                await self.read(channel, dm, file.id)

    async def test_a_page_for_signing_in_is_no_file(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        other = slack.add_workspace("Other", installed=True)
        file = slack.add_file(other, "a.bin", b"12345", dm.person.id)
        with pytest.raises(InvalidInput, match="files:read"):
            await self.read(channel, dm, f"{slack.url}/files-pri/{other.id}-{file.id}/a.bin")

    async def test_what_is_too_large_is_not_begun(self, slack: FakeSlack, channel: SlackChannel, dm: View) -> None:
        with pytest.raises(InvalidInput):
            await self.read(channel, dm, "F1", size=10**9)
        assert not slack.downloads


async def test_commands_are_named_as_they_can_be_typed(app: App, dm: View) -> None:
    """Slack takes `/help` for a command of its own."""
    await dm.person.command("/frontdesk", "/help", at=dm)
    await until(lambda: any("/frontdesk /help shows this" in reply.text for reply in dm.replies))
    assert "/frontdesk /human calls a person" in dm.replies[-1].text
