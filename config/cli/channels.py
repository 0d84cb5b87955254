"""`frontdesk channels`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from frontdesk.config.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from frontdesk.config.checks import Checked

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def matrix(
    context: typer.Context,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table for documents.")] = False,
) -> None:
    """Show what each installed channel can do. `frontdesk channels check` asks the platforms whether the settings are right.

    Example: `frontdesk channels --json`
    """
    if context.invoked_subcommand is not None:
        return
    import json
    from dataclasses import asdict

    from frontdesk.config.matrix import as_markdown, found_channels, table
    from frontdesk.core.capabilities import Capabilities

    found = found_channels()
    if as_json:
        channels = {name: asdict(can) if isinstance(can, Capabilities) else {"note": can} for name, can in found.items()}
        typer.echo(json.dumps(channels, indent=2))
        return
    if markdown:
        typer.echo(as_markdown(found), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    head, *rows = table(found)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in head:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    Console().print(shown, highlight=False)
    for name, note in found.items():
        if isinstance(note, str):
            typer.echo(f"{name}: {note}")


@app.command()
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Ask the platforms of the channels that are to run whether the settings are right, and tell which channels are off.

    Nothing is started, nothing is changed. Exit code 1 if a platform refuses, 2 if the configuration itself is wrong.
    Example: `frontdesk channels check --config shop.yaml`
    """
    import asyncio
    import json
    from dataclasses import asdict

    from frontdesk.config.checks import check_channels, off_channels
    from frontdesk.config.loader import load
    from frontdesk.config.logging import configure

    configuration = load(config)
    configure(configuration.settings.logging)
    checked = asyncio.run(check_channels(configuration))
    off = off_channels(configuration)
    if as_json:
        typer.echo(json.dumps({"channels": [asdict(one) for one in checked], "off": dict(off)}, ensure_ascii=False, indent=2))
    else:
        _print(checked, off)
    if not all(one.right for one in checked):
        raise typer.Exit(1)


def _print(checked: "Sequence[Checked]", off: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, show_header=False, pad_edge=False)
    for style in (None, "bold", None):
        shown.add_column(style=style, overflow="fold")
    for one in checked:
        shown.add_row("[green]✓[/]" if one.right else "[red]✗[/]", one.channel, escape(one.says))
    for name, to_run in off.items():
        shown.add_row("[dim]-[/]", name, f"[dim]off; to run it: {escape(to_run)}[/]")
    Console().print(shown, highlight=False)
    wrong = sum(not one.right for one in checked)
    typer.echo(f"{wrong} of {len(checked)} channels cannot run like this." if wrong else "All is right.")
