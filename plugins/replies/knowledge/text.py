"""Words, sentences and plain text: the little that retrieval needs to know about a language."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+(?:['’][^\W_{_CJK}]+)?")
_CJK_CHARACTER = re.compile(rf"[{_CJK}]")
_LETTER = re.compile(r"[^\W\d_]")

# Words that say that something is asked, not what.
_STOP_WORDS = frozenset(
    """
    a about also am an and any anybody anyone are as at be been being but by can could did do does doing for
    from get give got had has have hello help hi how i if in into is it its just kindly know let like may me
    might much my myself need no not of on or our out please question shall should so some such tell than thank
    thanks that the their them then there these they thing this those to too up us want was we were what when
    where whether which while who whose why will wish with would you your yours i'm i'd i've i'll it's don't
    can't what's how's there's dont cant im ive ill whats
    """.split()  # noqa: SIM905
)
_CJK_STOP = re.compile(
    "请问一下|请问|想问问|想问|问一下|告诉我|你们家|你们|我们|咱们|我的|你好|您好|麻烦|谢谢|怎么样|怎么办|怎么|怎样|如何|"
    "什么时候|什么|为什么|哪些|哪里|哪儿|可不可以|能不能|是不是|有没有|可以|是否|能否|一个|这个|那个|"
    "我想|我要|需要|想要|帮我|吗|呢|吧|啊|呀|了|的|地|得|我|你|您|是|在|请|和|与|或|就|都|也|还|会|能|要|想|有"
)


def cjk_share(text: str) -> float:
    """The share of a text's letters that are Chinese, Japanese or Korean; 0 for a text without letters."""
    letters = _LETTER.findall(text)
    return sum(map(bool, map(_CJK_CHARACTER.match, letters))) / len(letters) if letters else 0.0


def terms(text: str) -> list[str]:
    """The terms by which a text is found: stems of words, and single characters and pairs of CJK script."""
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = match.group().replace("’", "'")
        if match["cjk"]:
            for run in filter(None, _CJK_STOP.split(word)):
                found += run
                found += (run[i : i + 2] for i in range(len(run) - 1))
        elif word not in _STOP_WORDS:
            found.append(_stem(word.removesuffix("'s")))
    return found


def _stem(word: str) -> str:
    """Takes the commonest English endings off, so that "returned parcels" finds "return a parcel"."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("ches", "shes", "sses", "xes")) else word[:-1]
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and re.search("[aeiouy]", stem):
            double = stem[-1] == stem[-2] and stem[-1] not in "lsz"
            word = stem[:-1] if double or stem.endswith("cancell") else stem
            break
    return word.removesuffix("e") if len(word) > 4 else word


def word_count(text: str) -> int:
    """Words of a text; two CJK characters count as one word."""
    cjk = len(_CJK_CHARACTER.findall(text))
    return len(_CJK_CHARACTER.sub(" ", text).split()) + (cjk + 1) // 2


_SENTENCE_END = re.compile(r"(?<=[.!?])(?:(?<=[.!?])[\"”’')*_]*)\s+(?=[\"“‘'(*_\[]*[^\Wa-z_])|(?<=[。！？])(?![”’」）)])\s*")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|etc|approx|no|nr|mr|mrs|ms|dr|st|vs|cf|incl|max|min|tel)\.$", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Splits one paragraph. Line breaks inside it become spaces."""
    text = re.sub(r"\s*\n\s*", " ", text).strip()
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        sentence = text[start : end.start()]
        if _ABBREVIATION.search(sentence):
            continue
        found.append(sentence.strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def blocks(markdown: str) -> list[Token]:
    """The CommonMark tokens of a text, tables included; `Token.map` holds line numbers from 0."""
    return _markdown().parse(markdown)


def plain(markdown: str) -> str:
    """The words of a Markdown text without its marks, one line for each block."""
    return "\n".join(line for line in map(_inline, _inlines(blocks(markdown))) if line)


def _inlines(tokens: list[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.type in {"inline", "fence", "code_block"})


def _inline(token: Token) -> str:
    if not token.children:
        return token.content.strip()
    pieces = (
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children
        if child.type in {"text", "code_inline", "softbreak", "hardbreak", "image"}
    )
    return "".join(pieces).strip()


def anchor(heading: str) -> str:
    """The fragment by which help pages commonly address a heading: small letters, hyphens for spaces."""
    kept = re.sub(r"[^\w\s-]", "", plain(heading).casefold())
    return re.sub(r"\s+", "-", kept.strip())
