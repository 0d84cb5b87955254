"""What was heard in a recording, and what a reply sounds like."""

from msgspec import Struct


class Segment(Struct, frozen=True, kw_only=True):
    """Times are in seconds from the beginning; `confidence` is between 0 and 1."""

    start: float
    end: float
    text: str
    language: str
    confidence: float


class Transcript(Struct, frozen=True, kw_only=True):
    """`text` is empty where nobody speaks. `language` is the one most of it is in.

    `confidence`, between 0 and 1, is the mean probability of its tokens. `peaks` are the loudness along the recording in
    percent, a hundred or so, for a picture of it; `seconds` is its length.
    """

    text: str
    language: str
    confidence: float
    seconds: float
    segments: tuple[Segment, ...] = ()
    peaks: tuple[int, ...] = ()


class Speech(Struct, frozen=True, kw_only=True):
    """A spoken text as a file: `audio/ogg` with Opus, which every channel takes as a voice note."""

    data: bytes
    seconds: float
    media_type: str = "audio/ogg"
