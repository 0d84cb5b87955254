"""For the tests of plugin authors: talk to a bot in memory, with real plugins and the real dialogue engine."""

from frontdesk.config.plugins import plugin_from_file
from frontdesk.core.testing import (
    ChannelContract,
    Platform,
    RecordingChannel,
    ScriptedChat,
    ScriptedSpeaker,
    ScriptedTranscriber,
    Seen,
    StoreContract,
    a_message,
    a_transcript,
)
from frontdesk.testing.bot import Bot

__all__ = [
    "Bot",
    "ChannelContract",
    "Platform",
    "RecordingChannel",
    "ScriptedChat",
    "ScriptedSpeaker",
    "ScriptedTranscriber",
    "Seen",
    "StoreContract",
    "a_message",
    "a_transcript",
    "plugin_from_file",
]
