"""How the fake Telegram hands updates over: polling and webhooks."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from telegram import (
    Bot,
    ReactionTypeEmoji,
    Update,
)
from telegram.error import BadRequest, Conflict
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from frontdesk.testing.telegram import FakeTelegram

from .conftest import a_bot


async def test_a_message_is_polled_and_answered(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    await ann.write("hi")
    (update,) = await bot.get_updates()
    assert (update.message.text, update.message.from_user.first_name) == ("hi", "Ann")
    sent = await update.message.reply_text("<b>Hello</b>, Ann &amp; all", parse_mode="HTML", do_quote=True)
    reply = ann.chat.replies[-1]
    assert reply.text == "Hello, Ann & all"
    assert reply.formatted("bold") == ["Hello"]
    assert (reply.id, reply.reply_to) == (sent.message_id, ann.chat.messages[0].id)
    assert (await bot.get_me()).username == "shop_bot"


async def test_updates_stay_until_a_later_offset_confirms_them(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    first, second, third = [await ann.write(str(number)) for number in range(3)]
    assert [update.message.text for update in await bot.get_updates(limit=2)] == ["0", "1"]
    assert len(await bot.get_updates()) == 3
    assert not telegram.acknowledged(first)
    assert [update.message.text for update in await bot.get_updates(offset=second.update)] == ["1", "2"]
    assert telegram.acknowledged(first)
    assert not telegram.acknowledged(second)
    assert [update.message.text for update in await bot.get_updates(offset=-1)] == ["2"]
    assert [update.message.text for update in await bot.get_updates()] == ["2"]
    assert await bot.get_updates(offset=third.update + 1) == ()
    await telegram.delivered()


async def test_an_offset_from_before_the_ids_began_anew_hides_nothing(telegram: FakeTelegram, bot: Bot) -> None:
    telegram.deliver({"update_id": 5, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}})
    (update,) = await bot.get_updates(offset=700_000_000)
    assert update.update_id == 5
    assert await bot.get_updates(offset=6) == ()


async def test_a_long_poll_ends_when_something_comes(telegram: FakeTelegram, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    assert not poll.done()
    await telegram.user("Ann").write("hi")
    (update,) = await asyncio.wait_for(poll, 60)
    assert update.message.text == "hi"


async def test_of_two_pollers_one_is_ended(telegram: FakeTelegram, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    async with a_bot(telegram) as other:
        await other.get_updates(timeout=0)
    with pytest.raises(Conflict, match="terminated by other getUpdates"):
        await first


async def test_updates_that_were_not_asked_for_do_not_come(telegram: FakeTelegram, bot: Bot) -> None:
    ann = telegram.user("Ann")
    message = await ann.write("hi")
    await ann.react(message, "👍")
    (update,) = await bot.get_updates(allowed_updates=["message_reaction"])
    await ann.write("this is not asked for")
    await ann.react(message, "👎")
    (update,) = await bot.get_updates(offset=update.update_id + 1)
    assert update.message_reaction.new_reaction == (ReactionTypeEmoji("👎"),)
    assert update.message_reaction.old_reaction == (ReactionTypeEmoji("👍"),)


async def test_a_webhook_gets_what_waits_with_the_secret_and_again_until_it_is_taken(
    telegram: FakeTelegram, bot: Bot, listen: Callable[..., Awaitable[str]]
) -> None:
    seen: list[tuple[str, str | None]] = []
    answers = iter([500, 404, 200, 200])

    async def hook(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append((body["message"]["text"], request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        return web.Response(status=next(answers))

    ann = telegram.user("Ann")
    await ann.write("waiting")
    await ann.write("behind")
    assert await bot.set_webhook(await listen(hook), secret_token="s-1", max_connections=5)
    await telegram.delivered()
    assert seen == [("waiting", "s-1")] * 3 + [("behind", "s-1")]
    assert [attempt.status for attempt in telegram.updates.attempts] == [500, 404, 200, 200]
    info = await bot.get_webhook_info()
    assert (info.pending_update_count, info.max_connections) == (0, 5)
    assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert await bot.delete_webhook()
    await ann.write("polled")
    assert len(await bot.get_updates()) == 1


async def test_a_chat_whose_update_is_not_taken_holds_no_other(
    telegram: FakeTelegram, bot: Bot, listen: Callable[..., Awaitable[str]]
) -> None:
    seen: list[str] = []

    async def hook(request: web.Request) -> web.Response:
        text = (await request.json())["message"]["text"]
        seen.append(text)
        return web.Response(status=503 if text.startswith("bad") else 200)

    ann, bob = telegram.user("Ann"), telegram.user("Bob")
    await bot.set_webhook(await listen(hook))
    await ann.write("bad")
    held = await ann.write("held")
    fine = await bob.write("fine")
    async with asyncio.timeout(60):
        while "fine" not in seen or seen.count("bad") < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert telegram.acknowledged(fine)
    assert not telegram.acknowledged(held)
    assert "held" not in seen


async def test_a_bot_can_call_a_method_in_its_answer(
    telegram: FakeTelegram, bot: Bot, listen: Callable[..., Awaitable[str]]
) -> None:
    async def hook(request: web.Request) -> web.Response:
        chat = (await request.json())["message"]["chat"]["id"]
        return web.json_response({"method": "sendMessage", "chat_id": chat, "text": "answered"})

    ann = telegram.user("Ann")
    await bot.set_webhook(await listen(hook))
    await ann.write("hi")
    await telegram.delivered()
    assert [reply.text for reply in ann.chat.replies] == ["answered"]


async def test_a_webhook_needs_https_but_on_loopback(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="https url must be provided"):
        await bot.set_webhook("http://shop.example/hook")
    assert await bot.set_webhook("https://shop.example/hook", secret_token="a" * 256)
    with pytest.raises(BadRequest, match="unallowed characters"):
        await bot.set_webhook("https://shop.example/hook", secret_token="no spaces")
    await bot.delete_webhook()


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_an_ordinary_bot_of_the_library_runs_on_it(telegram: FakeTelegram, mode: str) -> None:
    async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_html(f"<b>{update.message.text}</b>")

    builder = Application.builder().token(telegram.token)
    application = builder.base_url(f"{telegram.url}/bot").base_file_url(f"{telegram.url}/file/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    ann = telegram.user("Ann")
    async with application:
        await application.start()
        if mode == "polling":
            await application.updater.start_polling(timeout=1)
        else:
            await application.bot.set_webhook(await listen_for(application))
        await ann.write("hello")
        async with asyncio.timeout(60):
            while not ann.chat.replies:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        if mode == "polling":
            await application.updater.stop()
        else:
            await application.bot_data["runner"].cleanup()
        await application.stop()
    assert ann.chat.replies[0].formatted("bold") == ["hello"]


async def listen_for(application: Application) -> str:
    """Hands what is posted to the application; the library's own web server needs another package."""

    async def hook(request: web.Request) -> web.Response:
        await application.update_queue.put(Update.de_json(await request.json(), application.bot))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = application.bot_data["runner"] = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
