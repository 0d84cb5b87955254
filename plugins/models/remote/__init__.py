"""Models behind services that speak OpenAI's protocol: `presets` has what each of them takes of it."""

from frontdesk.plugins.models.remote.chat import RemoteChat
from frontdesk.plugins.models.remote.embeddings import RemoteEmbedder
from frontdesk.plugins.models.remote.speech import RemoteSpeaker, RemoteTranscriber

__all__ = ["RemoteChat", "RemoteEmbedder", "RemoteSpeaker", "RemoteTranscriber"]
