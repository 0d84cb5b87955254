"""A reply as a mail: plain text and HTML, what it answers quoted below, and the headers that keep threads and stop loops."""

import hashlib
import html as entities
import re
from base64 import b64encode
from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path
from secrets import token_bytes
from typing import Any

import nh3
from markdown_it import MarkdownIt
from msgspec.structs import replace

from frontdesk.channels.email import subjects
from frontdesk.channels.email.headers import CONTROL, normal
from frontdesk.channels.email.parse import Original, original
from frontdesk.channels.email.phrases import CHOOSE, CORRECTION, SUBJECT, WROTE, direction
from frontdesk.channels.email.threads import Threads, trimmed
from frontdesk.core.errors import DeliveryRejected
from frontdesk.core.markdown import SPECIAL
from frontdesk.core.messages import Attachment, Choice, Message, Outgoing
from frontdesk.core.plaintext import plain
from frontdesk.core.rendering import numbered, with_sources

MAX_QUOTED, MAX_QUOTED_LINES = 8000, 150
LINE_BYTES, CHUNK_LINES = 57, 1000
"""Of an attachment on one line of base64, and so many lines at a time."""
IDS = frozenset(("message-id", "in-reply-to", "references"))
LIST_MARK = re.compile(r"^(\d*)([-+.)])")
MEDIA_TYPE = re.compile(r"(?!multipart/|message/)([\w.+-]{1,80})/([\w.+-]{1,120})")
TAGS = frozenset(
    (
        *("p", "br", "hr", "a", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "img"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    )
)
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = frozenset(("http", "https", "mailto", "tel"))
STYLES = {
    "<table>": '<table border="1" cellpadding="5" style="border-collapse:collapse">',
    "<pre>": '<pre style="background:#f4f4f4;padding:8px;white-space:pre-wrap">',
    "<blockquote>": '<blockquote style="margin:0 0 0 8px;padding-left:8px;border-left:3px solid #ccc">',
    "<img ": '<img style="max-width:100%" ',
}
"""Mail programs drop style sheets, so what must be is said at each element."""
# Gmail's names for a quote are what other programs fold it by.
QUOTE = (
    '<div class="gmail_quote"><div class="gmail_attr">{wrote}</div>'
    '<blockquote class="gmail_quote" type="cite" dir="auto">{text}</blockquote></div>'
)
PAGE = (
    '<!DOCTYPE html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"></head>'
    '<body><div style="font-family:sans-serif;font-size:15px;line-height:1.4">{text}</div>{quote}</body></html>\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes. `domain` stands in Message-IDs; `plus` puts the conversation's token into the address for replies."""

    address: str
    name: str
    domain: str
    plus: bool = True


class _Policy(EmailPolicy):
    """The standard library folds Message-IDs over 76 characters, as Outlook makes them, into encoded words, which breaks threads,
    and loses spaces between long encoded words."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in IDS:
            return f"{name}: {f'{self.linesep} '.join(str(value).split())}{self.linesep}"
        if name.lower() == "subject" and not str(value).isascii() and not self.utf8:
            return f"{name}: {Header(str(value), 'utf-8', header_name=name).encode(linesep=self.linesep)}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in IDS or name.lower() == "subject":
            return self.fold(name, value).encode("utf-8")
        return super().fold_binary(name, value)


POLICY = _Policy(linesep="\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail, of which only the text is held: what is attached is read from its file, and encoded, while it is sent.

    `utf8`: the server must take addresses beyond ASCII (SMTPUTF8).
    """

    message_id: str
    recipient: str
    utf8: bool
    pieces: tuple[bytes | Path, ...]

    @property
    def size(self) -> int:
        """In bytes, encoded."""
        return sum(len(piece) if isinstance(piece, bytes) else _encoded_size(piece.stat().st_size) for piece in self.pieces)

    def chunks(self) -> Iterator[bytes]:
        """The mail in order, with CRLF at the ends of its lines. Reads files."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from _encoded(piece)


def render(
    outgoing: Outgoing, *, sender: Sender, threads: Threads, answered: Message | None, files: Mapping[str, Path]
) -> Written:
    """`answered` is the customer's mail that is answered, or else their last one; `files` where the attachments lie, by id.

    The same arguments give the same mail, byte for byte. Raises `DeliveryRejected` if there is no address to send it to.
    """
    first = (original(answered) if answered is not None else None) or Original()
    address = normal(first.answer_to or (outgoing.contact.email or outgoing.contact.id if not first.sender else ""))
    if address is None:
        raise DeliveryRejected("there is no address that this reply could be sent to")
    utf8 = not (address + sender.address).isascii()
    mail = EmailMessage(POLICY.clone(utf8=utf8))
    for name, value in _headers(outgoing, sender, threads, first, address):
        mail[name] = value
    _body(mail, outgoing, first, answered.at if answered is not None else outgoing.at)
    contents = [(_attach(mail, attachment), files[attachment.id]) for attachment in outgoing.attachments]
    if outgoing.language and re.fullmatch(r"[A-Za-z0-9-]{1,40}", outgoing.language):
        mail["Content-Language"] = outgoing.language
    digest = hashlib.sha256(outgoing.id.encode("utf-8", "replace")).hexdigest()
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{digest[:32]}")  # "=_" stands in no encoded text
    return Written(
        message_id=str(mail["Message-ID"]),
        recipient=address,
        utf8=utf8,
        pieces=tuple(_pieces(mail.as_bytes(), contents)),
    )


def markdown(outgoing: Outgoing) -> str:
    """The whole of the reply: that it is a correction, its text, its choices numbered, its sources."""
    language = outgoing.language or "en"
    blocks = [CORRECTION.fitting(language)] if outgoing.replaces else []
    blocks += [outgoing.text] if outgoing.text else []
    if outgoing.choices:
        lines = numbered([Choice(_escaped(choice.label), choice.value) for choice in outgoing.choices])
        blocks += ["  \n".join(lines), CHOOSE.fitting(language)]
    return with_sources(replace(outgoing, text="\n\n".join(blocks)))


def _escaped(label: str) -> str:
    """On one line, and no markup, no list either."""
    return LIST_MARK.sub(r"\1\\\2", SPECIAL.sub(r"\\\g<0>", " ".join(label.split())))


def _headers(
    outgoing: Outgoing, sender: Sender, threads: Threads, first: Original, address: str
) -> Iterator[tuple[str, str | Address]]:
    agent = outgoing.author.removeprefix("agent:") if outgoing.author.startswith("agent:") else ""
    name = f"{agent} ({sender.name})" if agent and sender.name else agent or sender.name
    yield "From", _mailbox(name, sender.address)
    yield "To", _mailbox(first.name if address == first.sender else "", address)
    if sender.plus:
        reply_to = threads.reply_address(sender.address, conversation=outgoing.conversation, participant=address)
        yield "Reply-To", _mailbox(name, reply_to)
    yield "Subject", _subject(outgoing, first)
    yield "Date", format_datetime(outgoing.at)
    if not agent:
        yield "Auto-Submitted", "auto-replied"
    # All but NDR: "All" would also keep servers from telling us that it did not arrive.
    yield "X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"
    participants = (address, outgoing.contact.id)
    yield (
        "Message-ID",
        threads.outgoing_id(outgoing.id, conversation=outgoing.conversation, participants=participants, domain=sender.domain),
    )
    if first.message_id:
        yield "In-Reply-To", first.message_id
    if ids := trimmed([*first.references, *([first.message_id] if first.message_id else [])]):
        yield "References", " ".join(ids)


def _subject(outgoing: Outgoing, first: Original) -> str:
    if subjects.base(first.subject):
        return _line(subjects.answer(first.subject))
    words = SUBJECT.fitting(outgoing.language or "en")
    return f"Re: {words}" if first.message_id else words


def _body(mail: EmailMessage, outgoing: Outgoing, first: Original, written: datetime) -> None:
    language = outgoing.language or "en"
    text = markdown(outgoing)
    wrote, quoted = _quoted(first, written, language)
    below = "\n".join(["", "", wrote, *(f">{'' if line.startswith('>') or not line else ' '}{line}" for line in quoted)])
    mail.set_content(f"{plain(text)}{below if quoted else ''}\n", cte="quoted-printable")
    quote = QUOTE.format(wrote=entities.escape(wrote), text="<br>\n".join(map(entities.escape, quoted))) if quoted else ""
    page = PAGE.format(language=entities.escape(language), direction=direction(language), text=_html(text), quote=quote)
    mail.add_alternative(page, subtype="html", cte="quoted-printable")


def _html(text: str) -> str:
    page = nh3.clean(
        _parser().render(text), tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=set(SCHEMES), link_rel="noopener noreferrer"
    )
    for tag, styled in STYLES.items():
        page = page.replace(tag, styled)
    return page


@cache
def _parser() -> MarkdownIt:
    """As `core.markdown`, with line breaks where they are written."""
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def _quoted(first: Original, written: datetime, language: str) -> tuple[str, list[str]]:
    """The line that introduces the quote, and its lines; none if there is nothing to quote. Nor is there for a forged sender:
    nobody shall send their words to others through us."""
    lines = first.text[:MAX_QUOTED].rstrip().split("\n")
    if first.forged or not first.text.strip():
        return "", []
    if len(first.text) > MAX_QUOTED or len(lines) > MAX_QUOTED_LINES:
        lines = [*lines[:MAX_QUOTED_LINES], "[…]"]
    wrote = WROTE.fitting(language).format(date=_when(first.date, written), name=_line(first.name or first.sender))
    return wrote, [CONTROL.sub(" ", line).rstrip() for line in lines]


def _when(date: str, otherwise: datetime) -> str:
    """In the writer's own time, if the mail says it."""
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        at = otherwise
    return at.strftime("%Y-%m-%d %H:%M")


def _attach(mail: EmailMessage, attachment: Attachment) -> bytes:
    """Returns what stands in the mail where the content belongs."""
    kind = MEDIA_TYPE.fullmatch(attachment.media_type)
    main, sub = kind.groups() if kind else ("application", "octet-stream")
    place = token_bytes(LINE_BYTES // 2)
    mail.add_attachment(place, maintype=main, subtype=sub, filename=_line(attachment.name))
    return b64encode(place)


def _pieces(data: bytes, contents: Sequence[tuple[bytes, Path]]) -> Iterator[bytes | Path]:
    for place, path in contents:
        before, _, data = data.partition(place)
        yield before
        yield path
    yield data


def _encoded(path: Path) -> Iterator[bytes]:
    """In base64, lines as long as RFC 2045 allows, none after the last."""
    with path.open("rb") as file:
        separator = b""
        while content := file.read(LINE_BYTES * CHUNK_LINES):
            yield separator + _lines(content)
            separator = b"\r\n"


def _lines(content: bytes) -> bytes:
    lines = (content[start : start + LINE_BYTES] for start in range(0, len(content), LINE_BYTES))
    return b"\r\n".join(b2a_base64(line, newline=False) for line in lines)


def _encoded_size(size: int) -> int:
    return (size + 2) // 3 * 4 + 2 * max(0, (size - 1) // LINE_BYTES)


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(_line(name)[:100], local, domain)


def _line(text: str) -> str:
    """On one line, so that no header can be smuggled in."""
    return " ".join(CONTROL.sub(" ", text).split())
