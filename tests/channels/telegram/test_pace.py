"""The limits of Telegram: kept ahead of time, so that it never has to say no."""

from pathlib import Path

from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram, FloodLimits

from .platform import Bot, a_bot

TELEGRAMS = {"messages_per_second": 30, "chat_messages_per_second": 1, "group_messages_per_minute": 20}


async def test_the_defaults_are_within_what_telegram_takes(tmp_path: Path) -> None:
    async with FakeTelegram(flood=FloodLimits()) as telegram, a_bot(telegram, tmp_path, **TELEGRAMS):
        users = [telegram.user(f"User {number}") for number in range(12)]
        for user in users:
            for number in range(5):
                await user.write(f"number {number}")
        await until(lambda: all(len(user.chat.replies) == 5 for user in users), 30)
        assert not [call for call in telegram.calls if call.status == 429]
        for user in users:
            assert [reply.text for reply in user.chat.replies] == [f"You said: number {number}" for number in range(5)]


async def test_a_long_reply_is_paced_as_well(tmp_path: Path) -> None:
    async with FakeTelegram(flood=FloodLimits()) as telegram, a_bot(telegram, tmp_path, **TELEGRAMS):
        ann = telegram.user("Ann")
        await ann.write("say 3000 words")
        await until(lambda: len(ann.chat.replies) >= 6 and ann.chat.replies[-1].text.endswith("word2999"), 30)
        assert not [call for call in telegram.calls if call.status == 429]


async def test_a_chat_that_waits_holds_no_other(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot(chat_messages_per_second=0.2):
        ann, bob = telegram.user("Ann"), telegram.user("Bob")
        for number in range(8):
            await ann.write(f"number {number}")
        await until(lambda: bool(ann.chat.replies))
        await bob.write("hello")
        await until(lambda: bool(bob.chat.replies))
        assert len(ann.chat.replies) < 8
