"""Subjects: what they say without the marks of replies, and whether it is said in the text too."""

import re

MAX_SUBJECT = 200
REPLY = (
    "re|r|aw|antw|antwoord|antwort|sv|vs|vb|rv|ref|res|rif|odp|od|ynt|yanıt|hl|bls|atb|vá|vast|ats|atsakymas|vl|nv|răsp"
    "|отв|ответ|відп|απ|απάντηση|σχετ|השב|תגובה|رد|پاسخ|回复|回覆|答复|答覆|返信|回信|답장|회신|ตอบ|ตอบกลับ|balas|jawab"
)
FORWARD = "fw|fwd|wg|tr|i|enc|rv|doorst|pd|vs|vb|ilt|továbbítás|пересл|转发|轉寄|轉發|転送|전달|הועבר"
COUNT = r"\s*(?:[\[(^]?\d{1,3}[\])]?)?\s*[:：]\s*"
MARK = re.compile(rf"\s*(?:\[[^\]]{{0,40}}\]\s*)?(?:{REPLY}|{FORWARD}){COUNT}", re.IGNORECASE)
IS_FORWARD = re.compile(rf"\s*(?:{FORWARD}){COUNT}", re.IGNORECASE)
EMPTY = frozenset(
    (
        *("", "no subject", "kein betreff", "ohne betreff", "sans objet", "aucun objet", "sin asunto", "sem assunto"),
        *("nessun oggetto", "geen onderwerp", "bez tematu", "без темы", "无主题", "無主旨", "件名なし", "제목 없음"),
        "بدون موضوع",
    )
)
WORD = re.compile(r"\w+")


def base(subject: str) -> str:
    """Without the marks of replies and forwards in front, however many there are and in whatever language."""
    subject = subject[: 5 * MAX_SUBJECT]
    while match := MARK.match(subject):
        subject = subject[match.end() :]
    return subject.strip()


def is_forward(subject: str) -> bool:
    return IS_FORWARD.match(subject) is not None


def answer(subject: str) -> str:
    """The subject of the answer: one `Re: `."""
    return f"Re: {base(subject)[:MAX_SUBJECT].strip()}".strip()


def with_subject(subject: str, text: str) -> str:
    """The text of a first mail, below its subject if that says something the text does not."""
    title = base(subject)
    if title.strip("()[]<>（） .-").lower() in EMPTY or _compact(title) in _compact(text[:5000]):
        return text
    if set(WORD.findall(title.lower())) <= set(WORD.findall(text[:5000].lower())):
        return text
    return f"{title}\n\n{text}".strip()


def _compact(text: str) -> str:
    return "".join(WORD.findall(text.lower()))
