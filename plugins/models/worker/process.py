"""One child process, from its birth to its end: spawned, spoken to, and never left behind."""

import asyncio
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress

import structlog

from frontdesk.plugins.models.worker import frames
from frontdesk.plugins.models.worker.frames import FromChild, Stop, ToChild

log = structlog.get_logger(__name__)

CHILD = "frontdesk.plugins.models.worker.child"
SECRETS = "FRONTDESK_"
"""Settings may come from such variables of the environment, keys and tokens among them: no child inherits them."""
LINE = 300
"""Characters of a line of its output that are kept."""
LINES = 500
"""Lines of its output that are logged in a minute; the rest is counted."""
STOP_SECONDS = 5.0
"""How long it is waited for after it was asked to stop."""
TERMINATE_SECONDS = 2.0
"""How long it is waited for after SIGTERM; then it is killed."""


class Process:
    """Ends with its parent, whichever way that ends. Make it by `spawn`, in the thread that lives as long as it shall."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        output: tuple[asyncio.StreamReader, asyncio.ReadTransport],
    ) -> None:
        self.name = name
        self.pid = process.pid
        self.last_lines: deque[str] = deque(maxlen=5)
        """The end of what it printed. After the loading it may hold a customer's words."""
        self._process = process
        self._reader, self._writer = streams
        self._output_transport = output[1]
        self._output = asyncio.create_task(self._log(output[0]))

    @classmethod
    async def spawn(cls, name: str) -> "Process":
        """`name` is shown in the list of processes. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        # A pipe of our own, for asyncio would wait for the end of one of its own even if a grandchild keeps it open.
        end, start = os.pipe()
        output = asyncio.StreamReader()
        environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(SECRETS)}
        environment |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}
        with ExitStack() as undo:
            undo.callback(os.close, start)
            undo.callback(theirs.close)
            output_transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(output), os.fdopen(end, "rb", 0)
            )
            undo.callback(output_transport.close)
            reader, writer = await asyncio.open_connection(sock=ours)
            undo.callback(writer.close)
            # The last step that may be cancelled: asyncio kills the process then.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", CHILD, str(theirs.fileno()), name),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=start,
                stderr=start,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent, and what it starts in turn can be ended with it
            )
            undo.pop_all()
        theirs.close()
        os.close(start)
        return cls(name, process, (reader, writer), (output, output_transport))

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def send(self, frame: ToChild) -> None:
        """Waits while the child does not read. Raises `ConnectionError` if it is dead."""
        self._writer.write(frames.encoded(frame))
        await self._writer.drain()

    def send_soon(self, frame: ToChild) -> None:
        """For small frames only."""
        if not self._writer.is_closing():
            self._writer.write(frames.encoded(frame))

    async def receive(self) -> AsyncIterator[FromChild]:
        """Until the child ends. Raises `Rubbish`."""
        while (frame := await frames.read(self._reader, frames.from_child)) is not None:
            yield frame

    def kill(self) -> None:
        """It and all that it has started."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def end(self, *, politely: bool) -> None:
        """Waits until it is gone. Where the waiting is cancelled, it is killed at once."""
        try:
            if politely:
                self.send_soon(Stop())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
                if self._process.returncode is None:
                    self._process.terminate()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._process.wait(), TERMINATE_SECONDS)
        finally:
            self.kill()
            self._writer.close()
            await asyncio.shield(self._gone())

    async def _gone(self) -> None:
        await self._process.wait()
        # What it wrote last is in the pipe; whoever else holds the pipe open is not waited for.
        await asyncio.wait({self._output}, timeout=0.5)
        self._output.cancel()
        self._output_transport.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _log(self, output: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        minute, count = loop.time(), 0
        rest = b""
        while data := await output.read(65536):
            *lines, rest = (rest + data).replace(b"\r", b"\n").split(b"\n")
            if len(rest) > LINE:
                lines, rest = [*lines, rest], b""
            if loop.time() - minute > 60:
                if count > LINES:
                    log.debug("the model's process printed too much", model=self.name, lines=count)
                minute, count = loop.time(), 0
            for line in filter(None, map(bytes.strip, lines)):
                shown = line[:LINE].decode(errors="replace")
                self.last_lines.append(shown)
                count += 1
                if count <= LINES:
                    log.debug("printed by the model's process", model=self.name, line=shown)
