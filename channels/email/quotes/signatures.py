"""Where a signature begins: its delimiter, a device line, a closing formula with a name, a block of contact data.

In doubt nothing is cut: what looks like a sentence below a closing formula stays.
"""

import re
from collections.abc import Sequence

from frontdesk.channels.email.quotes import footers
from frontdesk.channels.email.quotes.headers import is_rule
from frontdesk.channels.email.quotes.languages import every, patterns
from frontdesk.channels.email.quotes.lines import clean, folded, plain

#: Signatures are looked for in this many last lines of a text.
_WINDOW = 80
_MOST_SIGNATURE_LINES = 20

_SENT = re.compile("|".join(f"(?:{pattern})" for pattern in patterns("sent")))
_DEVICE = re.compile(
    r"(?<!\w)(?:i-?phone?\w{0,3}|i-?pad\w{0,3}|i-?pod|iphone-?omról|iphonesta|android|galaxy|samsung|htc|blackberry|windows|mailbox|"
    r"outlook|yahoo!?|gmail|mobile?|"
    r"mobil\w{0,12}|phone|handy|smartphone|device|cell|tablet|proton(?:mail)?|tutanota|airmail|spark|typeapp|k-9|bluemail|"
    r"aqua ?mail|hotmail|xiaomi|redmi|"
    r"huawei|nokia|sony|xperia|motorola|moto|pixel|oneplus|thunderbird|zoho|canary|superhuman|mailspring|emclient|"
    r"em client|gmx|web\.de|"
    r"t-online|mail\.ru|mail app|mail|app|mac|macbook|laptop|computer|pc|ios|lg|honor|vivo|oppo|realme|téléphone|portable|"
    r"móvil|celular|"
    r"telemóvel|cellulare|telefon\w{0,10}|gsm|orange|sfr|free|freebox|laposte|telefoon|komórk\w*|puhelimes\w+|"
    r"телефон\w*|смартфон\w*|устройств\w*|айфон\w*|планшет\w*|почт\w*|яндекс\w*|рамблер\w*)(?!\w)"
    r"|(?:iphone|ipad|android|outlook|gmail)(?=[\u3040-\u9fff\uac00-\ud7af])|手机|手機|邮箱|郵箱|邮件|企业微信|微信|华为|小米|网易|网页版|客户端|携帯|スマホ|スマートフォン|端末|メール|아이폰|"
    r"갤럭시|휴대폰|스마트폰|메일|모바일|"
    r"الآيفون|آيفون|هاتف|جهاز|الجوال|جوال|הטלפון|טלפון|הנייד|אייפון|điện thoại|sähköposti"
)
_MY = re.compile(
    r"(?<!\w)(?:my|meine[mnrs]?|mon|ma|mes|mi|meu|minha|mio|mia|mijn|mojego|mojej|moich|моего|моей|мого|moju|min|mitt|mit|"
    r"mého|mojho|mobilu|telefonumdan)(?!\w)"
    r"|我的|私の|내 |나의|ה(?:טלפון|אייפון|נייד) שלי|của tôi"
)
_EXCUSE = re.compile(
    r"excuse|typo|pardon|brevity|sorry|forgive|auto-?correct|tippfehler|kürze|verzeih|entschuldig|erreur|faute|bref|"
    r"errores|brevedad|erros|errori|refusi|"
    r"kort|опечат|fouten|http|www\."
)
_URL = re.compile(r"<?\(?(?:https?://|www\.|mailto:)[^\s<>]*\)?>?")
_CLOSINGS = frozenset(map(folded, every("closings")))
_THANKS = frozenset(map(folded, every("thanks")))
_PUNCTUATION = " ,.;:!،؛-–—*_~、，。！：♥❤🙂😊🎉:)("
_POSTSCRIPT = re.compile(r"p\.?\s?p?\.?\s?s\.?\s?[:.\-–—,]?\s|ps:?$|nb[:.]|n\.b\.|з\.ы\.|附[:：]|又及|追伸|추신|p/s")
_DELIMITERS = frozenset(("--", "— ", "- -", "-- -"))
_SOFT_DELIMITER = re.compile(r"[-_=~—–*─━]{1,80}|(?:[-_=*]\s){2,40}[-_=*]?")
_BULLET = re.compile(r"(?:[-*•·>#]|\d+[.)])\s?\S")
_DASH_NAME = re.compile(r"(?:[-–—~]{1,2}|//?)([^\W\d_][^\d\n]{0,40})")
_PHONE = re.compile(r"(?:\+|\(?0)[\d\s()/.-]{6,22}\d")
_CONTACT_LABEL = re.compile(
    r"(?:tel|telefon|telephone|téléphone|teléfono|telefone|telefono|phone|ph|fon|mobile?|mob|cell|fax|office|direct|web|"
    r"website|internet|www|skype|"
    r"e-?mail|mail|тел|моб|факс|сайт|почта|t|m|f|e|p|w|电话|手机|传真|邮箱|网址|地址|電話|手機|傳真|携帯|住所|전화|휴대폰|"
    r"팩스|이메일|"
    r"هاتف|جوال|الهاتف|البريد)\.?\s?[:：|.)]\s?\S"
)
_COMPANY = re.compile(
    r"(?<!\w)(?:gmbh|ag|ug|kg|ohg|e\.?\s?v|ltd|limited|inc|llc|llp|plc|corp|corporation|s\.?\s?a\.?\s?s|s\.?\s?a\.?r\.?l|"
    r"s\.?\s?r\.?\s?l|s\.?\s?p\.?\s?a|"
    r"s\.?\s?l|b\.?\s?v|sp\.\s?z\s?o\.\s?o|s\.?\s?r\.?\s?o|oy|ab|a/s|aps|as|ооо|зао|оао|co\.,?\s?ltd|geschäftsführer|hrb|"
    r"ust-?id|vat|siret|siren|"
    r"ceo|cto|cfo|coo|director|manager|engineer|consultant|developer|assistant|sales|support|marketing|head of|president|"
    r"founder|leiter\w*|"
    r"directeur|directrice|responsable|gerente|diretor\w*|responsabile|kierownik|dyrektor|менеджер|директор|fax|www)(?!\w)"
    r"|有限公司|股份|株式会社|주식회사|经理|經理|部長|课长|課長|팀장|대표|شركة|مدير"
)


def is_device_line(line: str) -> bool:
    """`Sent from my iPhone` and its kin: alone on their line, about a device or a mail program, at most an excuse behind them."""
    text = _URL.sub(" ", plain(clean(line))).strip(" <>()[].!*_-").casefold()
    if not 5 <= len(text) <= 110 or len(text.split()) > 16:
        return False
    head = re.split(r"[,;]\s|\.\s", text, maxsplit=1)
    if len(head) > 1 and not _EXCUSE.search(head[1]) and not _SENT.fullmatch(head[1]):
        return False
    if _SENT.fullmatch(head[0]) is None:
        return False
    return _DEVICE.search(head[0]) is not None or _MY.search(head[0]) is not None


def is_name(line: str) -> bool:
    """A line that may be a person's or a company's name."""
    text = plain(line).strip(_PUNCTUATION)
    if not 0 < len(text) <= 50 or not any(map(str.isalpha, text)) or any(map(str.isdigit, text)) or text[-1] in "?？":
        return False
    words = text.split()
    if len(words) > 5:
        return False
    if any(ch > "\u2e7f" for ch in text):
        return len(text) <= 16 and not any(ch in "。，、？！" for ch in text)
    return len(words) == 1 or all(not word[0].islower() or len(word) <= 3 for word in words)


def is_sentence(line: str) -> bool:
    """A line that a person may have written as text."""
    text = plain(line)
    if len(text) > 90 or text.endswith(("?", "？")):
        return True
    if any(ch > "\u2e7f" for ch in text):
        return len(text) > 8 and text.endswith(("。", "！", "吗", "呢", "です", "ます"))
    words = text.split()
    return len(words) >= 6 and text.endswith((".", "!", "…", ",", ":")) and not _CONTACT_LABEL.search(text.casefold())


def _closing(line: str) -> str:
    """`closing`, `named` (with a name on the same line), `thanks` or nothing."""
    text = plain(line)
    if not 2 <= len(text) <= 90:
        return ""
    bare = folded(text.strip(_PUNCTUATION))
    if bare in _CLOSINGS or ("/" in bare and all(part.strip(_PUNCTUATION) in _CLOSINGS for part in bare.split("/"))):
        return "closing"
    if bare in _THANKS:
        return "" if text.rstrip("*_ ").endswith(("!", "！", "?")) else "thanks"
    words = text.split()
    for number in range(1, min(len(words), 8)):
        lead = folded(" ".join(words[:number]).strip(_PUNCTUATION))
        if len(lead) > 1 and lead in _CLOSINGS and _is_signed(" ".join(words[number:]).strip(_PUNCTUATION)):
            return "named"
    return ""


def _is_signed(rest: str) -> bool:
    words = rest.split()
    if not words or len(words) > 6:
        return False
    if folded(rest) in _CLOSINGS or folded(rest) in _THANKS:
        return True
    return (
        not any(ch.isdigit() for ch in rest)
        and rest[-1] not in "?？"
        and all(word[:1].isupper() or not word[:1].isalpha() for word in words)
    )


def cut(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The text and the signature of a stretch of new lines."""
    kept = list(lines)
    removed: list[str] = []

    def take(start: int, stop: int | None = None) -> None:
        removed[:0] = kept[start:stop]
        del kept[start:stop]

    _cut_banner(kept, removed)
    for _ in range(4):
        before = len(kept)
        while kept and not clean(kept[-1]):
            kept.pop()
        window = max(0, len(kept) - _WINDOW)
        take(footers.cut_footers(kept, window))
        for index in range(len(kept) - 1, window - 1, -1):
            if is_device_line(kept[index]):
                take(index, index + 1)
        while kept and (not clean(kept[-1]) or (removed and is_rule(kept[-1]))):
            kept.pop()
        window = max(0, len(kept) - _WINDOW)
        for find in (_delimiter, _closings, _dash_name, _contact_block):
            start, stop = find(kept, window)
            if start < stop:
                take(start, stop)
        if len(kept) == before:
            break
    return kept, removed


def _cut_banner(kept: list[str], removed: list[str]) -> None:
    first = next(iter(footers.paragraphs(kept[:12])), None)
    if first and footers.is_banner("\n".join(map(clean, kept[first[0] : first[1]]))) and any(map(clean, kept[first[1] :])):
        removed.extend(kept[: first[1]])
        del kept[: first[1]]


def _after(lines: Sequence[str], index: int) -> list[str]:
    return [text for text in map(clean, lines[index + 1 :]) if text]


def _delimiter(lines: Sequence[str], window: int) -> tuple[int, int]:
    none = (len(lines), len(lines))
    for index in range(window, len(lines)):
        whole = clean(lines[index])
        text = plain(whole)
        hard = text in _DELIMITERS or lines[index] == "-- "
        if not hard and not (text == "" and whole) and not _SOFT_DELIMITER.fullmatch(text):
            continue
        rest = _after(lines, index)
        if hard:
            if len(rest) <= _MOST_SIGNATURE_LINES and (lines[index] == "-- " or sum(map(is_sentence, rest)) <= 2):
                return index, len(lines)
        elif 0 < len(rest) <= 10 and (clean(lines[index + 1]) or (len(whole) >= 10 and len(rest) <= 6)) and _is_block(rest):
            return index, len(lines)
    return none


def _is_block(rest: Sequence[str]) -> bool:
    """Whether lines below a rule are a signature and not a list, a table or text."""
    if any(is_sentence(line) or _BULLET.match(line) for line in rest):
        return False
    return is_name(rest[0]) or any(map(_is_contact, rest))


def _closings(lines: Sequence[str], window: int) -> tuple[int, int]:
    none = (len(lines), len(lines))
    first = next((index for index, line in enumerate(lines) if clean(line)), 0)
    for index in range(window, len(lines)):
        kind = _closing(clean(lines[index]))
        if not kind:
            continue
        rest = _after(lines, index)
        if len(rest) > _MOST_SIGNATURE_LINES:
            continue
        if index == first:  # without a text above it, it is the text
            continue
        if kind == "thanks":
            if _is_signed_off(rest):
                return index, len(lines)
            continue
        stop = _signature_end(lines, index)
        if stop > index:
            return index, stop
    return none


def _is_signed_off(rest: Sequence[str]) -> bool:
    """Whether a name, and little else, stands below a word of thanks."""
    if not 0 < len(rest) <= 12 or not is_name(rest[0]) or any(map(is_sentence, rest)):
        return False
    return len(rest) <= 2 or any(map(_is_contact, rest)) or all(map(is_name, rest)) or bool(_closing(rest[0]))


def _signature_end(lines: Sequence[str], index: int) -> int:
    """The line after the signature of a closing formula: before a postscript or what may be human text; `index` for none."""
    seen = 0
    for number in range(index + 1, len(lines)):
        text = clean(lines[number])
        if not text:
            continue
        if _POSTSCRIPT.match(text.casefold()):
            return number
        if is_sentence(text):
            return number if seen <= 6 else index
        seen += 1
    return len(lines)


def _dash_name(lines: Sequence[str], window: int) -> tuple[int, int]:
    none = (len(lines), len(lines))
    last = len(lines) - 1
    if last <= window:
        return none
    found = _DASH_NAME.fullmatch(clean(lines[last]))
    if not found or not is_name(found[1]) or not found[1][0].isupper():
        return none
    above = [text for text in map(clean, lines[max(0, last - 4) : last]) if text]
    return none if not above or any(text.startswith(("-", "–", "•", "*")) for text in above) else (last, len(lines))


def _is_contact(line: str) -> bool:
    text = plain(clean(line)).casefold()
    if len(text) > 90:
        return False
    return (
        _CONTACT_LABEL.match(text) is not None
        or _PHONE.search(text) is not None
        or _URL.fullmatch(text) is not None
        or ("@" in text and len(text.split()) <= 2)
    )


def _contact_block(lines: Sequence[str], window: int) -> tuple[int, int]:
    """A last paragraph of contact data with a sign of a company in it. A customer's own address has none."""
    none = (len(lines), len(lines))
    blocks = footers.paragraphs(lines, window)
    if len(blocks) < 2:
        return none
    begin, end = blocks[-1]
    block = [clean(line) for line in lines[begin:end]]
    above = clean(lines[blocks[-2][1] - 1])
    if len(block) > 12 or len(block) < 3 or above.endswith((":", "：")) or any(map(is_sentence, block)):
        return none
    contacts = sum(map(_is_contact, block))
    company = any(_COMPANY.search(line.casefold()) for line in block)
    return (begin, end) if contacts >= 2 and company and is_name(block[0]) else none
