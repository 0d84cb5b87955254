"""`frontdesk channels`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from frontdesk.config.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from frontdesk.core.capabilities import Capabilities

app = typer.Typer(add_completion=False)

CELLS: "dict[str, Callable[[Capabilities], str]]" = {
    "text": lambda can: can.dialect,
    "buttons": lambda can: "yes" if can.buttons else "numbered",
    "threads": lambda can: "yes" if can.threads else "-",
    "edits": lambda can: "yes" if can.edits else "-",
    "typing": lambda can: "yes" if can.typing else "-",
    "attachments": lambda can: "yes" if can.attachments else "-",
    "history": lambda can: "yes" if can.history else "-",
    "longest text": lambda can: f"{can.max_text:,}",
    "largest file": lambda can: f"{can.max_attachment / 2**20:g} MB" if can.max_attachment else "-",
}


@app.callback(invoke_without_command=True)
def matrix(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what each installed channel can do. `frontdesk channels check` verifies the settings of those that run.

    Example: `frontdesk channels --json`
    """
    if context.invoked_subcommand is not None:
        return
    import json
    from dataclasses import asdict

    from frontdesk.config.plugins import channel_names, find_channel
    from frontdesk.core.capabilities import Capabilities
    from frontdesk.core.channel import Channel
    from frontdesk.core.errors import MissingExtra

    found: dict[str, Capabilities | str] = {}
    for name in channel_names():
        try:
            channel = find_channel(name)
        except MissingExtra as error:
            found[name] = f"needs frontdesk[{error.extra}]"
        else:
            found[name] = channel.capabilities if issubclass(channel, Channel) else "pages for agents; no customer writes there"
    if as_json:
        table = {name: asdict(can) if isinstance(can, Capabilities) else {"note": can} for name, can in found.items()}
        typer.echo(json.dumps(table, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    rows = Table(box=None, header_style="bold", pad_edge=False)
    rows.add_column("")
    for name in found:
        rows.add_column(name, overflow="fold")
    for title, cell in CELLS.items():
        rows.add_row(title, *(cell(can) if isinstance(can, Capabilities) else "" for can in found.values()))
    Console().print(rows, highlight=False)
    for name, note in found.items():
        if isinstance(note, str):
            typer.echo(f"{name}: {note}")


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check the settings of the channels that are to run, and tell which are off.

    Exit code 2 if something is wrong. Example: `frontdesk channels check --config shop.yaml`
    """
    from frontdesk.config.loader import load
    from frontdesk.config.plugins import channel_names

    configuration = load(config)
    for name in channel_names():
        state = (
            "right"
            if name in configuration.channels
            else f"off (name it in the section `channels` to run it: `channels: {{{name}: {{}}}}`)"
        )
        typer.echo(f"{name:<10} {state}")
