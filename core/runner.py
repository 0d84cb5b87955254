"""Takes the turns: one at a time in a conversation, conversations side by side.

A turn ends in one of four ways, and the customer is never left without an answer:

* committed, with what the router decided;
* tried again with backoff, if the handler raised `TransientError`;
* buried, if it raised anything else, took too long or was tried too often: the messages become dead letters, an apology goes out;
* silent, while a person owns the conversation (but for the customer's own settings), or if nothing is said but only changed: the
  messages are only recorded.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from time import perf_counter

import msgspec
import structlog

from frontdesk.core.changes import folded, revisions
from frontdesk.core.conversations import Conversation
from frontdesk.core.dialogue import phrases
from frontdesk.core.dialogue.language import LanguageDetector
from frontdesk.core.effects import Effects, Routed
from frontdesk.core.errors import FrontdeskError, Stale, TransientError
from frontdesk.core.events import Accepted, Changed, Event, Events
from frontdesk.core.files import Files
from frontdesk.core.handoff import closed
from frontdesk.core.hearing import Hearing
from frontdesk.core.messages import AudioPart, Body, Choice, Contact, Entry, Message
from frontdesk.core.metrics import Metrics
from frontdesk.core.outcomes import ANSWER_WITHIN, Reply
from frontdesk.core.registry import Registry
from frontdesk.core.router import Router
from frontdesk.core.speaking import Speaking
from frontdesk.core.store import Claim, Store
from frontdesk.core.tasks import FAILURES, Tasks, backoff, being_cancelled, when_writable
from frontdesk.core.turn import Superseded, Turn, never
from frontdesk.core.watchdog import Watchdog

log = structlog.get_logger(__name__)

BURST = 50
"""So many messages at most are taken as one turn."""
TYPING_AFTER = 0.4
"""Seconds after which the customer is shown that the bot is working."""
TAKEN_AGAIN = 3
"""How often what the customer writes meanwhile may begin a turn anew."""
GROUP_SECONDS = 0.8
"""How long a turn waits for the rest of an album, whose pieces come one by one."""


@dataclass(frozen=True, kw_only=True)
class TurnLimits:
    """`seconds` is the time limit of a turn. `bursts` gives, by channel, how many seconds a turn waits for more messages."""

    concurrent: int = 500
    seconds: float = 30.0
    attempts: int = 5
    bursts: Mapping[str, float] = field(default_factory=dict)


class Runner:
    """`typing` is told the channel and the conversation of a turn that takes a while."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        router: Router,
        *,
        languages: LanguageDetector,
        files: Files,
        hearing: Hearing,
        speaking: Speaking,
        events: Events,
        metrics: Metrics,
        limits: TurnLimits,
        typing: Callable[[str, str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._registry = registry
        self._router = router
        self._languages = languages
        self._files = files
        self._hearing = hearing
        self._speaking = speaking
        self._events = events
        self._metrics = metrics
        self._limits = limits
        self._typing = typing
        self._now = now
        self._free = asyncio.Semaphore(limits.concurrent)
        self._watchdog = Watchdog(limits.seconds, slow_after=TYPING_AFTER)
        self._tasks = Tasks()

    async def run(self) -> None:
        """Takes turns until it is cancelled or the store is closed."""
        async for claim in self._store.turns():
            await self._free.acquire()
            self._tasks.start(self._take(claim))

    async def drain(self, seconds: float) -> None:
        """Lets the running turns finish. What does not finish in time is taken up again at the next start."""
        if late := await self._tasks.drain(seconds):
            log.warning("turns cut off at shutdown", turns=late)

    async def resolved(self, state: Conversation) -> tuple[Conversation, list[Body]]:
        """What the plugins say after an agent has resolved a conversation."""
        turn = Turn(state, (), now=self._now(), read_history=self._read_history)
        effects = Effects(turn, turn.id)
        await self._run_resolved_hooks(turn, effects)
        return turn.state, effects.entries

    async def _take(self, claim: Claim) -> None:
        try:
            first = claim.waiting(1)[0]
            # Each turn is a task with a context of its own; whatever it logs says which conversation it is about.
            structlog.contextvars.bind_contextvars(conversation=first.conversation)
            burst = self._limits.bursts.get(first.channel, 0)
            if pause := max(burst, GROUP_SECONDS if first.group else 0):
                await asyncio.sleep(pause)
            taken = _taken_together(claim.waiting(BURST), burst=burst > 0) if pause else claim.waiting(1)
            changed = await self._turn(claim, taken)
        except FAILURES:
            if being_cancelled():
                raise
            # A claim that is never given back would strand its conversation.
            log.exception("a turn broke outside of its handler")
            await self._give_back(claim, backoff(claim.attempts), "a turn broke outside of its handler")
        else:
            if changed is not None:
                self._events.publish(changed)
        finally:
            self._free.release()

    async def _turn(self, claim: Claim, messages: Sequence[Message]) -> Changed | None:
        """Takes one turn. None if it will be tried again."""
        started = perf_counter()
        taken_again = 0
        while True:
            heard: Sequence[Message] = messages
            changed = 0
            if len(waiting := claim.waiting(BURST)) > len(messages):
                heard, changed = folded(messages, waiting), _changes(messages, waiting)
            known = await claim.load()
            try:
                heard = await self._files.fetched(heard, last=claim.attempts + 1 >= self._limits.attempts)
            except TransientError as failure:
                await self._give_back(claim, failure.retry_after or backoff(claim.attempts), _described(failure))
                return None
            if self._hearing.has_work(heard) and claim.attempts < self._limits.attempts:
                heard = await self._listen(heard, known)
                if _changes(messages, claim.waiting(BURST)) > changed:
                    continue  # taken back or edited meanwhile; what was heard is remembered
            changes = await revisions(self._store, heard)
            before = self._updated(known, heard or messages)
            turn = Turn(
                before,
                heard or messages,
                now=before.updated,
                read_history=self._read_history,
                superseded=partial(self._superseded, claim, messages, changed) if taken_again < TAKEN_AGAIN else never,
            )
            effects = Effects(turn, turn.id)
            error: str | None = None
            cause: BaseException | None = None
            try:
                result = await self._decide(turn, effects, claim.attempts) if _wants_answer(heard) else "silent"
            except Superseded:
                messages = _taken_together(claim.waiting(BURST), burst=True)
                taken_again += 1
                continue
            except TransientError as failure:
                if claim.attempts + 1 < self._limits.attempts:
                    self._metrics.turn(turn.channel, turn.plugin, "retried", perf_counter() - started)
                    await self._give_back(claim, failure.retry_after or backoff(claim.attempts), _described(failure))
                    return None
                error, cause = f"given up after {claim.attempts + 1} attempts: {_described(failure)}", failure
            except FAILURES as failure:
                if being_cancelled():
                    raise asyncio.CancelledError from failure
                error, cause = _described(failure), failure
            if error is not None:
                log.error(
                    "a turn failed", conversation=before.id, message=turn.id, plugin=turn.plugin, error=error, at=_place(cause)
                )
                result = "failed"
                turn, effects = self._apologised(before, messages, turn.plugin)
            entries = [*_with_files_now(messages, heard), *changes.record, *effects.entries]
            try:
                committed = await self._commit(claim, len(messages), error, turn.state, entries, known=known)
            except Stale:
                await self._files.drop(effects.spoken)
                continue
            self._metrics.turn(turn.channel, turn.plugin, result, perf_counter() - started)
            await self._files.drop(changes.dropped)
            return Changed(committed, tuple(entries))

    async def _listen(self, messages: Sequence[Message], known: Conversation | None) -> Sequence[Message]:
        """Who waits for a recording to be heard takes no other turn's place: many of them would stop everybody who writes."""
        language, owner = (known.language, known.owner) if known else ("", "bot")
        self._free.release()
        try:
            return await self._hearing.heard(messages, language or None, shown=owner == "bot")
        finally:
            await self._free.acquire()

    async def _superseded(self, claim: Claim, messages: Sequence[Message], changed: int) -> None:
        """Returns as soon as more was written that belongs to the turn of these messages, or one of them was changed again."""
        with self._events.subscribe(messages[0].conversation, wants=_is_accepted) as events:
            while True:
                waiting = claim.waiting(BURST)
                together = _taken_together(waiting, burst=True)
                if len(together) > len(messages) or _changes(messages, waiting) > changed:
                    return
                await events.get()

    async def _decide(self, turn: Turn, effects: Effects, attempts: int) -> str:
        """Lets the router answer. Raises what a handler raises, and `TimeoutError`."""
        if attempts >= self._limits.attempts:
            raise RuntimeError(f"this message was begun {attempts} times and never came to an end")
        owned = turn.state.owner != "bot"
        messages = turn.messages
        async with self._watchdog.watch(partial(self._typing, turn.channel, turn.conversation)):
            routed = await (self._router.route_owned(turn) if owned else self._router.route(turn))
            if routed is None:
                return "silent"
            effects.apply(routed)
        turn.keep_memory()
        await self._speaking.add(turn, messages, effects)
        if effects.resolved and not owned:
            turn.state = closed(turn.state)
            effects.mark("resolved")
            await self._run_resolved_hooks(turn, effects)
        return "done"

    async def _run_resolved_hooks(self, turn: Turn, effects: Effects) -> None:
        """A hook that fails leaves no trace: the matter is resolved, and what was done for it must not be done again."""
        for plugin in self._registry.plugins.values():
            for hook in plugin.resolved_hooks:
                state, said = turn.state, len(effects.entries)
                try:
                    async with self._watchdog.watch():
                        effects.apply(Routed(await self._registry.call(hook, turn), plugin))
                    turn.keep_memory()
                except FAILURES as error:
                    if being_cancelled():
                        raise
                    log.error("a hook failed", conversation=state.id, plugin=plugin.name, error=_described(error))
                    turn.go_back(state)
                    del effects.entries[said:]

    async def _commit(
        self,
        claim: Claim,
        taken: int,
        error: str | None,
        state: Conversation,
        entries: Sequence[Body],
        *,
        known: Conversation | None,
    ) -> Conversation:
        """Holds the conversation until the store can write again.

        Raises `Stale` if it is not the one that was `known` any more. One of another version only, because an agent left a note,
        is still the same: what the handler has done would be done twice.
        """
        end = partial(claim.commit, taken) if error is None else partial(claim.bury, taken, error)
        while True:
            try:
                return await when_writable(partial(end, state, entries), conversation=state.id)
            except Stale:
                now = await claim.load()
                if known is None or now is None or msgspec.structs.replace(now, version=known.version) != known:
                    raise
                state = msgspec.structs.replace(state, version=now.version)

    async def _give_back(self, claim: Claim, delay: float, reason: str) -> None:
        await when_writable(partial(claim.retry, delay, reason))

    def _apologised(self, before: Conversation, messages: Sequence[Message], plugin: str) -> tuple[Turn, Effects]:
        state = msgspec.structs.replace(before, question=None, form=None)
        turn = Turn(state, messages, now=before.updated, read_history=self._read_history)
        effects = Effects(turn, f"{turn.id}/failed")  # other ids than the answer has, should the message be replayed
        if state.owner == "bot":
            person = Choice(turn.say(phrases.TALK_TO_A_PERSON), "/human")
            effects.apply(Routed(Reply(phrases.FAILED, choices=[person], answers=False)))
        turn.plugin = plugin
        return turn, effects

    def _updated(self, known: Conversation | None, messages: Sequence[Message]) -> Conversation:
        """The state of the conversation with what the messages themselves say about contact and language."""
        first, last, now = messages[0], messages[-1], self._now()
        if known is None:
            known = Conversation(
                id=first.conversation, channel=first.channel, contact=first.contact, created=now, updated=now, language=""
            )
        if not _wants_answer(messages):
            return msgspec.structs.replace(known, updated=now)
        language = known.language
        if not known.language_chosen:
            # Noise that was taken for words may be in any language.
            words = last.text if self._hearing.is_sure(last) else ""
            language = self._languages.detect(words, known.language or last.language or self._spoken_language(last))
        form = known.form
        if form is not None and known.question is None and now - known.updated > ANSWER_WITHIN:
            form = None  # what is said now corrects nothing that was said so long ago
        contact = _known_of(known.contact, messages)
        return msgspec.structs.replace(known, contact=contact, language=language, form=form, updated=now, resolved=None)

    def _spoken_language(self, message: Message) -> str | None:
        """What was spoken in, if the bot speaks it."""
        heard = {part.language for part in message.parts if isinstance(part, AudioPart)}
        return next((each for each in self._languages.languages if each.partition("-")[0] in heard), None)

    async def _read_history(self, conversation: str, limit: int) -> list[Entry]:
        return await self._store.transcript(conversation, limit=limit)


def _known_of(contact: Contact, messages: Sequence[Message]) -> Contact:
    """The last message's contact, with what was told of the same one earlier and that message does not tell."""
    for message in messages:
        newer = message.contact
        if newer == contact:
            continue
        if newer.id == contact.id:
            contact = msgspec.structs.replace(
                newer, name=newer.name or contact.name, email=newer.email or contact.email, phone=newer.phone or contact.phone
            )
        else:
            contact = newer
    return contact


def _wants_answer(messages: Sequence[Message]) -> bool:
    """Whether anything is said: not if all was taken back before its turn, only changes what was said before, or is automatic."""
    return any(message.kind == "new" for message in messages)


def _is_accepted(event: Event) -> bool:
    return isinstance(event, Accepted)


def _with_files_now(messages: Sequence[Message], heard: Sequence[Message]) -> list[Message]:
    """Those that the turn has in another form than the transcript: with their files and what is said in them, or as edited."""
    if heard is messages:
        return []
    taken = {message.id: message for message in messages}
    return [message for message in heard if message is not taken[message.id]]


def _changes(messages: Sequence[Message], waiting: Sequence[Message]) -> int:
    """How many edits and deletions of these messages wait."""
    ids = {message.id for message in messages}
    return sum(message.kind in ("edited", "deleted") and message.target in ids for message in waiting)


def _taken_together(waiting: Sequence[Message], *, burst: bool) -> Sequence[Message]:
    """The first messages that can be one turn: the pieces of an album and, in a `burst`, whatever the same person adds.

    A button, a command, and what is not answered is a turn of its own.
    """
    group, writer = waiting[0].group, waiting[0].contact.id

    def belongs(message: Message) -> bool:
        if message.kind != "new" or message.choice is not None or message.text.lstrip().startswith("/"):
            return False
        if message.contact.id != writer:
            return False
        return burst or (group is not None and message.group == group)

    return tuple(takewhile(belongs, waiting)) or waiting[:1]


def _described(error: BaseException) -> str:
    """The error's type and, for our own errors only, its words: those of a plugin may hold what a customer wrote."""
    return f"{type(error).__name__}: {error}" if isinstance(error, FrontdeskError | TimeoutError) else type(error).__name__


def _place(error: BaseException | None) -> str:
    """Where it was raised, the innermost frame last, without any words of the exception."""
    root = error and (error.__cause__ or error)
    frames = traceback.extract_tb(root.__traceback__)[-3:] if root else ()
    return " > ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
