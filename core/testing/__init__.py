"""Fakes and contracts for tests: the project's own, and those of channel and store authors."""

from frontdesk.core.testing.channel import RecordingChannel
from frontdesk.core.testing.channels import ChannelContract
from frontdesk.core.testing.messages import a_message
from frontdesk.core.testing.models import ScriptedChat, ScriptedSpeaker, ScriptedTranscriber, a_transcript
from frontdesk.core.testing.platform import Platform, Seen
from frontdesk.core.testing.stores import StoreContract

__all__ = [
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
]
