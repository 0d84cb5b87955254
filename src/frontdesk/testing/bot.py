"""A bot in memory that tests talk to."""

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from pydantic import BaseModel

from frontdesk.core.app import App, Options
from frontdesk.core.conversations import Conversation
from frontdesk.core.hearing import ListeningLimits
from frontdesk.core.messages import AudioPart, ChoicePart, Contact, Entry, FilePart, ImagePart, Message, Outgoing, Part, TextPart
from frontdesk.core.models import Models
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.testing import RecordingChannel
from frontdesk.core.testing.channel import NoSettings
from frontdesk.plugins.models.minilm import MiniLM

T = TypeVar("T")

_models = Models(embedder=MiniLM())


class Bot:
    """Runs plugins for real, on an event loop of its own, so that tests are plain functions.

        with Bot(plugin) as bot:
            bot.says("where is my order")
            assert "Which order" in bot.replies[-1].text

    `settings` are the plugins' settings by plugin name, as models or as dictionaries. `models` are the embedder alone unless
    given: `Models(chat=ScriptedChat("..."))` is a bot with a model that says so. `seconds` limits each wait.
    """

    def __init__(
        self,
        *plugins: Plugin,
        settings: Mapping[str, BaseModel | Mapping[str, Any]] | None = None,
        languages: Sequence[str] = ("en", "zh"),
        provided: Mapping[Any, Any] | None = None,
        limits: TurnLimits | None = None,
        listening: ListeningLimits | None = None,
        models: Models = _models,
        seconds: float = 30,
    ) -> None:
        self._plugins = plugins
        self._settings = settings or {}
        self._languages = languages
        self._provided = provided
        self._limits = limits or TurnLimits()
        self._listening = listening or ListeningLimits()
        self._models = models
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frontdesk-test-bot", daemon=True)
        self._folder = tempfile.TemporaryDirectory(prefix="frontdesk-bot-", ignore_cleanup_errors=True)
        self.app: App

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._start())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(TimeoutError):
            self._run(self.app.__aexit__(kind, error, trace))
        self._stop()

    def says(self, text: str, *, conversation: str = "customer") -> list[Outgoing]:
        """Writes as the customer and returns what the bot answers. Raises `TimeoutError` if the turn does not end."""
        return self._run(self._exchange((TextPart(text),), conversation))

    def sends(self, data: bytes, *, name: str, media_type: str, conversation: str = "customer") -> list[Outgoing]:
        """Sends a file as the customer: a voice note or a picture by its media type, and else a document."""
        return self._run(self._upload(data, name, media_type, conversation))

    def presses(self, label: str, *, conversation: str = "customer") -> list[Outgoing]:
        """Presses the newest button of that label or value. Raises `LookupError` if there is none."""
        for reply in reversed(self._replies_of(conversation)):
            for choice in reply.choices:
                if label in (choice.label, choice.value):
                    pressed = ChoicePart(value=choice.value, question=reply.question, label=choice.label)
                    return self._run(self._exchange((pressed,), conversation))
        raise LookupError(f"no button {label!r} in the replies so far")

    @property
    def replies(self) -> list[Outgoing]:
        """All replies so far, of all conversations."""
        return list(self._channel.sent)

    def state(self, conversation: str = "customer") -> Conversation:
        """Raises `KeyError` before the first turn."""
        state = self._run(self.app.store.conversation(_id(conversation)))
        if state is None:
            raise KeyError(conversation)
        return state

    def transcript(self, conversation: str = "customer") -> list[Entry]:
        return self._run(self.app.store.transcript(_id(conversation)))

    def resolve(self, conversation: str = "customer", *, agent: str = "ann") -> list[Outgoing]:
        """Resolves the conversation as an agent would, and returns what the plugins say then."""
        return self._run(self._act(self.app.handoff.resolve(_id(conversation), agent)))

    def dead_letters(self) -> list[Entry]:
        return self._run(self.app.store.dead())

    async def _start(self) -> None:
        settings = {
            plugin.name: plugin.settings.model_validate(self._settings.get(plugin.name, {}))
            for plugin in self._plugins
            if plugin.settings is not None
        }
        cache = Path(tempfile.gettempdir()) / f"frontdesk-test-cache-{os.getuid()}"
        self.app = App(
            Options(
                data_folder=Path(self._folder.name),
                cache_folder=cache,
                languages=self._languages,
                turns=self._limits,
                listening=self._listening,
                shutdown_seconds=1,
            ),
            store=MemoryStore(),
            plugins=self._plugins,
            plugin_settings=settings,
            transports=[(RecordingChannel, NoSettings())],
            models=self._models,
            provided=self._provided,
            serve=False,
        )
        await self.app.__aenter__()
        channel = self.app.channels[RecordingChannel.name]
        assert isinstance(channel, RecordingChannel)
        self._channel = channel

    async def _exchange(self, parts: tuple[Part, ...], conversation: str) -> list[Outgoing]:
        message = Message(
            id=f"test:{uuid4().hex}",
            channel=RecordingChannel.name,
            conversation=_id(conversation),
            contact=Contact(id=conversation),
            parts=parts,
            at=datetime.now(UTC),
        )
        return await self._act(self.app.intake.accept(message))

    async def _upload(self, data: bytes, name: str, media_type: str, conversation: str) -> list[Outgoing]:
        async def chunks() -> AsyncIterator[bytes]:
            yield data

        saved = await self.app.attachments.save(chunks(), name=name, media_type=media_type)
        kind = {"audio": AudioPart, "image": ImagePart}.get(media_type.partition("/")[0], FilePart)
        return await self._exchange((kind(saved),), conversation)

    async def _act(self, act: Coroutine[Any, Any, object]) -> list[Outgoing]:
        before = len(self._channel.sent)
        await act
        while True:
            health = await self.app.store.health()
            if not health.inbox and not health.outbox:
                return self._channel.sent[before:]
            await asyncio.sleep(0.002)

    def _replies_of(self, conversation: str) -> list[Outgoing]:
        return [reply for reply in self._channel.sent if reply.conversation == _id(conversation)]

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()


def _id(conversation: str) -> str:
    return f"{RecordingChannel.name}:{conversation}"
