"""The whole bot in Slack, as its users meet it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from frontdesk.channels.slack import SlackChannel
from frontdesk.core.app import App, Options
from frontdesk.core.attachments import Attachments
from frontdesk.core.messages import AudioPart, Choice, Message
from frontdesk.core.outcomes import Ask, Escalate, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing.platform import free_port, until
from frontdesk.core.turn import Answer, Turn
from frontdesk.testing.slack import FakeSlack, Person, View

from .platform import PATHS, settings_for


def a_bot() -> Plugin:
    plugin = Plugin("bot")

    @plugin.command("human", help="asks for a person")
    async def human(turn: Turn) -> Escalate:
        return Escalate("asked for a person", text="A person will answer.")

    @plugin.pattern(r"^choose (\d+)$")
    async def choose(turn: Turn) -> Ask:
        count = int(turn.text.split()[1])
        return Ask(
            "Which?", then=chosen, choices=[Choice(f"Label {number}", f"value {number} " + "x" * 3000) for number in range(count)]
        )

    @plugin.step
    async def chosen(turn: Turn, value: Answer) -> Reply:
        return Reply(f"You chose {value[:8].strip()}.")

    @plugin.pattern(r"^sing$")
    async def sing(turn: Turn, attachments: Attachments) -> Reply:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"OggS"

        song = await attachments.save(chunks(), name="song.ogg", media_type="audio/ogg")
        return Reply("La la", attachments=[song])

    @plugin.answer
    async def echo(turn: Turn) -> Reply:
        files = [f"{file.name} ({file.media_type})" for file in turn.attachments]
        return Reply(" ".join([f"You said: {turn.text}", *files]))

    return plugin


@asynccontextmanager
async def a_shop(slack: FakeSlack, folder: Path, **settings: Any) -> AsyncIterator[App]:
    port = free_port()
    slack.serve(**{kind: f"http://127.0.0.1:{port}{path}" for kind, path in PATHS.items()})
    app = App(
        Options(data_folder=folder, port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[a_bot()],
        transports=[(SlackChannel, settings_for(slack, **settings))],
    )
    async with app:
        yield app


@pytest.fixture
async def app(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[App]:
    async with a_shop(slack, tmp_path) as app:
        yield app


@pytest.fixture
def ann(slack: FakeSlack) -> Person:
    return slack.user("Ann Archer", email="ann@example.org", locale="de-DE")


@pytest.fixture
async def dm(app: App, ann: Person) -> View:
    return await ann.dm()


@pytest.fixture
def general(app: App, slack: FakeSlack, ann: Person) -> View:
    """A public channel with the bot and two people, as Ann sees it."""
    return ann.at(slack.channel("general", ann, slack.user("Bob")))


def bot(view: View) -> str:
    return f"<@{view.place.workspace.bot.id}>"


async def answered(view: View, count: int = 1) -> list[str]:
    await until(lambda: len(view.replies) >= count)
    return [message.text for message in view.replies]


async def nothing_more(app: App) -> None:
    async def quiet() -> bool:
        health = await app.store.health()
        return not health.inbox and not health.outbox

    await until(quiet)


class TestThreads:
    async def test_a_mention_opens_a_thread(self, general: View) -> None:
        written = await general.write(f"{bot(general)} where is my order?")
        assert await answered(general) == ["You said: where is my order?"]
        assert general.replies[0].thread_ts == written.ts
        assert [delivery.payload["event"]["type"] for delivery in written.deliveries] == ["app_mention", "message"]

    async def test_in_its_thread_the_bot_needs_no_mention(self, app: App, general: View) -> None:
        root = await general.write(f"{bot(general)} hello")
        await answered(general)
        await general.write("and my refund?", thread=root)
        assert (await answered(general, 2))[-1] == "You said: and my refund?"
        await general.write(f"again {bot(general)}", thread=root)
        assert (await answered(general, 3))[-1] == "You said: again"
        assert {message.thread_ts for message in general.replies} == {root.ts}
        assert len(await app.store.conversations()) == 1

    async def test_what_is_not_for_the_bot(self, app: App, general: View) -> None:
        root = await general.write("lunch?")
        await general.write("yes", thread=root)
        await general.write("@shop bot hello")
        await nothing_more(app)
        assert general.replies == []

    async def test_a_mention_in_a_thread_of_others_stays_there(self, general: View) -> None:
        root = await general.write("does anybody know?")
        await general.write(f"{bot(general)} do you?", thread=root)
        await answered(general)
        assert general.replies[0].thread_ts == root.ts

    async def test_threads_are_conversations_of_their_own(self, app: App, general: View) -> None:
        for word in ("one", "two"):
            await general.write(f"{bot(general)} {word}")
        await answered(general, 2)
        assert len(await app.store.conversations()) == 2

    async def test_thread_broadcast(self, general: View) -> None:
        root = await general.write(f"{bot(general)} hello")
        await answered(general)
        await general.write("still waiting", thread=root, broadcast=True)
        assert (await answered(general, 2))[-1] == "You said: still waiting"
        assert general.replies[-1].thread_ts == root.ts

    async def test_a_thread_in_a_direct_message(self, dm: View) -> None:
        root = await dm.write("hello")
        await answered(dm)
        await dm.write("in a thread", thread=root)
        await answered(dm, 2)
        assert [message.thread_ts for message in dm.replies] == [None, root.ts]

    async def test_several_people_and_the_bot(self, app: App, slack: FakeSlack, ann: Person) -> None:
        group = ann.at(slack.group(ann, slack.user("Bob")))
        await group.write("shall we ask?")
        await group.write(f"{bot(group)} help us")
        assert await answered(group) == ["You said: help us"]


class TestChoices:
    @pytest.mark.parametrize("count", [2, 5, 6, 100])
    async def test_buttons_or_a_menu_with_long_values(self, dm: View, count: int) -> None:
        await dm.write(f"choose {count}")
        await answered(dm)
        question = dm.replies[0]
        assert (len(question.buttons), len(question.options)) == ((count, 0) if count < 6 else (0, count))
        await dm.press(f"Label {count - 1}")
        assert (await answered(dm, 2))[-1] == f"You chose {f'value {count - 1} xxx'[:8].strip()}."

    async def test_a_button_counts_once(self, app: App, dm: View) -> None:
        await dm.write("choose 2")
        await answered(dm)
        question = dm.replies[0]
        pressed = await question.press("Label 0")
        assert pressed.acknowledged
        await answered(dm, 2)
        await until(lambda: not question.buttons)
        assert question.text.endswith("✓ Label 0")
        again = dict(pressed.payload)
        assert (await dm.slack.interact(again)).acknowledged
        await nothing_more(app)
        assert len(dm.replies) == 2

    async def test_a_forged_button_is_nothing(self, app: App, dm: View) -> None:
        await dm.write("choose 2")
        await answered(dm)
        original = await dm.replies[0].press("Label 0", value="not ours")
        for value in ("", "{}", "[]", '{"v": 1}', '{"n": 999}', '{"n": -1}', '{"v":"' + "x" * 5000 + '"}'):
            payload = original.payload | {"actions": [original.payload["actions"][0] | {"value": value}]}
            assert (await dm.slack.interact(payload)).acknowledged
        await nothing_more(app)

    async def test_anybody_in_the_thread_may_press(self, slack: FakeSlack, general: View) -> None:
        await general.write(f"{bot(general)} choose 2")
        await answered(general)
        bob = next(member for member in general.place.workspace.members.values() if member.name == "Bob")
        theirs = Person(slack, bob).at(general.place)
        await theirs.press("Label 1")
        assert (await answered(general, 2))[-1].startswith("You chose value 1")


class TestChanges:
    async def test_an_edit_is_recorded_and_not_answered(self, app: App, dm: View) -> None:
        written = await dm.write("teh order")
        await answered(dm)
        await written.edit("the order")
        await nothing_more(app)
        (state,) = await app.store.conversations()
        first = (await app.store.transcript(state.id))[0].body
        assert isinstance(first, Message)
        assert (first.text, first.revision, len(dm.replies)) == ("the order", "edited", 1)

    async def test_a_preview_of_a_link_is_no_edit(self, app: App, dm: View) -> None:
        written = await dm.write("see https://shop.example/1")
        await answered(dm)
        await written.unfurl()
        await nothing_more(app)
        (state,) = await app.store.conversations()
        entries = await app.store.transcript(state.id)
        assert [entry.body.kind for entry in entries if isinstance(entry.body, Message)] == ["new"]

    async def test_a_deletion_is_recorded(self, app: App, dm: View) -> None:
        written = await dm.write("my card is 4111")
        await answered(dm)
        await written.delete()

        async def gone() -> bool:
            (state,) = await app.store.conversations()
            first = (await app.store.transcript(state.id))[0].body
            return isinstance(first, Message) and first.revision == "deleted" and not first.parts

        await until(gone)

    async def test_the_first_message_of_a_thread_is_deleted(self, app: App, general: View) -> None:
        written = await general.write(f"{bot(general)} secret")
        await answered(general)
        await written.delete()

        async def gone() -> bool:
            (state,) = await app.store.conversations()
            first = (await app.store.transcript(state.id))[0].body
            return isinstance(first, Message) and first.revision == "deleted"

        await until(gone)


class TestFiles:
    async def test_an_audio_clip_comes_in(self, app: App, dm: View) -> None:
        await dm.write(clip=("audio_message.webm", b"\x1aE\xdf\xa3" * 1000))
        await answered(dm)
        (state,) = await app.store.conversations()
        message = (await app.store.transcript(state.id))[0].body
        assert isinstance(message, Message)
        (part,) = message.parts
        assert isinstance(part, AudioPart)
        assert (part.seconds, part.attachment.name, part.attachment.media_type) == (2.5, "audio_message.webm", "audio/webm")
        assert app.attachments.path(part.attachment.id).read_bytes() == b"\x1aE\xdf\xa3" * 1000

    async def test_sound_goes_out(self, dm: View) -> None:
        await dm.write("sing")
        await until(lambda: any(message.files for message in dm.replies))
        assert [message.files for message in dm.replies if message.files] == [{"song.ogg": b"OggS"}]
        assert "La la" in dm.replies[0].text

    async def test_files_in_a_thread_stay_there(self, general: View) -> None:
        root = await general.write(f"{bot(general)} sing")
        await until(lambda: any(message.files for message in general.replies))
        assert {message.thread_ts for message in general.replies} == {root.ts}

    async def test_a_file_of_a_connected_workspace(self, app: App, slack: FakeSlack, dm: View) -> None:
        """Slack does not say what it is: the app must ask."""
        place = dm.place
        file = slack.add_file(place.workspace, "contract.pdf", b"PDF", dm.person.id, visible=False)
        event = {"type": "message", "subtype": "file_share", "user": dm.person.id, "text": "see", "ts": slack.clock.ts()}
        event |= {"channel": place.id, "channel_type": "im", "event_ts": slack.clock.ts()}
        unseen = {"id": file.id, "mode": "file_access", "file_access": "check_file_info"}
        await slack.tell(place.workspace, event | {"files": [unseen]})
        assert (await answered(dm))[0].startswith("You said: see")
        (state,) = await app.store.conversations()
        message = (await app.store.transcript(state.id))[0].body
        assert isinstance(message, Message)
        assert app.attachments.path(message.parts[-1].attachment.id).read_bytes() == b"PDF"  # type: ignore[union-attr]


class TestSurfaces:
    async def test_app_home(self, slack: FakeSlack, app: App, ann: Person) -> None:
        assert (await ann.open_home()).acknowledged
        await until(lambda: ann.home is not None)
        assert ann.home is not None
        assert ann.home.buttons
        await ann.home.press(ann.home.buttons[0])
        dm = await ann.dm()
        assert await answered(dm) == ["A person will answer."]
        published = len(slack.called("views.publish"))
        await ann.open_home()
        await ann.open_home("messages")
        await nothing_more(app)
        assert len(slack.called("views.publish")) == published

    async def test_a_slash_command(self, app: App, general: View, ann: Person) -> None:
        used = await ann.command("/frontdesk", "where is my order?", at=general)
        assert used.acknowledged
        dm = await ann.dm()
        await until(lambda: any("where is my order?" in message.text for message in dm.replies))
        assert [message.only_you for message in general.messages] == [True]

    async def test_the_shortcut_to_a_person(self, app: App, ann: Person) -> None:
        assert (await ann.shortcut("frontdesk_hand_over")).acknowledged
        assert await answered(await ann.dm()) == ["A person will answer."]

    async def test_the_shortcut_of_a_message(self, app: App, general: View) -> None:
        written = await general.write(f"{bot(general)} it is broken")
        await answered(general)
        assert (await written.shortcut("frontdesk_hand_over_message")).acknowledged
        await until(lambda: "A person will answer." in general.replies[-1].text)
        assert general.replies[-1].thread_ts == written.ts

    async def test_the_assistant(self, app: App, ann: Person) -> None:
        root = await ann.open_assistant()
        dm = await ann.dm()
        await dm.write("hello", thread=root)
        await answered(dm)
        assert dm.replies[0].thread_ts == root.ts

    async def test_the_person_is_known(self, app: App, dm: View) -> None:
        await dm.write("hallo")
        await answered(dm)
        await dm.write("nochmals")
        await answered(dm, 2)

        async def known() -> bool:
            (state,) = await app.store.conversations()
            return (state.contact.name, state.contact.email) == ("ann", "ann@example.org") and state.contact.verified

        await until(known)


class TestInstallations:
    @pytest.fixture
    async def shop(self, tmp_path: Path) -> AsyncIterator[tuple[FakeSlack, App]]:
        async with FakeSlack(retries=(0.0, 0.05, 0.05), installed=False) as slack:
            own = {"bot_token": None, "client_id": slack.client_id, "client_secret": slack.client_secret}
            async with a_shop(slack, tmp_path, **own) as app:
                yield slack, app

    def address(self, app: App) -> str:
        return f"http://127.0.0.1:{app.options.port}/slack/install"

    async def test_two_workspaces_are_served_apart(self, shop: tuple[FakeSlack, App]) -> None:
        slack, app = shop
        other = slack.add_workspace("Other")
        ann, bob = slack.user("Ann"), slack.user("Bob", workspace=other)
        for person in (ann, bob):
            status, page = await slack.install(self.address(app), person)
            assert status == 200, page
        views = [await ann.dm(), await bob.dm()]
        for view in views:
            await view.write(f"I am {view.person.name}")
        assert [(await answered(view))[0] for view in views] == ["You said: I am Ann", "You said: I am Bob"]
        posted = slack.called("chat.postMessage")
        assert {call.team for call in posted} == set(slack.workspaces)
        assert len({state.id.split(":")[1] for state in await app.store.conversations()}) == 2

    async def test_a_removed_app_forgets_its_token(self, shop: tuple[FakeSlack, App], tmp_path: Path) -> None:
        slack, app = shop
        ann = slack.user("Ann")
        await slack.install(self.address(app), ann)
        dm = await ann.dm()
        await dm.write("hello")
        await answered(dm)
        token = slack.bot_token
        assert token.encode() in (tmp_path / "slack.db").read_bytes()
        await slack.uninstall(slack.workspace)
        (state,) = await app.store.conversations()
        await app.handoff.reply(state.id, "Dora Desk", "are you there?")

        async def dead() -> bool:
            return (await app.store.health()).dead == 1

        await until(dead)
        await app.handoff.give_back(state.id, "Dora Desk")
        calls = len(slack.calls)
        await slack.install(self.address(app), ann)
        await dm.write("back again")
        await answered(dm, 2)
        assert slack.bot_token != token
        assert not [call for call in slack.calls[calls:] if not call.ok]

    async def test_somebody_who_says_no(self, shop: tuple[FakeSlack, App]) -> None:
        slack, app = shop
        status, page = await slack.install(self.address(app), slack.user("Ann"), allow=False)
        assert status in (200, 400, 401, 500)
        assert "xoxb" not in page
        assert slack.workspace.token is None

    async def test_a_forged_state_installs_nothing(self, shop: tuple[FakeSlack, App]) -> None:
        slack, app = shop
        slack.codes["stolen"] = slack.user("Ann").member
        address = self.address(app).replace("install", "oauth_redirect")
        async with aiohttp.ClientSession() as session, session.get(f"{address}?code=stolen&state=forged") as response:
            assert response.status >= 400
        assert slack.workspace.token is None
