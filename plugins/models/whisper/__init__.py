"""Voice notes heard by openai-whisper, in a process of its own."""

from frontdesk.plugins.models.whisper.checkpoints import pull
from frontdesk.plugins.models.whisper.transcriber import WhisperTranscriber

__all__ = ["WhisperTranscriber", "pull"]
