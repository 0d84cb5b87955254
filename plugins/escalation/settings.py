"""When a person is called without being asked for."""

import re
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from frontdesk.core.text import Text


def _languages(words: dict[str, str]) -> dict[str, str]:
    if not words or not all(words.values()):
        raise ValueError("give the words by language, such as {en: 'Hello', zh: '你好'}")
    return words


def _compiles(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return patterns


ByLanguage = Annotated[dict[str, str], AfterValidator(_languages)]
Patterns = Annotated[tuple[str, ...], AfterValidator(_compiles)]


class Rule(BaseModel, extra="forbid"):
    """Calls a person when one of the `patterns` (regular expressions, any case) is found in what the customer writes.

    `reason` is for the agents, `text` for the customer, by language; without it the customer hears what is said to everybody.
    """

    reason: str = Field(min_length=1)
    patterns: Patterns = Field(min_length=1)
    text: ByLanguage | None = None

    @cached_property
    def found_in(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{pattern})" for pattern in self.patterns), re.IGNORECASE)


SAFETY = Rule(
    reason="safety: somebody may be hurt or in danger",
    patterns=(
        r"\b(?:caught|catching|on|started a|set) fire\b|\bin flames\b|\bburst into flame",
        r"\b(?:injured|injury|electrocuted|electric shock|explod(?:ed|es)|exploded|poison(?:ed|ing))\b",
        r"\bburn(?:ed|t) (?:myself|himself|herself)\b|\bburn(?:ed|t) (?:my|her|his|our) .{0,12}\b(?:hand|finger|arm|leg|face)",
        r"\bgas leak|\bsmells? (?:of |like )?gas\b|\bcarbon monoxide\b",
        r"受伤|着火|起火|爆炸|触电|漏电|煤气泄漏|燃气泄漏|漏气|烫伤|割伤|中毒",
        r"\bin brand (?:geraten|geriet|gesetzt|gesteckt|steht|stand)|\b(?:geriet|steh|stand)\w* in brand\b",
        r"\bverletzt\b|\bverletzung|\bfeuer gefangen|\bstromschlag|\bexplodiert|\bgasgeruch|\bgasleck|\bvergiftet",
        r"\bblessé|\bblessure|\bpris feu\b|\bélectrocut|\bexplosé\b|\bfuite de gaz|\bintoxiqu",
        r"\bherid[oa]|\blesionad|\bincendi|\bdescarga eléctrica|\bexplotó|\bfuga de gas|\bintoxica",
    ),
    text={
        "en": "If anybody is hurt or in danger, please call the emergency number first (112 in the EU). I'm calling a colleague "
        "for you right now, with everything you have written.",
        "zh": "如果有人受伤或有危险，请先拨打急救电话（欧盟为 112）。我正在为您呼叫人工客服，并已附上您写的内容。",
        "de": "Wenn jemand verletzt oder in Gefahr ist, rufen Sie bitte zuerst den Notruf (112). Ich hole sofort "
        "eine Kollegin oder einen Kollegen dazu.",
        "fr": "Si quelqu'un est blessé ou en danger, appelez d'abord les secours (112). J'appelle tout de suite un collègue.",
        "es": "Si hay alguien herido o en peligro, llame primero a emergencias (112). Estoy avisando a un compañero ahora mismo.",
    },
)
LEGAL = Rule(
    reason="legal: the customer speaks of a lawyer, a court or a chargeback",
    patterns=(
        r"\b(?:lawyers?|attorney|solicitor|legal action|chargeback|charge back|small claims|ombudsman)\b",
        r"\b(?:sue|suing) (?:you|your|lantern)|\btake (?:you|this) to court\b",
        r"律师|起诉|(?<![转报])告你们|法院|消协|消费者协会|(?<![A-Za-z0-9-])12315(?!\d)|(?<!被)拒付",
        r"\b(?:rechts)?anw[aä]lt|\bverklage|\bklage ein|\bverbraucherzentrale|\bmahnbescheid|\brückbuchung",
        r"\b(?:mon|notre) avocat\b|\bporter plainte|\bpoursuites? judiciaire|\btribunal|\brétrofacturation",
        r"\babogad[oa]|\bdenunciar|\bdemandar(?:les|los|é|emos)|\btribunales|\bcontracargo",
    ),
)


class EscalationSettings(BaseModel, extra="forbid"):
    """`unanswered`: so many turns in a row without an answer call a person; 0 never does.

    `hours` tells customers, by language, when people answer. It is added to what they are told when a person was called.
    """

    unanswered: int = Field(2, ge=0)
    hours: ByLanguage | None = None
    rules: tuple[Rule, ...] = (SAFETY, LEGAL)

    @property
    def hours_text(self) -> Text | None:
        return Text(**self.hours) if self.hours else None
