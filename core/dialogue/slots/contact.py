"""E-mail addresses and phone numbers."""

import re

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import SCAN_LIMIT, Found, SlotContext, SlotType
from frontdesk.core.dialogue.slots.folding import Folded

# Wider than an address: email-validator decides. Bounded, so that a long text cannot make it slow.
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"'，。；：、（）《》]{1,64}@[^\s@<>()\[\],;:\"'!?，。；：、！？（）《》]{1,253}")
_SPOKEN_AT = re.compile(
    r"^\s*([\w.+-]{1,64}) (?:at|@|\(at\)|\[at\]|arroba|chiocciola) "
    r"([\w-]{1,63}(?: (?:dot|punto|ponto|point|punkt) [\w-]{1,63}|\.[\w-]{1,63}){1,3})\s*[.!]?\s*$",
    re.IGNORECASE,
)
_SPOKEN_DOT = re.compile(r" (?:dot|punto|ponto|point|punkt) ", re.IGNORECASE)


class Email(SlotType[str]):
    """An e-mail address, its domain in lower case. Checked by its form only; no DNS is asked."""

    ask = questions.ASK_EMAIL
    hint = questions.HINT_EMAIL

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        found = []
        scanned = text[:SCAN_LIMIT].replace("＠", "@")
        if "@" in scanned:
            for match in _ADDRESS.finditer(scanned):
                # Chinese stands against the address without a space: "我的邮箱是a@b.com谢谢".
                written = re.sub(r"^[\u3000-\u9fff]+|[\u3000-\u9fff]+$", "", match[0]).rstrip(".")
                if address := _valid(written):
                    start = match.start() + match[0].index(written)
                    end = start + len(written)
                    found.append(Found(value=address, start=start, end=end, text=text[start:end]))
        if not found and context.answering and (spoken := _SPOKEN_AT.match(scanned)):
            address = _valid(f"{spoken[1]}@{_SPOKEN_DOT.sub('.', spoken[2])}")
            if address:
                start, end = spoken.start(1), spoken.end(2)
                found.append(Found(value=address, start=start, end=end, text=text[start:end]))
        return found


def _valid(written: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(written, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, UnicodeError):
        return None


# Runs that can be phone numbers; phonenumbers decides. Searching the text with its own matcher costs 500 times as much.
_DIALLED = re.compile(r"(?<![A-Za-z0-9@#_./:-])\+?\(?\d(?:[ ().\-/]{0,3}\d){4,16}(?![A-Za-z0-9@_-]|[.,:/]\d)")
_DATE_LIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


class Phone(SlotType[str]):
    """A phone number in E.164 form, such as "+493012345678", valid in its country's numbering plan."""

    ask = questions.ASK_PHONE
    hint = questions.HINT_PHONE

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        folded = Folded(text)
        found = []
        for match in _DIALLED.finditer(folded.text):
            # A bare run of digits, such as an order number, is a phone number only as an answer or if it is as long as one.
            digits = sum(character.isdecimal() for character in match[0])
            if _DATE_LIKE.fullmatch(match[0]) or (digits < 9 and not context.answering and "+" not in match[0]):
                continue
            number = _e164(match[0], context.region)
            if number:
                found.append(folded.found(number, *match.span()))
        return found


def _e164(written: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(written, region.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None
    )
