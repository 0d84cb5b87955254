"""Whether a person or a program wrote a mail, and what a bounce is about.

Follows RFC 3834 (automatic responses), RFC 2369 and 2919 (lists), RFC 3462 and 3464 (delivery reports), RFC 5965 (complaints) and
RFC 8098 (receipts), and knows the forms that follow none of them. Headers prove; phrases count only together, and none that is
quoted: a person who writes about an absence or a bounce is a person.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from frontdesk.channels.email import notices
from frontdesk.channels.email.bounces import Bounce, read_bounce, rejected
from frontdesk.channels.email.mime import Mail
from frontdesk.channels.email.notices import says
from frontdesk.channels.email.reply_text import new_text
from frontdesk.channels.email.senders import is_daemon, is_unattended

__all__ = ["Automatic", "Bounce", "Kind", "automatic"]

Kind = Literal["bounce", "complaint", "receipt", "challenge", "auto_reply", "auto_generated", "list", "bulk"]

_LONGEST = 20_000
_REPLY_PREFIX = re.compile(
    r"(?:(?:re|aw|sv|antw|odp|rif|vs|ynt|fwd?|wg|tr|rv|enc|i|отв|回复|回覆|答复|转发|轉寄|返信|转寄|"
    r"רe)(?:\[\d+\])?\s*[:：]\s*)+"
)
_LONGEST_NOTICE = 1500
_CLAUSE = re.compile(r"[.!,;:。！，；：]+\s*|\s[-–—]+\s|\s(?:but|aber|mais|pero|ma|mas|maar|ale|но|але|men|mutta)\s")
_DAY = re.compile(r"(?:[^\W\d]{1,12}\s)?\d{1,4}(?:\W|\w{2}\b)?\s?(?:[^\W\d]{1,12}\W?)?(?:\d{4})?$")
_QUESTION = re.compile(r"[?？؟¿]")
#: Programs that answer for people name themselves in the Message-ID.
_RESPONDER_ID = re.compile(
    r"<?(?:dovecot-sieve|cmu-sieve|sieve|vacation|auto[-_.]?(?:reply|responder|response|answer)|ooo)[-_.\d]"
)
#: What closes the mark of a notice, or separates it from the subject that is answered.
_AFTER_MARK = "])】）》:：-–—|(（/!.,;~[\"'“„«"
#: How long somebody is away, after a word that alone says little ("Away until 5 May").
_TIME = re.compile(
    r"\W{0,3}(?:until|till|til|from|through|thru|between|starting|this week|today|tomorrow|bis|vom|ab|jusqu|du|au|hasta|desde|"
    r"del|até|de \d|fino|dal|al|tot|van|t/m|od|do|dnia|до|с \d|по|з \d|til|fra|från|till|fram|asti|saakka|\d{1,2}\W)"
)
_AUTO_REPLY_HEADERS = (
    *(
        "x-autoreply",
        "x-auto-reply",
        "x-autorespond",
        "x-autoresponder",
        "x-autoreply-from",
        "x-mail-autoreply",
        "x-autoreply-domain",
    ),
    *(
        "x-auto-reply-from",
        "x-vacation",
        "x-ms-exchange-generated-message-source-autoreply",
        "x-zimbra-autoreply",
        "x-autoresponse",
    ),
)
_LIST_HEADERS = (
    "list-id",
    "list-post",
    "mailing-list",
    "x-mailing-list",
    "x-mailinglist",
    "x-list",
    "list-archive",
    "x-mailman-version",
)
_FALSE = ("", "no", "false", "0", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Automatic:
    """What kind of program wrote it, and what shows it. None of them may be answered (RFC 3834, section 2).

    `keep`: a person may have had a part in it (a list, a contact form, words that no header proves): show it at the desk. The
    others may be dropped once a `bounce` has been noted at the mail that bounced.
    """

    kind: Kind
    reason: str
    bounce: Bounce | None = None
    keep: bool = False


def automatic(mail: Mail, *, own: Collection[str] = ()) -> Automatic | None:
    """None for a mail that a person wrote. Never raises. `own` are our addresses: lists of ours do not count."""
    text = mail.plain[:_LONGEST]
    ours = frozenset(map(str.casefold, own))
    return _report(mail, text) or _auto_reply_header(mail) or _words(mail, text) or _headers(mail, ours)


def _report(mail: Mail, text: str) -> Automatic | None:
    for part in mail.reports:
        if "feedback-type" in part:
            return Automatic(kind="complaint", reason="a feedback report (RFC 5965)", bounce=read_bounce(mail, text))
        if "disposition" in part and not rejected(part, text):
            return Automatic(kind="receipt", reason="a disposition notification (RFC 8098)")
    kind = mail.parameters.get("report-type", "").lower() if mail.media_type == "multipart/report" else ""
    if kind == "disposition-notification" and not mail.reports:
        return Automatic(kind="receipt", reason="a disposition notification (RFC 8098)")
    if kind == "feedback-report":
        return Automatic(kind="complaint", reason="a feedback report (RFC 5965)", bounce=read_bounce(mail, text))
    bounce = read_bounce(mail, text)
    if bounce is None:
        return None
    if bounce.action in ("delivered", "relayed", "expanded"):
        return Automatic(kind="receipt", reason="a delivery report (RFC 3464)")
    return Automatic(kind="bounce", reason="a delivery report", bounce=bounce)


def _auto_reply_header(mail: Mail) -> Automatic | None:
    submitted = _auto_submitted(mail)
    if submitted.startswith(("auto-repl", "auto_repl", "autorepl", "vacation")):
        return Automatic(kind="auto_reply", reason="Auto-Submitted: auto-replied")
    for name in _AUTO_REPLY_HEADERS:
        if name in mail.headers and mail.headers.get(name).strip().lower() not in _FALSE:
            return Automatic(kind="auto_reply", reason=f"the header {name}")
    for name in ("precedence", "x-precedence"):
        if mail.headers.get(name).strip().lower().replace("-", "_") in ("auto_reply", "autoreply"):
            return Automatic(kind="auto_reply", reason=f"{name}: auto_reply")
    if _RESPONDER_ID.match(mail.headers.get("message-id").strip().lower()):
        return Automatic(kind="auto_reply", reason="the Message-ID of an autoresponder")
    if mail.headers.get("x-post-messageclass").lower().endswith("autoresponder"):
        return Automatic(kind="auto_reply", reason="the header x-post-messageclass")
    if mail.headers.get("x-autogenerated").lower() == "reply" or mail.headers.get("delivered-to").lower().startswith(
        "autoresponder"
    ):
        return Automatic(kind="auto_reply", reason="a header of an autoresponder")
    return None


def _auto_submitted(mail: Mail) -> str:
    return re.split(r"[\s;(]", mail.headers.get("auto-submitted").strip().lower(), maxsplit=1)[0]


def _words(mail: Mail, text: str) -> Automatic | None:
    """Absence notices and challenges that no header marks."""
    if _auto_submitted(mail) == "no":
        return None
    subject = " ".join(mail.headers.get("subject").casefold().split())
    said = new_text(text).text.casefold()[:4000]
    said = " ".join(said.replace("’", "'").split()) if said else ""
    absent = says(said, notices.ABSENT)
    instead = says(said, notices.INSTEAD)
    machine = says(said, notices.MACHINE)
    asks = _QUESTION.search(said) is not None
    named = _absence_subject(subject, empty=not said)
    marked = _is_marked(mail)
    challenged = [says(words, notices.CHALLENGES) for words in (subject, said)]
    if (all(challenged) or (any(challenged) and (machine or marked))) and not _REPLY_PREFIX.match(subject):
        return Automatic(kind="challenge", reason="words of a challenge", keep=not marked)
    if named == "sure" and (absent or instead or machine or marked or not asks):
        sure = marked or (absent and not asks)
        return Automatic(kind="auto_reply", reason="the subject of an absence notice", keep=not sure)
    asks = asks or (not machine and notices.CONCERNS.search(said) is not None)
    if named == "likely" and (absent or machine) and (not asks or (absent and instead)):
        return Automatic(kind="auto_reply", reason="the subject and the words of an absence notice", keep=True)
    answer = _is_answer(mail, subject)
    acknowledged = says(said, notices.ACKNOWLEDGED)
    if marked and (absent or acknowledged or (machine and answer)):
        return Automatic(kind="auto_reply", reason="the words of an absence notice", keep=True)
    if machine and absent and (instead or not asks):
        return Automatic(kind="auto_reply", reason="the words of an absence notice", keep=True)
    if not answer or asks or len(said) > _LONGEST_NOTICE:
        return None
    if absent and (instead or acknowledged or (says(said, notices.BACK) and _says_no_more(said))):
        return Automatic(kind="auto_reply", reason="the words of an absence notice", keep=True)
    if says(said, notices.DECLARED) or (acknowledged and says(said, notices.TICKET)):
        return Automatic(kind="auto_reply", reason="the words of an automatic answer", keep=True)
    return None


def _says_no_more(said: str) -> bool:
    """Whether each clause is one of a notice: people who say that they are away say what they want, too."""
    for clause in _CLAUSE.split(said):
        short = len(clause.split()) <= 2 and (clause.isascii() or len(clause) < 12)
        notice = (*notices.ABSENT, *notices.INSTEAD, *notices.BACK, *notices.ACKNOWLEDGED)
        if not (short or _DAY.match(clause) or says(clause, notice)):
            return False
    return True


def _absence_subject(subject: str, *, empty: bool) -> Literal["sure", "likely", ""]:
    """`sure`: it begins as a notice does, before a colon or alone. A reply to a notice is none."""
    bare = subject.strip(" []【】()!*.")
    if _REPLY_PREFIX.match(bare):
        rest = _REPLY_PREFIX.sub("", bare, count=1)
        return "likely" if rest.startswith(notices.SUBJECTS) and not rest.startswith(("auto ", "away ", "absent")) else ""
    for phrase in notices.SUBJECTS:
        if not bare.startswith(phrase):
            continue
        rest = bare[len(phrase) :].lstrip()
        if phrase in notices.VAGUE:
            dense = not rest or not rest[0].isalpha() or ord(rest[0]) > 0x2E7F
            timed = _TIME.match(rest) is not None
            return "sure" if timed and empty else "likely" if dense or timed else ""
        return "sure" if not rest or rest[0] in _AFTER_MARK or _TIME.match(rest) else "likely"
    if says(bare, notices.ABSENT):
        return "likely"
    return (
        "likely"
        if any(f"{mark}{phrase}" in bare for phrase in notices.SUBJECTS[:120] for mark in (": ", "- ", "– ", "："))
        else ""
    )


def _is_answer(mail: Mail, subject: str) -> bool:
    return "in-reply-to" in mail.headers or "references" in mail.headers or _REPLY_PREFIX.match(subject) is not None


def _is_marked(mail: Mail) -> bool:
    """A sign of a program, though not of which kind."""
    if _auto_submitted(mail).startswith("auto") or _no_return_path(mail):
        return True
    suppress = mail.headers.get("x-auto-response-suppress").strip().lower()
    return suppress not in _FALSE or mail.headers.get("precedence").strip().lower() in ("bulk", "junk") or is_daemon(mail)


def _no_return_path(mail: Mail) -> bool:
    return "return-path" in mail.headers and mail.headers.get("return-path").strip() in ("<>", "")


def _headers(mail: Mail, own: frozenset[str]) -> Automatic | None:
    """What may have been written by a person, but must not be answered by a program."""
    submitted = _auto_submitted(mail)
    if submitted and submitted != "no":
        return Automatic(kind="auto_generated", reason="Auto-Submitted", keep=True)
    if _no_return_path(mail):
        return Automatic(kind="auto_generated", reason="an empty return path", keep=True)
    if is_daemon(mail):
        return Automatic(kind="auto_generated", reason="the sender is a mail system", keep=True)
    listed = next((name for name in _LIST_HEADERS if name in mail.headers), None)
    precedence = mail.headers.get("precedence").strip().lower()
    ours = listed is not None and _is_own_list(mail, own)
    if not ours:
        if listed or precedence == "list":
            return Automatic(kind="list", reason=f"the header {listed or 'precedence'}", keep=True)
        if precedence in ("bulk", "junk"):
            return Automatic(kind="bulk", reason=f"Precedence: {precedence}", keep=True)
        for name in ("list-unsubscribe", "feedback-id", "x-campaign-id", "x-campaignid", "x-csa-complaints"):
            if name in mail.headers:
                return Automatic(kind="bulk", reason=f"the header {name}", keep=True)
    suppress = {word.strip().lower() for word in mail.headers.get("x-auto-response-suppress").split(",")}
    if suppress & {"all", "oof", "autoreply"}:
        return Automatic(kind="auto_generated", reason="X-Auto-Response-Suppress", keep=True)
    for name in ("x-cron-env", "x-fc-machinegenerated", "x-autogenerated", "x-auto-generated"):
        if name in mail.headers and mail.headers.get(name).strip().lower() not in _FALSE:
            return Automatic(kind="auto_generated", reason=f"the header {name}", keep=True)
    loop = {address.address for address in mail.headers.addresses("x-loop")}
    if loop & own:
        return Automatic(kind="auto_generated", reason="X-Loop with an address of ours", keep=True)
    return _sender(mail)


def _is_own_list(mail: Mail, own: frozenset[str]) -> bool:
    """Groups that forward to a mailbox mark all mail as list mail."""
    names = {address.replace("@", ".") for address in own} | own
    listed = " ".join(mail.headers.get(name).casefold() for name in ("list-id", "list-post", "mailing-list", "x-mailing-list"))
    return any(name in listed for name in names)


def _sender(mail: Mail) -> Automatic | None:
    """An address that reads no answers, unless another is given for them, as contact forms do."""
    senders = mail.headers.addresses("from")
    if not senders or not is_unattended(senders[0].address):
        return None
    answers = mail.headers.addresses("reply-to")
    if answers and not any(is_unattended(answer.address) for answer in answers):
        return None
    return Automatic(kind="auto_generated", reason="the sender's address reads no answers", keep=True)
