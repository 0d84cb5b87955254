"""One of a few options."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType, without_overlaps
from frontdesk.core.dialogue.slots.folding import Folded, fold, phrases
from frontdesk.core.dialogue.slots.number import numerals
from frontdesk.core.dialogue.slots.ordinals import LAST, ordinals
from frontdesk.core.messages import Choice as Button
from frontdesk.core.text import Text

Labels = str | Sequence[str] | Mapping[str, str | Sequence[str]] | Text
_PUNCTUATION = " .,;:!?()[]\"'#。，！？、"


class Choice(SlotType[str]):
    """Subclassed with `options`: each value with its labels.

        class Size(Choice):
            options = {"s": Text(en="small", zh="小号"), "m": {"en": ["medium", "middle"], "zh": "中号"}, "l": "large"}

    Labels of all languages are recognised. An answer may also be an option's number as listed, its place ("the second one",
    "第二个") or the beginning of one label only. Raises `TypeError` when two options share a label.
    """

    ask = questions.ASK_CHOICE
    hint = questions.HINT_CHOICE
    options: ClassVar[Mapping[str, Labels]] = {}
    _by_label: ClassVar[Mapping[str, str]]
    _pattern: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.options:
            raise TypeError(f"{cls.__name__} needs options")
        by_label: dict[str, str] = {}
        named: set[str] = set()
        for value, labels in cls.options.items():
            named.update(fold(label).strip(_PUNCTUATION) for label in _labels(labels))
            for label in (value, *_labels(labels)):
                folded = fold(label).strip(_PUNCTUATION)
                if folded and by_label.setdefault(folded, value) != value:
                    raise TypeError(f"{cls.__name__}: {by_label[folded]!r} and {value!r} share the label {label!r}")
        cls._by_label = by_label
        cls._pattern = re.compile(phrases(named))  # bare values such as "m" count only as a whole answer

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        folded = Folded(text)
        labelled = without_overlaps(
            folded.found(cls._by_label[re.sub(" +", " ", match[0])], *match.span())
            for match in cls._pattern.finditer(folded.text)
        )
        if labelled or not context.answering:
            return labelled
        return cls._by_number(folded, context) or cls._by_beginning(folded)

    @classmethod
    def choices(cls, language: str) -> Sequence[Button]:
        """The options, each with its first label in that language."""
        return [Button(_label(labels, language), value) for value, labels in cls.options.items()]

    @classmethod
    def to_json(cls, value: str) -> str:
        return value

    @classmethod
    def from_json(cls, data: Any) -> str:
        if data not in cls.options:
            raise ValueError(f"{data!r} is not an option of {cls.__name__}")
        return str(data)

    @classmethod
    def _by_number(cls, folded: Folded, context: SlotContext) -> list[Found[str]]:
        values = list(cls.options)
        named = [
            (len(values) if place == LAST else place, start, end) for place, start, end in ordinals(folded.text, context.language)
        ]
        if not named:
            named = [(int(match[0]), *match.span()) for match in re.finditer(r"(?<![\w.,-])\d{1,2}(?![\w]|[.,-]\d)", folded.text)]
        if not named and len(folded.text) <= 20:  # "number two"; a longer text has "one" in it for other reasons
            named = [(number.value, number.start, number.end) for number in numerals(folded.text, context.language)]
        return without_overlaps(folded.found(values[n - 1], start, end) for n, start, end in named if 1 <= n <= len(values))

    @classmethod
    def _by_beginning(cls, folded: Folded) -> list[Found[str]]:
        written = folded.text.strip(_PUNCTUATION)
        if written in cls._by_label:
            values = {cls._by_label[written]}
        else:
            values = {value for label, value in cls._by_label.items() if written and label.startswith(written)}
        if len(values) != 1:
            return []
        start = folded.text.index(written)
        return [folded.found(values.pop(), start, start + len(written))]


def _label(labels: Labels, language: str) -> str:
    if isinstance(labels, str):
        return labels
    if isinstance(labels, Mapping):
        first = {tag: given if isinstance(given, str) else given[0] for tag, given in labels.items()}
        return Text(**first).fitting(language)
    return labels[0]


def _labels(labels: Labels) -> Iterable[str]:
    if isinstance(labels, str):
        return [labels]
    if isinstance(labels, Mapping):
        return [label for given in labels.values() for label in ([given] if isinstance(given, str) else given)]
    return labels
