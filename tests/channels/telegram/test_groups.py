"""Groups, topics and the direct messages of channels: who is answered, and where."""

import pytest

from frontdesk.core.messages import Message
from frontdesk.core.testing.platform import a_plugin, until
from frontdesk.testing.telegram import FakeTelegram, refused

from .platform import Bot, Mode, Texts


async def test_in_a_group_only_what_is_meant_for_the_bot_is_answered(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    telegram.privacy = False  # it is told of everything
    async with bot() as app:
        ann, bob, group = telegram.user("Ann"), telegram.user("Bob"), telegram.group()
        await ann.write("does anybody know?", chat=group)
        mention = await ann.write("@Shop_Bot when do you open?", chat=group)
        assert await texts(app, group, 1) == ["You said: when do you open?"]
        assert group.replies[0].reply_to == mention.id
        await bob.write("to @shop_bottle, not to the bot", chat=group)
        await bob.write("/help@other_bot", chat=group)
        await bob.write("and on Sunday?", chat=group, reply_to=group.replies[0])
        await bob.write("I agree with Ann", chat=group, reply_to=mention)
        await bob.write("tell us @shop_bot", chat=group)
        assert (await texts(app, group, 3))[1:] == ["You said: and on Sunday?", "You said: tell us"]
        await telegram.delivered()
        assert len(group.replies) == 3


async def test_groups_can_be_left_unanswered(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(groups=False) as app:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.write("@shop_bot hello", chat=group)
        await ann.write("hello")
        assert await texts(app, ann.chat, 1) == ["You said: hello"]
        assert not group.replies


@pytest.mark.parametrize("supergroup", [True, False])
async def test_a_command_to_the_bot_is_obeyed_in_a_group(
    telegram: FakeTelegram, bot: Bot, texts: Texts, supergroup: bool
) -> None:
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group(supergroup=supergroup)
        await ann.write("/language@shop_bot", chat=group)
        (reply,) = await texts(app, group, 1)
        assert not reply.startswith("You said")


async def test_a_command_without_a_name_is_obeyed_if_the_bot_knows_it(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    """Where a bot is alone in a group, people's programs do not name it."""
    telegram.privacy = False
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.write("/roll_dice", chat=group)
        await ann.write("/help@other_bot", chat=group)
        await ann.write("/help", chat=group)
        (reply,) = await texts(app, group, 1)
        assert "/help" in reply
        assert group.replies[0].reply_to == group.messages[2].id
        await telegram.delivered()
        assert len(group.replies) == 1


async def test_the_bots_name_alone_is_answered(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.write("@shop_bot", chat=group)
        (reply,) = await texts(app, group, 1)
        assert "/help" in reply


async def test_a_reply_in_a_plain_supergroup_is_answered(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    """Its message_thread_id is that of a thread of replies, to which nothing can be sent."""
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.write("@shop_bot one", chat=group)
        await texts(app, group, 1)
        reply = await ann.write("two", chat=group, reply_to=group.replies[0])
        assert "message_thread_id" in reply.data
        assert await texts(app, group, 2) == ["You said: one", "You said: two"]


async def test_topics_are_conversations_of_their_own(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    plugin = a_plugin()
    async with bot(plugin=plugin) as app:
        ann, forum = telegram.user("Ann"), telegram.group(forum=True)
        orders, returns = forum.add_topic("Orders"), forum.add_topic("Returns")
        await ann.write("@shop_bot slow", chat=forum, topic=orders)
        await ann.write("@shop_bot quick", chat=forum, topic=returns)
        await ann.write("@shop_bot in general", chat=forum)
        await until(lambda: len(forum.replies) == 2)
        plugin.hold.set()
        await texts(app, forum, 3)
        assert {(reply.text, reply.topic) for reply in forum.replies} == {
            ("You said: quick", returns),
            ("You said: in general", None),
            ("slowly done", orders),
        }
        assert len(await app.store.conversations()) == 3


@pytest.mark.parametrize("words", ["message thread not found", "TOPIC_DELETED"])
async def test_the_answer_to_a_deleted_topic_is_still_read(telegram: FakeTelegram, bot: Bot, words: str) -> None:
    plugin = a_plugin()
    async with bot(plugin=plugin):
        ann, forum = telegram.user("Ann"), telegram.group(forum=True)
        topic = forum.add_topic("Orders")
        await ann.write("@shop_bot slow", chat=forum, topic=topic)
        await until(lambda: "typing" in forum.actions)
        del forum.topics[topic]
        telegram.fail(refused(f"Bad Request: {words}"), chat=forum)
        plugin.hold.set()
        await until(lambda: [(reply.text, reply.topic) for reply in forum.replies] == [("slowly done", None)])


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_a_conversation_goes_on_when_its_group_becomes_a_supergroup(
    telegram: FakeTelegram, bot: Bot, texts: Texts, mode: Mode
) -> None:
    plugin = a_plugin()
    async with bot(plugin=plugin, mode=mode) as app:
        ann, group = telegram.user("Ann"), telegram.group(supergroup=False)
        await ann.write("@shop_bot hello", chat=group)
        await texts(app, group, 1)
        await ann.write("@shop_bot slow", chat=group)
        await until(lambda: "typing" in group.actions)
        new = await group.migrate()
        plugin.hold.set()
        await until(lambda: [reply.text for reply in new.replies] == ["slowly done"])
        await ann.write("@shop_bot more", chat=new)
        assert await texts(app, new, 2) == ["slowly done", "You said: more"]
        assert len(await app.store.conversations()) == 1
    new.messages.clear()
    async with bot(plugin=a_plugin(), mode=mode):  # the bot starts again
        await ann.write("@shop_bot again", chat=new)
        await until(lambda: [reply.text for reply in new.replies] == ["You said: again"])


async def test_a_migration_that_nobody_told_of_is_learnt_from_the_refusal(telegram: FakeTelegram, bot: Bot) -> None:
    plugin = a_plugin()
    async with bot(plugin=plugin):
        ann, group = telegram.user("Ann"), telegram.group(supergroup=False)
        await ann.write("@shop_bot slow", chat=group)
        await until(lambda: "typing" in group.actions)
        new = group.migrated_to = telegram.group()
        plugin.hold.set()
        await until(lambda: [reply.text for reply in new.replies] == ["slowly done"])


async def test_a_bot_that_was_removed_sends_nothing_and_the_agents_know(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        await ann.write("hello")
        await texts(app, ann.chat, 1)
        (state,) = await app.store.conversations()
        await ann.block()
        await telegram.delivered()
        await app.handoff.reply(state.id, "Olga", "Are you there?")

        async def dead() -> bool:
            return (await app.store.health()).dead == 1

        await until(dead)
        (entry,) = await app.store.dead()
        assert "blocked" in str(entry.error)
        await ann.unblock()
        await telegram.delivered()
        await app.handoff.give_back(state.id, "Olga")
        await ann.write("back again")
        assert await texts(app, ann.chat, 2) == ["You said: hello", "You said: back again"]
        notes = [entry.body.text for entry in await app.store.transcript(state.id) if type(entry.body).__name__ == "Note"]
        assert [("blocked" in note, "unblocked" in note) for note in notes] == [(True, False), (True, True)]


async def test_direct_messages_of_a_channel_are_answered_in_the_persons_topic(
    telegram: FakeTelegram, bot: Bot, texts: Texts
) -> None:
    async with bot() as app:
        ann, bob, direct = telegram.user("Ann"), telegram.user("Bob"), telegram.direct_messages()
        await ann.write("hello", chat=direct)
        await texts(app, direct, 1)
        await bob.write("good day", chat=direct)
        await texts(app, direct, 2)
        found = [(reply.text, reply.data["direct_messages_topic"]["topic_id"]) for reply in direct.replies]
        assert found == [("You said: hello", ann.id), ("You said: good day", bob.id)]


async def test_a_message_that_was_deleted_is_answered_all_the_same(telegram: FakeTelegram, bot: Bot) -> None:
    plugin = a_plugin()
    async with bot(plugin=plugin):
        ann, group = telegram.user("Ann"), telegram.group()
        message = await ann.write("@shop_bot slow", chat=group)
        await until(lambda: "typing" in group.actions)
        await ann.delete(message)
        plugin.hold.set()
        await until(lambda: [(reply.text, reply.reply_to) for reply in group.replies] == [("slowly done", None)])


async def test_in_a_group_edits_and_reactions_count_for_what_the_bot_was_told_of(
    telegram: FakeTelegram, bot: Bot, texts: Texts
) -> None:
    telegram.privacy = False
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group()
        gossip = await ann.write("just between us", chat=group)
        question = await ann.write("@shop_bot teh question", chat=group)
        await texts(app, group, 1)
        await ann.edit(gossip, "@shop_bot no gossip")
        await ann.react(gossip, "🔥")
        await ann.edit(question, "@shop_bot the question")
        await ann.react(group.replies[0], "👍")
        await ann.write("@shop_bot next", chat=group)
        assert await texts(app, group, 2) == ["You said: teh question", "You said: next"]
        (state,) = await app.store.conversations()
        messages = [entry.body for entry in await app.store.transcript(state.id) if isinstance(entry.body, Message)]
        assert [message.text for message in messages if message.kind == "new"] == ["the question", "next"]
        assert [message.parts[0].emoji for message in messages if message.kind == "reaction"] == ["👍"]  # type: ignore[union-attr]
        assert "between us" not in str(messages)


async def test_a_slow_or_refused_group_holds_no_private_chat(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, group = telegram.user("Ann"), telegram.group()
        telegram.fail(refused("Bad Request: CHAT_RESTRICTED"), chat=group, times=5)
        for number in range(5):
            await ann.write(f"@shop_bot {number}", chat=group)
            await ann.write(f"number {number}")
        assert await texts(app, ann.chat, 5) == [f"You said: number {number}" for number in range(5)]
