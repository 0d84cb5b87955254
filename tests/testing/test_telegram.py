"""The fake Telegram, driven by python-telegram-bot as a user's bot would: what bots and people do."""

from datetime import timedelta
from io import BytesIO

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    MessageEntity,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut

from frontdesk.testing.telegram import FakeTelegram, FloodLimits, broken, cut, slow, too_many_requests
from frontdesk.testing.telegram.entities import Unparsable, formatted, slice_utf16, utf16_length

from .conftest import a_bot

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("<b>never closed", 'can\'t find end tag corresponding to start tag "b"'),
        ("<x>unknown</x>", 'unsupported start tag "x" at byte offset 0'),
        ("é<h1>title</h1>", 'unsupported start tag "h1" at byte offset 2'),
        ("a < b", 'unsupported start tag "" at byte offset 2'),
        ("<b>crossed <i>tags</b></i>", 'unmatched end tag at byte offset 18, expected "</i>", found "</b>"'),
        ("too much</b>", "unexpected end tag at byte offset 8"),
        ("<b", "unclosed start tag at byte offset 0"),
        ("<a href=x y>z</a>", None),
        ("<a href='unfinished>z</a>", "unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'tag "span" must have class "tg-spoiler"'),
        ("<br/>", 'unsupported start tag "br/" at byte offset 0'),
        ("x" * 4096, None),
        ("x" * 4097, "message is too long"),
        ("😀" * 2048, None),
        ("😀" * 2048 + "x", "message is too long"),
        ("<b>" + "x" * 4096 + "</b>", None),
        ("&amp;" * 4096, None),
        (" \n ", "message text is empty"),
        ("<b></b>", "message text is empty"),
    ],
)
async def test_texts_are_refused_as_by_telegram(telegram: FakeTelegram, bot: Bot, text: str, refusal: str | None) -> None:
    ann = telegram.user("Ann")
    await ann.write("hi")
    if refusal is None:
        await bot.send_message(ann.id, text, parse_mode="HTML")
        assert len(ann.chat.replies) == 1
    else:
        with pytest.raises(BadRequest) as error:
            await bot.send_message(ann.id, text, parse_mode="HTML")
        assert refusal in error.value.message.lower().replace(refusal.lower(), refusal)
        assert not ann.chat.replies


@pytest.mark.parametrize(
    ("html", "shown", "entities"),
    [
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("  <b>  x </b> ", "x", [("bold", 0, 1)]),
        ("😀<code>1 &lt; 2</code>", "😀1 < 2", [("code", 2, 5)]),
        ('<pre><code class="language-python">x</code></pre>', "x", [("pre", 0, 1)]),
        ('<a href="https://a.example/?x=1&amp;y=2">a</a>', "a", [("text_link", 0, 1)]),
        ("<a href='no link'>a</a>", "a", []),
        ("&nbsp;&lt;&#39;&#x27;&amp;lt;", "&nbsp;<''&lt;", []),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', "st", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        ("a\x00b\rc\u202ed", "a bcd", []),
    ],
)
def test_html_is_read_as_by_telegram(html: str, shown: str, entities: list[tuple[str, int, int]]) -> None:
    found = formatted(html, "HTML", None)
    assert found.text == shown
    assert [(each["type"], each["offset"], each["length"]) for each in found.entities] == entities


@given(st.text(alphabet="<>/ab&;i\"'= \n😀é#x0", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = formatted(text, "HTML", None)
    except Unparsable:
        return
    for each in found.entities:
        assert 0 <= each["offset"] < each["offset"] + each["length"] <= utf16_length(found.text)
        assert slice_utf16(found.text, each["offset"], each["length"])


async def test_entities_given_apart_are_checked(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    await ann.write("hi")
    for offset, length in ((0, 9), (1, 2), (-1, 2)):
        with pytest.raises(BadRequest, match="parse entities"):
            await bot.send_message(ann.id, "😀ab", entities=[MessageEntity("bold", offset, length)])
    await bot.send_message(ann.id, "😀ab", entities=[MessageEntity("bold", 2, 1)])
    assert ann.chat.replies[-1].formatted("bold") == ["a"]


async def test_files_go_both_ways(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    await ann.send_file(PNG, kind="photo", caption="look")
    await ann.send_file(b"%PDF", name="bill.pdf", media_type="application/pdf")
    photo, document = [update.message for update in await bot.get_updates()]
    file = await photo.photo[-1].get_file()
    assert bytes(await file.download_as_bytearray()) == PNG
    assert (photo.caption, document.document.file_name, document.document.mime_type) == ("look", "bill.pdf", "application/pdf")
    await bot.send_document(ann.id, BytesIO(b"data"), filename="päper.txt", caption="<i>here</i>", parse_mode="HTML")
    reply = ann.chat.replies[-1]
    assert (reply.files, reply.text) == ({"päper.txt": b"data"}, "here")
    await bot.send_photo(ann.id, PNG)
    await bot.send_voice(ann.id, b"OggS")
    album = await bot.send_media_group(ann.id, [InputMediaPhoto(PNG, caption="one"), InputMediaPhoto(PNG)])
    assert len({message.media_group_id for message in album}) == 1
    assert [len(each.files) for each in ann.chat.replies] == [1] * 5
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ann.id, b"no picture")
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_photo(ann.id, PNG, caption="x" * 1025)
    with pytest.raises(BadRequest, match="file_id"):
        await bot.get_file("nonsense")


async def test_what_is_too_large_cannot_be_downloaded(telegram: FakeTelegram, bot: Bot) -> None:
    await telegram.user("Ann").send_file(bytes(20 * 1024 * 1024 + 1), name="film.bin")
    (update,) = await bot.get_updates()
    with pytest.raises(BadRequest, match="File is too big"):
        await update.message.document.get_file()


async def test_buttons_are_pressed_and_answered(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    await ann.write("hi")
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
    sent = await bot.send_message(ann.id, "Sure?", reply_markup=markup)
    query = await ann.press("Yes")
    pressed = (await bot.get_updates())[-1].callback_query
    assert (pressed.id, pressed.data, pressed.message.message_id) == (query, "y", sent.message_id)
    await pressed.answer("thanks")
    assert telegram.answered_queries == {query: "thanks"}
    with pytest.raises(BadRequest, match="too old"):
        await bot.answer_callback_query("1")
    await pressed.edit_message_text("Yes, sure.")
    assert (ann.chat.replies[-1].text, ann.chat.replies[-1].buttons) == ("Yes, sure.", [])
    with pytest.raises(BadRequest, match="not modified"):
        await pressed.edit_message_text("Yes, sure.")
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(
            ann.id, "x", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="é" * 33)]])
        )
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("x", ann.id, ann.chat.messages[0].id)
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("x", ann.id, 99999)
    with pytest.raises(LookupError):
        await ann.press("No")


async def test_a_group_in_privacy_mode_shows_what_is_meant_for_the_bot(telegram: FakeTelegram, bot: Bot) -> None:
    ann, group = telegram.user("Ann"), telegram.group()
    await ann.write("to everybody", chat=group)
    await ann.write("you, @shop_bot", chat=group)
    await ann.write("/help", chat=group)
    sent = await bot.send_message(group.id, "yes?")
    reply = group.find(sent.message_id)
    assert reply is not None
    await ann.write("an answer", chat=group, reply_to=reply)
    updates = await bot.get_updates()
    assert [update.message.text for update in updates] == ["you, @shop_bot", "/help", "an answer"]
    assert updates[0].message.parse_entity(updates[0].message.entities[0]) == "@shop_bot"
    with pytest.raises(BadRequest, match="thread not found"):
        await bot.send_message(group.id, "x", message_thread_id=updates[-1].message.message_thread_id)


async def test_topics_of_a_forum(telegram: FakeTelegram, bot: Bot) -> None:
    ann, forum = telegram.user("Ann"), telegram.group(forum=True)
    topic = forum.add_topic("Orders")
    await ann.write("@shop_bot hi", chat=forum, topic=topic)
    (update,) = await bot.get_updates()
    assert (update.message.message_thread_id, update.message.is_topic_message) == (topic, True)
    await bot.send_message(forum.id, "here", message_thread_id=topic)
    assert forum.replies[-1].topic == topic
    with pytest.raises(BadRequest, match="thread not found"):
        await bot.send_message(forum.id, "here", message_thread_id=1)


async def test_a_group_becomes_a_supergroup(telegram: FakeTelegram, bot: Bot) -> None:
    ann, group = telegram.user("Ann"), telegram.group(supergroup=False)
    await ann.write("@shop_bot hi", chat=group)
    new = await group.migrate()
    _, left, come = await bot.get_updates()
    assert left.message.migrate_to_chat_id == come.message.chat.id == new.id
    with pytest.raises(ChatMigrated) as error:
        await bot.send_message(group.id, "x")
    assert error.value.new_chat_id == new.id
    await bot.send_message(new.id, "x")
    assert len(new.replies) == 1


async def test_chats_that_the_bot_cannot_write_to(telegram: FakeTelegram, bot: Bot) -> None:
    ann, bob, group = telegram.user("Ann"), telegram.user("Bob"), telegram.group()
    with pytest.raises(Forbidden, match="can't initiate"):
        await bot.send_message(ann.id, "x")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(12345, "x")
    await bob.write("hi")
    await bob.block()
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(bob.id, "x")
    group.kick_bot()
    with pytest.raises(Forbidden, match="kicked from the supergroup"):
        await bot.send_message(group.id, "x")
    await bob.unblock()
    await bot.send_message(bob.id, "x")
    statuses = [update.my_chat_member.new_chat_member.status for update in (await bot.get_updates())[-2:]]
    assert statuses == ["kicked", "member"]


async def test_faults(telegram: FakeTelegram, bot: Bot) -> None:
    ann, bob = telegram.user("Ann"), telegram.user("Bob")
    await ann.write("hi")
    await bob.write("hi")
    telegram.fail(too_many_requests(7), chat=ann.chat)
    await bot.send_message(bob.id, "not meant")
    with pytest.raises(RetryAfter) as error:
        await bot.send_message(ann.id, "x")
    assert error.value.retry_after in (7, timedelta(seconds=7))
    telegram.fail(broken(502), times=2)
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(ann.id, "x")
    telegram.fail(cut())
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "x")
    assert not ann.chat.replies
    telegram.fail(cut("after"))
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "taken all the same")
    assert [reply.text for reply in ann.chat.replies] == ["taken all the same"]
    telegram.fail(slow(1), method="sendMessage")
    with pytest.raises(TimedOut):
        await bot.send_message(ann.id, "late", read_timeout=0.1)
    telegram.fail(broken(), method="getMe", times=9)
    telegram.heal()
    await bot.get_me()
    assert [call.status for call in telegram.called("sendMessage")][:6] == [200, 429, 502, 502, 0, 0]


async def test_flood_limits_can_be_switched_on() -> None:
    async with FakeTelegram(flood=FloodLimits(burst=2)) as telegram, a_bot(telegram) as bot:
        ann, group = telegram.user("Ann"), telegram.group()
        await ann.write("hi")
        for _ in range(2):
            await bot.send_message(ann.id, "x")
        with pytest.raises(RetryAfter):
            await bot.send_message(ann.id, "x")
        for _ in range(20):
            await bot.send_message(group.id, "x")
        with pytest.raises(RetryAfter):
            await bot.send_message(group.id, "x")


async def test_the_menu_of_commands(telegram: FakeTelegram, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("help", "What I can do")], language_code="en")
    assert telegram.commands == {("default", "en"): {"help": "What I can do"}}
    assert await bot.get_my_commands(language_code="en") == (BotCommand("help", "What I can do"),)
    with pytest.raises(BadRequest):
        await bot.set_my_commands([BotCommand("Not-Allowed", "x")])


async def test_business_messages(telegram: FakeTelegram, bot: Bot) -> None:
    owner, ann = telegram.user("Owner"), telegram.user("Ann")
    business = telegram.business(owner)
    message = await ann.write("hi", chat=business.chat(ann))
    await ann.edit(message, "hello")
    connected, new, edited = await bot.get_updates()
    assert connected.business_connection.user.id == owner.id
    assert new.business_message.business_connection_id == business.id
    assert edited.edited_business_message.text == "hello"
    await bot.send_message(ann.id, "answer", business_connection_id=business.id)
    assert [reply.text for reply in business.chat(ann).replies] == ["answer"]
    assert not ann.chat.replies
    await ann.delete(message)
    assert (await bot.get_updates(offset=edited.update_id + 1))[0].deleted_business_messages.message_ids == (message.id,)


async def test_typing_reactions_and_deletions(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    message = await ann.write("hi")
    await bot.send_chat_action(ann.id, "typing")
    assert ann.chat.actions == ["typing"]
    await bot.set_message_reaction(ann.id, message.id, "👌")
    assert message.bot_reactions == ["👌"]
    sent = await bot.send_message(ann.id, "x")
    await bot.delete_message(ann.id, sent.message_id)
    more = await bot.send_message(ann.id, "x")
    await bot.delete_messages(ann.id, [message.id, more.message_id, 9999])
    assert ann.chat.messages == [message]


async def test_a_wrong_token_and_an_unknown_method(telegram: FakeTelegram, bot: Bot) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{telegram.url}/bot1:wrong/getMe") as response:
            assert (response.status, (await response.json())["description"]) == (401, "Unauthorized")
        async with session.post(f"{telegram.url}/bot{telegram.token}/nonsense") as response:
            assert (response.status, (await response.json())["error_code"]) == (404, 404)
        async with session.post(f"{telegram.url}/bot{telegram.token}/sendMessage", json=[]) as response:
            assert response.status == 400
    with pytest.raises(InvalidToken):
        async with a_bot(telegram, "1:wrong"):
            pass


async def test_direct_messages_of_a_channel(telegram: FakeTelegram, bot: Bot) -> None:
    ann, direct = telegram.user("Ann"), telegram.direct_messages()
    await ann.write("hi", chat=direct)
    (update,) = await bot.get_updates()
    assert update.message.direct_messages_topic.topic_id == ann.id
    with pytest.raises(BadRequest, match="topic not found"):
        await bot.send_message(direct.id, "x")
    await bot.send_message(direct.id, "x", direct_messages_topic_id=ann.id)
    assert len(direct.replies) == 1
