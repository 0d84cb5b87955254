"""Bytes as text, whatever charset they claim to be in: names that mail programs invented, wrong ones, none at all."""

import codecs
import re
from functools import lru_cache

import chardet

SAMPLE = 64 * 1024
ALIASES = {
    # Supersets, since mail programs write what lies beyond the charset that they declare.
    **dict.fromkeys(("us-ascii", "ascii", "utf8", "utf-8-mac", "utf8mb4", "unicode-1-1-utf-8", "x-utf-8", "cp65001"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "ansi", "cp-1252", "x-ansi", "iso-latin-1"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "iso-gb2312", "gb-2312", "gb_2312-80", "x-gbk", "cp936", "euc-cn", "x-euc-cn"), "gb18030"),
    **dict.fromkeys(("hz-gb-2312", "hz"), "hz"),
    **dict.fromkeys(("big5", "x-big5", "x-x-big5", "big5-eten", "cn-big5", "cp950"), "big5hkscs"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "x-mac-japanese", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("iso-2022-jp", "cp50220", "cp50221", "csiso2022jp"), "iso2022_jp_ext"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "ks_c_5601-1989", "korean", "x-windows-949"), "cp949"),
    **dict.fromkeys(("iso-8859-9",), "cp1254"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e", "iso-8859-8"), "cp1255"),
    **dict.fromkeys(("iso-8859-6-i", "iso-8859-6-e"), "iso8859_6"),
    **dict.fromkeys(("tis-620", "iso-8859-11", "windows-874", "x-windows-874"), "cp874"),
    **dict.fromkeys(("x-mac-roman", "x-macintosh", "macintosh"), "mac_roman"),
    **dict.fromkeys(("x-mac-cyrillic",), "mac_cyrillic"),
    **dict.fromkeys(("koi8-ru", "koi8"), "koi8_u"),
}
NO_CHARSETS = frozenset(
    (
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"),
        *("hex", "base64", "bz2", "zlib", "rot_13", "uu", "quopri"),
    )
)
"""Codecs of Python that turn bytes into something else, or take longer than linear time."""
STATEFUL = re.compile(r"utf-?(16|32|7)|iso-?2022|hz$")
WESTERN = frozenset(("cp1252", "iso8859-1", "iso8859-15", "mac-roman"))
OTHER_ALPHABETS = re.compile(r"cp(1251|1253|1255|1256|855|866)|koi8|iso8859-[5-8]$|mac-cyrillic|kz1048|ptcp154")
SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes, charset: str | None = None) -> str:
    """Never fails. What is valid UTF-8 is read as such unless a charset of several bytes a character is declared and fits.

    Where the declared charset does not fit, or is a Western one and half of the bytes are beyond ASCII, the bytes are asked
    themselves.
    """
    declared = known(charset)
    if declared and STATEFUL.match(declared):
        try:
            return _clean(data.decode(declared))
        except (UnicodeError, ValueError):
            return _clean(data.decode(declared, "replace"))
    if data.isascii() and b"\x1b" not in data:
        return data.decode("ascii").replace("\0", "")
    if declared and _is_multibyte(declared) and (text := _strictly(data, declared)) is not None:
        return _clean(text)
    if (text := _strictly(data, "utf-8-sig")) is not None:
        return _clean(text)
    if declared and declared != "utf-8" and not (declared in WESTERN and _is_dense(data)):
        return _clean(data.decode(declared, "replace"))
    return _clean(data.decode(_guessed(data, declared), "replace"))


@lru_cache(maxsize=512)
def known(charset: str | None) -> str | None:
    """Python's name of a declared charset; None if there is no such charset."""
    name = (charset or "").strip().strip("\"'").lower()[:40]
    try:
        name = codecs.lookup(ALIASES.get(name, name)).name
    except (LookupError, ValueError):  # ValueError: a NUL in it
        return None
    return None if name.replace("-", "_") in NO_CHARSETS else ALIASES.get(name.replace("_", "-"), name)


def _strictly(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (UnicodeError, ValueError):
        return None


def _is_multibyte(charset: str) -> bool:
    return charset in ("gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "euc_jis_2004", "shift_jisx0213", "johab")


def _is_dense(data: bytes) -> bool:
    """More bytes beyond ASCII than a Western language has."""
    sample = data[:SAMPLE]
    return 3 * sum(map(len, re.findall(rb"[\x80-\xff]+", sample))) > len(sample) - sum(map(sample.count, b" \r\n\t"))


def _guessed(data: bytes, declared: str | None) -> str:
    # A cut or damaged text is not valid UTF-8 as a whole, and still nothing else.
    sample = data[:SAMPLE]
    if len(sample.decode("utf-8", "ignore").encode()) > 0.9 * len(sample) and re.search(rb"[\xc2-\xf4][\x80-\xbf]", sample):
        return "utf-8"
    guess = known(chardet.detect(sample)["encoding"])
    if guess is None or guess == "utf-8" or (OTHER_ALPHABETS.match(guess) and not _is_dense(data)):
        return declared if declared and declared != "utf-8" else "cp1252"
    return guess


def _clean(text: str) -> str:
    """Without NULs, and with "?" for the lone surrogates that UTF-7 can bring."""
    return SURROGATES.sub("?", text.replace("\0", "").removeprefix("\ufeff"))
