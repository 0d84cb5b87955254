"""`frontdesk config`."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from frontdesk.config.cli.options import ConfigFile

if TYPE_CHECKING:
    from pydantic import BaseModel

    from frontdesk.config.loader import Configuration

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="""What is configured, and whether it is right.

    Every key can be set in frontdesk.yaml or by a variable: `web.port: 9000` is `FRONTDESK_WEB__PORT=9000`.
    """,
)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Check everything that a start would check: keys, values, plugins and how they fit together.

    Exit code 2 if something is wrong. Example: `frontdesk config check --config shop.yaml`
    """
    from frontdesk.config.composition import build
    from frontdesk.config.loader import ALWAYS_ON, load

    configuration = load(config)
    build(configuration)
    source = "the demo's, as there is no frontdesk.yaml here" if configuration.demo else str(configuration.file)
    typer.echo(f"The configuration is right: {source}")
    typer.echo(f"  channels  {', '.join(sorted(configuration.channels)) or 'none'}")
    typer.echo(f"  plugins   {', '.join(plugin.name for plugin in configuration.plugins) or 'none'}")
    if set(configuration.channels) - set(ALWAYS_ON):
        typer.echo("Whether the platforms take the keys is asked by `frontdesk channels check`.")


@app.command()
def show(
    config: ConfigFile = None,
    format: Annotated[Literal["yaml", "json"], typer.Option("--format", "-f", help="How to print it.")] = "yaml",
) -> None:
    """Show all settings as they are in force, and where each comes from. Secrets are masked.

    The YAML can be used as a configuration. Example: `frontdesk config show --format json`
    """
    from frontdesk.config.loader import load

    configuration = load(config)
    values = list(_values(configuration.settings))
    if format == "json":
        origins = {key: {"value": value, "from": _origin(configuration, key)} for key, value in values}
        typer.echo(json.dumps(origins, ensure_ascii=False, indent=2))
    else:
        for line in _as_yaml(configuration, values):
            typer.echo(line)


def _values(model: "BaseModel", prefix: str = "") -> "Iterator[tuple[str, Any]]":
    """Each key with its value as JSON, in the order of the models."""
    from pydantic import BaseModel

    from frontdesk.config.problems import masked

    dumped = model.model_dump(mode="json")
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _values(value, f"{prefix}{name}.")
        elif field.annotation is not Any:
            yield f"{prefix}{name}", masked(name, dumped[name], field)


def _origin(configuration: "Configuration", key: str) -> str:
    origins = configuration.origins
    if within := next((origin for known, origin in origins.items() if known.startswith(f"{key}.")), None):
        return within
    while key:
        if key in origins:
            return origins[key]
        key = key.rpartition(".")[0]
    return "default"


def _as_yaml(configuration: "Configuration", values: list[tuple[str, Any]]) -> Iterator[str]:
    opened: list[str] = []
    dim, plain = ("\x1b[2m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    for key, value in values:
        *sections, name = key.split(".")
        common = next(
            (i for i, (a, b) in enumerate(zip(opened, sections, strict=False)) if a != b), min(len(opened), len(sections))
        )
        yield from (f"{'  ' * level}{section}:" for level, section in enumerate(sections) if level >= common)
        opened = sections
        # JSON is YAML, and quotes all that needs quotes.
        line = f"{'  ' * len(sections)}{name}: {json.dumps(value, ensure_ascii=False)}"
        yield f"{line}  {dim}# {_origin(configuration, key)}{plain}"
