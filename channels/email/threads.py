"""Which conversation a mail belongs to, and the ids that lead an answer back to it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence

from frontdesk.channels.email.headers import normal
from frontdesk.channels.email.mime import Mail

MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
OURS = re.compile(r"<([a-z2-7]{16})\.([a-z2-7]{8}(?:[a-z2-7]{8})?)\.([a-z2-7]{16})\.([a-z2-7]{16})@", re.IGNORECASE)
TOKEN = re.compile(r"\+([a-z2-7]{16})([a-z2-7]{12})@", re.IGNORECASE)
DELIVERED = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "x-envelope-to")
MAX_REFERENCES = 100
MAX_ID = 250
MAX_KEPT = 12
MAX_LOCAL = 64


class Threads:
    """Message-IDs and addresses that carry their conversation, signed with a key that never leaves the data folder.

    A mail is put into a conversation only if what it refers to was made by us, for that conversation and *for the address that
    now writes*: a Message-ID and a token hold a keyed hash of whom they were made for. So whoever is forwarded an answer, or
    guesses an id, begins a conversation of their own. A customer who writes again before we have answered is led by the first
    Message-ID of the thread, which is hashed together with their address. The subject leads nowhere.
    """

    def __init__(self, key: bytes, mailboxes: Sequence[str]) -> None:
        """`mailboxes` are the names that stand in conversation ids; a reply that arrives in another one is still found."""
        self._key = key
        self._mailboxes = tuple(mailboxes)

    def continued(self, mail: Mail, *, mailbox: str, sender: str) -> str | None:
        """The conversation, `email:<mailbox>:<thread>`, in which `sender` answers a mail of ours; None if it is none of ours."""
        for id in references(mail):
            found = self._opened(id)
            if found and self._tag(found[1], sender) in found[2]:
                return f"email:{found[0]}:{found[1]}"
        for thread, signature in _tokens(mail):
            for name in (mailbox, *self._mailboxes):
                if hmac.compare_digest(signature, self._token(name, thread, sender)):
                    return f"email:{name}:{thread}"
        return None

    def begun(self, mail: Mail, *, mailbox: str, sender: str) -> str:
        """The conversation that a mail in `mailbox` begins, the same for all that `sender` writes in this thread."""
        return f"email:{mailbox}:{self._hash('thread', _root(mail), sender)[:16]}"

    def outgoing_id(self, outgoing_id: str, *, conversation: str, participants: Sequence[str], domain: str) -> str:
        """The Message-ID, in angle brackets, of our reply: the same at every try.

        `participants` are the one or two addresses that may answer it: the contact, and whom it is sent to.
        """
        _, mailbox, thread = conversation.split(":", 2)
        tags = "".join(self._tag(thread, address) for address in dict.fromkeys(participants[:2]))
        unique = self._hash("outgoing", outgoing_id)[:16]
        return f"<{thread}.{tags}.{unique}.{self._signature(mailbox, thread, tags, unique)}@{domain}>"

    def sent(self, message_id: str) -> str | None:
        """The conversation of a Message-ID that we made; None if we did not. For bounces, whoever they come from."""
        found = self._opened(message_id)
        return f"email:{found[0]}:{found[1]}" if found else None

    def reply_address(self, address: str, *, conversation: str, participant: str) -> str:
        """`address` with the conversation's token behind a plus sign; as it is if that would be too long (RFC 5321)."""
        _, mailbox, thread = conversation.split(":", 2)
        local, _, domain = address.rpartition("@")
        local = f"{local}+{thread}{self._token(mailbox, thread, participant)}"
        return f"{local}@{domain}" if len(local) <= MAX_LOCAL else address

    def _opened(self, message_id: str) -> tuple[str, str, frozenset[str]] | None:
        """Mailbox, thread and tags of a Message-ID of ours. Some servers change its case."""
        if not (match := OURS.match(message_id.strip())):
            return None
        thread, tags, unique, signature = (group.lower() for group in match.groups())
        for mailbox in self._mailboxes:
            if hmac.compare_digest(signature, self._signature(mailbox, thread, tags, unique)):
                return mailbox, thread, frozenset((tags[:8], tags[-8:]))
        return None

    def _signature(self, mailbox: str, thread: str, tags: str, unique: str) -> str:
        return self._hash("message", mailbox, thread, tags, unique)[:16]

    def _tag(self, thread: str, address: str) -> str:
        return self._hash("participant", thread, address)[:8]

    def _token(self, mailbox: str, thread: str, address: str) -> str:
        return self._hash("address", mailbox, thread, address)[:12]

    def _hash(self, purpose: str, *fields: str) -> str:
        """80 bits fill 16 letters and digits that are the same in either case."""
        words = [purpose, *(normal(field) or field for field in fields)]
        digest = hmac.digest(self._key, "\0".join(words).encode("utf-8", "surrogatepass"), "sha256")
        return base64.b32encode(digest[:10]).decode().lower()


def references(mail: Mail) -> list[str]:
    """The Message-IDs that a mail refers to, the nearest first."""
    answered = MESSAGE_ID.findall(mail.headers.get("in-reply-to"))[:5]
    return list(dict.fromkeys([*answered, *reversed(MESSAGE_ID.findall(mail.headers.get("references"))[-MAX_REFERENCES:])]))


def trimmed(ids: Sequence[str]) -> tuple[str, ...]:
    """Of a long list of references the first, which programs tell threads by, and the last ones (RFC 5322 sets no limit)."""
    return tuple(ids) if len(ids) <= MAX_KEPT else (ids[0], *ids[1 - MAX_KEPT :])


def own_id(mail: Mail) -> str:
    """The mail's Message-ID with its brackets; empty if it has none that could be referred to."""
    value = mail.headers.get("message-id").strip()
    if match := MESSAGE_ID.search(value):
        return match[0]
    return f"<{value}>" if re.fullmatch(r"[^<>\s]{1,900}@[^<>\s]{1,900}", value) else ""


def message_key(mail: Mail) -> str:
    """What makes this mail itself, for `Message.id`: the same for each copy of it, in whatever folder or mailbox.

    A Message-ID alone would let two mails that wrongly share one hide each other, so the content counts too, as it is read: the
    texts without their white space, the attachments without their line breaks. What servers add on the way does not count. A
    mail without a Message-ID is told from others by its date and by the first server that took it.
    """
    headers = mail.headers
    digest = hashlib.sha256()

    def add(value: bytes) -> None:
        digest.update(len(value).to_bytes(8, "big") + value)

    names = [headers.get("from"), headers.get("subject"), own_id(mail) or f"{headers.get('date')} {_first_server(mail)}"]
    for text in (*names, *(body.plain or body.html or "" for body in mail.bodies)):
        add("".join(text.split()).encode("utf-8", "replace"))
    for file in mail.files:
        add(file.name.encode("utf-8", "replace"))
        content = hashlib.sha256()
        for piece in file.encoded():
            content.update(piece.translate(None, b"\r\n"))
        add(content.digest())
    return digest.hexdigest()[:32]


def _first_server(mail: Mail) -> str:
    received = mail.headers.all("received")
    return received[-1] if received else ""


def _root(mail: Mail) -> str:
    """What all mails of a thread refer to: the first of their references; of the first mail its own id."""
    first = MESSAGE_ID.search(mail.headers.get("references")) or MESSAGE_ID.search(mail.headers.get("in-reply-to"))
    return first[0] if first else own_id(mail) or message_key(mail)


def _tokens(mail: Mail) -> Iterator[tuple[str, str]]:
    for name in DELIVERED:
        for _, address in mail.headers.addresses(name):
            if match := TOKEN.search(address):
                yield match[1].lower(), match[2].lower()
