"""Pytest fixtures, there as soon as Frontdesk is installed.

@pytest.fixture
def bot_plugins():
    return [plugin]

def test_status(bot):
    bot.says("where is my order LL-10423")
    assert "on its way" in bot.replies[-1].text
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from frontdesk.core.plugin import Plugin
    from frontdesk.testing.bot import Bot


@pytest.fixture
def bot_plugins() -> "Sequence[Plugin]":
    """The plugins of the `bot` fixture. Override it in a test module or in conftest.py."""
    return ()


@pytest.fixture
def bot_settings() -> Mapping[str, Mapping[str, Any]]:
    """The plugins' settings by plugin name, for the `bot` fixture. Override it where a plugin needs other than its defaults."""
    return {}


@pytest.fixture
def bot(bot_plugins: "Sequence[Plugin]", bot_settings: Mapping[str, Mapping[str, Any]]) -> "Iterator[Bot]":
    """A running bot: `bot.says("hello")` returns the replies."""
    from frontdesk.testing.bot import Bot

    with Bot(*bot_plugins, settings=bot_settings) as bot:
        yield bot
