"""What goes wrong on purpose."""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The answer that a call gets in the place of its own.

    `body` is sent with `status`, `headers` and `media_type`, again and again if it is `endless`. With `cut` the connection ends
    in its middle, with `drop` before anything, with `hang` nothing ever comes.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    endless: bool = False
    compressed: bool = False
    cut: bool = False
    drop: bool = False
    hang: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.hang:
            await asyncio.Event().wait()
        if self.drop:
            return _dropped(request)
        if not (self.endless or self.cut):
            body, headers = self.body, dict(self.headers)
            if self.compressed:
                body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
            return web.Response(status=self.status, body=body, headers=headers, content_type=self.media_type)
        response = web.StreamResponse(status=self.status, headers={**self.headers, "Content-Type": self.media_type})
        await response.prepare(request)
        if self.cut:
            await response.write(self.body[: len(self.body) // 2])
            return _dropped(request)
        while True:
            await response.write(self.body)
            await asyncio.sleep(0)


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
