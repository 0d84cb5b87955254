"""winmail.dat: what Outlook packs attachments and rich text into (MS-OXTNEF, properties as in MS-OXCDATA)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from frontdesk.channels.email.charsets import decode

SIGNATURE = b"\x78\x9f\x3e\x22"
MESSAGE, ATTACHMENT = 1, 2
BODY, CODEPAGE, MESSAGE_PROPERTIES = 0x800C, 0x9007, 0x9003
RENDERING, TITLE, DATA, ATTACHMENT_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
PLAIN, HTML, SHORT_NAME, LONG_NAME, MIME_TYPE, CONTENT = 0x1000, 0x1013, 0x3704, 0x3707, 0x370E, 0x3701
WANTED = frozenset((PLAIN, HTML, SHORT_NAME, LONG_NAME, MIME_TYPE, CONTENT))
STRING, UNICODE, BINARY, OBJECT = 0x1E, 0x1F, 0x102, 0x0D
SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
MULTIPLE = 0x1000
MAX_PROPERTIES = 10_000
MAX_FILES = 200


@dataclass(frozen=True, slots=True)
class Tnef:
    """`files` are name, media type or "", and content. `text` and `html` are the message's, where it is not in RTF only."""

    text: str
    html: str
    files: tuple[tuple[str, str, bytes], ...]


@dataclass(slots=True)
class _File:
    name: str = ""
    long_name: str = ""
    media_type: str = ""
    content: bytes = b""


def read(data: bytes) -> Tnef | None:
    """None if these bytes are not of that form. What is cut or broken ends the reading; what came before it counts."""
    if not data.startswith(SIGNATURE):
        return None
    text = html = codepage = ""
    files: list[_File] = []
    for level, attribute, value in _attributes(data):
        if level == ATTACHMENT and attribute == RENDERING and len(files) < MAX_FILES:
            files.append(_File())
        elif level == ATTACHMENT and files:
            _fill(files[-1], attribute, value, codepage)
        elif level == MESSAGE and attribute == CODEPAGE:
            codepage = f"cp{int.from_bytes(value[:4], 'little')}"
        elif level == MESSAGE and attribute == BODY:
            text = _string(value, codepage)
        elif level == MESSAGE and attribute == MESSAGE_PROPERTIES:
            for property, kind, content in _properties(value):
                if property == HTML:
                    html = _property(kind, content, codepage)
                elif property == PLAIN:
                    text = text or _property(kind, content, codepage)
    named = ((file.long_name or file.name or "file", file.media_type, file.content) for file in files)
    return Tnef(text.replace("\r\n", "\n"), html, tuple(file for file in named if file[2]))


def _fill(file: _File, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == TITLE:
        file.name = _string(value, codepage)
    elif attribute == DATA:
        file.content = value
    elif attribute == ATTACHMENT_PROPERTIES:
        for property, kind, content in _properties(value):
            if property == LONG_NAME:
                file.long_name = _property(kind, content, codepage)
            elif property == SHORT_NAME:
                file.name = file.name or _property(kind, content, codepage)
            elif property == MIME_TYPE:
                file.media_type = _property(kind, content, codepage).lower()
            elif property == CONTENT and not file.content:
                file.content = content[16:] if kind == OBJECT else content  # behind the id of the object's interface


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = len(SIGNATURE) + 2
    while position + 9 <= len(data):
        level, attribute, _, length = struct.unpack_from("<BHHI", data, position)
        position += 9
        if level not in (MESSAGE, ATTACHMENT) or position + length > len(data):
            return
        yield level, attribute, data[position : position + length]
        position += length + 2  # a checksum, which some writers get wrong


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The wanted ones of a property list: id, type and the first value."""
    try:
        (count,) = struct.unpack_from("<I", data)
        position = 4
        for _ in range(min(count, MAX_PROPERTIES)):
            kind, property = struct.unpack_from("<HH", data, position)
            position += 4
            if property >= 0x8000:
                position = _behind_name(data, position)
            many, kind = bool(kind & MULTIPLE), kind & ~MULTIPLE
            values = 1
            if many or kind in (STRING, UNICODE, BINARY, OBJECT):
                (values,) = struct.unpack_from("<I", data, position)
                position += 4
            for index in range(min(values, MAX_PROPERTIES)):
                length = SIZES.get(kind)
                if length is None:
                    (length,) = struct.unpack_from("<I", data, position)
                    position += 4
                if position + length > len(data):
                    return
                if property in WANTED and not index:
                    yield property, kind, data[position : position + length]
                position += length + -length % 4
    except struct.error:
        return


def _behind_name(data: bytes, position: int) -> int:
    (named,) = struct.unpack_from("<I", data, position + 16)
    if not named:
        return position + 24
    (length,) = struct.unpack_from("<I", data, position + 20)
    return position + 24 + int(length) + -int(length) % 4


def _property(kind: int, content: bytes, codepage: str) -> str:
    text = content.decode("utf-16-le", "replace") if kind == UNICODE else decode(content, codepage)
    return text.rstrip("\0").strip()


def _string(value: bytes, codepage: str) -> str:
    return decode(value.rstrip(b"\0"), codepage)
