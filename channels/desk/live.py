"""Tells open desk pages what to read again. What is said here names conversations only; pages fetch the rest."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from frontdesk.core.events import Events, Missed, Typing

GATHER = 0.15
"""Seconds over which changes are gathered into one event."""
MANY = 200
"""More conversations than this are not named one by one: the page reads everything again."""

EVERYTHING = b"event: everything\ndata: {}\n\n"
ENDED = b""


class Live:
    """One reader of the core's events for all open pages."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._pages: set[asyncio.Queue[bytes]] = set()
        self._changed: set[str] = set()
        self._missed = False
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Until cancelled."""
        with self._events.subscribe(size=4096) as subscription:
            async for event in subscription:
                match event:
                    case Typing(conversation, author):
                        self._send(_event("typing", {"conversation": conversation, "author": author}))
                        continue
                    case Missed():
                        self._missed = True
                    case _:
                        self._changed.add(event.conversation)
                if self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(GATHER, self._flush)

    @contextmanager
    def page(self) -> Iterator[asyncio.Queue[bytes]]:
        """Server-sent events for one page, the first of which makes it read everything; `ENDED` is the last."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(64)
        queue.put_nowait(EVERYTHING)
        self._pages.add(queue)
        try:
            yield queue
        finally:
            self._pages.discard(queue)

    def end(self) -> None:
        """Ends all pages' streams: the server stops."""
        if self._timer is not None:
            self._timer.cancel()
        self._send(ENDED)

    def _flush(self) -> None:
        self._timer = None
        if self._missed or len(self._changed) > MANY:
            self._send(EVERYTHING)
        else:
            self._send(_event("changed", {"conversations": sorted(self._changed)}))
        self._changed.clear()
        self._missed = False

    def _send(self, data: bytes) -> None:
        for queue in self._pages:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(EVERYTHING)
            queue.put_nowait(data)


def _event(name: str, data: dict[str, object]) -> bytes:
    # JSON in ASCII has no line breaks, so one data line carries it.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
