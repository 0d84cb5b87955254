"""Voice notes over HTTP: a recording goes in, and what was heard comes back with the reply, in writing and as sound."""

from frontdesk.channels.voice.adapter import VoiceChannel
from frontdesk.channels.voice.settings import VoiceChannelSettings

__all__ = ["VoiceChannel", "VoiceChannelSettings", "channel"]

channel = VoiceChannel
