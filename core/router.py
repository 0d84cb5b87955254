"""Decides who answers a turn. In this order, and the first that does not `Pass` wins:

0. a voice note that was not heard, or not well: the bot says so, or asks whether it heard right,
1. a pressed choice, or the answer to an open question,
2. commands and patterns,
3. intents, by a classifier with a calibrated "none of these",
4. answers, from a knowledge base for example,
5. the honest "I do not know", with a person on offer.
"""

import dataclasses
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from frontdesk.core.conversations import Question
from frontdesk.core.dialogue import phrases
from frontdesk.core.dialogue.commands import Commands
from frontdesk.core.dialogue.corrections import abandons, correction
from frontdesk.core.dialogue.forms import Forms
from frontdesk.core.dialogue.intents import IntentMatcher
from frontdesk.core.dialogue.questions import read_answer
from frontdesk.core.dialogue.spoken import dropped, lapse, said, said_badly, said_otherwise, unheard
from frontdesk.core.effects import NO, Open, Routed
from frontdesk.core.handlers import Handler
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import ANSWER_WITHIN, Pass, Reply
from frontdesk.core.plugin import Intent, Plugin
from frontdesk.core.registry import Registry, checked
from frontdesk.core.turn import Answer, Proceed, Turn

MAX_TRIES = 2
"""How often an unread answer is asked for again before the question is given up."""

SOMETHING_ELSE = "-"


Route = Callable[[Turn], Awaitable[Routed]]


class Router:
    """Asks whether it heard right where a voice note was understood with less confidence than `ask_below`."""

    def __init__(
        self, registry: Registry, forms: Forms, intents: IntentMatcher, commands: Commands, *, ask_below: float = 0.0
    ) -> None:
        self._ask_below = ask_below
        self._registry = registry
        self._forms = forms
        self._intents = intents
        self._commands = commands
        self._middlewares = [(plugin, handler) for plugin in registry.plugins.values() for handler in plugin.middlewares]

    async def route(self, turn: Turn) -> Routed:
        """Runs the plugins' middlewares, the first plugin's outermost, around the stages."""
        route: Route = self._stages
        for plugin, handler in reversed(self._middlewares):
            route = self._wrapped(plugin, handler, route)
        return await route(turn)

    async def route_owned(self, turn: Turn) -> Routed | None:
        """While a person has the conversation: what is declared `always`, and the answer to what that has asked.

        None for everything else, which is for that person. Middlewares are not asked.
        """
        question = turn.state.question
        if question is not None and question.expires <= turn.now:
            turn.change(question=None)
            question = None
        answered = None
        if question is not None and question.kind in ("confirm", "choice") and not turn.text.startswith("/"):
            answered = await self._answered(turn, question)
        return answered or await self._commands.run(turn, owned=True) or await self._pattern(turn, owned=True)

    def _wrapped(self, plugin: Plugin, handler: Handler, inner: Route) -> Route:
        async def route(turn: Turn) -> Routed:
            routed: list[Routed] = []

            async def rest() -> Any:
                routed.append(await inner(turn))
                turn.plugin = plugin.name
                return routed[-1].outcome

            outcome = await self._registry.value_of(handler, turn, given={Proceed: Proceed(rest)})
            if isinstance(outcome, Pass):
                return routed[-1] if routed else await inner(turn)
            if routed and _is_version_of(routed[-1].outcome, outcome):
                return dataclasses.replace(routed[-1], outcome=outcome)
            return Routed(checked(handler, outcome), plugin)

        return route

    async def _stages(self, turn: Turn) -> Routed:
        for stage in (self._spoken, self._open_question, self._command, self._pattern, self._intent, self._answer):
            routed = await stage(turn)
            if routed is not None and not isinstance(routed.outcome, Pass):
                return routed
        return self._unanswered(turn)

    async def _spoken(self, turn: Turn) -> Routed | None:
        lapse(turn)
        return said_badly(turn, self._ask_below)

    async def _open_question(self, turn: Turn) -> Routed | None:
        question = turn.state.question
        if question is not None and question.expires <= turn.now:
            turn.change(question=None, form=None)
            question = None
        pressed = turn.messages[-1].choice if turn.messages else None
        if pressed is not None and pressed.question is not None and (question is None or pressed.question != question.id):
            return Routed(Reply(phrases.CLOSED_BUTTON), ask_again=question is not None)
        if turn.text.startswith("/"):
            return None
        if (question or (turn.state.form and not turn.state.form.done)) and abandons(turn.text, turn.language):
            turn.change(question=None, form=None)
            return Routed(Reply((question and question.declined) or phrases.ABANDONED))
        if turn.state.form and (routed := await self._corrected(turn)):
            return routed
        if question is None:
            return None
        if question.kind == "heard":
            return await self._heard(turn, question)
        return await self._answered(turn, question) or await self._digressed(turn, question)

    async def _heard(self, turn: Turn, question: Question) -> Routed | None:
        answer = read_answer(question, turn, self._forms.context(turn, answering=True))
        if answer == NO:
            return said_otherwise(turn, question)
        if answer is None:
            dropped(turn, question)
        else:
            said(turn, question)
        return await self._open_question(turn)

    async def _corrected(self, turn: Turn) -> Routed | None:
        wanted = correction(turn.text, turn.language)
        return await self._forms.correct(turn, wanted) if wanted else None

    async def _answered(self, turn: Turn, question: Question) -> Routed | None:
        if question.kind == "slot":
            return await self._forms.answer(turn, question)
        answer = read_answer(question, turn, self._forms.context(turn, answering=True))
        if answer is None:
            return None
        turn.change(question=None)
        if question.kind == "intent":
            return await self._chosen_intent(turn, question, answer)
        plugin = self._registry.plugins.get(question.plugin)
        step = plugin.steps.get(question.step) if plugin else None
        if plugin is None or step is None:  # the plugin was disabled, or has changed, while the question was open
            return Routed(Reply(phrases.CLOSED_BUTTON))
        if question.kind == "confirm" and answer == NO:
            return Routed(Reply(question.declined), plugin)
        return Routed(await self._registry.call(step, turn, given={Answer: answer}, arguments=question.args), plugin)

    async def _chosen_intent(self, turn: Turn, question: Question, answer: Answer) -> Routed:
        intent = self._registry.intents.get(answer)
        if intent is None:
            return self._unanswered(turn)
        turn.text = question.args["text"]
        return await self._forms.start(turn, intent)

    async def _digressed(self, turn: Turn, question: Question) -> Routed:
        """The text is no answer: it may be another wish, another question, or unclear."""
        match = await self._intents.match(turn.text)
        current = self._forms.intent_of(turn)
        if match.intent and match.sure and not match.rivals and (current is None or match.intent != current.id):
            return await self._other_wish(turn, question, self._registry.intents[match.intent])
        if answered := await self._answered_well(turn):
            return Routed(answered.outcome, answered.plugin, ask_again=True)
        if question.tries >= MAX_TRIES:
            turn.change(question=None, form=None)
            return self._unanswered(turn)
        again = msgspec.structs.replace(question, tries=question.tries + 1, text=self._asked_again(turn, question))
        return Routed(Open(again), self._registry.plugins.get(question.plugin))

    async def _other_wish(self, turn: Turn, question: Question, intent: Intent) -> Routed:
        """Turns to another intent. One that is done in a word, such as a greeting, leaves the question open."""
        form = turn.state.form
        turn.change(question=None)
        routed = await self._forms.start(turn, intent)
        if intent.handler.slots or not isinstance(routed.outcome, Reply) or routed.outcome.resolves:
            return routed
        turn.change(question=question, form=form)
        return Routed(routed.outcome, routed.plugin, ask_again=True)

    def _asked_again(self, turn: Turn, question: Question) -> str:
        lead = turn.say(phrases.NOT_UNDERSTOOD)
        hint = ""
        if question.kind == "slot" and (intent := self._forms.intent_of(turn)) and question.step in intent.handler.slots:
            hint = turn.say(intent.handler.slots[question.step].type.hint)
        text = question.text if question.tries else f"{lead} {question.text}"
        return text if not hint or hint in text else f"{text} {hint}"

    async def _command(self, turn: Turn) -> Routed | None:
        return await self._commands.run(turn)

    async def _pattern(self, turn: Turn, *, owned: bool = False) -> Routed | None:
        for plugin in self._registry.plugins.values():
            for pattern in plugin.patterns:
                if (pattern.always or not owned) and (found := pattern.regex.search(turn.text)):
                    outcome = await self._registry.call(pattern.handler, turn, given={re.Match: found})
                    if not isinstance(outcome, Pass):
                        return Routed(outcome, plugin)
        return None

    async def _intent(self, turn: Turn) -> Routed | None:
        match = await self._intents.match(turn.text)
        if match.intent is None:
            return None
        if not match.sure and (answered := await self._answered_well(turn)):
            return answered
        if match.rivals:
            likely = [self._registry.intents[id] for id in (match.intent, *match.rivals)]
            if len(offered := [intent for intent in likely if intent.offered]) > 1:
                return self._which(turn, offered)
            if not match.sure and not likely[0].offered:
                return None
        return await self._forms.start(turn, self._registry.intents[match.intent])

    def _which(self, turn: Turn, intents: Sequence[Intent]) -> Routed:
        choices = [Choice(turn.say(intent.description), intent.id) for intent in intents]
        choices.append(Choice(turn.say(phrases.SOMETHING_ELSE), SOMETHING_ELSE))
        question = Question(
            id=f"{turn.id}/intent",
            kind="intent",
            plugin="",
            step="",
            text=turn.say(phrases.WHICH_INTENT),
            expires=turn.now + ANSWER_WITHIN,
            args={"text": turn.text},
            choices=tuple(choices),
        )
        return Routed(Open(question))

    async def _answer(self, turn: Turn) -> Routed | None:
        for plugin in self._registry.plugins.values():
            for handler in plugin.answers:
                outcome = await self._registry.call(handler, turn)
                if not isinstance(outcome, Pass):
                    return Routed(outcome, plugin)
        return None

    async def _answered_well(self, turn: Turn) -> Routed | None:
        """An answer that is one, not a plugin's way of saying that it does not know."""
        routed = await self._answer(turn)
        return routed if routed and isinstance(routed.outcome, Reply) and routed.outcome.answers else None

    def _unanswered(self, turn: Turn) -> Routed:
        if (nothing := unheard(turn)) is not None:
            return nothing
        words = phrases.UNANSWERED
        if turn.has_pictures:
            words = phrases.PICTURE_UNSEEN
        elif turn.attachments and not turn.text:
            words = phrases.ATTACHMENT_ONLY
        return Routed(Reply(words, choices=[Choice(turn.say(phrases.TALK_TO_A_PERSON), "/human")], answers=False))


def _is_version_of(inner: object, outer: object) -> bool:
    """Whether a middleware has only changed an outcome, its words for example: it stays the other plugin's, with its steps."""
    return type(outer) is type(inner) and getattr(outer, "then", None) is getattr(inner, "then", None)
