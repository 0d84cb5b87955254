"""Files that customers upload.

What a file is, its first bytes say; the name and the type given by the browser are not believed.
"""

import asyncio
from collections.abc import AsyncIterator, Container
from pathlib import PurePosixPath

from aiohttp import BodyPartReader, MultipartReader, web

from frontdesk.core.attachments import Attachments
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment

CHUNK = 64 * 1024
STALLED = 30.0
"""Seconds after which an upload that sends nothing is given up."""

WITHIN = 600.0
"""Seconds in which an upload must be complete, however slowly it goes."""

HEADERS = 64 * 1024
"""What the multipart framing may add to a body's length."""

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that a browser may show in place: raster images, which cannot hold a script."""

# Offset, bytes, type. RIFF and ISO base media name their content at offset 8.
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (4, b"ftyp3g", "audio/3gpp"),
    *((4, b"ftyp" + brand, "audio/mp4") for brand in (b"M4A", b"mp41", b"mp42", b"isom", b"iso5", b"iso6", b"dash")),
    (0, b"PK\x03\x04", "application/zip"),
)
_IN_ZIP = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_BINARY = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b") + b"\x7f"
_MARKUP_OR_SCRIPT = (b"<", b"#!", b"\xef\xbb\xbf<", b"\xef\xbb\xbf#!")


def media_type(head: bytes, name: str) -> str | None:
    """What the first bytes of a file (some kB) say it is, or None for executables, HTML, SVG, scripts and the unknown."""
    suffix = PurePosixPath(name.lower()).suffix
    for offset, signature, type in _SIGNATURES:
        if head.startswith(signature, offset):
            return _IN_ZIP.get(suffix, type) if type == "application/zip" else type
    if head.lstrip().startswith(_MARKUP_OR_SCRIPT) or head.translate(None, _BINARY) != head:
        return None
    return "text/csv" if suffix == ".csv" else "text/plain"


async def receive(request: web.Request, attachments: Attachments, *, max_size: int, types: Container[str]) -> Attachment:
    """Streams the part `file` of a form to the attachment store.

    Raises `InvalidInput`: 415 for a form or file of the wrong type, 413 for a file that is too large, 408 for one that
    stalls or takes too long.
    """
    if request.content_type != "multipart/form-data":
        raise InvalidInput("send the file as multipart/form-data", status=415)
    if (request.content_length or 0) > max_size + HEADERS:
        raise InvalidInput(f"the file is larger than {max_size // 1024} kB", status=413)
    try:
        async with asyncio.timeout(WITHIN):
            return await _receive(request, attachments, max_size, types)
    except TimeoutError:
        raise InvalidInput("the upload stalled", status=408) from None
    except ValueError:
        raise InvalidInput("the form is broken") from None


async def _receive(request: web.Request, attachments: Attachments, max_size: int, types: Container[str]) -> Attachment:
    form = await request.multipart()
    async with asyncio.timeout(STALLED):
        part = await form.next()
    if not isinstance(part, BodyPartReader) or part.name != "file" or not part.filename:
        raise InvalidInput("the form has no part named file with a file name")
    chunks = _chunks(form, part)
    head = await anext(chunks, b"")
    if not head:
        raise InvalidInput("the file is empty")
    type = media_type(head[:4096], part.filename)
    if type is None or type not in types:
        raise InvalidInput("files of this type are not taken", status=415)
    return await attachments.save(_joined(head, chunks), name=part.filename, media_type=type, max_size=max_size)


async def _chunks(form: MultipartReader, part: BodyPartReader) -> AsyncIterator[bytes]:
    """Raises `ValueError` if the form breaks off: half a file is not a file."""
    while True:
        async with asyncio.timeout(STALLED):
            chunk = await part.read_chunk(CHUNK)
            if not chunk:
                await form.next()
                return
        yield chunk


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
