"""The bot's end of a child process that holds a model."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic_core import to_json

from frontdesk.core.errors import InvalidInput, ModelError, ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.models import ModelState
from frontdesk.core.tasks import backoff, cancelled
from frontdesk.plugins.models.worker import frames
from frontdesk.plugins.models.worker.frames import Begin, Broken, Call, Cancel, End, Failure, Loading, Piece, Ready, Rubbish
from frontdesk.plugins.models.worker.process import Process

log = structlog.get_logger(__name__)

TICKS = 10
"""Looks at a child within the time in which it must give a sign of life."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a child is waited for, in seconds, and how much of it is kept."""

    silence: float = 30.0
    """Without a sign of life of its event loop, once it is ready; then it is killed."""
    cancelling: float = 60.0
    """For a cancelled call to end; then the child is killed, for it computes what nobody wants."""
    between: float = 1.0
    """Before a model that could not be loaded is tried again; doubled with each further try."""
    later: float = 600.0
    """Between its tries at most: what it needs may be there by then."""
    steady: float = 60.0
    """A child that lived so long is started again at once when it dies; others later and later."""
    unread_pieces: int = 65536
    unread_bytes: int = 16 * 2**20
    """Of one call; what goes beyond is a flood."""


class Worker:
    """Starts a child, starts it again when it dies or hangs, and passes calls and their streamed answers through.

    `service` is the class in the child, as `package.module:Class`; `settings` reach it over the connection, secrets revealed, and
    their class must be importable. `load_seconds` limits how long the loading may go on without a report of progress. `max_calls`
    counts cancelled ones until the child has ended them. `memory` limits the child's private memory, in bytes.
    """

    def __init__(
        self,
        service: str,
        settings: BaseModel,
        *,
        name: str,
        load_seconds: float,
        max_calls: int = 256,
        memory: int | None = None,
        patience: Patience = Patience(),
    ) -> None:
        self.name = name
        self._service = service
        self._settings = settings
        self._load_seconds = load_seconds
        self._max_calls = max_calls
        self._memory = memory
        self._patience = patience
        self._reason = "it has not been started"
        self._state = ModelState(status="stopped", detail=self._reason)
        self._changed = asyncio.Event()
        self._facts: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._life: _Life | None = None
        self._ids = count(1)

    @property
    def state(self) -> ModelState:
        return self._state

    @property
    def facts(self) -> dict[str, Any]:
        """What the service told of the model when it was loaded, the last time; empty before."""
        return self._facts

    @property
    def resident(self) -> int | None:
        """Bytes of memory that the child holds; None if there is none, or where the system has no `/proc`."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")
        except OSError:
            return None

    @property
    def pid(self) -> int | None:
        return self._life.process.pid if self._life is not None else None

    async def start(self) -> None:
        """Returns at once; the child loads beside everything else. Does nothing while it runs."""
        if self._task is None or self._task.done():
            self._set("loading", "its process is being started")
            self._task = asyncio.create_task(self._supervise(self._first_frame()), name=f"model {self.name}")

    async def stop(self) -> None:
        """Ends the child: politely, then by SIGTERM, then by SIGKILL. Calls that run fail."""
        task, self._task = self._task, None
        await cancelled(task)
        if self._task is None:  # nobody has started it meanwhile
            self._set("stopped", "it has been stopped")

    async def loaded(self) -> None:
        """Waits until it is ready. Raises `ModelUnavailable` if it has failed to load, or does not run."""
        while self._state.status == "loading":
            await self._changed.wait()
        if self._state.status != "ready":
            raise self._unavailable()

    async def call(self, method: str, argument: bytes, *, seconds: float) -> AsyncGenerator[bytes]:
        """The pieces of the answer. Closing the generator ends the work in the child.

        Raises `ModelUnavailable` at once while it is not ready or has `max_calls`, `ModelFailed` if the child dies, hangs, takes
        longer than `seconds` or sends much more than is read, and what the service raised.
        """
        life = self._life
        if self._state.status != "ready" or life is None:
            raise self._unavailable()
        if life.busy >= self._max_calls:
            raise ModelUnavailable(f"{self.name} has {life.busy} calls already", retry_after=1.0)
        if len(argument) > frames.MAX_BYTES:
            raise PromptRejected(f"{len(argument)} bytes are more than {self.name} takes at once")
        end = asyncio.get_running_loop().time() + seconds
        id = next(self._ids)
        answer = life.calls[id] = _Answer(self._patience)
        try:
            try:
                async with asyncio.timeout_at(end):
                    await life.process.send(Call(id, method, argument))
            except ConnectionError:
                pass  # the end of the child is told by the answer
            while True:
                while answer.pieces:
                    yield answer.take()
                if answer.ended:
                    break
                async with asyncio.timeout_at(end):
                    await answer.changed.wait()
        except TimeoutError:
            raise ModelFailed(f"{self.name} took longer than {seconds:g} s") from None
        finally:
            del life.calls[id]
            if not answer.ended:
                life.abandon(id)
        if answer.error is not None:
            raise answer.error

    async def _supervise(self, first: Begin) -> None:
        patience = self._patience
        failures = deaths = 0
        while True:
            began = monotonic()
            life = _Life(self.name, patience)
            try:
                await self._live(life, first)
            except OSError as error:
                life.broken = f"its process could not be started ({error.strerror})"
            except Exception as error:  # a fault of ours must not leave those waiting who wait for the model
                log.exception("the worker of a model broke", model=self.name)
                life.broken, life.for_good = f"its worker broke ({type(error).__name__})", True
            if life.for_good:
                self._set("failed", life.detail)
                log.error("a model cannot be loaded", model=self.name, reason=life.detail)
                return
            if life.ready:
                failures = 0
                deaths = 1 if monotonic() - began > patience.steady else deaths + 1
                wait = backoff(deaths - 1)
                log.error("a model's process ended: it is started again", model=self.name, reason=life.detail, seconds=wait)
                self._set("loading", f"it is started again: {life.detail}")
            else:
                wait = backoff(failures, base=patience.between, most=patience.later)
                failures += 1
                log.error("a model was not loaded: it is tried again", model=self.name, reason=life.detail, seconds=wait)
                self._set("failed", f"{life.detail}; it is tried again in {wait:g} s", reason=life.detail)
            await asyncio.sleep(wait)
            self._set("loading", "its process is being started again")

    async def _live(self, life: "_Life", first: Begin) -> None:
        """A child's whole life. Afterwards `life` tells why it ended."""
        life.process = process = await Process.spawn(self.name)
        self._life = life
        watch = asyncio.create_task(self._watch(life))
        politely = True
        try:
            process.send_soon(first)
            try:
                async for frame in process.receive():
                    self._take(life, frame)
            except Rubbish as error:
                life.broken = f"its process sent rubbish: {error}"
            politely = False
        finally:
            self._life = None
            watch.cancel()
            if politely:
                self._set("loading", "it is being stopped")
                life.fail("was stopped")
            try:
                await process.end(politely=politely)
            finally:
                life.fail(f"failed: {life.detail}")

    def _first_frame(self) -> Begin:
        kind = type(self._settings)
        return Begin(
            service=self._service,
            settings_class=f"{kind.__module__}:{kind.__qualname__}",
            settings=to_json(_revealed(self._settings.model_dump())),
            parent=os.getpid(),
            beat_seconds=self._patience.silence / TICKS,
            memory=self._memory,
        )

    def _take(self, life: "_Life", frame: frames.FromChild) -> None:
        life.quiet = 0
        match frame:
            case Piece(id, data):
                if (answer := life.calls.get(id)) is not None and not answer.give(data):
                    answer.end(ModelFailed(f"{self.name} sent more than was read"))
                    life.abandon(id)
            case End(id) | Failure(id=id):
                life.abandoned.pop(id, None)
                if (answer := life.calls.get(id)) is not None:
                    answer.end(frames.raised(frame) if isinstance(frame, Failure) else None)
            case Loading(detail, progress) if not life.ready:
                if (detail, progress) != (self._state.detail, self._state.progress):
                    life.waited = 0.0
                self._set("loading", detail, progress)
            case Ready(facts):
                life.ready = True
                self._facts = facts
                log.info("a model is ready", model=self.name, seconds=round(monotonic() - life.began, 1))
                self._set("ready")
            case Broken(detail, for_good):
                life.for_good = for_good
                life.kill(detail)

    async def _watch(self, life: "_Life") -> None:
        """Kills the child when it hangs. Counts looks, not seconds: a parent held up itself takes no child for silent."""
        patience = self._patience
        tick = min(patience.silence, patience.cancelling, self._load_seconds) / TICKS
        while True:
            await asyncio.sleep(tick)
            if not life.ready:
                life.waited += tick
                if life.waited > self._load_seconds:
                    life.kill(f"it was not loaded in {self._load_seconds:g} s")
                continue
            life.quiet += 1
            if life.quiet * tick > patience.silence:
                life.kill(f"its process gave no sign of life for {patience.silence:g} s")
            for id in life.abandoned:
                life.abandoned[id] += tick
                if life.abandoned[id] > patience.cancelling:
                    life.kill(f"its process did not end a cancelled call in {patience.cancelling:g} s")

    def _set(self, status: Any, detail: str = "", progress: float | None = None, *, reason: str = "") -> None:
        self._reason = reason or detail
        self._state = ModelState(status=status, detail=detail, progress=progress)
        self._changed.set()
        self._changed = asyncio.Event()

    def _unavailable(self) -> ModelUnavailable:
        state = self._state
        what = {"loading": "is loading", "failed": "could not be loaded"}.get(state.status, "is not there")
        share = f" ({state.progress:.0%})" if state.progress is not None else ""
        # Without the next try, which is no business of a command that ends now.
        return ModelUnavailable(f"{self.name} {what}: {self._reason}{share}")


class _Life:
    """What is known of one child. `waited` are seconds of loading without progress, `quiet` looks without a sign of life."""

    process: Process

    def __init__(self, name: str, patience: Patience) -> None:
        self.name = name
        self.began = monotonic()
        self.calls: dict[int, _Answer] = {}
        self.abandoned: dict[int, float] = {}
        self.ready = False
        self.broken = ""
        self.for_good = False
        self.waited = 0.0
        self.quiet = 0

    @property
    def busy(self) -> int:
        return len(self.calls) + len(self.abandoned)

    @property
    def detail(self) -> str:
        """Why it ended."""
        if self.broken:
            return self.broken
        code = self.process.returncode
        if code is None:
            return "its process has lost its connection"
        if code == -signal.SIGKILL:
            how = "its process was killed (SIGKILL), as the system does when memory runs out"
        elif code < 0:
            how = f"its process crashed ({signal.Signals(-code).name})"
        else:
            how = f"its process ended by itself (exit code {code})"
        # Before it is ready it has seen no prompt, so that it may be quoted.
        said = self.process.last_lines[-1] if self.process.last_lines and not self.ready else ""
        return f"{how}: {said}" if said else how

    def abandon(self, id: int) -> None:
        """Cancels a call that nobody waits for any more."""
        self.abandoned[id] = 0.0
        self.process.send_soon(Cancel(id))

    def kill(self, reason: str) -> None:
        self.broken = self.broken or reason
        self.process.kill()

    def fail(self, reason: str) -> None:
        for answer in self.calls.values():
            answer.end(ModelFailed(f"{self.name} {reason}"))


class _Answer:
    """What has come of one call and is not yet read."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.pieces: deque[bytes] = deque()
        self.unread = 0
        self.changed = asyncio.Event()
        self.ended = False
        self.error: ModelError | InvalidInput | None = None

    def give(self, data: bytes) -> bool:
        """Whether there was room for it."""
        self.changed.set()
        if self.ended:
            return True
        full = len(self.pieces) >= self._patience.unread_pieces or self.unread + len(data) > self._patience.unread_bytes
        if self.pieces and full:
            self.pieces.clear()
            return False
        self.pieces.append(data)
        self.unread += len(data)
        return True

    def take(self) -> bytes:
        data = self.pieces.popleft()
        self.unread -= len(data)
        if not self.pieces and not self.ended:
            self.changed.clear()
        return data

    def end(self, error: ModelError | InvalidInput | None) -> None:
        if not self.ended:
            self.ended, self.error = True, error
            self.changed.set()


def _revealed(value: Any) -> Any:
    match value:
        case SecretStr() | SecretBytes():
            return value.get_secret_value()
        case dict():
            return {key: _revealed(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_revealed(one) for one in value]
        case _:
            return value
