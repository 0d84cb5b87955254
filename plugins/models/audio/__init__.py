"""Recordings in and out: any container that a customer sends becomes samples, and samples become a voice note.

All of it is FFmpeg's code (by PyAV, no program is needed) at work on what strangers send. It blocks, and a fault in it would end
the process: let it run in a child process, that of the model or that of `AudioService`.
"""

from frontdesk.plugins.models.audio.loudness import Loudness
from frontdesk.plugins.models.audio.reading import RATE, Recording, Samples, opened
from frontdesk.plugins.models.audio.writing import encode, to_ogg

__all__ = ["RATE", "Loudness", "Recording", "Samples", "encode", "opened", "to_ogg"]
