"""What lies inside an S/MIME mail that is signed and not encrypted (CMS, RFC 5652). The signature itself is not checked."""

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
SEQUENCE, SET, INTEGER, OID, OCTETS, OCTETS_IN_PIECES, CONTENT = 0x30, 0x31, 0x02, 0x06, 0x04, 0x24, 0xA0
MAX_DEPTH = 8
UNKNOWN = -1


class _NotThis(Exception):
    """The bytes are no CMS, or not signed data."""


def signed_content(data: bytes) -> bytes | None:
    """The content of SignedData; None if this is anything else, or has none. Lengths may be definite or not (BER)."""
    try:
        position, _ = _enter(data, 0, SEQUENCE)
        if (oid := _primitive(data, position, OID))[0] != SIGNED_DATA:
            return None
        position, _ = _enter(data, oid[1], CONTENT)
        position, _ = _enter(data, position, SEQUENCE)
        position = _primitive(data, position, INTEGER)[1]
        position, algorithms = _enter(data, position, SET)
        position = algorithms if algorithms != UNKNOWN else _behind(data, position)
        position, _ = _enter(data, position, SEQUENCE)
        position = _primitive(data, position, OID)[1]
        position, _ = _enter(data, position, CONTENT)
        return _octets(data, position)
    except _NotThis:
        return None


def _element(data: bytes, position: int) -> tuple[int, int, int]:
    """Tag, where the content begins, and where it ends or UNKNOWN. A cut end is the end of the data."""
    if position + 2 > len(data):
        raise _NotThis
    tag, length = data[position], data[position + 1]
    position += 2
    if length == 0x80:
        return tag, position, UNKNOWN
    if length > 0x80:
        count = length - 0x80
        length = int.from_bytes(data[position : position + count], "big") if count <= 8 else len(data)
        position += count
    return tag, position, min(position + length, len(data))


def _enter(data: bytes, position: int, expected: int) -> tuple[int, int]:
    tag, start, end = _element(data, position)
    if tag != expected:
        raise _NotThis
    return start, end


def _primitive(data: bytes, position: int, expected: int) -> tuple[bytes, int]:
    start, end = _enter(data, position, expected)
    if end == UNKNOWN:
        raise _NotThis
    return data[start:end], end


def _behind(data: bytes, position: int) -> int:
    """Where an element of unknown length ends, whose content begins here."""
    depth = 1
    while depth:
        tag, start, end = _element(data, position)
        if tag == 0 and start == end:
            depth -= 1
        elif end == UNKNOWN:
            depth += 1
        position = start if end == UNKNOWN else end
        if depth > MAX_DEPTH:
            raise _NotThis
    return position


def _octets(data: bytes, position: int) -> bytes:
    """An octet string, which may be cut into pieces, and those again."""
    pieces = []
    ends: list[int] = []
    while True:
        tag, start, end = _element(data, position)
        if tag == OCTETS and end != UNKNOWN:
            pieces.append(data[start:end])
            position = end
        elif tag == OCTETS_IN_PIECES and len(ends) < MAX_DEPTH:
            ends.append(end)
            position = start
        elif tag == 0 and start == end and ends:
            ends.pop()
            position = end
        else:
            raise _NotThis
        while ends and ends[-1] != UNKNOWN and position >= ends[-1]:
            ends.pop()
        if not ends or position >= len(data):
            return b"".join(pieces)
