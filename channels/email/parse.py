"""A mail in, a message out. No I/O; `mime` takes it apart, `reply_text` finds what is new in it."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
from msgspec import Struct

from frontdesk.channels.email import subjects
from frontdesk.channels.email.authentication import Authentication, authentication
from frontdesk.channels.email.headers import Address, Headers, untagged
from frontdesk.channels.email.html import markdown
from frontdesk.channels.email.mime import CID, File, Mail, Protection
from frontdesk.channels.email.reply_text import new_html, new_text
from frontdesk.channels.email.threads import MAX_ID, Threads, message_key, own_id, references, trimmed
from frontdesk.core.attachments import safe_name
from frontdesk.core.errors import InvalidInput
from frontdesk.core.messages import Attachment, AudioPart, Contact, FilePart, ImagePart, Message, Part, TextPart

MAX_NEW = 50_000
MAX_FULL = 100_000
"""Characters of the new text, and of the whole text that is kept beside it."""
MAX_FORWARDED = 20_000
MAX_INTRODUCTION = 200
MAX_SHOWN = 20
OLDEST, EARLY = timedelta(days=366), timedelta(minutes=10)
FORWARDED = re.compile(
    r"forward|weitergeleitet|transf[ée]r|reenvi|inoltrat|doorgestuurd|encaminhad|przekaz|przesłan|пересыл|пересл|переадрес|"
    r"vidarebefor|videresend|välitet|yönlendir|iletilen|转发|轉寄|轉發|転送|전달|تحويل|توجيه",
    re.IGNORECASE,
)
"""In the line above a mail that is forwarded, not quoted."""
NOT_SAVED = "this file could not be kept: it is too large, or broken"


PROTECTIONS = {"smime": "S/MIME (not verified)", "pgp": "PGP (not verified)"}


class Original(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `Message.raw` keeps of the mail, for the answer to it. `text` is all of it, quotes included, up to a limit.

    `answer_to` is the address that an answer goes to; empty if there is none that may be written to. `forged`: the sender is
    somebody else, as far as our mail server can tell (DMARC); `checked` has the results of all its checks.
    """

    message_id: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    sender: str = ""
    name: str = ""
    reply_to: tuple[str, ...] = ()
    answer_to: str = ""
    forged: bool = False
    checked: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    date: str = ""
    signed: Protection | None = None
    encrypted: Protection | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """`message` with attachments whose `remote` is a key of `files`: save those, then take `with_files`."""

    message: Message
    mail: Mail
    files: Mapping[str, File]

    def with_files(self, saved: Mapping[str, Attachment]) -> Message:
        """The message with what was saved, by the same keys. A file that was not keeps its `problem`, or gets one."""

        def part(part: Part) -> Part:
            if not isinstance(part, ImagePart | AudioPart | FilePart) or part.attachment.remote is None:
                return part
            lost = msgspec.structs.replace(part.attachment, remote=None, problem=NOT_SAVED)
            return msgspec.structs.replace(part, attachment=saved.get(part.attachment.remote, lost))

        return msgspec.structs.replace(self.message, parts=tuple(map(part, self.message.parts)))


def parse(
    mail: Mail, *, mailbox: str, threads: Threads, trusted: Collection[str], own: Collection[str], now: datetime
) -> Incoming:
    """`trusted` are the authserv-ids that may say who the sender is, `own` our addresses, `now` an aware time.

    Raises `InvalidInput` for a mail without a sender.
    """
    headers = mail.headers
    sender, certain = _sender(headers)
    proof = authentication(headers, domain=sender.domain if certain else "", trusted=trusted)
    # Somebody who pretends to be the sender gets into no conversation of theirs.
    writer = sender.address if certain and not proof.failed else f"?{sender.address}"
    name = sender.name if sender.name.lower() != sender.address else ""
    continued = threads.continued(mail, mailbox=mailbox, sender=writer)
    html, text = _new(mail)
    forwarded = _forwarded(mail, text) if continued is None else ""
    files = dict(_files(mail, mail.html if forwarded else html))
    return Incoming(
        message=Message(
            id=f"email:{message_key(mail)}",
            channel="email",
            conversation=continued or threads.begun(mail, mailbox=mailbox, sender=writer),
            contact=Contact(id=sender.address, name=name or None, email=sender.address, verified=proof.verified),
            parts=tuple(_parts(mail, text, forwarded, files, titled=continued is None and _is_titled(mail))),
            at=_at(headers.get("date"), now),
            raw=msgspec.Raw(msgspec.json.encode(_original(mail, sender, own=own, proof=proof))),
        ),
        mail=mail,
        files={key: file for key, file in files.items() if file.problem is None},
    )


def original(message: Message) -> Original | None:
    """What `parse` kept; None for a message that is not from here."""
    try:
        return msgspec.json.decode(message.raw, type=Original) if message.channel == "email" else None
    except msgspec.DecodeError:
        return None


def _sender(headers: Headers) -> tuple[Address, bool]:
    """Who writes, and whether there is but one who could be meant."""
    authors = headers.addresses("from")
    if authors:
        return authors[0], len(authors) == 1 and len(headers.all("from")) == 1
    for name in ("sender", "reply-to", "return-path", "x-original-from"):
        if found := headers.addresses(name):
            return found[0], False
    raise InvalidInput("the mail has no sender")


def _new(mail: Mail) -> tuple[str | None, str]:
    """The new part of the HTML, if there is HTML, and the new text."""
    if (html := mail.html) is not None:
        html = new_html(html)
        if text := new_text(markdown(html)).text:
            return html, text
    return html, new_text(mail.plain).text


def _forwarded(mail: Mail, text: str) -> str:
    """The mail that a customer shows us, if it is not in the new text: it was never ours, so it is no quote for us."""
    quoted = new_text(mail.plain).quoted
    if not subjects.is_forward(mail.headers.get("subject")) and not FORWARDED.search(quoted[:MAX_INTRODUCTION]):
        return ""
    return "" if quoted[-MAX_INTRODUCTION:].split() == text[-MAX_INTRODUCTION:].split() else quoted[:MAX_FORWARDED]


def _files(mail: Mail, html: str | None) -> Iterator[tuple[str, File]]:
    """Attachments, and the pictures of the new text: those of quotes and signatures were sent before, or mean nothing."""
    shown = {cid.lower() for cid in CID.findall(html or "")}
    for index, file in enumerate(mail.files):
        if not file.inline or (file.content_id or "").lower() in shown:
            yield str(index), file


def _parts(mail: Mail, text: str, forwarded: str, files: Mapping[str, File], *, titled: bool) -> Iterator[Part]:
    subject = mail.headers.get("subject")
    if titled or not (text or files or mail.notes or mail.calendars or mail.nested):
        text = subjects.with_subject(subject, text)
    if len(text) > MAX_NEW:
        text = f"{text[:MAX_NEW]} […]"
    notes = [*mail.calendars, *map(_mention, mail.nested), *mail.notes]
    if text or not (files or notes):
        yield TextPart(text)
    if forwarded:
        yield TextPart(forwarded)
    if notes:
        yield TextPart("\n".join(notes))
    for key, file in files.items():
        attachment = Attachment(
            id="",
            name=safe_name(file.name),
            media_type=file.media_type,
            size=file.size,
            remote=None if file.problem else key,
            problem=file.problem,
        )
        match file.media_type.partition("/")[0]:
            case "image":
                yield ImagePart(attachment)
            case "audio":
                yield AudioPart(attachment)
            case _:
                yield FilePart(attachment)


def _is_titled(mail: Mail) -> bool:
    """Whether the subject of a mail that begins a conversation is the writer's own, or, in an answer to what others sent them,
    tells which order or ticket it is about."""
    return not references(mail) or any(character.isdigit() for character in mail.headers.get("subject"))


def _mention(nested: Headers) -> str:
    """Of a mail inside the mail: what it is called and who wrote it."""
    author = next((address.name or address.address for address in nested.addresses("from")), "")
    return f"✉ {', '.join(filter(None, (nested.get('subject')[:200], author)))}".strip()


def _at(date: str, now: datetime) -> datetime:
    """When it was written, if that can be believed."""
    try:
        at = parsedate_to_datetime(date)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    return min(at, now) if now - OLDEST < at < now + EARLY else now


def _original(mail: Mail, sender: Address, *, own: Collection[str], proof: Authentication) -> Original:
    headers = mail.headers
    asked = headers.addresses("reply-to")
    return Original(
        message_id=own_id(mail) if _usable(own_id(mail)) else "",
        references=trimmed([id for id in reversed(references(mail)) if _usable(id)]),
        subject=headers.get("subject")[:1000],
        sender=sender.address,
        name=sender.name,
        reply_to=_addresses(asked),
        answer_to=_answer_to(headers, sender, asked, own=own, verified=proof.verified),
        forged=proof.failed,
        checked=str(proof),
        to=_addresses(headers.addresses("to")),
        cc=_addresses(headers.addresses("cc")),
        date=headers.get("date")[:100],
        signed=mail.signed,
        encrypted=mail.encrypted,
        text=mail.plain[:MAX_FULL],
    )


def whole(message: Message) -> str | None:
    """The whole mail as text for agents: its addresses, what protects it, and its text with quotes and signature."""
    mail = original(message)
    if mail is None:
        return None
    lines = {
        "From": f"{mail.name} <{mail.sender}>" if mail.name else mail.sender,
        "Reply-To": ", ".join(mail.reply_to),
        "To": ", ".join(mail.to),
        "Cc": ", ".join(mail.cc),
        "Date": mail.date,
        "Subject": mail.subject,
        "Signed": PROTECTIONS.get(mail.signed or "", ""),
        "Encrypted": PROTECTIONS.get(mail.encrypted or "", ""),
        "Checked": mail.checked,
        "Sender": "not proved: the mail fails DMARC" if mail.forged else "",
    }
    head = "\n".join(f"{name}: {value}" for name, value in lines.items() if value)
    return f"{head}\n\n{mail.text}"


def _usable(id: str) -> bool:
    """Whether it can stand in a header of ours."""
    return len(id) <= MAX_ID and id.isascii()


def _addresses(addresses: Sequence[Address]) -> tuple[str, ...]:
    return tuple(address.address for address in addresses[:MAX_SHOWN])


def _answer_to(headers: Headers, sender: Address, asked: Sequence[Address], *, own: Collection[str], verified: bool) -> str:
    """Where the sender wants the answer, if they are who they say: whoever forges a sender could else read what we answer them,
    also in the same domain, which at the large providers is everybody's.

    Never a mailing list, and never ourselves.
    """
    if not any(name in headers for name in ("list-id", "list-post", "mailing-list")):
        for address in asked:
            if (verified or untagged(address.address) == untagged(sender.address)) and not _is_own(address.address, own):
                return address.address
    return "" if _is_own(sender.address, own) else sender.address


def _is_own(address: str, own: Collection[str]) -> bool:
    return address in own or untagged(address) in own
