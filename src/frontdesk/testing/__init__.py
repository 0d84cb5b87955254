"""For the tests of plugin authors: talk to a bot in memory, with real plugins and the real dialogue engine."""

from frontdesk.config.plugins import plugin_from_file
from frontdesk.core.testing import ChannelContract, Platform, RecordingChannel, Seen, StoreContract, a_message
from frontdesk.testing.bot import Bot

__all__ = [
    "Bot",
    "ChannelContract",
    "Platform",
    "RecordingChannel",
    "Seen",
    "StoreContract",
    "a_message",
    "plugin_from_file",
]
