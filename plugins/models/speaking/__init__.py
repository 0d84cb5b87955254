"""Replies read aloud by a program on this machine: eSpeak NG speaks a hundred languages plainly, Piper sounds better."""

from frontdesk.plugins.models.speaking.speaker import CommandSpeaker

__all__ = ["CommandSpeaker"]
