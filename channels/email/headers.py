"""The header of a mail or of a part of it: fields, encoded words (RFC 2047), parameters (RFC 2231) and addresses (RFC 5322).

The standard library's parser of structured fields takes 3 s for ten thousand recipients, and refuses what people really send;
this one takes all that can be understood, in linear time.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import idna

from frontdesk.channels.email.charsets import decode

MAX_HEADER = 512 * 1024
MAX_FIELD = 64 * 1024
MAX_FIELDS = 2000
MAX_ADDRESSES = 200
MAX_NAMES = 20
FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
WORDS = re.compile(rf"{WORD.pattern}(?:\s*{WORD.pattern.replace('(', '(?:').replace('(?:?:', '(?:')})*")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f]+")
PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?$")
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"?|(<[^<>]*>?)|([(),;:])|([^"(),;:<]+)')
ADDRESS = re.compile(r"[^\s@<>\x00-\x1f\x7f]{1,200}@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,253}")
BARE = re.compile(r"[^\s@<>()\[\],;:\"]{1,200}@[^\s@<>()\[\],;:\"]{1,253}")


class Address(NamedTuple):
    """`address` is in lower case, its domain as it stands in the DNS; `name` is empty if there is none."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class Value(NamedTuple):
    """A field such as Content-Type: its first word in lower case, and its parameters by their names in lower case."""

    value: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Headers:
    """The fields in their order, names in lower case; `get` and `all` decode encoded words.

    Values have no line breaks and no control characters. Of a huge header only the first 512 kB and 2,000 fields are kept.
    """

    fields: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for name, value in self.fields:
            fields.setdefault(name, []).append(value)
        return fields

    def get(self, name: str, default: str = "") -> str:
        """The first field of that name."""
        values = self._by_name.get(name.lower())
        return words(values[0]) if values else default

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(map(words, self._by_name.get(name.lower(), ())))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def addresses(self, name: str) -> tuple[Address, ...]:
        """Of all fields of that name, at most 200."""
        values = self._by_name.get(name.lower(), ())
        return tuple(islice((address for value in values for address in addresses(value)), MAX_ADDRESSES))

    def value(self, name: str) -> Value:
        values = self._by_name.get(name.lower())
        return value(values[0]) if values else Value("", {})


def split(data: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The header at `start`, and where the body begins.

    A line that is no field belongs to the field before it if fields follow, as broken folding makes them, and else to the body.
    """
    fields: list[tuple[str, list[bytes]]] = []
    stray: list[bytes] = []
    body = position = start
    while position < end:
        stop = data.find(b"\n", position, end)
        line, after = (data[position:end], end) if stop < 0 else (data[position:stop], stop + 1)
        line = line.removesuffix(b"\r")
        if not line:
            return _headers(fields), after if not stray else body
        if match := FIELD.match(line):
            if stray:
                fields[-1][1].extend(stray)
                stray = []
            fields.append((match[1].decode("ascii").lower(), [line[match.end() :]]))
        elif fields and line[:1] in b" \t" and not stray:
            fields[-1][1].append(line)
        elif fields and len(stray) < 20:
            stray.append(b" " + line)
        elif not (position == start and line.startswith((b"From ", b">From "))):
            break
        if not stray:
            body = after
        if after - start > MAX_HEADER:
            blank = re.compile(rb"\n\r?\n").search(data, after, end)
            return _headers(fields), blank.end() if blank else end
        position = after
    return _headers(fields), body


def words(value: str) -> str:
    """A field's text with its encoded words decoded. Words that follow each other in one charset are decoded together, since
    many programs cut in the middle of a character."""
    if "=?" not in value:
        return value
    return CONTROL.sub(" ", WORDS.sub(_decoded, value)).strip()


def value(text: str) -> Value:
    """Encoded words inside parameters are decoded too: they are forbidden there, and common."""
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in PARAMETER.finditer(text):
        content = re.sub(r'\\(["\\])', r"\1", match[2]) if match[2] is not None else match[3].strip()
        if section := SECTION.match(match[1].lower()):
            number = int(section[2]) if section[2] else -1 if section[3] else -2
            pieces.setdefault(section[1], {}).setdefault(number, (content, bool(section[3])))
    return Value(
        text.partition(";")[0].strip().lower(), {name: _parameter(sections) for name, sections in list(pieces.items())[:50]}
    )


def addresses(value: str) -> Iterator[Address]:
    """The mailboxes of a field, those in groups too. What is no address is left out, and comments are."""
    found = None
    for found in _mailboxes(value):
        yield found
    if found is None and (bare := BARE.findall(value)) and (address := normal(bare[-1])):
        yield Address("", address)


def _mailboxes(value: str) -> Iterator[Address]:
    names: list[str] = []
    angle, comment, depth, complete = "", "", 0, False
    for quoted, angled, mark, text in _tokens(value):
        if depth or mark == "(":
            depth += {"(": 1, ")": -1}.get(mark, 0)
            comment = text if depth else comment
        elif mark == ":":
            names.clear()
        elif mark in (",", ";") and mark:
            if complete:  # else it was a comma in a name without quotes
                yield from _address(names, angle, comment)
                names.clear()
            angle, comment, complete = "", "", False
        elif angled:
            angle, complete = angle or angled, True
        elif (name := quoted or text) and len(names) < MAX_NAMES:
            names.append(name)
            complete = complete or "@" in text
    yield from _address(names, angle, comment)


def normal(address: str) -> str | None:
    """The address in the form that identities have; None if it is none."""
    address = address.strip().rstrip(".").lower()
    if not ADDRESS.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return None


def untagged(address: str) -> str:
    """The address without what stands behind a plus sign, which is nearly always one and the same mailbox."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _headers(fields: list[tuple[str, list[bytes]]]) -> Headers:
    return Headers(tuple((name, _text(b"".join(lines)[:MAX_FIELD])) for name, lines in fields[:MAX_FIELDS]))


def _text(value: bytes) -> str:
    text = value.decode("ascii") if value.isascii() and b"\x1b" not in value else decode(value)
    return CONTROL.sub(" ", text).strip()


def _decoded(match: re.Match[str]) -> str:
    text: list[str] = []
    data, charset = b"", ""
    for name, encoding, content in WORD.findall(match[0]):
        if name.lower() != charset:
            text.append(decode(data, charset))
            data, charset = b"", name.lower()
        data += _from_base64(content) if encoding in "bB" else binascii.a2b_qp(_bytes(content), header=True)
    return "".join([*text, decode(data, charset)])


def _from_base64(content: str) -> bytes:
    letters = re.sub(r"[^A-Za-z0-9+/]", "", content)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _parameter(sections: Mapping[int, tuple[str, bool]]) -> str:
    """The extended form counts before the plain one that was written for old readers."""
    for whole in (-1, -2):
        if whole in sections and not (whole == -2 and 0 in sections):
            sections = {whole: sections[whole]}
            break
    charset, data = "", b""
    for number in sorted(sections):
        content, extended = sections[number]
        if extended:
            if number <= 0 and content.count("'") >= 2:
                charset, _, content = content.split("'", 2)
            data += unquote_to_bytes(content)
        else:
            data += _bytes(content)
    return CONTROL.sub(" ", words(decode(data, charset or "utf-8"))).strip()


def _tokens(value: str) -> Iterator[tuple[str, str, str, str]]:
    for match in TOKEN.finditer(value):
        yield re.sub(r"\\(.)", r"\1", match[1] or ""), match[2] or "", match[3] or "", (match[4] or "").strip()


def _address(names: list[str], angle: str, comment: str) -> Iterator[Address]:
    address = normal(angle.strip("<>").rpartition(":")[2].replace(" ", "")) if angle else None
    if address is None and names:
        address = normal("".join(names).replace(" ", "")) or normal(names[-1])
        names = [] if address and normal("".join(names).replace(" ", "")) else names[:-1]
    if address is not None:
        name = re.sub(r"\s+", " ", words(" ".join(names) or comment)).strip(" '\"")
        yield Address(CONTROL.sub(" ", name)[:200], address)
