"""Reads what a customer says to an open question."""

import re

from frontdesk.core.conversations import Question
from frontdesk.core.dialogue.slots import SlotContext, YesNo
from frontdesk.core.effects import NO, YES
from frontdesk.core.messages import Choice
from frontdesk.core.turn import Answer, Turn

_ORDINAL = re.compile(r"\s*(?:no\.?|number|nr\.?|#|第)?\s*(\d{1,2})\s*(?:个|\.|\))?\s*\Z", re.IGNORECASE)


def read_answer(question: Question, turn: Turn, context: SlotContext) -> Answer | None:
    """The answer to a question of kind `confirm`, `choice`, `intent` or `free`; None where the text is not an answer."""
    if pressed := pressed_value(question, turn):
        return Answer(pressed)
    if question.kind == "free":
        picked = pick(question.choices, turn.text)
        return Answer(picked.value if picked else turn.text) if turn.text or turn.attachments else None
    if question.kind == "confirm":
        found = YesNo.find(turn.text, context)
        return Answer(YES if found[0].value else NO) if found else None
    picked = pick(question.choices, turn.text)
    return Answer(picked.value) if picked else None


def pressed_value(question: Question, turn: Turn) -> str | None:
    """The value of the button of this question that was pressed."""
    choice = turn.messages[-1].choice if turn.messages else None
    if choice is None or choice.question != question.id:
        return None
    return next((offered.value for offered in question.choices if offered.value == choice.value), None)


def pick(choices: tuple[Choice, ...], text: str) -> Choice | None:
    """The choice that a text names: by its label or value, by its number, or by a label of which it is the only beginning."""
    wanted = _folded(text)
    if not wanted:
        return None
    for choice in choices:
        if wanted in (_folded(choice.label), _folded(choice.value)):
            return choice
    if (number := _ORDINAL.match(wanted)) and 1 <= int(number[1]) <= len(choices):
        return choices[int(number[1]) - 1]
    begun = [choice for choice in choices if _folded(choice.label).startswith(wanted)]
    return begun[0] if len(begun) == 1 and len(wanted) > 1 else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?。！？")
