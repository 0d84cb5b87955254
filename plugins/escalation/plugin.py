"""The escalation plugin. Its middleware sees every turn, whatever plugin calls the person."""

from dataclasses import replace

from frontdesk.core.outcomes import Escalate, Outcome, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.text import Text
from frontdesk.core.turn import Proceed, Turn
from frontdesk.plugins.escalation import examples
from frontdesk.plugins.escalation.settings import EscalationSettings
from frontdesk.plugins.escalation.summary import summarise

plugin = Plugin("escalation", description="Calls a person", settings=EscalationSettings)

TALK = Text(
    en="Talk to a person",
    zh="转人工客服",
    de="Mit einem Menschen sprechen",
    fr="Parler à une personne",
    es="Hablar con una persona",
)
PASSED_ON = Text(
    en="I'm passing you to a colleague, with everything you have told me. They will answer here.",
    zh="我正在为您转接人工客服，并已附上您提供的所有信息。客服会在这里回复您。",
    de="Ich gebe Sie an eine Kollegin oder einen Kollegen weiter, mit allem, was Sie geschrieben haben. Die Antwort kommt hier.",
    fr="Je vous passe un collègue, avec tout ce que vous m'avez écrit. La réponse arrivera ici.",
    es="Le paso con un compañero, con todo lo que me ha contado. Le responderá aquí.",
)
NOT_HELPED = Text(
    en="I could not help you with that. I'm passing you to a colleague, with everything you have told me. They will answer here.",
    zh="很抱歉没能帮到您。我正在为您转接人工客服，并已附上您提供的所有信息。客服会在这里回复您。",
    de="Dabei konnte ich nicht helfen. Ich gebe Sie an eine Kollegin oder einen Kollegen weiter, mit allem, was Sie geschrieben "
    "haben. Die Antwort kommt hier.",
    fr="Je n'ai pas pu vous aider. Je vous passe un collègue, avec tout ce que vous m'avez écrit. La réponse arrivera ici.",
    es="No he podido ayudarle. Le paso con un compañero, con todo lo que me ha contado. Le responderá aquí.",
)


@plugin.command("human", help=TALK)
async def human(turn: Turn) -> Escalate:
    return Escalate("the customer asked for a person")


@plugin.intent(
    "talk_to_person",
    description=TALK,
    examples=examples.TALK_TO_PERSON,
)
async def talk_to_person(turn: Turn) -> Escalate:
    return Escalate("the customer asked for a person")


@plugin.middleware
async def escalate(turn: Turn, proceed: Proceed, settings: EscalationSettings) -> Outcome:
    """Applies the rules before the turn, counts failures after it, and gives every hand-over its context."""
    form = turn.state.form
    broken = next((rule for rule in settings.rules if rule.found_in.search(turn.text)), None)
    outcome: Outcome = _by_rule(broken.reason, broken.text) if broken else await proceed()
    if isinstance(outcome, Reply) and not outcome.answers and 0 < settings.unanswered <= turn.state.failures + 1:
        outcome = Escalate(f"no answer {turn.state.failures + 1} times in a row", text=NOT_HELPED)
    if not isinstance(outcome, Escalate):
        return outcome
    context = await summarise(turn, turn.state.form or form)
    told = turn.say(outcome.text or PASSED_ON)
    return replace(
        outcome,
        text=f"{told} {turn.say(settings.hours_text)}" if settings.hours_text else told,
        summary=f"{outcome.summary}\n\n{context}".strip(),
    )


def _by_rule(reason: str, text: dict[str, str] | None) -> Escalate:
    return Escalate(reason, text=Text(**text) if text else None)
