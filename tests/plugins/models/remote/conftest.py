from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from frontdesk.core.metrics import Metrics
from frontdesk.plugins.models.remote import RemoteChat
from frontdesk.plugins.models.settings import ChatSettings
from frontdesk.testing.openai import FakeOpenAI


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the tests and their server."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def settings_for(service: FakeOpenAI, provider: str, **more: Any) -> dict[str, Any]:
    """What reaches the service; retries wait for nobody unless asked."""
    given: dict[str, Any] = {"provider": provider, "model": service.model, "base_url": service.url, "timeout": 30, "retries": 0}
    if service.key:
        given["api_key"] = SecretStr(service.key)
    if provider == "azure":
        given["api_version"] = "2024-10-21"
    return given | more


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def chat_with(tmp_path, metrics) -> AsyncIterator[Callable[..., RemoteChat]]:
    async with AsyncExitStack() as open:

        def make(service: FakeOpenAI, provider: str = "openai", *, breaker: Any = None, **more: Any) -> RemoteChat:
            settings = ChatSettings(**settings_for(service, provider, **more))
            chat = RemoteChat(settings, folder=tmp_path, metrics=metrics, breaker=breaker)
            open.push_async_callback(chat.stop)
            return chat

        yield make
