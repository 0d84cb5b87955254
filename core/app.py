"""The application: everything put together, started in order and stopped without losing anything."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Self

import structlog
from aiohttp import web
from pydantic import BaseModel

from frontdesk.core.attachments import Attachments
from frontdesk.core.channel import Channel, Services, Transport
from frontdesk.core.contacts import Contacts
from frontdesk.core.dialogue.commands import Commands
from frontdesk.core.dialogue.forms import Forms
from frontdesk.core.dialogue.intents import IntentMatcher
from frontdesk.core.dialogue.language import LanguageDetector
from frontdesk.core.dispatcher import Dispatcher
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.events import Events, Typing
from frontdesk.core.files import Files
from frontdesk.core.handoff import HandoffService
from frontdesk.core.hearing import Hearing, ListeningLimits
from frontdesk.core.http import Operations, application
from frontdesk.core.intake import Intake
from frontdesk.core.messages import Message
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ChatModel, Embedder, Models, Speaker, Transcriber
from frontdesk.core.notices import Notices
from frontdesk.core.plugin import DataFolder, Plugin
from frontdesk.core.registry import Registry
from frontdesk.core.router import Router
from frontdesk.core.runner import Runner, TurnLimits
from frontdesk.core.speaking import Speaking
from frontdesk.core.store import Store
from frontdesk.core.tasks import Tasks, backoff, cancelled

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`languages` are those the bot speaks, its own first. `shutdown_seconds` limits each stage of a graceful stop.

    A reply of a channel in `never_twice` that may or may not have arrived becomes a dead letter instead of being sent again.
    What lies in `cache_folder` (by default inside the data folder) can be made again and may be deleted.
    """

    data_folder: Path
    cache_folder: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    languages: Sequence[str] = ("en",)
    timezone: tzinfo = UTC
    region: str = "US"
    never_twice: Sequence[str] = ()
    turns: TurnLimits = field(default_factory=TurnLimits)
    listening: ListeningLimits = field(default_factory=ListeningLimits)
    shutdown_seconds: float = 10.0


class App:
    """`transports` are the channels and the desk with their settings, `provided` what plugins can have injected, by type.

    `models` begin to load when the application is entered, and nothing waits for them.

    Used as an async context manager: entering it opens the store and starts to serve, leaving it stops taking messages,
    finishes turns and deliveries within the limit, and closes. `serve=False` starts everything but the HTTP server.
    """

    def __init__(
        self,
        options: Options,
        *,
        store: Store,
        plugins: Sequence[Plugin],
        transports: Sequence[tuple[type[Transport], BaseModel]],
        plugin_settings: Mapping[str, BaseModel] | None = None,
        models: Models | None = None,
        metrics: Metrics | None = None,
        provided: Mapping[Any, Any] | None = None,
        serve: bool = True,
    ) -> None:
        self.options = options
        self.store = store
        self.events = Events()
        self.metrics = metrics or Metrics()
        self.models = models or Models()
        self.attachments = Attachments(options.data_folder / "attachments")
        self.contacts = Contacts(options.data_folder / "contacts.db")
        own: dict[Any, Any] = {
            Store: store,
            Contacts: self.contacts,
            Events: self.events,
            Notices: Notices(store, self.events),
            Attachments: self.attachments,
            DataFolder: DataFolder(options.data_folder),
        }
        kinds: dict[Any, Any] = {
            Embedder: self.models.embedder,
            ChatModel: self.models.chat,
            Transcriber: self.models.transcriber,
            Speaker: self.models.speaker,
        }
        own |= {kind: model for kind, model in kinds.items() if model is not None}
        self.registry = Registry(plugins, plugin_settings, {**own, **(provided or {})})
        self.languages = LanguageDetector(options.languages)
        cache = options.cache_folder or options.data_folder / "cache"
        self.intents = IntentMatcher(self.registry.intents, self.models.embedder, cache=cache / "intents")
        forms = Forms(self.registry, timezone=options.timezone, region=options.region)
        speaks = self.models.speaker is not None
        commands = Commands(self.registry, options.languages, speaks=speaks, prefix=self._command_prefix)
        self.router = Router(self.registry, forms, self.intents, commands, ask_below=options.listening.ask_below)
        self.channels: dict[str, Channel] = {}
        self.runner = Runner(
            store,
            self.registry,
            self.router,
            languages=self.languages,
            files=Files(self.attachments, self.channels),
            speaking=Speaking(self.models.speaker, self.attachments),
            hearing=Hearing(
                self.models.transcriber,
                self.attachments,
                languages=options.languages,
                limits=options.listening,
                sign=self._show_listening,
            ),
            events=self.events,
            metrics=self.metrics,
            limits=options.turns,
            typing=self._show_typing,
        )
        self.handoff = HandoffService(store, self.events, on_resolved=self.runner.resolved)
        self.intake = Intake(store, self.events, self.metrics)
        services = Services(
            accept=self.intake.accept,
            store=store,
            events=self.events,
            handoff=self.handoff,
            attachments=self.attachments,
            contacts=self.contacts,
            base_url=options.base_url or f"http://{options.host}:{options.port}",
            folder=options.data_folder,
            languages=options.languages,
            commands=commands.known,
            whole=self._whole,
        )
        self.transports = [transport(settings, services) for transport, settings in transports]
        self.channels |= {transport.name: transport for transport in self.transports if isinstance(transport, Channel)}
        self.dispatcher = Dispatcher(store, self.channels, self.events, self.metrics, never_twice=options.never_twice)
        self.ready = False
        self._serve = serve
        self._tasks = Tasks()
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.options.data_folder.mkdir(parents=True, exist_ok=True)
            await self.store.open()
            stack.push_async_callback(self.store.close)
            await self.contacts.open()
            stack.push_async_callback(self.contacts.close)
            for model in self.models:
                await model.start()
                stack.push_async_callback(model.stop)
            await self.registry.start()
            stack.push_async_callback(self.registry.stop)
            self.intents.start()
            stack.push_async_callback(self.intents.stop)
            warming = asyncio.create_task(asyncio.to_thread(self.languages.load), name="load-languages")
            stack.push_async_callback(cancelled, warming)
            for transport in self.transports:
                await transport.start()
                stack.push_async_callback(transport.stop)
            stack.push_async_callback(self._drain)
            self._dispatching = asyncio.create_task(_kept_running("dispatcher", self.dispatcher.run), name="dispatcher")
            self._running = asyncio.create_task(self._take_turns(), name="runner")
            if self._serve:
                await stack.enter_async_context(_Server(self))
            for transport in self.transports:
                pulling = asyncio.create_task(_kept_running(transport.name, transport.run), name=f"run-{transport.name}")
                stack.push_async_callback(cancelled, pulling)
            self.ready = True
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ready = False
        await self._exit.aclose()

    async def _take_turns(self) -> None:
        """Messages are taken in at once, but answered when the intents are learnt: that must not use up a turn's time."""
        await self.intents.learnt()
        await _kept_running("runner", self.runner.run)

    async def _drain(self) -> None:
        """Nothing new comes in any more: finishes the turns under way, then what is being sent."""
        await cancelled(self._running)
        await self.runner.drain(self.options.shutdown_seconds)
        await self.dispatcher.drain(self.options.shutdown_seconds)
        await cancelled(self._dispatching)
        await self._tasks.drain(1)

    def _command_prefix(self, channel: str) -> str:
        found = self.channels.get(channel)
        return found.command_prefix if found else "/"

    def _whole(self, message: Message) -> str | None:
        channel = self.channels.get(message.channel)
        return channel.whole(message) if channel else None

    def _show_typing(self, channel: str, conversation: str) -> None:
        self._show_listening(channel, conversation, None)

    def _show_listening(self, channel: str, conversation: str, heard: float | None) -> None:
        self.events.publish(Typing(conversation, "bot", heard))
        if channel in self.channels:
            self._tasks.start(_quietly(self.channels[channel], conversation))


HEADER_SECONDS = 75
"""A connection that has sent no whole request for so long is closed, however slowly it goes on sending headers."""


class _Server:
    """The HTTP server as an async context manager."""

    def __init__(self, app: App) -> None:
        self._app = app
        operations = Operations(app.store, app.metrics, lambda: app.ready, app.models)
        self._runner = web.AppRunner(
            application(operations, app.transports),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=5,
            keepalive_timeout=HEADER_SECONDS,
        )

    async def __aenter__(self) -> None:
        options = self._app.options
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, options.host, options.port, backlog=1024).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigurationError(
                f"cannot listen on {options.host}:{options.port} ({error.strerror}): "
                "set `web.port` (FRONTDESK_WEB__PORT) or `web.host` to a free address"
            ) from error

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def _kept_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Starts what runs all the time again, with backoff, when it breaks: a channel that pulls, when its connection does."""
    attempt = 0
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await run()
            return
        except Exception as error:
            attempt = 0 if asyncio.get_running_loop().time() - started > 60 else attempt + 1
            log.error("what broke is started again", name=name, error=type(error).__name__)
            await asyncio.sleep(backoff(attempt))


async def _quietly(channel: Channel, conversation: str) -> None:
    try:
        await channel.typing(conversation)
    except Exception as error:
        log.debug("typing could not be shown", channel=channel.name, error=type(error).__name__)
