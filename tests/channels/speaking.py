"""A bot that hears and speaks what a test tells it to, on any platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from frontdesk.core.app import App, Options
from frontdesk.core.messages import AudioPart, Message
from frontdesk.core.models import Models
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import Platform, ScriptedSpeaker, ScriptedTranscriber
from frontdesk.core.testing.platform import a_plugin, free_port

NOTE = b"OggS" + bytes(500)
SPOKEN = b"OggS"
"""What a `ScriptedSpeaker` says."""


@asynccontextmanager
async def a_listener(platform: Platform, folder: Path, *heard: str) -> AsyncIterator[App]:
    """It repeats what it has heard."""
    port = free_port()
    settings = await platform.start(port, folder)
    app = App(
        Options(data_folder=folder / "data", port=port, shutdown_seconds=1),
        store=MemoryStore(),
        plugins=[a_plugin()],
        transports=[(platform.channel, settings)],
        models=Models(transcriber=ScriptedTranscriber(*heard), speaker=ScriptedSpeaker()),
    )
    try:
        async with app:
            yield app
    finally:
        await platform.stop()


async def heard(app: App) -> list[tuple[str, str | None]]:
    """The recordings in the record, as their types and what was heard."""
    (state,) = await app.store.conversations()
    messages = [entry.body for entry in await app.store.transcript(state.id) if isinstance(entry.body, Message)]
    parts = [part for message in messages for part in message.parts if isinstance(part, AudioPart)]
    for part in parts:
        assert app.attachments.path(part.attachment.id).read_bytes() == NOTE
    return [(part.attachment.media_type, part.transcript) for part in parts]
