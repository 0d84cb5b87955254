"""What the bot sets up at its start, and what it does when Telegram cannot be reached."""

import pytest

from frontdesk.channels.telegram import channel
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import FakeTelegram, broken, cut, refused

from .platform import SECRET, Bot, Mode, Texts, settings_for


async def test_the_webhook_is_registered_with_its_secret_and_what_is_wanted(
    telegram: FakeTelegram, bot: Bot, texts: Texts
) -> None:
    async with bot() as app:
        await until(lambda: telegram.updates.webhook is not None)
        webhook = telegram.updates.webhook
        assert webhook is not None
        assert webhook.url == f"http://127.0.0.1:{app.options.port}/telegram/webhook"
        assert webhook.secret == SECRET
        assert {"message", "edited_message", "callback_query", "message_reaction"} <= set(telegram.updates.allowed)
        assert "channel_post" not in telegram.updates.allowed
    assert telegram.updates.webhook is not None, "what is written while the bot is down is kept for it"


async def test_without_a_secret_one_is_made_that_differs_by_token(telegram: FakeTelegram, bot: Bot, texts: Texts) -> None:
    async with bot(secret=None) as app:
        ann = telegram.user("Ann")
        await ann.write("hello")
        assert await texts(app, ann.chat, 1) == ["You said: hello"]
        webhook = telegram.updates.webhook
        assert webhook is not None
        assert len(webhook.secret or "") >= 32
        assert telegram.token not in (webhook.secret or "")


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_what_was_written_while_the_bot_was_down_is_answered(
    telegram: FakeTelegram, bot: Bot, texts: Texts, mode: Mode
) -> None:
    ann = telegram.user("Ann")
    for number in range(3):
        await ann.write(f"number {number}")
    async with bot(mode=mode) as app:
        assert await texts(app, ann.chat, 3) == [f"You said: number {number}" for number in range(3)]


async def test_the_menu_of_commands_is_set_in_the_bots_languages(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot(languages=("en", "zh")):
        await until(lambda: len(telegram.commands) >= 2)
        assert {"help", "language"} <= telegram.commands[("default", "")].keys()
        assert telegram.commands[("default", "")]["help"] != telegram.commands[("default", "zh")]["help"]


async def test_the_menu_of_commands_can_be_given_or_left_alone(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot(commands={"": {"order": "Where is my order?", "Not-Possible": "x"}, "de": {"order": "Wo ist sie?"}}):
        await until(lambda: telegram.updates.webhook is not None)
        assert telegram.commands == {
            ("default", ""): {"order": "Where is my order?"},
            ("default", "de"): {"order": "Wo ist sie?"},
        }
    telegram.commands.clear()
    async with bot(commands={}):
        await until(lambda: telegram.called("setWebhook") != telegram.called("setWebhook")[:1])
        assert not telegram.commands


async def test_a_menu_that_is_refused_leaves_those_of_the_other_languages(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.fail(refused("Bad Request: invalid language code specified"), method="setMyCommands")
    async with bot(languages=("tlh", "zh")):
        await until(lambda: ("default", "zh") in telegram.commands)


@pytest.mark.parametrize("mode", ["webhook", "polling"])
@pytest.mark.parametrize("fault", [broken(502), cut()], ids=["502", "cut"])
@pytest.mark.parametrize("method", ["getMe", "setWebhook", "deleteWebhook", "setMyCommands"])
async def test_telegram_may_be_down_at_the_start(
    telegram: FakeTelegram, bot: Bot, texts: Texts, mode: Mode, fault: object, method: str
) -> None:
    telegram.fail(fault, method=method)  # type: ignore[arg-type]
    async with bot(mode=mode) as app:
        ann = telegram.user("Ann")
        await ann.write("hello")
        assert await texts(app, ann.chat, 1) == ["You said: hello"]


async def test_why_a_webhook_is_refused_is_told(telegram: FakeTelegram, bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    telegram.fail(refused("Bad Request: bad webhook: IP address 10.0.0.1 is reserved"), method="setWebhook")
    async with bot():
        await until(lambda: telegram.updates.webhook is not None)
    assert "ip address 10.0.0.1 is reserved" in "".join(capsys.readouterr()).lower()


async def test_a_wrong_token_stops_the_start_and_names_the_setting(telegram: FakeTelegram, bot: Bot) -> None:
    with pytest.raises(ConfigurationError, match="FRONTDESK_CHANNELS__TELEGRAM__TOKEN") as error:
        async with bot(token="123456789:AAF-not-this-one"):
            pass
    assert "not-this-one" not in str(error.value)


async def test_nothing_secret_is_logged(
    telegram: FakeTelegram, bot: Bot, texts: Texts, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with bot() as app:
        ann = telegram.user("Ann")
        telegram.fail(broken(502), times=1)
        telegram.fail(cut(), times=1)
        await ann.write("my password is hunter2")
        await ann.send_file(b"data", name="x.bin")
        await texts(app, ann.chat, 2)
    logged = "".join(capsys.readouterr()) + caplog.text
    assert "connected to Telegram" in logged
    for secret in (telegram.token, telegram.token.partition(":")[2], SECRET, "hunter2"):
        assert secret not in logged


async def test_the_check_says_who_the_bot_is_and_changes_nothing(telegram: FakeTelegram, bot: Bot) -> None:
    async with bot() as app:
        services = app.channels["telegram"].services
    calls = len(telegram.calls)
    assert "@shop_bot" in await channel(settings_for(telegram), services).check()
    assert {call.method for call in telegram.calls[calls:]} == {"getMe"}
    with pytest.raises(ConfigurationError, match="API_URL"):
        await channel(settings_for(telegram, api_url="http://127.0.0.1:9"), services).check()
