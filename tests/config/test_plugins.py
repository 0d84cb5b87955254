"""Plugins in folders: found, ordered, left out, and named with file and line when they are broken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from frontdesk.config.extras import missing_extra
from frontdesk.config.loader import load
from frontdesk.core.errors import ConfigurationError

Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("empty_folder")

GOOD = 'from frontdesk.core.plugin import Plugin\nplugin = Plugin("{name}")\n'


def test_files_and_packages_are_found_and_helpers_are_left_alone(write: Write) -> None:
    write("plugins: {folders: [own]}")
    write(GOOD.format(name="alpha"), "own/alpha.py")
    write("from .words import plugin", "own/beta/__init__.py")
    write(GOOD.format(name="beta"), "own/beta/words.py")
    write("raise RuntimeError", "own/_helper.py")
    write("raise RuntimeError", "own/test_alpha.py")
    names = [plugin.name for plugin in load().plugins]
    assert names[:2] == ["alpha", "beta"]
    assert "replies" in names


def test_the_default_folder_is_looked_at_if_it_is_there(write: Write) -> None:
    write(GOOD.format(name="alpha"), "my_plugins/alpha.py")
    assert load().plugins[0].name == "alpha"


def test_order_and_disabled(write: Write) -> None:
    write("plugins: {folders: [own], order: [replies], disabled: [orders, broken]}")
    write(GOOD.format(name="alpha"), "own/alpha.py")
    write("raise RuntimeError", "own/broken.py")
    names = [plugin.name for plugin in load().plugins]
    assert names[:2] == ["replies", "alpha"]
    assert "orders" not in names


@pytest.mark.parametrize("key", ["disabled", "order"])
def test_a_plugin_that_is_not_there_cannot_be_disabled_or_ordered(write: Write, key: str) -> None:
    write(f"plugins: {{{key}: [ordrs]}}")
    with pytest.raises(ConfigurationError, match=rf"plugins\.{key} .*no plugin 'ordrs'; did you mean 'orders'"):
        load()


def test_an_error_in_the_default_folder_has_its_line(write: Write) -> None:
    write("import os\n\nx = missing\n", "my_plugins/broken.py")
    with pytest.raises(ConfigurationError, match=r"broken\.py, line 3: NameError"):
        load()


@pytest.mark.parametrize(
    ("code", "where", "what"),
    [
        ("import os\nx = (\n", "line 2", "SyntaxError"),
        ("import os\n\nx = missing\n", "line 3", "NameError: name 'missing' is not defined"),
        ("import nowhere_to_be_found\n", "line 1", "ModuleNotFoundError"),
        (GOOD.format(name="x") + '@plugin.intent("y", examples=[])\nasync def f(): ...\n', "line 3", "example utterances"),
        ("x = 1\n", "broken.py", 'plugin = Plugin("broken")'),
        ("import slack_bolt_is_missing\nimport torch", "line 1", "ModuleNotFoundError"),
    ],
)
def test_a_broken_plugin_is_named_with_file_and_line(write: Write, code: str, where: str, what: str) -> None:
    write("plugins: {folders: [own]}")
    path = write(code, "own/broken.py")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert str(path) in str(caught.value)
    assert where in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(("name", "what"), [("replies", "two plugins are named 'replies'"), ("folders", "cannot be named")])
def test_a_name_that_is_taken(write: Write, name: str, what: str) -> None:
    write("plugins: {folders: [own]}")
    write(GOOD.format(name=name), "own/mine.py")
    with pytest.raises(ConfigurationError, match=what):
        load()


def test_the_settings_of_a_plugin_are_checked_against_its_model(write: Write) -> None:
    write("plugins: {folders: [own], greeter: {greeting: 5, to: all}}")
    write(
        "from pydantic import BaseModel\nfrom frontdesk.core.plugin import Plugin\n"
        'class Greeting(BaseModel, extra="forbid"):\n    greeting: str\n    name: str\n'
        'plugin = Plugin("greeter", settings=Greeting)\n',
        "own/greeter.py",
    )
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "plugins.greeter.greeting (FRONTDESK_PLUGINS__GREETER__GREETING) = 5" in str(caught.value)
    assert "plugins.greeter.name (FRONTDESK_PLUGINS__GREETER__NAME) is missing" in str(caught.value)
    assert "plugins.greeter.to" in str(caught.value)


@pytest.mark.parametrize(
    ("module", "extra"),
    [("slack_sdk.errors", "slack"), ("slack_bolt", "slack"), ("telegram", "telegram"), ("aioimaplib", "email")],
)
def test_a_missing_package_names_its_extra(module: str, extra: str) -> None:
    missing = missing_extra("the channel", ModuleNotFoundError(name=module))
    assert missing is not None
    assert f'pip install "frontdesk[{extra}]"' in str(missing)
