"""What an outcome does: the new state of the conversation and the entries that go with it, to be committed together."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from frontdesk.core.conversations import Handoff, Question, QuestionKind
from frontdesk.core.dialogue import phrases
from frontdesk.core.errors import WiringError
from frontdesk.core.messages import Attachment, B, Body, Choice, Mark, MarkEvent, Outgoing, Source, decode, encode, storable
from frontdesk.core.outcomes import Ask, AskSlot, Confirm, Escalate, Outcome, Pass, Reply
from frontdesk.core.plugin import Plugin
from frontdesk.core.text import Words
from frontdesk.core.turn import Turn

YES, NO = "yes", "no"


@dataclass(frozen=True)
class Open:
    """The core's own outcome: asks a question that is ready to be kept."""

    question: Question


@dataclass(frozen=True, slots=True)
class Routed:
    """An outcome and the plugin it came from, None for the core's own. With `ask_again`, the open question follows."""

    outcome: Outcome | Open
    plugin: Plugin | None = None
    ask_again: bool = False


class Effects:
    """Collects what a turn leads to. Ids are made from `id`, so that a repeated turn makes the same ones.

    `spoken` are the files that were made for it alone: nobody needs them if it is not committed.
    """

    def __init__(self, turn: Turn, id: str) -> None:
        self._turn = turn
        self._id = id
        self.entries: list[Body] = []
        self.spoken: list[Attachment] = []
        self.resolved = False

    def apply(self, routed: Routed) -> None:
        """Raises `WiringError` if a question leads to a step that the plugin does not have, or if something has a wrong type."""
        turn, outcome, plugin = self._turn, routed.outcome, routed.plugin
        turn.plugin = plugin.name if plugin else ""
        match outcome:
            case Reply():
                self.say(outcome.text, choices=outcome.choices, sources=outcome.sources, reply=outcome)
                turn.change(failures=0 if outcome.answers else turn.state.failures + 1)
                self.resolved |= outcome.resolves
            case Ask() | Confirm():
                if plugin is None:
                    raise WiringError(f"only a plugin can ask: {outcome!r}")
                self._ask(outcome, plugin)
            case Escalate():
                self._escalate(outcome)
            case AskSlot():
                raise WiringError(f"only an intent's handler can ask for a slot: {outcome!r}")
            case Open():
                self._put(outcome.question)
            case Pass():
                pass
        question = turn.state.question
        if routed.ask_again and question is not None:
            self._put(question)

    def say(
        self,
        text: Words,
        *,
        choices: Sequence[Choice] = (),
        sources: Sequence[Source] = (),
        question: str | None = None,
        reply: Reply | None = None,
    ) -> None:
        turn = self._turn
        last = turn.messages[-1] if turn.messages else None
        outgoing = storable(
            Outgoing(
                id=self._next_id(),
                channel=turn.state.channel,
                conversation=turn.state.id,
                contact=turn.state.contact,
                text=turn.say(text),
                at=turn.now,
                choices=tuple(choices),
                question=question,
                attachments=tuple(reply.attachments) if reply else (),
                sources=tuple(sources),
                reply_to=last.id if last else None,
                language=turn.language,
                plugin=turn.plugin or None,
            )
        )
        is_words_only = not (outgoing.choices or outgoing.attachments or outgoing.sources)
        self.entries.append(outgoing if is_words_only and isinstance(outgoing.text, str) else self._readable(outgoing))

    def _readable(self, entry: B) -> B:
        """The entry, if it can be read again: nothing else checks what plugins put into it."""
        try:
            decode(encode(entry))
        except msgspec.ValidationError as error:
            raise WiringError(f"plugin {self._turn.plugin!r}: what it returned has a wrong type inside: {error}") from error
        return entry

    def _put(self, question: Question) -> None:
        """Opens a question and asks it."""
        self._turn.change(question=question)
        self.say(question.text, choices=question.choices, question=question.id)

    def mark(self, event: MarkEvent, reason: str = "") -> None:
        turn = self._turn
        mark = Mark(id=self._next_id(), conversation=turn.state.id, event=event, at=turn.now, reason=reason)
        self.entries.append(self._readable(storable(mark)))

    def _next_id(self) -> str:
        return f"{self._id}/{len(self.entries)}"

    def _ask(self, outcome: Ask | Confirm, plugin: Plugin) -> None:
        turn = self._turn
        step = plugin.step_name(outcome.then)
        plugin.steps[step].check_arguments(outcome.args)
        kind: QuestionKind
        choices: tuple[Choice, ...]
        if isinstance(outcome, Confirm):
            kind = "confirm"
            choices = (Choice(turn.say(phrases.YES), YES), Choice(turn.say(phrases.NO), NO))
            declined = turn.say(outcome.declined or phrases.DECLINED)
        else:
            kind = "choice" if outcome.choices and not outcome.free else "free"
            choices = tuple(outcome.choices)
            declined = ""
        self._put(
            Question(
                id=self._next_id(),
                kind=kind,
                plugin=plugin.name,
                step=step,
                text=turn.say(outcome.text),
                declined=declined,
                expires=turn.now + outcome.within,
                args=msgspec.to_builtins(dict(outcome.args)),
                choices=choices,
            )
        )
        turn.change(failures=0)

    def _escalate(self, outcome: Escalate) -> None:
        turn = self._turn
        if turn.state.owner != "bot":
            return
        turn.change(
            owner="queue",
            agent=None,
            question=None,
            failures=0,
            resolved=None,
            handoff=Handoff(reason=outcome.reason, at=turn.now, summary=outcome.summary),
        )
        self.mark("escalated", outcome.reason)
        self.say(outcome.text or phrases.ESCALATED)
