"""`frontdesk dead`: what was given up, and how it gets another chance. Works beside a running server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from frontdesk.config.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from frontdesk.core.messages import Entry
    from frontdesk.core.storage.sqlite import SqliteStore

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="""Dead letters: messages whose turn failed, and replies that a platform refused.

    A typical repair: `frontdesk dead list`, `frontdesk dead show 42`, mend the cause, `frontdesk dead replay 42`
    """,
)

ALL = 2**31
Number = Annotated[int, typer.Argument(metavar="ID", help="The number in the first column of the list.", show_default=False)]


@app.command("list")
def list_(
    config: ConfigFile = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the dead letters, the newest first, without what was written.

    Example: `frontdesk dead list --limit 20`
    """
    from frontdesk.core.messages import Message, Outgoing

    entries = asyncio.run(_dead(config, limit))
    if as_json:
        for entry in entries:
            typer.echo(_as_json(entry))
        return
    if not entries:
        typer.echo("There are no dead letters.")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("ID", "What", "Conversation", "Since", "Tries", "Why"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        body = entry.body
        what = {Message: "message", Outgoing: "reply"}.get(type(body), "entry")
        since = body.at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(str(entry.seq), what, escape(body.conversation), since, str(entry.attempts + 1), escape(entry.error or ""))
    Console().print(table, highlight=False)


@app.command()
def show(number: Number, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show one dead letter with its text and the reason.

    Example: `frontdesk dead show 42`
    """
    from frontdesk.core.errors import InvalidInput

    entry = next((entry for entry in asyncio.run(_dead(config, ALL)) if entry.seq == number), None)
    if entry is None:
        raise InvalidInput(f"there is no dead letter {number}: see `frontdesk dead list`")
    if as_json:
        typer.echo(_as_json(entry))
        return
    from frontdesk.channels.console.render import as_text, visible

    typer.echo(f"ID            {entry.seq}")
    typer.echo(f"Conversation  {visible(entry.body.conversation)}")
    typer.echo(f"Time          {entry.body.at.isoformat(timespec='seconds')}")
    typer.echo(f"Why           {visible(entry.error or 'unknown')}\n")
    typer.echo(as_text(entry.body, customer="Customer", bot="Bot"))


@app.command()
def replay(
    number: Annotated[int | None, typer.Argument(metavar="ID", help="Which one.", show_default=False)] = None,
    config: ConfigFile = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, the oldest first.")] = False,
) -> None:
    """Make a dead letter pending again: the bot answers the message, or the reply is sent.

    A running server takes it up within a second; otherwise the next start does. Example: `frontdesk dead replay --all`
    """
    if (number is not None) == everything:
        raise typer.BadParameter("give either an ID or --all")
    replayed = asyncio.run(_replay(config, number))
    typer.echo(f"{replayed} pending again." if replayed else "There are no dead letters.")


async def _dead(config: ConfigFile, limit: int) -> "Sequence[Entry]":
    async with _opened(config) as store:
        return await store.dead(limit=limit)


async def _replay(config: ConfigFile, number: int | None) -> int:
    from frontdesk.core.errors import InvalidInput

    async with _opened(config) as store:
        numbers = [number] if number is not None else [entry.seq for entry in reversed(await store.dead(limit=ALL))]
        for each in numbers:
            try:
                await store.replay(each)
            except KeyError as error:
                raise InvalidInput(f"there is no dead letter {each}: see `frontdesk dead list`") from error
        return len(numbers)


@asynccontextmanager
async def _opened(config: ConfigFile) -> "AsyncIterator[SqliteStore]":
    from frontdesk.config.loader import load
    from frontdesk.core.errors import ConfigurationError
    from frontdesk.core.storage.sqlite import SqliteStore

    settings = load(config, core_only=True).settings
    if settings.store.kind == "memory":
        raise ConfigurationError("store.kind (FRONTDESK_STORE__KIND) is 'memory': dead letters end with their process")
    if not settings.store_path.is_file():
        raise ConfigurationError(
            f"there is no database {settings.store_path} yet: start the server once, or set store.path (FRONTDESK_STORE__PATH)"
        )
    store = SqliteStore(settings.store_path)
    await store.open(work=False)
    try:
        yield store
    finally:
        await store.close()


def _as_json(entry: "Entry") -> str:
    import msgspec

    return msgspec.json.encode(entry).decode()
