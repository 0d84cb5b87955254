"""What every channel must do, written once. A channel's tests inherit `ChannelContract` and give it the fixture `platform`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from frontdesk.core.app import App, Options
from frontdesk.core.errors import ConfigurationError, Unavailable
from frontdesk.core.messages import Message
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.store import Receipt
from frontdesk.core.testing.platform import (
    ContractPlugin,
    Platform,
    Problem,
    a_plugin,
    free_port,
    recorded,
    settled,
    settled_record,
    until,
    wait_for,
)


class ChannelContract:
    """`platform` is the platform under test, not started. What its channel cannot do, by its capabilities, is not asked of it."""

    @pytest.fixture
    def platform(self) -> Platform:
        raise NotImplementedError

    @pytest.fixture
    def plugin(self) -> ContractPlugin:
        return a_plugin()

    @pytest.fixture
    async def app(self, platform: Platform, plugin: ContractPlugin, tmp_path: Path) -> AsyncIterator[App]:
        port = free_port()
        settings = await platform.start(port, tmp_path)
        app = App(
            Options(data_folder=tmp_path / "data", port=port, shutdown_seconds=2),
            store=MemoryStore(),
            plugins=[plugin],
            transports=[(platform.channel, settings)],
        )
        try:
            async with app:
                yield app
        finally:
            await platform.stop()

    @pytest.fixture
    def can(self, platform: Platform, app: App) -> Callable[[str], None]:
        def can(capability: str) -> None:
            if not getattr(platform.channel.capabilities, capability):
                pytest.skip(f"{platform.channel.name} has no {capability}")

        return can

    async def test_a_message_is_answered_where_it_was_written(self, app: App, platform: Platform) -> None:
        await platform.write("hello", customer="ann")
        await platform.write("good day", customer="bob")
        assert (await wait_for(platform, 1))[0].text == "You said: hello"
        assert (await wait_for(platform, 1, customer="bob"))[0].text == "You said: good day"

    async def test_many_languages_arrive_whole(self, app: App, platform: Platform) -> None:
        await platform.write("我想取消我的订单 😀 שלום naïve")
        assert (await wait_for(platform, 1))[0].text == "You said: 我想取消我的订单 😀 שלום naïve"

    async def test_a_repetition_is_answered_once(self, app: App, platform: Platform) -> None:
        reference = await platform.write("hello")
        await wait_for(platform, 1)
        await platform.repeat(reference)
        await platform.write("next")
        assert [seen.text for seen in await wait_for(platform, 2)] == ["You said: hello", "You said: next"]
        await asyncio.sleep(0.3)
        assert len(platform.seen()) == 2

    async def test_messages_are_answered_in_order(self, app: App, platform: Platform) -> None:
        for number in range(4):
            await platform.write(f"number {number}")
        assert [seen.text for seen in await wait_for(platform, 4)] == [f"You said: number {number}" for number in range(4)]

    async def test_what_the_store_could_not_keep_is_not_acknowledged(
        self, app: App, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accept, refused = app.store.accept, 0

        async def refuse_once(message: Message) -> Receipt:
            nonlocal refused
            if not refused:
                refused += 1
                raise Unavailable("the disk is full")
            return await accept(message)

        monkeypatch.setattr(app.store, "accept", refuse_once)
        await platform.write("hello")
        assert [seen.text for seen in await wait_for(platform, 1)] == ["You said: hello"]
        assert refused

    async def test_the_bot_does_not_answer_itself(self, app: App, platform: Platform) -> None:
        await platform.write("hello")
        await wait_for(platform, 1)
        await platform.echo("You said: hello")
        await platform.write("next")
        await wait_for(platform, 2)
        await asyncio.sleep(0.3)
        assert [seen.text for seen in platform.seen()] == ["You said: hello", "You said: next"]

    async def test_markdown_leaks_no_markup(self, app: App, platform: Platform) -> None:
        await platform.write("say markdown")
        await settled(platform)
        text = "\n".join(seen.text for seen in platform.seen())
        for words in (
            "Opening hours",
            "open",
            "our page",
            "first",
            "a quotation",
            "Mon",
            "if a < b and b > c:",
            'print("a & b")',
        ):
            assert words in text
        for words in ("3 * 4 * 5 = 60", "snake_case_name", "<b>tag</b>", "a_b_c", "5 > 4 & 3 < 4"):
            assert words in text
        if platform.channel.capabilities.dialect != "plain":
            for markup in ("**", "~~", "](", "## ", "&lt;", "&amp;", "<strong>", "```python"):
                assert markup not in text

    async def test_long_text_is_split_within_the_limit(self, app: App, platform: Platform) -> None:
        count = min(platform.longest // 2, 3000)
        await platform.write(f"say {count} words")
        await settled(platform)
        pieces = [seen.text for seen in platform.seen()]
        assert " ".join(pieces).split() == [f"word{number}" for number in range(count)]
        assert all(len(piece) <= platform.longest for piece in pieces)

    async def test_a_choice_can_be_made(self, app: App, platform: Platform) -> None:
        await platform.write("choose")
        (question,) = await wait_for(platform, 1)
        assert "Which colour?" in question.text
        if platform.channel.capabilities.buttons:
            assert question.choices == ("Dark red", "Light blue")
            await platform.press("Light blue")
        else:
            assert "Light blue" in question.text
            await platform.write("2")
        assert (await wait_for(platform, 2))[-1].text == "You chose blue."

    async def test_files_come_in(self, app: App, platform: Platform, can: Callable[[str], None]) -> None:
        can("attachments")
        data = bytes(range(256)) * 400
        await platform.write("see this", files={"../../päper.bin": data})
        (seen,) = await wait_for(platform, 1)
        assert seen.text.startswith("You said: see this [")
        assert seen.text.endswith(f" {len(data)}]")
        assert "/" not in seen.text.split("[")[1]

    async def test_files_go_out(self, app: App, platform: Platform, can: Callable[[str], None]) -> None:
        can("attachments")
        await platform.write("send a file")
        await settled(platform)
        seen = platform.seen()
        assert any("Here it is." in message.text for message in seen)
        files = {name: data for message in seen for name, data in message.files.items()}
        assert list(files.values()) == ["hello wörld".encode()]
        assert next(iter(files)).endswith(".txt")

    async def test_an_edit_before_the_answer_changes_the_turn(
        self, app: App, platform: Platform, plugin: ContractPlugin, can: Callable[[str], None]
    ) -> None:
        can("changes")
        await platform.write("slow")
        reference = await platform.write("teh question")
        await recorded(app, 2)
        await platform.edit(reference, "the question")
        await recorded(app, 3)
        plugin.hold.set()
        assert [seen.text for seen in await wait_for(platform, 2)] == ["slowly done", "You said: the question"]
        texts = [entry.body.text for entry in await settled_record(app) if isinstance(entry.body, Message)]
        assert "the question" in texts
        assert "teh question" not in texts

    async def test_an_edit_after_the_answer_changes_the_record_only(
        self, app: App, platform: Platform, can: Callable[[str], None]
    ) -> None:
        can("changes")
        reference = await platform.write("teh question")
        await wait_for(platform, 1)
        await platform.edit(reference, "the question")
        await platform.write("next")
        assert [seen.text for seen in await wait_for(platform, 2)] == ["You said: teh question", "You said: next"]
        first = (await settled_record(app))[0].body
        assert isinstance(first, Message)
        assert (first.text, first.revision) == ("the question", "edited")

    async def test_a_deletion_before_the_answer_takes_the_message_back(
        self, app: App, platform: Platform, plugin: ContractPlugin, can: Callable[[str], None]
    ) -> None:
        can("changes")
        await platform.write("slow")
        reference = await platform.write("a secret")
        await recorded(app, 2)
        try:
            await platform.delete(reference)
        except NotImplementedError:
            pytest.skip("this platform tells nobody of deletions")
        await recorded(app, 3)
        plugin.hold.set()
        await platform.write("next")
        assert [seen.text for seen in await wait_for(platform, 2)] == ["slowly done", "You said: next"]
        assert "a secret" not in str([entry.body for entry in await settled_record(app)])

    async def test_a_reaction_is_recorded_and_not_answered(
        self, app: App, platform: Platform, can: Callable[[str], None]
    ) -> None:
        can("reactions")
        reference = await platform.write("hello")
        await wait_for(platform, 1)
        await platform.react(reference, "👍")
        await platform.write("next")
        await wait_for(platform, 2)
        assert [seen.text for seen in platform.seen()] == ["You said: hello", "You said: next"]
        kinds = [entry.body.kind for entry in await settled_record(app) if isinstance(entry.body, Message)]
        assert "reaction" in kinds

    async def test_typing_is_shown_while_it_takes_long(
        self, app: App, platform: Platform, plugin: ContractPlugin, can: Callable[[str], None]
    ) -> None:
        can("typing")
        await platform.write("slow")
        await until(platform.typed)
        plugin.hold.set()
        await wait_for(platform, 1)

    @pytest.mark.parametrize("problem", ["later", "down"])
    async def test_what_the_platform_does_not_take_now_is_sent_later_in_order(
        self, app: App, platform: Platform, problem: Problem
    ) -> None:
        await platform.write("number 0")
        await wait_for(platform, 1)
        platform.answer(problem, times=2)
        for number in (1, 2):
            await platform.write(f"number {number}")
        assert [seen.text for seen in await wait_for(platform, 3)] == [f"You said: number {number}" for number in range(3)]

    async def test_what_the_platform_refuses_is_a_dead_letter_and_the_next_one_passes(self, app: App, platform: Platform) -> None:
        await platform.write("number 0")
        await wait_for(platform, 1)
        platform.answer("no")
        await platform.write("number 1")

        async def dead() -> bool:
            return (await app.store.health()).dead == 1

        await until(dead)
        await platform.write("number 2")
        assert [seen.text for seen in await wait_for(platform, 2)] == ["You said: number 0", "You said: number 2"]
        (entry,) = await app.store.dead()
        assert entry.error

    async def test_an_agent_takes_over_and_answers(self, app: App, platform: Platform) -> None:
        await platform.write("hello")
        await wait_for(platform, 1)
        (state,) = await app.store.conversations()
        await app.handoff.reply(state.id, "Ann Agent", "A *person* here.")
        assert "A person here." in (await wait_for(platform, 2))[-1].text
        await platform.write("thanks")
        await recorded(app, 2)
        await asyncio.sleep(0.3)
        assert len(platform.seen()) == 2

    async def test_an_agent_corrects_what_was_sent(self, app: App, platform: Platform) -> None:
        await platform.write("hello")
        await wait_for(platform, 1)
        (state,) = await app.store.conversations()
        await app.handoff.reply(state.id, "Ann Agent", "At nien.", id="1")
        await wait_for(platform, 2)
        await app.handoff.correct(state.id, "Ann Agent", "At nine.", of=f"{state.id}/agent/1", id="2")
        if platform.channel.capabilities.edits:
            await until(lambda: "At nine." in platform.seen()[-1].text)
            assert len(platform.seen()) == 2
        else:
            assert "At nine." in (await wait_for(platform, 3))[-1].text

    async def test_credentials_are_checked(self, app: App, platform: Platform, tmp_path: Path) -> None:
        channel = app.channels[platform.channel.name]
        assert await channel.check()
        wrong = platform.channel(await platform.wrong_settings(), channel.services)
        with pytest.raises(ConfigurationError):
            await wrong.check()
