"""`frontdesk kb` on the configured knowledge base."""

import typer

from frontdesk.config.cli.kb import Knowledge, app
from frontdesk.config.cli.options import ConfigFile

__all__ = ["app"]


@app.callback()
def open_configured(context: typer.Context, config: ConfigFile = None) -> None:
    from frontdesk.config.composition import configured_knowledge, make_data_folder
    from frontdesk.config.loader import load
    from frontdesk.config.logging import configure
    from frontdesk.config.models import embedder
    from frontdesk.config.settings import LoggingOptions
    from frontdesk.core.errors import ConfigurationError
    from frontdesk.core.metrics import Metrics
    from frontdesk.plugins.replies import RepliesSettings

    settings = load(config).settings
    configure(LoggingOptions(level="warning", format="console"))
    replies = settings.plugin_sections.get("replies")
    if not isinstance(replies, RepliesSettings):
        raise ConfigurationError("the plugin replies, which answers from the knowledge base, is in `plugins.disabled`")
    make_data_folder(settings.data_folder)
    model = embedder(settings.models.embeddings, settings.data_folder, Metrics())
    base = configured_knowledge(replies, settings.data_folder, model)
    context.obj = Knowledge(base=base, configured=replies.sources)
