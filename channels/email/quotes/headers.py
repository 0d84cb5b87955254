"""Header fields ("From: ... Sent: ... To: ...") and separators ("-----Original Message-----") that stand above a quoted mail."""

import re
from collections.abc import Sequence

from frontdesk.channels.email.quotes.languages import every
from frontdesk.channels.email.quotes.lines import clean, unmarked

_ROLES: dict[str, str] = {}
for _role, _names in (
    ("other", ("attachments", "attachment", "anlagen", "pièces jointes", "allegati", "bijlagen", "附件", "添付ファイル",
               "importance", "wichtigkeit", "importancia", "priority", "priorität", "on behalf of", "resent-from", "message-id",
               "references", "organization")),
    ("cc", every("cc")),
    ("to", every("to")),
    ("date", every("date")),
    ("subject", every("subject")),
    ("from", every("from")),
):  # fmt: skip
    _ROLES.update((name, _role) for name in _names)
_ROLES.update({name.replace(" ", ""): role for name, role in list(_ROLES.items())})

_MOST_LINES = 24
_MOST_CONTINUATIONS = 4
_RULE = re.compile(r"[-_=*~—–─━#+\s]{3,}")
_ORIGINAL = re.compile(
    rf"(?P<open>[-_=*~—–─>\s]*)(?:{'|'.join(map(re.escape, every('original')))})(?P<rest>.{{0,60}}?)[-_=*~—–─:：\s]*"
)
_REPLY_ABOVE = re.compile(
    r"[-#=*_\s]*(?:please )?(?:(?:type|write|enter|add) your (?:reply|response)|reply|respond|"
    r"(?:antworten|schreiben) sie|bitte (?:oberhalb|über)|répondez|responda|rispondi)\b.{0,40}"
    r"(?:above|oberhalb|über|au-dessus|dessus|encima|arriba|acima|sopra)\b.{0,40}[-#=*_\s]*"
)


def role(line: str) -> str | None:
    """Which header field the line is: `from`, `date`, `to`, `cc`, `subject` or `other`."""
    text = unmarked(clean(line))[:60]
    at = min((found for found in (text.find(":"), text.find("：")) if found > 0), default=-1)
    if at < 0:
        return None
    name = text[:at].strip(" *_").casefold()
    return _ROLES.get(name) or _ROLES.get(name.replace(" ", ""))


def value(line: str) -> str:
    """What stands after the colon."""
    text = clean(line).replace("：", ":", 1)
    return text.partition(":")[2].strip(" *_")


def is_rule(line: str) -> bool:
    """A line of dashes, underscores or the like."""
    text = clean(line)
    return 3 <= len(text) <= 200 and _RULE.fullmatch(text) is not None


def is_separator(line: str) -> bool:
    """`-----Original Message-----` and its kin, with at least two marks in front."""
    text = clean(line)
    if len(text) > 160 or not text:
        return False
    found = _ORIGINAL.fullmatch(text.casefold())
    return found is not None and found["open"].count("-") + len(found["open"].strip("> \t")) >= 2


def is_bare_separator(line: str) -> bool:
    """The words of a separator without dashes; it counts when header fields or a quote follow."""
    text = clean(line)
    if len(text) > 100 or not text:
        return False
    found = _ORIGINAL.fullmatch(text.casefold())
    return found is not None and len(found["rest"].split()) <= 1


def is_reply_marker(line: str) -> bool:
    """`##- Please type your reply above this line -##`."""
    text = clean(line)
    return (
        len(text) <= 160
        and any(mark in text for mark in ("##", "--", "==", "__"))
        and _REPLY_ABOVE.fullmatch(text.casefold()) is not None
    )


def block(lines: Sequence[str], start: int, *, separated: bool = False) -> int:
    """The line after the header block that begins on line `start`, or 0. `separated`: a separator stands right above it.

    Fields may be wrapped and may have blank lines between them. A customer's own list ("From: Berlin / To: Paris / Date: ...")
    is none: three fields must be there with a subject or an address among them, or two with a date and an address.
    """
    first = role(lines[start])
    if first is None or first in {"cc", "other"}:
        return 0
    roles = {first}
    addressed = "@" in lines[start]
    end, loose, after_blank = start + 1, 0, False
    for index in range(start + 1, min(len(lines), start + _MOST_LINES)):
        text = clean(lines[index])
        found = role(text)
        if found is not None:
            roles.add(found)
            addressed |= "@" in text
            end, loose, after_blank = index + 1, 0, False
        elif not unmarked(text):
            if after_blank:
                break
            after_blank = True
        else:
            loose += 1
            if after_blank or loose > (1 if roles >= {"from", "subject"} else _MOST_CONTINUATIONS):
                break
    roles.discard("other")
    dated = "date" in roles and any(ch.isdigit() for line in lines[start:end] for ch in line[:200])
    if len(roles) >= 3 and ("from" in roles or separated or ("to" in roles and addressed)):
        return end if "subject" in roles or addressed or separated else 0
    if len(roles) == 2 and addressed and (separated or dated):
        return end
    return end if separated and "from" in roles and (addressed or len(roles) >= 2) else 0
