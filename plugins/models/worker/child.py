"""The child: `python -m frontdesk.plugins.models.worker.child FD NAME` holds one model and answers on the socket of that number.

Started by `process.py` only. What libraries print goes to the bot's log, since standard output and error are a pipe to it.
"""

import asyncio
import ctypes
import faulthandler
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from frontdesk.core.errors import ConfigurationError, FrontdeskError
from frontdesk.plugins.models.worker import frames
from frontdesk.plugins.models.worker.frames import Beat, Begin, Broken, Call, Cancel, End, Failure, Loading, Piece, Ready, Stop
from frontdesk.plugins.models.worker.service import Service

PR_SET_PDEATHSIG = 1
REPORT_SECONDS = 0.1
"""Reports of loading are passed on this often at most, the newest one."""


class Child:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._service: Service | None = None
        self._calls: dict[int, asyncio.Task[End | Failure]] = {}
        self._report: tuple[str, float | None] | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until it is told to stop; the parent limits how long that may take. Ends the process when the parent is gone."""
        begin = await self._next()
        if not isinstance(begin, Begin):
            return
        _die_with(begin.parent)
        if begin.memory is not None:
            _limit_memory(begin.memory)
        beat = asyncio.create_task(self._beat(begin.beat_seconds))
        load = asyncio.create_task(self._load(begin))
        while True:
            match await self._next():
                case Call() as call:
                    self._begin(call)
                case Cancel(id) if id in self._calls:
                    self._calls[id].cancel()
                case Stop():
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    break
        working = {beat, load, *self._calls.values()}
        for task in working:
            task.cancel()
        await asyncio.wait(working)
        if self._service is not None:
            await self._service.close()

    async def _next(self) -> Any:
        frame = await frames.read(self._reader, frames.to_child)
        if frame is None:
            _exit(0)
        return frame

    async def _send(self, frame: frames.FromChild) -> None:
        """Waits while the parent does not read: nothing is piled up here."""
        with suppress(ConnectionError):
            self._writer.write(frames.encoded(frame))
            await self._writer.drain()

    async def _beat(self, seconds: float) -> None:
        while True:
            await self._send(Beat())
            await asyncio.sleep(seconds)

    async def _load(self, begin: Begin) -> None:
        try:
            # In a thread: to import torch takes seconds.
            service_class, settings_class = await asyncio.to_thread(_resolved, begin.service, begin.settings_class)
            service: Service = service_class(settings_class.model_validate_json(begin.settings))
            facts = await service.load(self._reported)
            ready = frames.encoded(Ready(facts))
        except asyncio.CancelledError:
            raise
        except ValidationError as error:
            # Its words would quote the settings, keys included.
            fields = ", ".join(".".join(map(str, one["loc"])) or one["type"] for one in error.errors())
            await self._break(f"its settings are not understood: {fields}", for_good=True)
        except ConfigurationError as error:
            await self._break(str(error), for_good=True)
        except ImportError as error:
            await self._break(_first_line(error), for_good=True)
        except FrontdeskError as error:
            await self._break(str(error), for_good=False)
        except BaseException as error:
            # Nobody has asked anything yet: the words of the error quote no one.
            _print_places(error)
            await self._break(_first_line(error), for_good=False)
        else:
            self._service = service
            self._report = None
            self._writer.write(ready)
            await self._writer.drain()

    async def _break(self, detail: str, *, for_good: bool) -> None:
        await self._send(Broken(detail, for_good))
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        _exit(1)

    def _reported(self, detail: str, progress: float | None = None) -> None:
        """From any thread, as often as it likes."""
        known, self._report = self._report, (detail, progress)
        if known is None:
            with suppress(RuntimeError):  # the loop may have ended
                self._loop.call_soon_threadsafe(self._loop.call_later, REPORT_SECONDS, self._pass_on)

    def _pass_on(self) -> None:
        report, self._report = self._report, None
        if report is not None and self._service is None:
            self._writer.write(frames.encoded(Loading(*report)))

    def _begin(self, call: Call) -> None:
        task = self._calls[call.id] = asyncio.create_task(self._answer(call))

        def end(task: asyncio.Task[End | Failure]) -> None:
            del self._calls[call.id]
            with suppress(ConnectionError):
                self._writer.write(frames.encoded(End(call.id) if task.cancelled() else task.result()))

        task.add_done_callback(end)

    async def _answer(self, call: Call) -> End | Failure:
        pieces: AsyncIterator[bytes] | None = None
        try:
            if self._service is None:
                raise RuntimeError("a call came before the model was ready")
            pieces = self._service.call(call.method, call.argument)
            async for data in pieces:
                if not isinstance(data, bytes):
                    raise TypeError("a service answers in bytes")
                if len(data) > frames.MAX_BYTES:
                    return Failure(call.id, "failed", f"its answer has a piece of {len(data)} bytes")
                await self._send(Piece(call.id, data))
                await asyncio.sleep(0)  # a service that never waits must not keep others from it, nor its own cancellation
            return End(call.id)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # SystemExit too: a call ends nothing but itself
            answer = frames.failure(call.id, error, f"it broke: {_place(error)}")
            if answer.reason.startswith("it broke"):
                _print_places(error)
            return answer
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                with suppress(Exception):
                    await close()


def _resolved(*names: str) -> list[Any]:
    return [resolve_name(name) for name in names]


def _die_with(parent: int) -> None:
    """The kernel ends this process when the parent's thread that started it ends, also while a library blocks the event loop."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):  # when memory runs out, the kernel shall take the model, not the bot
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    if os.getppid() != parent:
        _exit(0)


def _limit_memory(limit: int) -> None:
    """Of private memory; files that are mapped to be read are not counted. Beyond it Python raises `MemoryError`."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _exit(code: int) -> None:
    """At once: threads of libraries that compute would keep an orderly end waiting."""
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _first_line(error: BaseException) -> str:
    words = str(error).strip().partition("\n")[0][:500]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    return " ".join([type(error).__name__, *(f"at {Path(one.filename).name}:{one.lineno}" for one in frame)])


def _print_places(error: BaseException | None, kind: type[BaseException] | None = None, at: TracebackType | None = None) -> None:
    """A traceback without the words of the exception, which may quote a prompt."""
    stack = traceback.format_tb(at or (error.__traceback__ if error is not None else None))
    name = (kind or type(error)).__name__
    print("Traceback (most recent call last):\n", *stack, name, sep="", file=sys.stderr, flush=True)


def _wordless() -> None:
    """Whatever prints exceptions prints their places only."""
    sys.excepthook = lambda kind, error, at: _print_places(error, kind, at)
    threading.excepthook = lambda about: _print_places(about.exc_value, about.exc_type, about.exc_traceback)
    sys.unraisablehook = lambda about: _print_places(about.exc_value, about.exc_type, about.exc_traceback)


def _no_notice(_signal: int, _frame: object) -> None:
    """Unlike `SIG_IGN`, not inherited by programs that a service starts."""


async def main(fd: int) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: _print_places(context.get("exception")))
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    try:
        await Child(reader, writer).run()
    finally:
        _exit(0)  # `asyncio.run` would wait for threads


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[1]), False)
    faulthandler.enable()
    _wordless()
    # The parent says when it is time: supervisors signal all processes of a service at once, and it still has turns to finish.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _no_notice)
    asyncio.run(main(int(sys.argv[1])))
