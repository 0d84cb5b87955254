"""The command line. Each command lies in a module of its own, which is imported when the command is used."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from frontdesk.core.errors import FrontdeskError

COMMANDS = {
    "run": "serve",
    "chat": "talk:chat_app",
    "ask": "talk:ask_app",
    "new": "new",
    "kb": "knowledge",
    "channels": "channels",
    "models": "models",
    "config": "configuration",
    "dead": "dead",
    "evaluate": "evaluate",
}
"""The commands in the order of the help, with the module and the name of their `typer.Typer`, `app` if nothing is said."""


class _Lazy(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        typer_app: typer.Typer = getattr(import_module(f"{__name__}.{module}"), name or "app")
        typer_app.rich_markup_mode = "markdown"
        command = get_command(typer_app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from frontdesk import __version__

        typer.echo(f"frontdesk {__version__}")
        raise typer.Exit


@app.callback()
def frontdesk(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A bot for customer service, and the desk of the people behind it.

    `frontdesk run` serves the demo shop until there is a frontdesk.yaml; `frontdesk chat` talks to the bot right here.
    """


def main() -> None:
    """The entry point. An error that has a cause the user can remove is one message without a traceback, and exit code 2."""
    try:
        app()
    except FrontdeskError as error:
        typer.secho(f"frontdesk: {error}", err=True, fg="red" if sys.stderr.isatty() else None)
        sys.exit(2)
