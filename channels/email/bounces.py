"""What a bounce says: whose address failed, why, and of which mail. Reports (RFC 3464), and the texts of systems without them."""

import re
from dataclasses import dataclass

from frontdesk.channels.email import notices
from frontdesk.channels.email.headers import Headers
from frontdesk.channels.email.mime import Mail
from frontdesk.channels.email.notices import says
from frontdesk.channels.email.senders import is_daemon, is_daemon_address, is_unattended

#: Where the returned mail begins in the text of a bounce.
_RETURNED = re.compile(
    r"^[-=_*\s>]{0,60}(?:(?:below|enclosed) (?:this line )?is a copy of the (?:original )?message|"
    r"this is a copy of (?:the|your) (?:message|mail)|original message|"
    r"returned (?:message|mail)|the (?:header|headers|body) of the (?:original )?message|copy of (?:the|your) message|"
    r"undelivered message|"
    r"ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|原始邮件|原邮件|received: from|"
    r"return-path:|message-id:|"
    r"a copy of the (?:original|message)|included is a copy|original message headers|message headers|reporting-mta:)",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.@-])([45][0-5]\d)(?=[\s:\]),-]|$)(?=[\s:\]),-]{0,3}(?:\D|5\.|4\.|$))")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_MESSAGE_ID = re.compile(r"^[>\s]{0,8}message-id:\s*(<[^<>\s]{3,400}>)", re.IGNORECASE | re.MULTILINE)
_IDS = re.compile(r"<[^<>\s]{3,400}@[^<>\s]{1,255}>")
#: What only the protocol's words say (RFC 5321), at the beginning of a line or behind the arrows of a transcript.
_DIALOGUE = re.compile(
    r"^[\s><=:-]{0,12}(?:(?:(?:sent|received|in reply to) ?[<>]{0,3}:? ?)?(?:rcpt to|mail from) ?:|smtp error from remote|"
    r"remote (?:host|server) (?:said|returned|response)|final-recipient:|diagnostic-code:|action: failed|"
    r"[<>]{1,3} ?[45]\d\d[ -])|\b(?:after|to) (?:end of )?(?:rcpt to|mail from|data)\b|\(in reply to (?:rcpt to|end of data)",
    re.MULTILINE,
)
#: Sentences that no person begins a letter with.
_OPENING = re.compile(
    r"[\W_]{0,80}(?:\w[^\n]{0,60}\n\s{0,20}){0,2}(?:sorry,? |i'm sorry.{0,40} |we(?: regret| are sorry).{0,40} )?"
    r"(?:(?:your|the following|a|this) (?:e-?mail|mail|message)(?: message)?|the (?:e-?mail|mail|message) below)"
    r"(?: (?:with|to|that|titled|below|dated|sent|from|regarding|entitled)\b[^?]{0,200}?)?,?\s"
    r"(?:(?:could not|cannot|can not|couldn't|was not|wasn't|has not been|is not)(?: be| been)? "
    r"(?:delivered|deliverable|sent|processed)|"
    r"(?:has been|was) (?:automatically )?(?:returned|rejected) (?:because|to sender|by|due|:)|(?:was|is) undeliverable)\b",
)
_PREFIX = re.compile(r"\s*(?:re|aw|sv|antw|odp|fwd?|wg|tr|rv|回复|转发|答复|返信)\s*[:：]", re.IGNORECASE)
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """`recipients` that failed, in lower case; `status` as in RFC 3463 ("5.1.1"), or a reply code ("550"), or empty.

    `permanent`: trying again is no use. `original_message_id` is that of the mail that came back, with its angle brackets.
    `diagnostic` is what the other system said, at most 500 characters. `action` is that of RFC 3464: failed, delayed, delivered,
    relayed or expanded.
    """

    recipients: tuple[str, ...] = ()
    status: str = ""
    permanent: bool = True
    original_message_id: str | None = None
    diagnostic: str = ""
    action: str = "failed"


def rejected(part: Headers, text: str) -> bool:
    """Whether a disposition notification says that a filter sent the mail back, as Sieve's `reject` does (RFC 5429)."""
    disposition = part.get("disposition").lower()
    return "automatic-action" in disposition and "deleted" in disposition and "reject" in text.lower()


def read_bounce(mail: Mail, text: str) -> Bounce | None:
    """None if the mail is no bounce and no delivery report. `text` is the mail's, as plain text."""
    reported = [
        part
        for part in mail.reports
        if any(name in part for name in ("action", "final-recipient", "original-recipient", "status"))
    ]
    if reported:
        return _from_report(mail, text)
    if mail.parameters.get("report-type", "").lower() == "delivery-status" or _is_bounce(mail, text):
        return _from_text(mail, text)
    if any("feedback-type" in part for part in mail.reports):
        return Bounce(recipients=_complained(mail), original_message_id=_original_id(mail, text), action="failed", permanent=True)
    return None


def _is_bounce(mail: Mail, text: str) -> bool:
    if "x-failed-recipients" in mail.headers:
        return True
    subject = " ".join(mail.headers.get("subject").casefold().split())
    machine = is_daemon(mail)
    empty = "return-path" in mail.headers and mail.headers.get("return-path").strip() in ("<>", "")
    generated = mail.headers.get("auto-submitted").strip().lower().startswith("auto")
    named = any(
        pattern.match(subject) or (machine and pattern.search(subject)) for pattern in notices.BOUNCE_SUBJECTS
    ) and not _PREFIX.match(subject)
    said = _head(text).casefold().replace("’", "'")
    failed = says(said, notices.BOUNCED)
    coded = _STATUS.search(said) is not None or _REPLY.search(said) is not None
    dialogue = coded and _DIALOGUE.search(said) is not None
    if machine:
        return named or failed or dialogue or _RETURNED.search(text) is not None
    returned = bool(mail.nested) or _MESSAGE_ID.search(text) is not None
    unattended = any(is_unattended(sender.address) for sender in mail.headers.addresses("from")[:1])
    if unattended and returned and (named or dialogue or failed) and "?" not in said:
        return True
    if "?" not in said and _OPENING.match(said) and (named or empty or generated or _ADDRESS.search(said)):
        return True
    if empty or generated:
        return (named and (failed or coded)) or (
            (failed or dialogue) and coded and "auto-repl" not in mail.headers.get("auto-submitted").lower()
        )
    return named and (failed or dialogue) and coded and returned


def _head(text: str) -> str:
    """The text of a bounce without the mail that it returns."""
    found = _RETURNED.search(text, 40)
    return text[: found.start()] if found else text[:6000]


def _from_report(mail: Mail, text: str) -> Bounce:
    recipients: list[str] = []
    actions: list[str] = []
    statuses: list[str] = []
    diagnostics: list[str] = []
    for part in mail.reports:
        address = _typed(part.get("final-recipient")) or _typed(part.get("original-recipient"))
        action = part.get("action").strip().lower().split(" ")[0]
        if not address and not action:
            continue
        original = _typed(part.get("original-recipient"))
        recipients += [found for found in dict.fromkeys((original, address)) if found]
        actions.append(action if action in _ACTIONS else "failed")
        if found := _STATUS.search(part.get("status")):
            statuses.append(found[0])
        if said := part.get("diagnostic-code").strip():
            diagnostics.append(said.partition(";")[2].strip() or said)
    said = "\n".join(diagnostics) or _diagnostic(_head(text))
    code = next(iter(statuses), "")
    precise = _STATUS.search(said)
    if precise and (not code or code.endswith((".0.0", ".0"))) and precise[1] == (code[:1] or precise[1]):
        code = precise[0]
    action = next((action for action in _ACTIONS if action in actions), "failed")
    return Bounce(
        recipients=tuple(dict.fromkeys(recipients)) or _recipients(mail, _head(text)),
        status=code,
        permanent=action == "failed" and not code.startswith("4"),
        original_message_id=_original_id(mail, text),
        diagnostic=said[:500],
        action=action,
    )


def _from_text(mail: Mail, text: str) -> Bounce:
    head = _head(text)
    subject = mail.headers.get("subject")
    status, reply = _STATUS.search(head), _REPLY.search(head)
    code = status[0] if status else reply[1] if reply else ""
    delayed = not code.startswith("5") and says(f"{subject}\n{head}".casefold(), notices.DELAYED)
    return Bounce(
        recipients=_recipients(mail, head),
        status=code,
        permanent=not delayed and not code.startswith("4"),
        original_message_id=_original_id(mail, text),
        diagnostic=_diagnostic(head),
        action="delayed" if delayed else "failed",
    )


def _typed(value: str) -> str:
    """The address of a field such as `rfc822; ann@example.com`."""
    found = _ADDRESS.search(value.partition(";")[2] or value)
    return found[0].lower() if found else ""


def _recipients(mail: Mail, head: str) -> tuple[str, ...]:
    if failed := mail.headers.addresses("x-failed-recipients"):
        return tuple(dict.fromkeys(address.address for address in failed))
    ours = {address.address for name in ("to", "from", "delivered-to") for address in mail.headers.addresses(name)}
    found = [match[0].lower().strip(".'").removeprefix("smtp=") for match in _ADDRESS.finditer(head[:6000])]
    found = [address for address in dict.fromkeys(found) if address not in ours and not is_daemon_address(address)]
    if not found:  # the returned mail says to whom it went
        found = [address.address for headers in mail.nested[:1] for address in headers.addresses("to")]
    return tuple(found[:20])


def _complained(mail: Mail) -> tuple[str, ...]:
    found = [_typed(part.get("original-rcpt-to")) or _typed(part.get("removal-recipient")) for part in mail.reports]
    found += [address.address for headers in mail.nested[:1] for address in headers.addresses("to")]
    return tuple(dict.fromkeys(address for address in found if address))[:20]


def _original_id(mail: Mail, text: str) -> str | None:
    for headers in mail.nested:
        if found := _IDS.search(headers.get("message-id")):
            return found[0]
    for part in mail.reports:
        for name in ("original-message-id", "x-original-message-id"):
            if found := _IDS.search(part.get(name)):
                return found[0]
    if found := _MESSAGE_ID.search(text):
        return found[1]
    for name in ("x-original-message-id", "in-reply-to", "references"):
        if ids := _IDS.findall(mail.headers.get(name)):
            return str(ids[-1])
    return None


def _diagnostic(head: str) -> str:
    """The first lines with a code in them."""
    for pattern in (_STATUS, _REPLY):
        if found := pattern.search(head):
            start = head.rfind("\n\n", 0, found.start()) + 1
            start = max(start, found.start() - 200)
            end = head.find("\n\n", found.end())
            return " ".join(head[start : end if end >= 0 else len(head)].split())[:500]
    return ""
