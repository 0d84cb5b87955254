from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from frontdesk.core.app import App
from frontdesk.core.messages import Message
from frontdesk.core.store import Receipt
from frontdesk.core.testing.platform import until
from frontdesk.testing.telegram import Chat, FakeTelegram

from .platform import Bot, Hook, a_bot


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
def bot(telegram: FakeTelegram, tmp_path: Path) -> Bot:
    """Makes a bot on the fake Telegram: `async with bot(mode="polling") as app`."""

    def make(**options: Any) -> Any:
        return a_bot(telegram, tmp_path, **options)

    return make


@pytest.fixture
def texts() -> Callable[..., Any]:
    """Waits until the bot has written so many messages in a chat, and all is done; then what they say."""

    async def replies(app: App, chat: Chat, count: int) -> list[str]:
        async def done() -> bool:
            health = await app.store.health()
            return len(chat.replies) >= count and not health.inbox and not health.outbox

        try:
            await until(done)
        except TimeoutError:
            raise AssertionError(f"the chat has only {[reply.text for reply in chat.replies]}") from None
        return [reply.text for reply in chat.replies]

    return replies


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hook(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hook]:
    """One bot for all payloads. It takes messages and answers none."""
    folder = tmp_path_factory.mktemp("payloads")
    async with FakeTelegram() as telegram, a_bot(telegram, folder) as app, aiohttp.ClientSession() as session:
        hook = Hook(app, session)

        async def accept(message: Message) -> Receipt:
            hook.accepted.append(message)
            return Receipt(message.id)

        app.store.accept = accept  # type: ignore[method-assign]
        yield hook
