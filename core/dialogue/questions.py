"""Reads what a customer says to an open question."""

import re

from frontdesk.core.conversations import Question
from frontdesk.core.dialogue.slots import SlotContext, YesNo
from frontdesk.core.dialogue.slots.folding import fold
from frontdesk.core.dialogue.slots.ordinals import LAST, ordinals
from frontdesk.core.effects import NO, YES
from frontdesk.core.messages import Choice
from frontdesk.core.turn import Answer, Turn

_NUMBER = re.compile(r"\s*(?:no\.?|number|nr\.?|#|第)?\s*(\d{1,2})\s*(?:个|\.|\))?\s*\Z", re.IGNORECASE)
MOST_WORDS = 5
"""A longer text has "second" in it for other reasons."""


def read_answer(question: Question, turn: Turn, context: SlotContext) -> Answer | None:
    """The answer to a question of kind `confirm`, `heard`, `choice`, `intent` or `free`; None where the text is not an answer."""
    if pressed := pressed_value(question, turn):
        return Answer(pressed)
    if question.kind == "free":
        picked = pick(question.choices, turn.text, turn.language)
        return Answer(picked.value if picked else turn.text) if turn.text or turn.attachments else None
    if question.kind in ("confirm", "heard"):
        found = YesNo.find(turn.text, context)
        return Answer(YES if found[0].value else NO) if found else None
    picked = pick(question.choices, turn.text, turn.language)
    return Answer(picked.value) if picked else None


def pressed_value(question: Question, turn: Turn) -> str | None:
    """The value of the button of this question that was pressed."""
    choice = turn.messages[-1].choice if turn.messages else None
    if choice is None or choice.question != question.id:
        return None
    return next((offered.value for offered in question.choices if offered.value == choice.value), None)


def pick(choices: tuple[Choice, ...], text: str, language: str = "en") -> Choice | None:
    """The choice that a text names: by its label or value, its number or place, or as the beginning of one label only."""
    wanted = _folded(text)
    if not wanted:
        return None
    for choice in choices:
        if wanted in (_folded(choice.label), _folded(choice.value)):
            return choice
    number = _number(wanted, language)
    place = len(choices) if number == LAST else number
    if place is not None and 1 <= place <= len(choices):
        return choices[place - 1]
    begun = [choice for choice in choices if _folded(choice.label).startswith(wanted)]
    return begun[0] if len(begun) == 1 and len(wanted) > 1 else None


def _number(wanted: str, language: str) -> int | None:
    """A bare number, or the one place that a short text names ("the second one", "第二个", `LAST`)."""
    if number := _NUMBER.match(wanted):
        return int(number[1])
    if len(wanted) > 40 or len(wanted.split()) > MOST_WORDS:
        return None
    places = {place for place, _, _ in ordinals(fold(wanted), language)}
    return places.pop() if len(places) == 1 else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?。！？")
