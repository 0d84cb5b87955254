"""Puts the application together from its configuration: the one place that knows the concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import structlog
from pydantic import BaseModel

from frontdesk.config.loader import Configuration
from frontdesk.config.models import configured_models, listening_limits
from frontdesk.core.app import App, Options
from frontdesk.core.channel import Transport
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Embedder
from frontdesk.core.plugin import Plugin
from frontdesk.core.runner import TurnLimits
from frontdesk.core.storage.memory import MemoryStore
from frontdesk.core.storage.sqlite import SqliteStore
from frontdesk.core.store import Store
from frontdesk.core.tasks import backoff, cancelled
from frontdesk.plugins.replies import RepliesSettings, knowledge_base
from frontdesk.plugins.replies.knowledge import IndexUnusable, KnowledgeBase
from frontdesk.plugins.replies.knowledge.values import OnProgress

log = structlog.get_logger(__name__)

EMBED_AGAIN, EMBED_AGAIN_AT_MOST = 10.0, 300.0
"""Seconds until articles are embedded again with a model that did not answer, doubled each time."""


def build(
    configuration: Configuration,
    *,
    store: Store | None = None,
    transports: Sequence[tuple[type[Transport], BaseModel]] | None = None,
    serve: bool = True,
    on_progress: OnProgress | None = None,
) -> App:
    """The application, wired and checked but not started.

    `store` and `transports` stand in for the configured ones. At its start the application brings the index of the
    knowledge base up to date, and tells `on_progress` how far it is. Raises `ConfigurationError`.
    """
    settings = configuration.settings
    make_data_folder(settings.data_folder)
    metrics = Metrics()
    models = configured_models(settings.models, data_folder=settings.data_folder, metrics=metrics)
    plugins = list(configuration.plugins)
    if (replies := settings.plugin_sections.get("replies")) is not None:
        assert isinstance(replies, RepliesSettings)
        plugins.append(_knowledge(replies, settings.data_folder, models.embedder, on_progress))
    sections = settings.enabled_channels
    if transports is None:
        transports = [(channel, sections[name]) for name, channel in configuration.channels.items()]
    options = Options(
        data_folder=settings.data_folder,
        host=settings.web.host,
        port=settings.web.port,
        base_url=settings.web.base_url,
        languages=settings.languages,
        timezone=settings.tzinfo,
        region=settings.region,
        turns=TurnLimits(
            concurrent=settings.turns.concurrent,
            seconds=settings.turns.seconds,
            attempts=settings.turns.attempts,
            bursts={name: section.burst_seconds for name, section in sections.items()},
        ),
        listening=listening_limits(settings.models),
        never_twice=[name for name, section in sections.items() if section.when_uncertain == "leave"],
        shutdown_seconds=settings.shutdown_seconds,
    )
    return App(
        options,
        store=store or configured_store(configuration),
        plugins=plugins,
        transports=transports,
        plugin_settings=settings.plugin_sections,
        models=models,
        metrics=metrics,
        serve=serve,
    )


def make_data_folder(folder: Path) -> None:
    """Raises `ConfigurationError` if it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"data_folder (FRONTDESK_DATA_FOLDER) = {folder}: it cannot be written ({error.strerror}): "
            "name another folder, or change who may write there"
        ) from error


def configured_store(configuration: Configuration) -> Store:
    settings = configuration.settings
    return MemoryStore() if settings.store.kind == "memory" else SqliteStore(settings.store_path)


def configured_knowledge(settings: RepliesSettings, data_folder: Path, embedder: Embedder | None) -> KnowledgeBase:
    return knowledge_base(settings, index=data_folder / "knowledge.db", embedder=embedder)


def _knowledge(settings: RepliesSettings, data_folder: Path, embedder: Embedder | None, on_progress: OnProgress | None) -> Plugin:
    """Provides the knowledge base, with its index up to date."""
    plugin = Plugin("knowledge")

    @plugin.provide
    async def knowledge() -> AsyncIterator[KnowledgeBase]:
        base = configured_knowledge(settings, data_folder, embedder)
        try:
            report = await base.sync(settings.sources, on_progress=on_progress)
        except IndexUnusable as error:
            raise ConfigurationError(str(error)) from error
        for problem in report.problems:
            log.warning("an article is left out", path=problem.path, reason=problem.reason, fix=problem.fix)
        embedding = asyncio.create_task(_embedded(base, settings), name="embed-articles") if report.not_embedded else None
        yield base
        await cancelled(embedding)

    return plugin


async def _embedded(base: KnowledgeBase, settings: RepliesSettings) -> None:
    """Tries until the embedder has answered for all articles: till then they are found by their words."""
    attempt = 0
    while True:
        await asyncio.sleep(backoff(attempt, base=EMBED_AGAIN, most=EMBED_AGAIN_AT_MOST))
        attempt += 1
        try:
            report = await base.sync(settings.sources)
        except IndexUnusable as error:
            log.warning("articles are not embedded", reason=str(error))
        else:
            if not report.not_embedded:
                return
