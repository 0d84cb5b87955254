"""Language, speech and embedding models behind the protocols of `frontdesk.core.models`."""
