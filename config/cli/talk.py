"""`frontdesk chat` and `frontdesk ask`: the bot in this process, with a conversation that ends with it."""

import asyncio
import sys
from contextlib import AsyncExitStack
from io import StringIO
from typing import TYPE_CHECKING, Annotated

import typer

from frontdesk.config.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from frontdesk.channels.console import ConsoleSettings
    from frontdesk.config.loader import Configuration

chat_app = typer.Typer(add_completion=False)
ask_app = typer.Typer(add_completion=False)


@chat_app.command()
def chat(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Talk to the bot in the terminal, or pipe one message per line.

    Examples: `frontdesk chat`, or `printf 'hello\\nwhere is my order\\n' | frontdesk chat --json`

    The conversation is not kept, and a server may run beside it. What the plugins do is real: a cancelled order stays cancelled.

    A number presses the choice it stands before; Ctrl-D ends.
    """
    _talk(config, as_json=as_json)


@ask_app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What a customer would write.", show_default=False)],
    config: ConfigFile = None,
    as_json: AsJson = False,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Ask this model itself, without the bot.", show_default=False),
    ] = None,
) -> None:
    """Ask one question and print the answer.

    Example: `frontdesk ask "How long does shipping take?"`

    As in `frontdesk chat`, the conversation is not kept, but what the plugins do is real.

    With `--model` a language model answers alone, and its words come as it makes them:
    `frontdesk ask --model google/flan-t5-small "Translate to German: Where is my parcel?"` runs a model of the Hugging Face hub
    or of a folder on this machine, and downloads it if it is not here; `--model openai:gpt-5-mini` or `--model ollama:llama3.2`
    ask a service, with the key and address of the configuration, or else with the key in OPENAI_API_KEY.
    """
    if model is not None:
        from frontdesk.config.cli.asking import ask_model

        ask_model(text, model, config=config, as_json=as_json)
        return
    _talk(config, as_json=as_json, question=text)


def _talk(config: "ConfigFile", *, as_json: bool, question: str | None = None) -> None:
    from frontdesk.channels.console import ConsoleSettings
    from frontdesk.config.loader import load
    from frontdesk.config.logging import configure
    from frontdesk.config.settings import LoggingOptions

    configuration = load(config)
    wanted = configuration.settings.logging
    # Only what goes wrong is told: the terminal belongs to the conversation.
    configure(LoggingOptions(level="error", format="console", message_text=wanted.message_text))
    section = configuration.settings.enabled_channels.get("console")
    settings = section if isinstance(section, ConsoleSettings) else ConsoleSettings()
    settings = settings.model_copy(update={"as_json": as_json or settings.as_json})
    try:
        asyncio.run(_converse(configuration, settings, question))
    except KeyboardInterrupt:
        typer.echo()
        raise typer.Exit(130) from None


async def _converse(configuration: "Configuration", settings: "ConsoleSettings", question: str | None) -> None:
    from frontdesk.channels.console import ConsoleChannel
    from frontdesk.config.cli.progress import indexing
    from frontdesk.config.composition import build
    from frontdesk.core.storage.memory import MemoryStore

    transports = [(ConsoleChannel, settings)]
    async with AsyncExitStack() as stack:
        with indexing() as progress:
            app = build(configuration, store=MemoryStore(), transports=transports, serve=False, on_progress=progress)
            console = app.channels[ConsoleChannel.name]
            assert isinstance(console, ConsoleChannel)
            if question is not None:
                console.connect(StringIO(f"{' '.join(question.splitlines())}\n"), sys.stdout, replies_only=True)
            await stack.enter_async_context(app)
        await console.finished.wait()
