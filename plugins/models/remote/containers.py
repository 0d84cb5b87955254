"""What a recording's first bytes say it is, of the kinds that transcription services take, and how long an Ogg file is."""

TAKEN = "flac, mp3, mp4, ogg, wav, webm"
"""https://platform.openai.com/docs/guides/speech-to-text"""

FILMS = frozenset({"video/mp4", "video/webm"})
"""Of these, which may be films, only the sound is sent where it can be taken out."""


def kind_of(head: bytes) -> tuple[str, str] | None:
    """Name and media type of one of `TAKEN`."""
    if head.startswith(b"OggS"):
        return "note.ogg", "audio/ogg"
    if head.startswith(b"fLaC"):
        return "note.flac", "audio/flac"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "note.wav", "audio/wav"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "note.webm", "video/webm"
    if head[4:8] == b"ftyp" and head[8:10] != b"3g":
        return "note.mp4", "video/mp4"
    if head.startswith(b"ID3") or (len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "note.mp3", "audio/mpeg"
    return None


def opus_seconds(data: bytes) -> float | None:
    """The length of an Ogg file with Opus; None if it is none. https://www.rfc-editor.org/rfc/rfc7845#section-4"""
    head = data.find(b"OpusHead", 0, 512)
    last = data.rfind(b"OggS")
    if not data.startswith(b"OggS") or head < 0 or last + 14 > len(data):
        return None
    skipped = int.from_bytes(data[head + 10 : head + 12], "little")
    samples = int.from_bytes(data[last + 6 : last + 14], "little")
    if samples >= 2**63:  # no packet ends on the last page
        return None
    return max(0.0, (samples - skipped) / 48_000)
