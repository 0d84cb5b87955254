"""Takes the turns: one at a time in a conversation, conversations side by side.

A turn ends in one of four ways, and the customer is never left without an answer:

* committed, with what the router decided;
* tried again with backoff, if the handler raised `TransientError`;
* buried, if it raised anything else, took too long or was tried too often: the messages become dead letters, an apology goes out;
* silent, while a person owns the conversation: the messages are only recorded.
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

from frontdesk.core.conversations import Conversation
from frontdesk.core.dialogue import phrases
from frontdesk.core.dialogue.language import LanguageDetector
from frontdesk.core.effects import Effects, Routed
from frontdesk.core.errors import FrontdeskError, Stale, TransientError
from frontdesk.core.events import Changed, Events
from frontdesk.core.handoff import closed
from frontdesk.core.messages import Body, Entry, Message
from frontdesk.core.metrics import Metrics
from frontdesk.core.outcomes import ANSWER_WITHIN, Reply
from frontdesk.core.registry import Registry
from frontdesk.core.router import Router
from frontdesk.core.store import Claim, Store
from frontdesk.core.tasks import FAILURES, Tasks, backoff, being_cancelled, when_writable
from frontdesk.core.turn import Turn
from frontdesk.core.watchdog import Watchdog

log = structlog.get_logger(__name__)

BURST = 50
"""So many messages at most are taken as one turn."""
TYPING_AFTER = 0.4
"""Seconds after which the customer is shown that the bot is working."""


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
        languages: LanguageDetector,
        *,
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
            channel = first.channel
            if pause := self._limits.bursts.get(channel, 0):
                await asyncio.sleep(pause)
            changed = await self._turn(claim, _taken_together(claim.waiting(BURST)) if pause else claim.waiting(1))
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
        while True:
            known = await claim.load()
            before = self._updated(known, messages)
            turn = Turn(before, messages, now=before.updated, read_history=self._read_history)
            effects = Effects(turn, turn.id)
            error: str | None = None
            cause: BaseException | None = None
            try:
                result = await self._decide(turn, effects, claim.attempts)
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
            try:
                committed = await self._commit(claim, len(messages), error, turn.state, effects.entries, known=known)
            except Stale:
                continue
            self._metrics.turn(turn.channel, turn.plugin, result, perf_counter() - started)
            return Changed(committed, tuple(effects.entries))

    async def _decide(self, turn: Turn, effects: Effects, attempts: int) -> str:
        """Lets the router answer. Raises what a handler raises, and `TimeoutError`."""
        if attempts >= self._limits.attempts:
            raise RuntimeError(f"this message was begun {attempts} times and never came to an end")
        if turn.state.owner != "bot" or turn.messages[-1].kind in ("edited", "deleted"):
            return "silent"
        async with self._watchdog.watch(partial(self._typing, turn.channel, turn.conversation)):
            effects.apply(await self._router.route(turn))
        turn.keep_memory()
        if effects.resolved:
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
            effects.apply(Routed(Reply(phrases.FAILED, answers=False)))
        turn.plugin = plugin
        return turn, effects

    def _updated(self, known: Conversation | None, messages: Sequence[Message]) -> Conversation:
        """The state of the conversation with what the messages themselves say about contact and language."""
        first, last, now = messages[0], messages[-1], self._now()
        if known is None:
            known = Conversation(
                id=first.conversation, channel=first.channel, contact=first.contact, created=now, updated=now, language=""
            )
        language = known.language
        if not known.language_chosen:
            language = self._languages.detect(last.text, known.language or last.language)
        form = known.form
        if form is not None and known.question is None and now - known.updated > ANSWER_WITHIN:
            form = None  # what is said now corrects nothing that was said so long ago
        return msgspec.structs.replace(known, contact=last.contact, language=language, form=form, updated=now, resolved=None)

    async def _read_history(self, conversation: str, limit: int) -> list[Entry]:
        return await self._store.transcript(conversation, limit=limit)


def _taken_together(waiting: Sequence[Message]) -> Sequence[Message]:
    """The first messages that can be one turn: a button, a command or the change of an earlier message is a turn of its own."""

    def is_plain(message: Message) -> bool:
        return message.kind == "new" and message.choice is None and not message.text.lstrip().startswith("/")

    return tuple(takewhile(is_plain, waiting)) or waiting[:1]


def _described(error: BaseException) -> str:
    """The error's type and, for our own errors only, its words: those of a plugin may hold what a customer wrote."""
    return f"{type(error).__name__}: {error}" if isinstance(error, FrontdeskError | TimeoutError) else type(error).__name__


def _place(error: BaseException | None) -> str:
    """Where it was raised, the innermost frame last, without any words of the exception."""
    root = error and (error.__cause__ or error)
    frames = traceback.extract_tb(root.__traceback__)[-3:] if root else ()
    return " > ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
