"""A second model for when the first does not answer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

import msgspec
import structlog

from frontdesk.core.chat import ChatPiece, ChatRequest, ChatResult
from frontdesk.core.errors import ModelFailed, ModelUnavailable, PromptRejected
from frontdesk.core.models import Abilities, ChatModel, ModelState

log = structlog.get_logger(__name__)

SHARE = 0.6
"""Of the time for an answer that the first model has: one that hangs must leave some for the second."""


class Fallback:
    """Asks `second` where `first` is unavailable or fails, and where it can take what is too much for the first.

    A stream changes over only while nothing of it was passed on. It is ready as soon as one of the two is.
    """

    def __init__(self, first: ChatModel, second: ChatModel) -> None:
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        return self._first.name

    @property
    def state(self) -> ModelState:
        first, second = self._first.state, self._second.state
        if first.status == "ready" and second.status == "failed":
            return ModelState(status="ready", detail=f"but its fallback {self._second.name} does not answer: {second.detail}")
        if first.status == "ready" or second.status != "ready":
            return first
        return ModelState(
            status="ready", detail=f"{self._second.name} answers; {self._first.name}: {first.detail or first.status}"
        )

    @property
    def abilities(self) -> Abilities:
        """Of the first that is ready."""
        ready = self._first if self._first.state.status == "ready" or self._second.state.status != "ready" else self._second
        return ready.abilities

    async def start(self) -> None:
        await self._first.start()
        await self._second.start()

    async def stop(self) -> None:
        try:
            await self._first.stop()
        finally:
            await self._second.stop()

    async def loaded(self) -> None:
        """Waits for the first; if that fails, for the second."""
        try:
            await self._first.loaded()
        except ModelUnavailable:
            await self._second.loaded()

    async def complete(self, request: ChatRequest) -> ChatResult:
        first, end = self._shared(request)
        try:
            return await self._first.complete(first)
        except (ModelUnavailable, ModelFailed, PromptRejected) as error:
            self._change_over(error, request)
        return await self._second.complete(self._rest(request, end))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        passed_on = False
        first, end = self._shared(request)
        try:
            async with aclosing(self._first.stream(first)) as pieces:
                async for piece in pieces:
                    passed_on = True
                    yield piece
            return
        except (ModelUnavailable, ModelFailed, PromptRejected) as error:
            if passed_on:
                raise
            self._change_over(error, request)
        async with aclosing(self._second.stream(self._rest(request, end))) as pieces:
            async for piece in pieces:
                yield piece

    @staticmethod
    def _shared(request: ChatRequest) -> tuple[ChatRequest, float]:
        """What the first is asked, in its share of the time, and when all of it is over."""
        return msgspec.structs.replace(request, seconds=SHARE * request.seconds), monotonic() + request.seconds

    @staticmethod
    def _rest(request: ChatRequest, end: float) -> ChatRequest:
        return msgspec.structs.replace(request, seconds=max(end - monotonic(), (1 - SHARE) * request.seconds))

    def _change_over(self, error: ModelUnavailable | ModelFailed | PromptRejected, request: ChatRequest) -> None:
        """Raises the error again if the second model would be no better."""
        if isinstance(error, PromptRejected) and not self._takes_more(request):
            raise error
        log.warning("the fallback answers", model=self._first.name, fallback=self._second.name, error=str(error))

    def _takes_more(self, request: ChatRequest) -> bool:
        first, second = self._first.abilities, self._second.abilities
        wider = first.context is not None and (second.context is None or second.context > first.context)
        sees = second.pictures and not first.pictures and any(message.pictures for message in request.messages)
        calls = second.tools and not first.tools and bool(request.tools)
        return wider or sees or calls
