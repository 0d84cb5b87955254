"""all-MiniLM-L6-v2, the default embedder: no server, no key, no GPU; PROVENANCE.md tells where its weights come from."""

from frontdesk.plugins.models.minilm.embedder import MiniLM

__all__ = ["MiniLM"]
