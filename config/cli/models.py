"""`frontdesk models`."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from frontdesk.config.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from frontdesk.config.downloads import Download
    from frontdesk.config.inventory import Configured, Entry
    from frontdesk.config.loader import Configuration
    from frontdesk.config.model_checks import Checked
    from frontdesk.plugins.models.local.bench import Bench
    from frontdesk.plugins.models.settings import ChatSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="""The models that answer, listen and speak: what is configured, and whether it works.

    A typical start, with `models: {chat: {provider: local, model: Qwen/Qwen3-0.6B}, speech: {}}` in frontdesk.yaml:

        frontdesk models list      what is configured, where it runs, and what it lacks
        frontdesk models pull      download what is not here yet
        frontdesk models check     load each one and ask it something tiny
        frontdesk models bench     tokens a second of the local chat model

    `frontdesk ask --model NAME "..."` asks any model, configured or not.
    """,
)

NOTHING = """No model is configured, and none is needed: the bot answers from articles and plugins, and says what it cannot hear.
To have one, put into frontdesk.yaml for example

    models:
      chat: {provider: local, model: Qwen/Qwen3-0.6B}     # answers where articles and intents do not
      speech: {model: base}                               # listens to voice notes"""


@app.command("list")
def list_(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show which models are configured, where each runs, whether it is downloaded, and what services have cost today.

    Nothing is loaded, and nobody is asked. Whether a model of a running server is ready, its /readyz knows.
    Example: `frontdesk models list --json`
    """
    import json

    from frontdesk.config.inventory import inventory

    settings = _configuration(config).settings
    entries = asyncio.run(inventory(settings.models, settings.data_folder))
    if as_json:
        typer.echo(json.dumps([_plain(entry) for entry in entries], ensure_ascii=False, indent=2))
        return
    if settings.models.chat is None and settings.models.speech is None and settings.models.voice is None:
        typer.echo(f"{NOTHING}\n")
    _print_entries(entries)


@app.command()
def pull(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model of the hub, or whisper:base; all configured ones if none is named."),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.", show_default=False)] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing; only tell what is here, and what is not.")] = False,
    config: ConfigFile = None,
) -> None:
    """Download models, so that the first start need not. A download that broke off is gone on with.

    Models of transformers come into the cache of the Hugging Face hub (HF_HOME chooses another disk, HF_TOKEN opens gated ones),
    Whisper's into ~/.cache/whisper. On a machine without a network, put a model's files into any folder and name the folder in
    place of the model.

    Examples: `frontdesk models pull`, `frontdesk models pull google/flan-t5-small`, `frontdesk models pull whisper:base`
    """
    settings = _configuration(config).settings
    from frontdesk.config.downloads import configured_downloads, named_download

    if model is not None and not model.strip():
        raise typer.BadParameter("name a model, such as google/flan-t5-small or whisper:base", param_hint="MODEL")
    if revision is not None and model is None:
        raise typer.BadParameter("name the model that it is a revision of", param_hint="--revision")
    wanted = configured_downloads(settings.models) if model is None else [named_download(model, revision, settings.models)]
    if not wanted:
        typer.echo("No configured model has anything to download. Name one: frontdesk models pull google/flan-t5-small")
    here = [_pull(one, offline=offline) for one in wanted]
    if not all(here):
        raise typer.Exit(1)


@app.command()
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Load or reach each configured model for real, and ask it something tiny: to say yes, to hear a tone, to say a word.

    Of a service this shows that the key is right and the model is there; it costs a few tokens. Local models are downloaded
    first if they are not here. One is loaded after the other. Exit code 1 if one cannot answer.
    Example: `frontdesk models check --config shop.yaml`
    """
    import json
    from dataclasses import asdict

    from frontdesk.config.inventory import configured

    settings = _configuration(config).settings
    checked = _interruptible(_check(configured(settings.models), settings.data_folder))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in checked], ensure_ascii=False, indent=2))
    else:
        _print_checked(checked)
    if not all(one.right for one in checked):
        raise typer.Exit(1)


async def _check(wanted: "Sequence[Configured]", data_folder: Path) -> "list[Checked]":
    from frontdesk.config.cli.loading import bar, loaded
    from frontdesk.config.model_checks import check_model

    checked = []
    for one in wanted:
        with bar() as tell:

            async def load(model: Any) -> None:
                await loaded(model, tell)
                tell(f"asking {model.name}", None)

            checked.append(await check_model(one, data_folder, load=load))
    return checked


@app.command()
def bench(  # noqa: PLR0917 - typer reads its options from the parameters
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A local model; the configured chat model if none is named.", show_default=False),
    ] = None,
    conversations: Annotated[int, typer.Option("--conversations", "-n", min=2, max=1000, help="How many are answered.")] = 24,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of an answer at most.")] = 64,
    stagger: Annotated[float, typer.Option(min=0, help="Seconds from one conversation's beginning to the next one's.")] = 0.05,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Measure tokens a second of a local chat model: conversations together, one after the other, and plain `generate`.

    It runs where the model would run: on the GPU if there is one and nothing else is configured.
    Example: `frontdesk models bench --model Qwen/Qwen3-0.6B --conversations 32`
    """
    import json
    from dataclasses import asdict

    from frontdesk.config.cli.asking import chosen
    from frontdesk.core.errors import ConfigurationError

    settings = _configuration(config).settings
    wanted = chosen(model, settings.models) if model is not None else settings.models.chat
    if wanted is None or wanted.provider != "local":
        raise ConfigurationError("only local models are measured, and none is configured: name one by --model")
    found: Bench = _interruptible(_bench(wanted, conversations, tokens, stagger))
    if as_json:
        ways = [{**asdict(way), "tokens_per_second": way.rate} for way in found.ways]
        typer.echo(json.dumps({"model": wanted.model, "facts": found.facts, "ways": ways, "same": found.same}, indent=2))
        return
    _print_bench(found)


async def _bench(wanted: "ChatSettings", conversations: int, tokens: int, stagger: float) -> "Bench":
    from frontdesk.config.cli.loading import bar, loaded
    from frontdesk.plugins.models.local.bench import measure

    with bar() as tell:
        return await measure(
            wanted,
            conversations=conversations,
            tokens=tokens,
            stagger=stagger,
            load=lambda worker: loaded(worker, tell),
            tell=tell,
        )


def _configuration(config: "Path | None") -> "Configuration":
    from frontdesk.config.cli.loading import quiet
    from frontdesk.config.loader import load

    quiet()
    return load(config, core_only=True)


def _interruptible(work: Any) -> Any:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        typer.echo()
        raise typer.Exit(130) from None


def _pull(one: "Download", *, offline: bool) -> bool:
    """Whether it is here now."""
    from frontdesk.config.cli.loading import bar
    from frontdesk.config.downloads import found, pull
    from frontdesk.config.inventory import size
    from frontdesk.core.errors import ConfigurationError, ModelUnavailable

    folder, how = found(one), "is here"
    if folder is None and offline:
        typer.echo(f"{one.name} is not here, and --offline forbids to fetch it. {one.by_hand}", err=True)
        return False
    if folder is None:
        try:
            with bar() as tell:
                folder, how = pull(one, tell), "downloaded"
        except ModelUnavailable as error:
            typer.echo(f"{one.name}: {error}. {one.by_hand}", err=True)
            return False
        except ConfigurationError as error:
            typer.echo(f"{one.name}: {error}", err=True)
            return False
    typer.echo(f"{one.name}: {how}, {megabytes(size(folder))} in {folder}")
    return True


def megabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _print_entries(entries: "Sequence[Entry]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for entry in entries:
        about = "\n".join(_about(entry))
        shown.add_row(entry.setting, f"[bold]{escape(entry.name)}[/]\n{escape(about)}")
    Console().print(shown, highlight=False)
    if any(entry.downloaded is False for entry in entries):
        typer.echo("\nTo download what is not here: frontdesk models pull")


def _about(entry: "Entry") -> "Iterator[str]":
    yield entry.runs
    if entry.missing:
        yield f"lacks {', '.join(entry.missing)}: {entry.install}"
    if entry.downloaded is not None:
        yield f"{megabytes(entry.bytes or 0)} in {entry.folder}" if entry.downloaded else "not downloaded"
    if (day := entry.today) is not None:
        cost = f"{day.cost:.4g} of {day.budget:.4g} spent" if day.budget is not None else f"{day.cost:.4g} spent"
        yield f"today {day.calls} calls, {day.prompt} tokens read and {day.completion} written, {cost}"


def _plain(entry: "Entry") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(entry), "folder": str(entry.folder) if entry.folder is not None else None}


def _print_checked(checked: "Sequence[Checked]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "Model", "Load", "Answer", "Memory", ""):
        shown.add_column(name, overflow="fold", justify="right" if name in ("Load", "Answer", "Memory") else "left")
    for one in checked:
        seconds = (f"{value:.1f} s" if value is not None else "-" for value in (one.load, one.answer))
        memory = megabytes(one.memory) if one.memory else "-"
        shown.add_row("[green]✓[/]" if one.right else "[red]✗[/]", escape(one.name), *seconds, memory, escape(one.says))
    Console().print(shown, highlight=False)
    wrong = sum(not one.right for one in checked)
    typer.echo(f"{wrong} of {len(checked)} models cannot answer." if wrong else "All of them answer.")


def _print_bench(found: "Bench") -> None:
    from rich.console import Console
    from rich.table import Table

    facts = ", ".join(f"{name} {value}" for name, value in found.facts.items() if name in ("device", "dtype", "quantization"))
    typer.echo(f"{found.facts.get('parameters', 0) / 1e6:.1f} million parameters, {facts}\n")
    plain = found.ways[-1].rate
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "Tokens", "Seconds", "Tokens/s", "Times plain", "First token", "Slowest"):
        shown.add_column(name, justify="right" if name else "left", no_wrap=True)
    for way in found.ways:
        first = (f"{seconds:.2f} s" for seconds in (way.first_token, way.slowest))
        shown.add_row(way.way, str(way.tokens), f"{way.seconds:.1f}", f"{way.rate:.1f}", f"{way.rate / plain:.2f}", *first)
    Console().print(shown, highlight=False)
    total = found.ways[0].conversations
    typer.echo(f"\n{found.same} of {total} answers are the same together as by plain generate, word for word.")
