"""Talks to one customer at the terminal, or takes the lines of a pipe one by one.

Each line is a message. The next line is read when the turn of the one before has ended and its replies are shown, so a
transcript reads in order, and a pipe is worked through to its last answer.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import ClassVar, TextIO
from uuid import uuid4

from pydantic import BaseModel

from frontdesk.channels.console import render
from frontdesk.channels.console.parse import parse
from frontdesk.channels.console.settings import ConsoleSettings
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.channel import Channel, Services
from frontdesk.core.errors import InvalidInput
from frontdesk.core.events import Changed, Delivered, Event, Missed, Subscription
from frontdesk.core.messages import Body, Mark, Outgoing

ERASE_LINE = "\r\x1b[K"


class ConsoleChannel(Channel):
    """`finished` is set when the input has ended and all of it is answered."""

    name: ClassVar[str] = "console"
    Settings: ClassVar[type[ConsoleSettings]] = ConsoleSettings
    capabilities: ClassVar[Capabilities] = Capabilities(dialect="plain", typing=True, max_text=100_000)

    def __init__(self, settings: BaseModel, services: Services) -> None:
        super().__init__(settings, services)
        assert isinstance(settings, ConsoleSettings)
        self.settings = settings
        self.conversation = f"console:{uuid4().hex}"
        self.finished = asyncio.Event()
        self._last: Outgoing | None = None
        self._typing = False
        self.connect(sys.stdin, sys.stdout)

    def connect(self, input: TextIO, output: TextIO, *, replies_only: bool = False) -> None:
        """Talks through these two, before it runs. With `replies_only` just what is said to the customer is printed."""
        self._input = input
        self._output = output
        self._replies_only = replies_only
        self._interactive = input.isatty() and output.isatty() and not self.settings.as_json

    async def run(self) -> None:
        try:
            with self.services.events.subscribe(self.conversation) as events:
                async for line in self._lines():
                    await self._exchange(line, events)
        finally:
            self.finished.set()

    async def send(self, outgoing: Outgoing) -> str | None:
        self._last = outgoing
        self._show(outgoing)
        return None

    async def typing(self, conversation: str) -> None:
        if self._interactive and conversation == self.conversation:
            self._typing = True
            self._write(f"{self.settings.bot} is typing ...")

    async def _exchange(self, line: str, events: Subscription) -> None:
        message = parse(line, id=uuid4().hex, conversation=self.conversation, at=datetime.now(UTC), last=self._last)
        if message is None:
            return
        if not self._interactive:
            self._show(message)
        try:
            await self.services.accept(message)
        except InvalidInput as error:
            self._write(f"-- {error} --\n")
            return
        await self._turn_ended(events)

    async def _turn_ended(self, events: Subscription) -> None:
        """Waits until a turn was committed and its replies are shown, then shows its marks."""
        marks: list[Mark] = []
        committed = False
        unsent: set[str] = set()
        sent: set[str] = set()
        while not committed or unsent - sent:
            event: Event = await events.get()
            match event:
                case Changed(entries=entries):
                    committed = True
                    unsent |= {entry.id for entry in entries if isinstance(entry, Outgoing)}
                    marks += [entry for entry in entries if isinstance(entry, Mark)]
                case Delivered(id=id):
                    sent.add(id)
                case Missed():
                    break
                case _:
                    pass
        for mark in marks:
            self._show(mark)

    def _show(self, body: Body) -> None:
        if self._replies_only and not isinstance(body, Outgoing):
            return
        if self.settings.as_json:
            self._write(render.as_json(body) + "\n")
            return
        if self._replies_only and isinstance(body, Outgoing):
            self._write(render.words(body) + "\n")
            return
        text = render.as_text(body, customer=self.settings.customer, bot=self.settings.bot)
        self._write(f"{ERASE_LINE if self._typing else ''}{text}\n\n")
        self._typing = False

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()

    async def _lines(self) -> AsyncIterator[str]:
        """The lines of the input. They are read in a thread of their own, one only when it is asked for."""
        loop = asyncio.get_running_loop()
        asked = threading.Semaphore(0)
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        read = self._prompt if self._interactive else self._input.readline

        def work() -> None:
            while asked.acquire():
                line = _read(read)
                try:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                except RuntimeError:  # the loop has ended while we waited for input
                    return
                if line is None:
                    return

        # Daemonic: a thread that waits for input cannot be woken, and must not hold the process.
        threading.Thread(target=work, name="console-input", daemon=True).start()
        while True:
            asked.release()
            if (line := await lines.get()) is None:
                return
            yield line

    def _prompt(self) -> str:
        return input(f"{self.settings.customer}: ") + "\n"


def _read(read: Callable[[], str]) -> str | None:
    """None at the end of the input."""
    try:
        return read() or None
    except (EOFError, ValueError):
        return None
