"""A business account that the bot answers for: its customers, and its owner who may answer personally."""

from frontdesk.core.messages import Message, Note
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram

from .platform import Bot, Texts


async def test_customers_of_a_business_account_are_answered_in_its_name(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, business = telegram.user("Ann"), telegram.business(telegram.user("Olga"))
        chat = business.chat(ann)
        await ann.write("hello", chat=chat)
        await ann.write("to the bot itself")
        assert await texts(app, chat, 1) == ["You said: hello"]
        assert await texts(app, ann.chat, 1) == ["You said: to the bot itself"]
        await ann.write("choose", chat=chat)
        await texts(app, chat, 2)
        await ann.press("Light blue", chat=chat)
        assert (await texts(app, chat, 3))[-1] == "You chose blue."


async def test_the_bot_is_silent_once_the_owner_answers(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, owner = telegram.user("Ann"), telegram.user("Olga")
        chat = telegram.business(owner).chat(ann)
        await ann.write("hello", chat=chat)
        await texts(app, chat, 1)
        await owner.post({"text": "We are closed now.", "is_from_offline": True}, chat=chat)  # an away message
        await ann.write("and then?", chat=chat)
        await texts(app, chat, 2)
        await owner.write("Olga here, I will see to it.", chat=chat)
        await telegram.delivered()
        await ann.write("thank you", chat=chat)
        await telegram.delivered()
        assert await texts(app, chat, 2) == ["You said: hello", "You said: and then?"]
        (state,) = await app.store.conversations()
        assert state.owner == "agent"
        await app.handoff.give_back(state.id, "Olga")
        await ann.write("bot?", chat=chat)
        assert (await texts(app, chat, 3))[-1] == "You said: bot?"


async def test_the_bot_is_silent_where_the_owner_writes_first(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, owner = telegram.user("Ann"), telegram.user("Olga")
        chat = telegram.business(owner).chat(ann)
        await owner.write("Hello Ann, your lamp is here.", chat=chat)
        await ann.write("I will fetch it", chat=chat)
        await ann.write("to the bot itself")
        assert await texts(app, ann.chat, 1) == ["You said: to the bot itself"]
        (state,) = [state for state in await app.store.conversations() if state.owner == "agent"]
        assert (state.agent, state.contact.name) == ("Olga", "Ann")
        assert not [message for message in chat.replies if message.text]


async def test_the_bots_own_messages_are_not_taken_for_the_owners(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        chat = telegram.business(telegram.user("Olga")).chat(ann)
        await ann.write("hello", chat=chat)
        await texts(app, chat, 1)
        telegram.tell({"business_message": chat.replies[0].data}, chat)
        await telegram.delivered()
        await ann.write("next", chat=chat)
        assert await texts(app, chat, 2) == ["You said: hello", "You said: next"]


async def test_what_a_customer_edits_and_deletes_changes_the_record(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        chat = telegram.business(telegram.user("Olga")).chat(ann)
        first = await ann.write("teh question", chat=chat)
        second = await ann.write("a secret", chat=chat)
        await texts(app, chat, 2)
        await ann.edit(first, "the question")
        await ann.delete(second)
        await telegram.delivered()
        (state,) = await app.store.conversations()

        async def changed() -> bool:
            messages = [entry.body for entry in await app.store.transcript(state.id) if isinstance(entry.body, Message)]
            return [message.revision for message in messages if message.kind == "new"] == ["edited", "deleted"]

        await until(changed)
        messages = [entry.body for entry in await app.store.transcript(state.id) if isinstance(entry.body, Message)]
        assert messages[0].text == "the question"
        assert "a secret" not in str(messages)


async def test_what_else_the_owner_deletes_is_not_recorded(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, business = telegram.user("Ann"), telegram.business(telegram.user("Olga"))
        chat = {"id": 4711, "type": "private", "first_name": "Somebody"}
        deleted = {"business_connection_id": business.id, "chat": chat, "message_ids": [1, 2]}
        telegram.deliver({"deleted_business_messages": deleted})
        await ann.write("hello")
        await texts(app, ann.chat, 1)
        await telegram.delivered()
        (state,) = await app.store.conversations()
        assert "4711" not in state.id


async def test_an_update_that_comes_twice_is_noted_once(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann, owner = telegram.user("Ann"), telegram.user("Olga")
        chat = telegram.business(owner).chat(ann)
        await ann.write("hello", chat=chat)
        await texts(app, chat, 1)
        said = await owner.write("Olga here.", chat=chat)
        await telegram.delivered()
        telegram.deliver({"update_id": said.update, "business_message": said.data})
        await ann.write("thank you", chat=chat)
        await telegram.delivered()
        (state,) = await app.store.conversations()
        entries = [entry.body for entry in await app.store.transcript(state.id)]
        assert [body.text for body in entries if isinstance(body, Note)] == ["Olga here."]
