"""Content-Transfer-Encodings, read from whatever a mail has under their names, piece by piece and in linear time."""

import binascii
import re
from collections.abc import Iterator
from itertools import islice

PIECE = 256 * 1024
MAX_BLOCKS = 1000
MAX_LINES = 500_000
LINE = re.compile(rb"[^\r\n]+")
NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
UUENCODED = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ?([^\r\n]{0,200})\r?\n", re.MULTILINE)


def chunks(data: bytes, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """The decoded bytes of a stretch of `data`. An unknown encoding is none. Never fails: what cannot be decoded is left out."""
    match encoding:
        case "base64":
            yield from _base64(data, start, end)
        case "quoted-printable":
            for piece in _lines(data, start, end):
                yield binascii.a2b_qp(piece)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            yield uudecoded(data[start:end])
        case _:
            for position in range(start, end, PIECE):
                yield data[position : min(position + PIECE, end)]


def is_base64(data: bytes, start: int, end: int) -> bool:
    """False for text that is only declared to be base64."""
    sample = data[start : min(end, start + 2000)].translate(None, b"\r\n")
    return len(sample.translate(None, NOT_BASE64)) >= 0.85 * len(sample)


def uudecoded(data: bytes) -> bytes:
    """Line by line, without the lines that are none; `begin` and `end` may be missing."""
    begin = UUENCODED.search(data)
    decoded = []
    for match in islice(LINE.finditer(data, begin.end() if begin else 0), MAX_LINES):
        if match[0] == b"end":
            break
        decoded.append(_uu_line(match[0]))
    return b"".join(decoded)


def _uu_line(line: bytes) -> bytes:
    """Spaces that were cut off at the end are zeros, but a line cannot claim to be much longer than it is."""
    length = (line[0] - 32) & 63
    needed = (length * 4 + 2) // 3
    if len(line) < needed - 8:
        return b""
    try:
        return binascii.a2b_uu(line[: 1 + needed])
    except binascii.Error:
        return b""


def _base64(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Goes on behind padding in the middle, as it stands where parts were put together, but not for ever."""
    letters = b""
    blocks = 0
    for position in range(start, end, PIECE):
        letters += data[position : min(position + PIECE, end)].translate(None, NOT_BASE64)
        while (padding := letters.find(b"=")) >= 0:
            yield _whole(letters[:padding])
            letters = letters[padding:].lstrip(b"=")
            blocks += 1
            if blocks > MAX_BLOCKS:
                return
        whole = len(letters) - len(letters) % 4
        yield binascii.a2b_base64(letters[:whole])
        letters = letters[whole:]
    yield _whole(letters)


def _whole(letters: bytes) -> bytes:
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _lines(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Pieces that end with lines, or anywhere but in an escape where a line is longer than a piece."""
    while start < end:
        stop = min(start + PIECE, end)
        if stop < end:
            newline = data.rfind(b"\n", start, stop)
            stop = newline + 1 if newline >= 0 else stop - 3 + len(data[stop - 3 : stop].partition(b"=")[0])
        yield data[start:stop]
        start = stop
