"""Words for a place in a list: "the second one", "第二个"."""

import re
from functools import cache

from frontdesk.core.dialogue.slots.folding import fold, phrases
from frontdesk.core.dialogue.slots.numerals import HAN_NUMERAL, han_number

LAST = -1

_ORDINALS = {  # first to tenth
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth",
    "de": "erste/ersten/erster/erstes zweite/zweiten/zweiter/zweites dritte/dritten vierte/vierten fünfte/fünften"
    " sechste/sechsten"
    " siebte/siebten achte/achten neunte/neunten zehnte/zehnten",
    "fr": "premier/première deuxième/second/seconde troisième quatrième cinquième sixième septième huitième neuvième dixième",
    "es": "primero/primera/primer segundo/segunda tercero/tercera/tercer cuarto/cuarta quinto/quinta sexto/sexta"
    " séptimo/séptima"
    " octavo/octava noveno/novena décimo/décima",
    "pt": "primeiro/primeira segundo/segunda terceiro/terceira quarto/quarta quinto/quinta sexto/sexta"
    " sétimo/sétima oitavo/oitava"
    " nono/nona décimo/décima",
    "it": "primo/prima secondo/seconda terzo/terza quarto/quarta quinto/quinta sesto/sesta settimo/settima"
    " ottavo/ottava nono/nona"
    " decimo/decima",
    "nl": "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende",
    "pl": "pierwszy/pierwsza/pierwsze/pierwszą drugi/druga/drugie/drugą trzeci/trzecia/trzecią czwarty/czwarta/czwartą"
    " piąty/piąta/piątą szósty/szósta/szóstą siódmy/siódma ósmy/ósma dziewiąty/dziewiąta dziesiąty/dziesiąta",
    "ru": "первый/первая/первое/первую второй/вторая/второе/вторую третий/третья/третье/третью"
    " четвёртый/четвертая/четвертую"
    " пятый/пятая/пятую шестой/шестая/шестую седьмой/седьмая восьмой/восьмая девятый/девятая десятый/десятая",
    "ja": "一番目/最初 二番目 三番目 四番目 五番目 六番目 七番目 八番目 九番目 十番目",
    "ko": "첫_번째/첫번째/첫째 두_번째/두번째/둘째 세_번째/세번째/셋째 네_번째/네번째/넷째 다섯_번째/다섯번째"
    " 여섯_번째 일곱_번째 여덟_번째"
    " 아홉_번째 열_번째",
    "ar": "الأول/الأولى الثاني/الثانية الثالث/الثالثة الرابع/الرابعة الخامس/الخامسة السادس/السادسة السابع/السابعة"
    " الثامن/الثامنة"
    " التاسع/التاسعة العاشر/العاشرة",
    "tr": "birinci/ilk/birincisi ikinci/ikincisi üçüncü/üçüncüsü dördüncü beşinci altıncı yedinci sekizinci dokuzuncu onuncu",
}
_LAST = {
    "en": "last", "zh": "最后一个/最后/最後", "de": "letzte/letzten/letzter", "fr": "dernier/dernière", "es": "último/última",
    "pt": "último/última", "it": "ultimo/ultima", "nl": "laatste", "pl": "ostatni/ostatnia/ostatnią",
    "ru": "последний/последняя/последнюю", "ja": "最後", "ko": "마지막", "ar": "الأخير/الأخيرة", "tr": "sonuncu/son",
}  # fmt: skip
_DIGIT = re.compile(r"第 ?(?P<d>\d{1,2})|(?<![\w.,-])(?P<e>\d{1,2})(?:st|nd|rd|th|er|e|º|ª|번째|番目|番)(?![a-z])")
_HAN = re.compile(f"第(?P<n>{HAN_NUMERAL})")


@cache
def _table(language: str) -> tuple[dict[str, int], re.Pattern[str]]:
    places = {
        fold(form.replace("_", " ")): place
        for place, forms in enumerate(_ORDINALS.get(language, "").split(), start=1)
        for form in forms.split("/")
    }
    places |= {fold(form): LAST for form in _LAST.get(language, "").split("/") if form}
    return places, re.compile(phrases(places))


def ordinals(folded: str, language: str) -> list[tuple[int, int, int]]:
    """The places named in a folded text as (place from 1, or `LAST`; start; end), in the customer's language or in English."""
    named = [(int(match["d"] or match["e"]), *match.span()) for match in _DIGIT.finditer(folded)]
    named += [(han_number(match["n"]), *match.span()) for match in _HAN.finditer(folded)]
    for tag in dict.fromkeys((language.partition("-")[0].lower(), "en", "zh")):
        places, pattern = _table(tag)
        named += [(places[re.sub(" +", " ", match[0])], *match.span()) for match in pattern.finditer(folded)]
    return sorted(set(named), key=lambda place: place[1:])
