"""Slot filling: an intent's handler runs when its slots are known; until then they are asked for, one at a time."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec

from frontdesk.core.conversations import Filled, Form, Question
from frontdesk.core.dialogue import phrases
from frontdesk.core.dialogue.corrections import Correction
from frontdesk.core.dialogue.questions import pick, pressed_value
from frontdesk.core.dialogue.slots import Found, Slot, SlotContext, SlotType
from frontdesk.core.effects import Open, Routed
from frontdesk.core.errors import WiringError
from frontdesk.core.messages import Choice
from frontdesk.core.outcomes import ANSWER_WITHIN, AskSlot, Outcome
from frontdesk.core.plugin import Intent
from frontdesk.core.registry import Registry
from frontdesk.core.turn import Turn


class Forms:
    """`region` (ISO 3166) and `timezone` say how dates, phone numbers and amounts are read."""

    def __init__(self, registry: Registry, *, timezone: tzinfo, region: str) -> None:
        self._registry = registry
        self._timezone = timezone
        self._region = region

    def context(self, turn: Turn, *, answering: bool) -> SlotContext:
        return SlotContext(
            language=turn.language, now=turn.now, timezone=self._timezone, region=self._region, answering=answering
        )

    async def start(self, turn: Turn, intent: Intent) -> Routed:
        """Takes up an intent with the slots that the text already gives."""
        form = Form(plugin=intent.plugin, intent=intent.name, slots=self._scan(turn, intent, turn.text))
        return await self.go_on(turn, intent, form)

    async def go_on(self, turn: Turn, intent: Intent, form: Form, *, lead: str = "") -> Routed:
        """Asks for the next missing slot, `lead` before the question, or runs the handler."""
        turn.intent = intent.id
        for name, parameter in intent.handler.slots.items():
            if name not in form.slots and not parameter.optional:
                turn.change(form=form)
                return await self._ask(turn, intent, name, lead=lead)
        slots: dict[str, Slot[Any]] = {
            name: Slot(value=parameter.type.from_json(form.slots[name].value), text=form.slots[name].text)
            for name, parameter in intent.handler.slots.items()
            if name in form.slots
        }
        turn.change(form=self._done(turn, intent, form), question=None)
        outcome: Outcome = await self._registry.call(intent.handler, turn, slots=slots)
        if isinstance(outcome, AskSlot):
            return await self._ask_anew(turn, intent, form, outcome)
        return Routed(outcome, self._registry.plugins[intent.plugin])

    async def answer(self, turn: Turn, question: Question) -> Routed | None:
        """Fills the slot that was asked for; None where the text does not give it."""
        form, intent = turn.state.form, self.intent_of(turn)
        if form is None or intent is None or question.step not in intent.handler.slots:
            return None
        slot_type = intent.handler.slots[question.step].type
        picked = pressed_value(question, turn) or ((choice := pick(question.choices, turn.text, turn.language)) and choice.value)
        found = slot_type.find(picked or turn.text, self.context(turn, answering=True))
        if not found:
            return None
        filled = {**form.slots, question.step: _filled(slot_type, found[0])}
        for name, value in self._scan(turn, intent, turn.text).items():
            if name not in filled and intent.handler.slots[name].type is not slot_type:
                filled[name] = value
        turn.change(question=None)
        return await self.go_on(turn, intent, msgspec.structs.replace(form, slots=filled))

    async def correct(self, turn: Turn, correction: Correction) -> Routed | None:
        """Changes a slot that was given before and takes the intent up again; None where nothing can be changed."""
        form, intent = turn.state.form, self.intent_of(turn)
        if form is None or intent is None:
            return None
        context = self.context(turn, answering=False)
        for name, parameter in intent.handler.slots.items():
            current = form.slots.get(name)
            for found in parameter.type.find(correction.rest, context):
                filled = _filled(parameter.type, found)
                if current is None or filled.value != current.value:
                    return await self._take_up(turn, intent, form, {**form.slots, name: filled})
        if not correction.other:
            return None
        return await self._other(turn, intent, form)

    def intent_of(self, turn: Turn) -> Intent | None:
        form = turn.state.form
        return self._registry.intents.get(f"{form.plugin}.{form.intent}") if form else None

    async def _other(self, turn: Turn, intent: Intent, form: Form) -> Routed | None:
        """ "The other one": the only other choice there is, or the question again without the one that is meant no more."""
        name = next((name for name in intent.handler.slots if name in form.slots), None)
        if name is None:
            return None
        slot_type = intent.handler.slots[name].type
        context = self.context(turn, answering=True)
        others: list[tuple[Choice, Found[Any]]] = []
        for choice in await self._choices(turn, intent, slot_type):
            found = slot_type.find(choice.value, context)
            if found and slot_type.to_json(found[0].value) != form.slots[name].value:
                others.append((choice, found[0]))
        if len(others) == 1:
            return await self._take_up(turn, intent, form, {**form.slots, name: _filled(slot_type, others[0][1])})
        kept = {key: value for key, value in form.slots.items() if key != name}
        turn.change(form=msgspec.structs.replace(form, slots=kept, done=False))
        return await self._ask(turn, intent, name, lead=turn.say(phrases.WHICH_OTHER), choices=[choice for choice, _ in others])

    @staticmethod
    def _done(turn: Turn, intent: Intent, form: Form) -> Form | None:
        """The form to keep for corrections. An intent without slots, such as a greeting, does not displace an earlier one."""
        earlier = turn.state.form
        if intent.handler.slots:
            return msgspec.structs.replace(form, done=True)
        return earlier if earlier is not None and earlier.done else None

    async def _ask_anew(self, turn: Turn, intent: Intent, form: Form, wanted: AskSlot) -> Routed:
        if wanted.slot not in intent.handler.slots:
            raise WiringError(f"{intent.handler}: asks for {wanted.slot!r}, which is not one of its slots")
        kept = {name: filled for name, filled in form.slots.items() if name != wanted.slot}
        turn.change(form=msgspec.structs.replace(form, slots=kept, done=False))
        return await self._ask(turn, intent, wanted.slot, lead=turn.say(wanted.text))

    async def _take_up(self, turn: Turn, intent: Intent, form: Form, slots: dict[str, Filled]) -> Routed:
        turn.change(question=None)
        return await self.go_on(turn, intent, msgspec.structs.replace(form, slots=slots, done=False))

    async def _ask(
        self, turn: Turn, intent: Intent, name: str, *, lead: str = "", choices: Sequence[Choice] | None = None
    ) -> Routed:
        slot_type = intent.handler.slots[name].type
        offered = await self._choices(turn, intent, slot_type) if choices is None else choices
        words = turn.say(intent.asks.get(name) or slot_type.ask)
        turn.plugin = intent.plugin
        return Routed(
            Open(
                Question(
                    id=f"{turn.id}/{name}",
                    kind="slot",
                    plugin=intent.plugin,
                    step=name,
                    text=f"{lead} {words}".strip(),
                    expires=turn.now + ANSWER_WITHIN,
                    choices=tuple(offered),
                )
            ),
            self._registry.plugins[intent.plugin],
        )

    async def _choices(self, turn: Turn, intent: Intent, slot_type: type[SlotType[Any]]) -> Sequence[Choice]:
        """What the plugin offers for a slot, or the slot type's own options."""
        handler = self._registry.plugins[intent.plugin].options_of.get(slot_type)
        if handler is None:
            return slot_type.choices(turn.language)
        offered: Sequence[Choice] = await self._registry.value_of(handler, turn)
        return offered

    def _scan(self, turn: Turn, intent: Intent, text: str) -> dict[str, Filled]:
        """The slots that a text gives by itself. Two slots of one type take what is found in order."""
        context = self.context(turn, answering=False)
        found_of: dict[type[SlotType[Any]], list[Found[Any]]] = {}
        filled: dict[str, Filled] = {}
        for name, parameter in intent.handler.slots.items():
            if parameter.type not in found_of:
                found_of[parameter.type] = list(parameter.type.find(text, context))
            if found_of[parameter.type]:
                filled[name] = _filled(parameter.type, found_of[parameter.type].pop(0))
        return filled


def _filled(slot_type: type[SlotType[Any]], found: Found[Any]) -> Filled:
    return Filled(value=slot_type.to_json(found.value), text=found.text)
