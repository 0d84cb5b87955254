"""Any words at all, such as the reason for a complaint."""

from typing import ClassVar

from frontdesk.core.dialogue.slots import questions
from frontdesk.core.dialogue.slots.base import Found, SlotContext, SlotType


class FreeText(SlotType[str]):
    """The whole answer, stripped of outer space. Lengths in characters, inclusive; found only in a direct answer."""

    ask = questions.ASK_TEXT
    hint = questions.HINT_TEXT
    min_length: ClassVar[int] = 1
    max_length: ClassVar[int] = 2_000

    @classmethod
    def find(cls, text: str, context: SlotContext) -> list[Found[str]]:
        value = text.strip()
        if not context.answering or not max(cls.min_length, 1) <= len(value) <= cls.max_length:
            return []
        start = text.index(value)
        return [Found(value=value, start=start, end=start + len(value), text=value)]
