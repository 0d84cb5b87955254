"""`frontdesk new`."""

import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from frontdesk.config.cli.options import ConfigFile
from frontdesk.config.settings import DEFAULT_PLUGINS

app = typer.Typer(no_args_is_help=True, add_completion=False)

PLUGIN = Template('''\
"""The plugin `$name`. Its examples may be in any languages; more of them make it surer."""

from frontdesk import Plugin, Reply, Turn

plugin = Plugin("$name", description="$title")


@plugin.intent(
    "opening_hours",
    description="When the shop is open",
    examples=[
        "when are you open",
        "what are your opening hours",
        "are you open on Sunday",
        "how late can I come today",
        "什么时候营业",
    ],
)
async def opening_hours(turn: Turn) -> Reply:
    return Reply("We are open **Monday to Saturday, 9:00 to 18:00**.")


@plugin.command("$name", help="Say hello from $title")
async def hello(turn: Turn) -> Reply:
    return Reply("Hello from $title!")
''')

TEST = Template('''\
"""Talks to the plugin `$name`: run it with `pytest $test`."""

from pathlib import Path

import pytest

from frontdesk.testing import plugin_from_file


@pytest.fixture
def bot_plugins():
    return [plugin_from_file(Path(__file__).with_name("$file"))]


def test_tells_the_opening_hours(bot):
    (reply,) = bot.says("when are you open?")
    assert "9:00" in reply.text


def test_answers_its_command(bot):
    bot.says("/$name")
    assert "Hello" in bot.replies[-1].text
''')


@app.callback()
def new() -> None:
    """Write the first version of something. Example: `frontdesk new plugin opening_hours`"""


@app.command()
def plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and underscores.", show_default=False)],
    folder: Annotated[
        Path | None, typer.Option(help="Where to write it; by default the first of `plugins.folders`.", show_default=False)
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write a plugin that works, and its test beside it.

    Example: `frontdesk new plugin opening_hours`, then `frontdesk ask "when are you open?"`
    """
    from frontdesk.config.loader import load
    from frontdesk.config.settings import PluginOptions
    from frontdesk.core.errors import InvalidInput

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in PluginOptions.model_fields:
        raise InvalidInput(
            f"a plugin cannot be named {name!r}: use lower-case letters, digits and underscores, such as opening_hours"
        )
    folders = load(config).settings.plugins.folders
    target = folder or (folders[0] if folders else DEFAULT_PLUGINS)
    path, test = target / f"{name}.py", target / f"test_{name}.py"
    if present := next((file for file in (path, test) if file.exists()), None):
        raise InvalidInput(f"{present} exists already: choose another name, or remove it first")
    names = {"name": name, "title": name.replace("_", " "), "file": path.name, "test": str(test)}
    target.mkdir(parents=True, exist_ok=True)
    path.write_text(PLUGIN.substitute(names), encoding="utf-8")
    test.write_text(TEST.substitute(names), encoding="utf-8")
    typer.echo(f"{path}\n{test}\n")
    if target not in folders:
        typer.echo(f"Add the folder to your configuration: `plugins: {{folders: [{target}]}}`")
    typer.echo('Try it:  frontdesk ask "when are you open?"')
    typer.echo(f"Test it: pytest {test}   (needs pytest)")
