"""The bot's end of a local chat model."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, date, datetime
from importlib.util import find_spec

import msgspec

from frontdesk.core.chat import ChatPiece, ChatRequest, ChatResult, Usage
from frontdesk.core.errors import MissingExtra, ModelFailed
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Abilities, ModelState, whole
from frontdesk.plugins.models.settings import ChatSettings
from frontdesk.plugins.models.worker import Worker

GRACE_SECONDS = 15.0
"""The child ends an answer in time by itself; one that does not is given up after so much more."""

MAX_CONVERSATIONS = 100_000

PACKAGES = ("torch", "transformers", "jsonschema")


class LocalChat:
    """See `ChatModel`: a model of transformers in a child process. What its prices say is booked on the conversation."""

    def __init__(self, settings: ChatSettings, *, metrics: Metrics | None = None) -> None:
        """Raises `MissingExtra`."""
        if not all(map(find_spec, PACKAGES)):
            raise MissingExtra("models.chat.provider = 'local'", "local-models")
        self._settings = settings
        self._metrics = metrics
        self._worker = Worker(
            "frontdesk.plugins.models.local.service:ChatService", settings, name=self.name, load_seconds=settings.load_seconds
        )
        self._day: date | None = None
        self._conversations: set[str] = set()

    @property
    def name(self) -> str:
        return f"local:{self._settings.model}"

    @property
    def state(self) -> ModelState:
        return self._worker.state

    @property
    def worker(self) -> Worker:
        """For those who look after the process."""
        return self._worker

    @property
    def abilities(self) -> Abilities:
        """Nothing is known before it has been loaded once."""
        facts = self._worker.facts
        return Abilities(pictures=bool(facts.get("pictures")), tools=bool(facts.get("tools")), context=facts.get("context"))

    async def start(self) -> None:
        await self._worker.start()

    async def stop(self) -> None:
        await self._worker.stop()

    async def loaded(self) -> None:
        await self._worker.loaded()

    async def complete(self, request: ChatRequest) -> ChatResult:
        return await whole(self.stream(request))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        began = time.monotonic()
        outcome = "cancelled"
        try:
            call = self._worker.call("chat", msgspec.msgpack.encode(request), seconds=request.seconds + GRACE_SECONDS)
            async with aclosing(call) as pieces:
                async for data in pieces:
                    piece = self._decoded(data)
                    if piece.result is not None:
                        outcome = "done"
                        piece = ChatPiece(text=piece.text, result=self._booked(piece.result, request))
                    yield piece
            if outcome != "done":
                raise ModelFailed("the answer ended before it was whole")
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._metrics is not None:
                self._metrics.model(self.name, "chat", outcome, time.monotonic() - began)

    def _decoded(self, data: bytes) -> ChatPiece:
        try:
            return msgspec.msgpack.decode(data, type=ChatPiece)
        except msgspec.MsgspecError:
            raise ModelFailed("the model's process sent what is no piece of an answer") from None

    def _booked(self, result: ChatResult, request: ChatRequest) -> ChatResult:
        usage = result.usage
        price = usage.prompt * self._settings.input_price + usage.completion * self._settings.output_price
        usage = Usage(prompt=usage.prompt, completion=usage.completion, cost=price / 1_000_000)
        if self._metrics is not None:
            self._metrics.used(self.name, usage, new_conversation=self._is_new(request.conversation))
        return msgspec.structs.replace(result, usage=usage)

    def _is_new(self, conversation: str) -> bool:
        today = datetime.now(UTC).date()
        if today != self._day or len(self._conversations) >= MAX_CONVERSATIONS:
            self._day, self._conversations = today, set()
        if not conversation or conversation in self._conversations:
            return False
        self._conversations.add(conversation)
        return True
