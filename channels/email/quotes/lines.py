"""Lines of a mail, made comparable: marks, invisible characters and emphasis taken off. Every function is linear in its line."""

import re
import unicodedata

#: Longer lines are never an attribution, a header field or a part of a signature.
LONGEST = 600

#: What a quoted line begins with; the second is the first in HTML, the third is full-width.
QUOTE_MARKS = (">", "&gt;", "＞")

_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF, 0xAD]
)
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0x09], " ")
_CLEAN = {**_INVISIBLE, **_SPACES, 0x130: "I"}  # its lower case is two characters
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_LINK = re.compile(r"\[([^\[\]]{0,200})\]\([^()\s]{0,500}\)")
_QUOTE = re.compile(rf"\s{{0,3}}(?:{'|'.join(QUOTE_MARKS)})")
_FAKE_QUOTE = re.compile(r"\s{0,3}>+[^<]*<<+\s*$|\s{0,3}>+(?:\s*>+)*\s*https?://\S+\s*<+\s*$")
_MARKS = re.compile(r"^(?:\s|>|&gt;|＞|\||\*|_)+")


def clean(line: str) -> str:
    """The line without invisible characters and outer space, composed, with ordinary spaces; at most `LONGEST` + 1 characters."""
    line = line[: LONGEST + 1]
    if line.isascii():
        return line.replace("\t", " ").strip()
    return unicodedata.normalize("NFC", line.translate(_CLEAN)).strip()


def folded(text: str) -> str:
    """Casefolded and without accents, as people without the right keyboard write."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(ch for ch in text if not "\u0300" <= ch <= "\u036f"))


def is_quoted(line: str) -> bool:
    """Whether the line begins with a quote mark (RFC 3676: `>`), as it is or as an HTML entity."""
    if not (line.startswith(QUOTE_MARKS) or (line[:1].isspace() and _QUOTE.match(line[:8]))):
        return False
    return "<" not in line or len(line) > LONGEST or not _FAKE_QUOTE.match(line)


def unmarked(line: str) -> str:
    """A clean line without quote marks, emphasis and table bars at its beginning."""
    return _MARKS.sub("", line, count=1)


def plain(line: str) -> str:
    """A clean line with its Markdown links and emphasis as the words that a reader sees."""
    if "](" in line:
        line = _LINK.sub(r"\1", line)
    if line.startswith("["):
        line = line.strip("[]")
    return line.strip("*_ ").replace("**", "")
