"""What comes back from a service, within limits: of bytes, and of time."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol

from frontdesk.plugins.models.remote.failures import Judge

MAX_ANSWER_BYTES = 32 * 2**20
"""Of any answer; a chat's is limited by its `max_tokens` besides."""


class Response(Protocol):
    """What is used of `openai.AsyncAPIResponse`."""

    @property
    def headers(self) -> Any: ...

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]: ...


class Answer:
    """A success that has begun. `deadline` is of the event loop's clock."""

    def __init__(self, response: Response, judge: Judge, deadline: float) -> None:
        self._response = response
        self._judge = judge
        self._deadline = deadline

    @property
    def media_type(self) -> str:
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

    async def whole(self) -> bytes:
        async with asyncio.timeout_at(self._deadline):
            return b"".join([piece async for piece in self._response.iter_bytes()])

    async def events(self, *, until: Callable[[], float | None] = lambda: None) -> AsyncGenerator[bytes]:
        """The data of server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html

        `until` may bring the deadline forward. Raises `TimeoutError` at either. The timeout is around each wait, not around the
        whole: whoever reads slowly must not be cancelled for it.
        """
        rest = b""
        data: list[bytes] = []
        async with aclosing(self._response.iter_bytes()) as pieces:  # type: ignore[type-var]
            while True:
                try:
                    async with asyncio.timeout_at(min(self._deadline, until() or self._deadline)):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    break
                *lines, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        data.append(line[5:].removeprefix(b" "))
                    elif not line and data:
                        yield b"\n".join(data)
                        data = []
        if rest.startswith(b"data:"):
            data.append(rest[5:].removeprefix(b" "))
        if data:
            yield b"\n".join(data)


def bounding(client: type, judge: Judge) -> Callable[[Any], Awaitable[None]]:
    """A hook that limits each answer, errors too, which the client reads whole.

    The package is built on httpx2, and was on httpx before.
    """
    base = next(kind for kind in client.__mro__ if kind.__module__.partition(".")[0] in ("httpx", "httpx2"))
    httpx = importlib.import_module(base.__module__.partition(".")[0])

    class Bounded(httpx.AsyncByteStream):  # type: ignore[misc,name-defined]
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for piece in self._stream:
                seen += len(piece)
                if seen > MAX_ANSWER_BYTES:
                    raise judge.rubbish(f"answered more than {MAX_ANSWER_BYTES} bytes")
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def hook(response: Any) -> None:
        # A compressed answer was not asked for, and a small one may be huge.
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise judge.rubbish("compresses its answers though it was asked not to")
        response.stream = Bounded(response.stream)

    return hook
