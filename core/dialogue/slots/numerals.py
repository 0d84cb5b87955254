"""Numbers written in words: tables for each language and one way to add them up.

Numbers up to 999,999,999 as people write quantities are covered: "twenty-one", "dreiundzwanzig", "quatre-vingt-dix", "三百五".
A library (text2num) reads eight of these languages but not Chinese, Japanese, Korean, Russian, Polish, Arabic or Turkish, and
gives no positions in the text, so it would stand beside such tables, not replace them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from frontdesk.core.dialogue.slots.folding import fold, phrases

# Words in the order of their values, separated by spaces; "/" separates forms of one value, "_" stands for a space or hyphen.
_UNITS = {  # 0 to 20
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen"
    " eighteen nineteen twenty",
    "de": "null eins/ein/eine/einen/einem/einer zwei/zwo drei vier fünf sechs sieben acht neun zehn elf zwölf"
    " dreizehn vierzehn"
    " fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un/une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    " dix_sept dix_huit"
    " dix_neuf vingt",
    "es": "cero uno/un/una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
    " dieciséis diecisiete"
    " dieciocho diecinueve veinte",
    "pt": "zero um/uma dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze/quatorze quinze"
    " dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove vinte",
    "it": "zero uno/un/una due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici"
    " quindici sedici"
    " diciassette diciotto diciannove venti",
    "nl": "nul een/één twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien"
    " zeventien"
    " achttien negentien twintig",
    "pl": "zero jeden/jedna/jedno/jedną dwa/dwie trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście"
    " dwanaście"
    " trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście dwadzieścia",
    "ru": "ноль/нуль один/одна/одно/одну два/две три четыре пять шесть семь восемь девять десять одиннадцать двенадцать"
    " тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz on on_bir on_iki on_üç on_dört on_beş on_altı on_yedi"
    " on_sekiz"
    " on_dokuz yirmi",
    "ar": "صفر واحد/واحدة اثنان/اثنين/اثنتين ثلاثة/ثلاث أربعة/أربع خمسة/خمس ستة/ست سبعة/سبع ثمانية/ثماني/ثمان"
    " تسعة/تسع عشرة/عشر"
    " أحد_عشر اثنا_عشر ثلاثة_عشر أربعة_عشر خمسة_عشر ستة_عشر سبعة_عشر ثمانية_عشر تسعة_عشر عشرون/عشرين",
    "ko": "영 하나/한 둘/두 셋/세 넷/네 다섯 여섯 일곱 여덟 아홉 열 열하나/열한 열둘/열두 열셋/열세 열넷/열네"
    " 열다섯 열여섯 열일곱 열여덟"
    " 열아홉 스물/스무",
    "ja": "ゼロ ひとつ/一つ ふたつ/二つ みっつ/三つ よっつ/四つ いつつ/五つ むっつ/六つ ななつ/七つ やっつ/八つ"
    " ここのつ/九つ とお",
}
_TENS = {  # 30 to 90
    "en": "thirty forty/fourty fifty sixty seventy eighty ninety",
    "de": "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "trente quarante cinquante soixante septante/soixante_dix quatre_vingt/quatre_vingts/octante nonante/quatre_vingt_dix",
    "es": "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "pt": "trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "it": "trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "nl": "dertig veertig vijftig zestig zeventig tachtig negentig",
    "pl": "trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt",
    "ru": "тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
    "tr": "otuz kırk elli altmış yetmiş seksen doksan",
    "ar": "ثلاثون/ثلاثين أربعون/أربعين خمسون/خمسين ستون/ستين سبعون/سبعين ثمانون/ثمانين تسعون/تسعين",
    "ko": "서른 마흔 쉰 예순 일흔 여든 아흔",
}
_LARGE = {
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6},
    "de": {"hundert": 100, "einhundert": 100, "tausend": 1000, "million": 10**6, "millionen": 10**6},
    "fr": {"cent": 100, "cents": 100, "mille": 1000, "million": 10**6, "millions": 10**6},
    "es": {"cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500,
           "seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900, "mil": 1000, "millones": 10**6},
    "pt": {"cem": 100, "cento": 100, "duzentos": 200, "trezentos": 300, "quatrocentos": 400, "quinhentos": 500,
           "seiscentos": 600, "setecentos": 700, "oitocentos": 800, "novecentos": 900, "mil": 1000, "milhões": 10**6},
    "it": {"cento": 100, "duecento": 200, "trecento": 300, "quattrocento": 400, "cinquecento": 500, "mille": 1000, "mila": 1000},
    "nl": {"honderd": 100, "duizend": 1000, "miljoen": 10**6},
    "pl": {"sto": 100, "dwieście": 200, "trzysta": 300, "czterysta": 400, "pięćset": 500, "sześćset": 600, "siedemset": 700,
           "osiemset": 800, "dziewięćset": 900, "tysiąc": 1000, "tysiące": 1000, "tysięcy": 1000},
    "ru": {"сто": 100, "двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700,
           "восемьсот": 800, "девятьсот": 900, "тысяча": 1000, "тысячи": 1000, "тысяч": 1000, "миллион": 10**6},
    "tr": {"yüz": 100, "bin": 1000, "milyon": 10**6},
    "ar": {"مئة": 100, "مائة": 100, "مئتين": 200, "ألف": 1000, "آلاف": 1000},
}  # fmt: skip
_AND = {"en": "and", "fr": "et", "es": "y", "pt": "e", "nl": "en", "ar": "و"}
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
HAN_NUMERAL = "[零〇一二两兩三四五六七八九十百千万萬亿億]{1,20}"


@dataclass(frozen=True)
class Numeral:
    """A number in words: where it stands in the folded text, and its value."""

    value: int
    start: int
    end: int


@cache
def number_values(language: str) -> dict[str, int]:
    """Folded words of a language with their values."""
    words: dict[str, int] = {}
    for row, first, step in ((_UNITS, 0, 1), (_TENS, 30, 10)):
        for index, forms in enumerate(row.get(language, "").split()):
            for form in forms.split("/"):
                words.setdefault(fold(form.replace("_", " ")), first + index * step)
    for word, value in _compounds(language):
        words.setdefault(fold(word), value)
    return words | {fold(word): value for word, value in _LARGE.get(language, {}).items()}


def _compounds(language: str) -> Iterator[tuple[str, int]]:
    """21 to 99 where they are written as one word."""
    units = [forms.split("/") for forms in _UNITS[language].split()[:10]] if language in _UNITS else []
    tens = [_UNITS[language].split()[20], *(_TENS[language].split())] if language in _TENS else []
    for ten_index, ten_forms in enumerate(tens):
        ten = ten_forms.split("/")[0]
        for unit, forms in enumerate(units[1:], start=1):
            value = 20 + 10 * ten_index + unit
            for form in forms:
                if language == "de":
                    yield f"{form}und{ten}", value
                elif language == "nl":
                    yield f"{form}en{ten}", value
                    yield f"{form}ën{ten}", value
                elif language == "it":
                    yield (ten[:-1] if form[0] in "uo" else ten) + form, value
                elif language == "es" and ten_index == 0:
                    yield f"veinti{form}", value
                elif language == "ko":
                    yield f"{ten}{form}", value


@cache
def _pattern(language: str) -> re.Pattern[str]:
    return re.compile(phrases(number_values(language)).replace(" {1,4}", "[ -]{1,4}"))


def number_words(folded: str, language: str) -> list[Numeral]:
    """The numbers written in words of `language` in a folded text, in order."""
    values = number_values(language)
    if not values:
        return []
    joiner = re.compile(rf"[ -]{{0,2}}(?:{re.escape(fold(_AND[language]))} ?)?" if language in _AND else r"[ -]{0,2}")
    numerals: list[Numeral] = []
    group: list[re.Match[str]] = []
    for match in _pattern(language).finditer(folded):
        if group and not joiner.fullmatch(folded[group[-1].end() : match.start()]):
            numerals.extend(_added_up(group, values))
            group = []
        group.append(match)
    numerals.extend(_added_up(group, values))
    return numerals


def _added_up(group: list[re.Match[str]], values: dict[str, int]) -> Iterator[Numeral]:
    """One number for "two hundred and five", several for words that only stand beside each other, as in "two three"."""
    total = current = 0
    start: int | None = None
    end = 0
    limit = 10**9
    for match in group:
        value = values[re.sub(r"[ -]+", " ", match[0])]
        fits = start is None or (value >= 1000 and value < limit) or (value == 100 and 0 < current < 10)
        fits = fits or (0 < value < 1000 and (current == 0 or current % 10 ** len(str(value)) == 0))
        if not fits and start is not None:
            yield Numeral(total + current, start, end)
            total = current = 0
            start, limit = None, 10**9
        if start is None:
            start = match.start()
        if value >= 1000:
            total, current, limit = total + (current or 1) * value, 0, value
        else:
            current = (current or 1) * 100 if value == 100 else current + value
        end = match.end()
    if start is not None:
        yield Numeral(total + current, start, end)


def han_number(numeral: str) -> int:
    """The value of a number in Chinese characters ("三百五", "一零四", "十二"). Raises `ValueError` for anything else."""
    if not numeral:
        raise ValueError("an empty numeral")
    if len(numeral) > 1 and all(character in _DIGITS for character in numeral):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    last_place = 1
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
            last_place = 1 if character in "零〇" else last_place
        elif character in _PLACES:
            section += (digit or 1) * _PLACES[character]
            digit, last_place = 0, _PLACES[character]
        elif character in _MYRIADS:
            total += (section + digit or 1) * _MYRIADS[character]
            section = digit = 0
            last_place = _MYRIADS[character]
        else:
            raise ValueError(f"{character!r} is not a numeral")
    return total + section + digit * max(last_place // 10, 1)


def han_numbers(folded: str) -> list[Numeral]:
    """Runs of Chinese numerals in a folded text, in order."""
    return [Numeral(han_number(match[0]), *match.span()) for match in re.finditer(HAN_NUMERAL, folded)]
