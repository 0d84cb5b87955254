"""Corrections of replies, and what is done when Telegram does not take a reply as it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from frontdesk.channels.telegram.adapter import TelegramChannel
from frontdesk.channels.telegram.chats import Chats
from frontdesk.core.app import App
from frontdesk.core.errors import ConfigurationError, DeliveryRejected, InvalidInput
from frontdesk.core.messages import Attachment, Contact, Message
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import Chat, FakeTelegram, refused

from .platform import Bot, Texts

LONG = "\n\n".join(f"Paragraph {number} " + "words " * 100 for number in range(16))


async def said_and_corrected(app: App, telegram: FakeTelegram, texts: Texts, first: str, second: str) -> Chat:
    """The chat of a customer to whom an agent has said the one and then the other instead."""
    ann = telegram.user("Ann")
    await ann.write("hello")
    await texts(app, ann.chat, 1)
    (state,) = await app.store.conversations()
    await app.handoff.reply(state.id, "Agent", first, id="1")
    await texts(app, ann.chat, 2)
    await app.handoff.correct(state.id, "Agent", second, of=f"{state.id}/agent/1", id="2")
    await until(lambda: second.rsplit(maxsplit=1)[-1] in ann.chat.replies[-1].text)
    await texts(app, ann.chat, 2)
    return ann.chat


async def test_a_longer_text_goes_on_in_more_messages(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        chat = await said_and_corrected(app, telegram, texts, "short", LONG)
        replies = chat.replies[1:]
        assert replies[0].edits == 1
        assert " ".join(reply.text for reply in replies).split() == LONG.split()


async def test_a_shorter_text_deletes_what_is_left_over(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        chat = await said_and_corrected(app, telegram, texts, LONG, "short")
        await until(lambda: len(chat.replies) == 2)
        assert [reply.text for reply in chat.replies] == ["You said: hello", "short"]


async def test_what_cannot_be_edited_is_sent_anew(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        telegram.fail(refused("Bad Request: message can't be edited"), method="editMessageText")
        chat = await said_and_corrected(app, telegram, texts, "At nien.", "At nine.")
        assert [reply.text for reply in chat.replies] == ["You said: hello", "At nien.", "At nine."]


async def test_a_correction_that_changes_nothing_is_done(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        chat = await said_and_corrected(app, telegram, texts, "At nine.", "At nine.")
        assert [reply.text for reply in chat.replies] == ["You said: hello", "At nine."]


@pytest.mark.parametrize(
    "words", ["Bad Request: can't parse entities: oops", "Bad Request: wrong message entity: URL host is empty"]
)
async def test_refused_entities_fall_back_to_plain_text(telegram: FakeTelegram, bot: Bot, texts: Texts, words: str) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        await ann.write("hello")
        await texts(app, ann.chat, 1)
        (state,) = await app.store.conversations()
        telegram.fail(refused(words), method="sendMessage")
        await app.handoff.reply(state.id, "Agent", "See **[our page](https://shop.example/a)**.")
        assert (await texts(app, ann.chat, 2))[-1] == "See our page (https://shop.example/a)."
        assert not ann.chat.replies[-1].entities


async def test_links_show_no_preview(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        await ann.write("see https://shop.example")
        await texts(app, ann.chat, 1)
        (sent,) = [call.parameters for call in telegram.calls if call.method == "sendMessage"]
        assert sent["link_preview_options"] == {"is_disabled": True}


async def test_a_conversation_of_another_bot_is_refused(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot() as app:
        channel = app.channels["telegram"]
        for conversation in ("telegram:987654321:5", "web:5", "telegram:x"):
            with pytest.raises(DeliveryRejected):
                await channel.ready(conversation)


async def test_a_server_of_ones_own_may_name_files_on_the_disk(
    telegram: FakeTelegram, bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "voice.ogg"
    file.write_bytes(b"OggS" * 1000)
    async with bot() as app:
        channel = app.channels["telegram"]
        assert isinstance(channel, TelegramChannel)

        async def call(method: str, values: dict[str, Any]) -> dict[str, str]:
            return {"file_path": str(file)}

        monkeypatch.setattr(channel._api, "call", call)
        attachment = Attachment(id="", name="voice.ogg", media_type="audio/ogg", size=0, remote="x")
        message = Message(
            id="m", channel="telegram", conversation="telegram:1:2", contact=Contact(id="2"), parts=(), at=datetime.now(UTC)
        )
        assert b"".join([chunk async for chunk in channel.fetch(message, attachment)]) == b"OggS" * 1000
        # At the cloud's server it can only be a trick.
        monkeypatch.setattr(channel, "settings", channel.settings.model_copy(update={"api_url": "https://api.telegram.org"}))
        with pytest.raises(InvalidInput):
            assert [chunk async for chunk in channel.fetch(message, attachment)]


async def test_webhooks_need_https(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot() as app:
        channel = app.channels["telegram"]
        settings = TelegramChannel.Settings.model_validate({"token": telegram.token, "mode": "webhook"})
        with pytest.raises(ConfigurationError, match="FRONTDESK_CHANNELS__TELEGRAM__WEBHOOK_URL"):
            await TelegramChannel(settings, channel.services).check()


def test_migrations_are_kept(tmp_path: Path) -> None:
    chats = Chats(tmp_path / "chats.json")
    chats.load()
    chats.move(-5, -1005)
    chats.move(-5, -1005)
    again = Chats(tmp_path / "chats.json")
    again.load()
    assert (again.now(-5), again.first(-1005), again.now(7), again.first(7)) == (-1005, -5, 7, 7)


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', '{"1": null}', "\x00"])
def test_a_broken_file_of_migrations_is_no_reason_not_to_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "chats.json").write_text(content)
    chats = Chats(tmp_path / "chats.json")
    chats.load()
    assert chats.now(5) == 5
