"""What a mail server reads and says: the words of a command, what a search asks for, and the parts of a mail."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frontdesk.testing.mail import StoredMail

TOKEN = re.compile(rb'\s*("(?:[^"\\]|\\.)*"|\(|\)|[^\s()"\[]+(?:\[[^\]]*\](?:<[\d.]+>)?)?)', re.DOTALL)

SECTION = re.compile(r"BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
DATE = "%d-%b-%Y"


class Bad(Exception):
    """The command cannot be understood."""


def credentials(sasl: str) -> tuple[str, str]:
    """User and password of PLAIN, or user and token of XOAUTH2. Raises `ValueError`."""
    if sasl.startswith("user="):
        user, bearer, _, _ = sasl.split("\1")
        return user.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
    _, user, password = sasl.split("\0")
    return user, password


def tokens(line: bytes) -> "list[str | list[str]]":
    """Words, and lists of words in parentheses; those within a `BODY[...]` are part of the word."""
    found: list[str | list[str]] = []
    inside: list[str] | None = None
    position = 0
    while match := TOKEN.match(line, position):
        position = match.end()
        word = match[1].decode("latin-1")
        if word == "(" and inside is None:
            inside = []
            found.append(inside)
        elif word == ")":
            inside = None
        else:
            word = re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL) if word.startswith('"') else word
            (found if inside is None else inside).append(word)
    if line[position:].strip():
        raise Bad
    return found


def criterion(terms: list[str], uids_of: Callable[[str, bool], set[int]]) -> "Callable[[StoredMail], bool]":
    """Takes the first criterion of a search off its terms. `uids_of` reads a set of numbers or, if so, of UIDs."""
    term = terms.pop(0).upper()
    flags = {"SEEN": r"\Seen", "DELETED": r"\Deleted", "FLAGGED": r"\Flagged", "ANSWERED": r"\Answered"}
    if term == "ALL":
        return lambda mail: True
    if term == "NOT":
        inner = criterion(terms, uids_of)
        return lambda mail: not inner(mail)
    if term in flags:
        return lambda mail: flags[term] in mail.flags
    if term.removeprefix("UN") in flags:
        return lambda mail: flags[term[2:]] not in mail.flags
    if term in ("SINCE", "BEFORE"):
        day = datetime.strptime(terms.pop(0), DATE).replace(tzinfo=UTC)
        return lambda mail: (mail.at.astimezone(UTC) >= day) == (term == "SINCE")
    if term == "UID":
        uids = uids_of(terms.pop(0), True)
        return lambda mail: mail.uid in uids
    if term in ("HEADER", "SUBJECT", "FROM", "TO"):
        name = terms.pop(0) if term == "HEADER" else term
        value = terms.pop(0).lower()
        return lambda mail: any(value in text.lower() for text in header(mail.data, name))
    uids = uids_of(term, False)
    return lambda mail: mail.uid in uids


def item(mail: "StoredMail", name: str, *, mark: bool) -> bytes:
    """One item of the answer to FETCH. With `mark`, a mail whose text is fetched is marked as read."""
    match name.upper():
        case "UID":
            return b"UID %d" % mail.uid
        case "FLAGS":
            return f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
        case "RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(mail.data)
        case "INTERNALDATE":
            return f'INTERNALDATE "{mail.at.strftime("%d-%b-%Y %H:%M:%S %z")}"'.encode()
        case "RFC822" | "RFC822.HEADER":
            data = mail.data if name.upper() == "RFC822" else head(mail.data)
            return name.encode() + b" {%d}\r\n" % len(data) + data
    if not (found := SECTION.fullmatch(name)):
        raise Bad
    data = section(mail.data, found[1])
    origin = ""
    if found[2] is not None:
        origin = f"<{found[2]}>"
        data = data[int(found[2]) : int(found[2]) + int(found[3])]
    if ".PEEK" not in name.upper() and mark:
        mail.flags.add(r"\Seen")
    return f"BODY[{found[1]}]{origin} {{{len(data)}}}\r\n".encode() + data


def head(data: bytes) -> bytes:
    end = re.search(rb"\r?\n\r?\n", data)
    return data[: end.end()] if end else data


def header(data: bytes, name: str) -> list[str]:
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head(data)).decode("latin-1")
    return [line.partition(":")[2] for line in unfolded.splitlines() if line.lower().startswith(f"{name.lower()}:")]


def section(data: bytes, section: str) -> bytes:
    name, _, fields = section.partition(" ")
    match name.upper():
        case "":
            return data
        case "HEADER":
            return head(data)
        case "TEXT":
            return data[len(head(data)) :]
        case "HEADER.FIELDS":
            wanted = tuple(f"{field.lower()}:".encode() for field in fields.strip("()").split())
            lines = re.findall(rb"[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*\r?\n", head(data))
            return b"".join(line for line in lines if line.lower().startswith(wanted)) + b"\r\n"
    raise Bad
