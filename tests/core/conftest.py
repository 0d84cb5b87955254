from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from frontdesk.core.app import App, Options
from frontdesk.core.models import Models
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.store import Store
from frontdesk.core.testing import RecordingChannel
from frontdesk.core.testing.channel import NoSettings

MakeApp = Callable[..., AbstractAsyncContextManager[App]]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """An application with a recording channel and no HTTP server."""

    @asynccontextmanager
    async def make(
        *plugins: Plugin,
        store: Store | None = None,
        limits: TurnLimits | None = None,
        models: Models | None = None,
        **options: Any,
    ) -> AsyncIterator[App]:
        app = App(
            Options(data_folder=tmp_path, turns=limits or TurnLimits(), shutdown_seconds=1, **options),
            store=store or MemoryStore(),
            plugins=plugins,
            models=models,
            transports=[(RecordingChannel, NoSettings())],
            serve=False,
        )
        async with app:
            yield app

    return make


@pytest.fixture
def channel_of() -> Callable[[App], RecordingChannel]:
    def channel(app: App) -> RecordingChannel:
        found = app.channels["test"]
        assert isinstance(found, RecordingChannel)
        return found

    return channel
