"""What the bot says to a voice note that it did not hear, or not well enough to act on."""

import msgspec

from frontdesk.core.conversations import Question
from frontdesk.core.dialogue import phrases
from frontdesk.core.effects import NO, YES, Open, Routed
from frontdesk.core.markdown import escaped
from frontdesk.core.messages import AudioPart, Choice, TextPart, Unheard
from frontdesk.core.outcomes import ANSWER_WITHIN, Reply
from frontdesk.core.text import Text
from frontdesk.core.turn import Turn

MAX_TRIES = 2
"""How often the bot asks whether it has heard right, before it gives up on the sound of somebody's voice."""

LONGEST = 400
"""Characters of what was heard that are repeated: enough to tell whether it is right."""

UNHEARD: dict[Unheard, Text] = {
    "no_model": phrases.CANNOT_LISTEN,
    "silence": phrases.NOTHING_HEARD,
    "unreadable": phrases.UNREADABLE_RECORDING,
    "too_long": phrases.LONG_RECORDING,
    "failed": phrases.LISTENING_FAILED,
}


def said_badly(turn: Turn, ask_below: float) -> Routed | None:
    """None where something was written, or everything was heard well."""
    if any(isinstance(part, TextPart) and part.text.strip() for message in turn.messages for part in message.parts):
        return None
    if (nothing := unheard(turn)) is not None:
        return nothing
    heard = [part for part in _recordings(turn) if part.transcript]
    if not heard or min(1.0 if part.confidence is None else part.confidence for part in heard) >= ask_below:
        return None
    return _is_that_right(turn)


def unheard(turn: Turn) -> Routed | None:
    """Why nothing was heard of what was spoken. None where something was heard, or nothing spoken."""
    spoken = _recordings(turn)
    if not spoken or any(part.transcript for part in spoken):
        return None
    reason = next((part.unheard for part in spoken if part.unheard), None)
    words = UNHEARD[reason] if reason else phrases.RECORDING_MISSING
    return Routed(Reply(words, choices=_person(turn), answers=False))


def _recordings(turn: Turn) -> list[AudioPart]:
    return [part for message in turn.messages for part in message.parts if isinstance(part, AudioPart)]


def lapse(turn: Turn) -> None:
    """Goes back to the question before, where nobody has said for long whether it was heard rightly."""
    question = turn.state.question
    if question is not None and question.kind == "heard" and question.expires <= turn.now:
        dropped(turn, question)


def said(turn: Turn, question: Question) -> None:
    """Takes what was heard for what was written, with the question open that was open then."""
    turn.hear(question.args["text"])
    turn.change(question=_before(question))


def said_otherwise(turn: Turn, question: Question) -> Routed:
    """The customer says that it was heard wrongly."""
    turn.change(question=_before(question))
    return Routed(Reply(phrases.SAY_IT_AGAIN, answers=False))


def dropped(turn: Turn, question: Question) -> None:
    """The customer has gone on instead of saying whether it was heard rightly."""
    turn.change(question=_before(question))


def _is_that_right(turn: Turn) -> Routed:
    asked = turn.state.question
    again = asked is not None and asked.kind == "heard"
    before = _before(asked) if asked is not None and again else asked
    tries = asked.tries + 1 if asked is not None and again else 0
    if tries >= MAX_TRIES:
        turn.change(question=before)
        return Routed(Reply(phrases.HEARD_BADLY, choices=_person(turn), answers=False))
    question = Question(
        id=f"{turn.id}/heard",
        kind="heard",
        plugin="",
        step="",
        text=turn.say(phrases.HEARD).format(words=_quoted(turn.text)),
        expires=turn.now + ANSWER_WITHIN,
        args={"text": turn.text, "before": msgspec.to_builtins(before)},
        choices=(Choice(turn.say(phrases.YES), YES), Choice(turn.say(phrases.NO), NO)),
        tries=tries,
    )
    return Routed(Open(question))


def _quoted(words: str) -> str:
    """On one line, as it was said: what sounds like markup is none."""
    words = " ".join(words.split())
    return escaped(words if len(words) <= LONGEST else f"{words[:LONGEST].rstrip()} …")


def _before(question: Question) -> Question | None:
    return msgspec.convert(question.args["before"], Question | None)


def _person(turn: Turn) -> list[Choice]:
    return [Choice(turn.say(phrases.TALK_TO_A_PERSON), "/human")]
