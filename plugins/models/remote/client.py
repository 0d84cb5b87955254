"""The connection to a service: one client for each model, its limits, its retries and its spending."""

import asyncio
import importlib.util
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import structlog

from frontdesk.core.chat import Usage
from frontdesk.core.errors import MissingExtra, ModelError, ModelUnavailable, TransientError
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import ModelState
from frontdesk.core.tasks import backoff
from frontdesk.plugins.models.remote.breaker import Breaker
from frontdesk.plugins.models.remote.failures import Failure, Judge
from frontdesk.plugins.models.remote.google import tokens
from frontdesk.plugins.models.remote.ledger import BudgetSpent, Ledger
from frontdesk.plugins.models.remote.presets import PRESETS, checked_address, key_of
from frontdesk.plugins.models.remote.responses import Answer, bounding
from frontdesk.plugins.models.settings import ChatSettings, EmbeddingsSettings, Remote, SpeechSettings, VoiceSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = structlog.get_logger(__name__)

T = TypeVar("T")
Operation = Literal["chat", "embed", "transcribe", "speak"]

CONNECT_SECONDS = 10.0

TALKATIVE = ("openai", "httpx", "httpx2", "httpcore", "httpcore2")
"""Their debug lines have requests in them."""

Ask = Callable[["AsyncOpenAI"], Any]
"""Calls one of the client's `with_streaming_response` methods."""


class Bill:
    """What an attempt took. Not set: what was set aside for it, unless nothing was computed."""

    def __init__(self) -> None:
        self.usage: Usage | None = None


Options = ChatSettings | SpeechSettings | VoiceSettings | EmbeddingsSettings
"""Of a model whose provider is one of `PRESETS`."""


class Client:
    """`section` is where the settings are, to name them. Used by one event loop at a time.

    Raises `ConfigurationError` for settings that cannot be right, and `MissingExtra`.
    """

    def __init__(
        self,
        options: Options,
        *,
        section: str,
        folder: Path,
        metrics: Metrics | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        provider, model = cast(Remote, options.provider), options.model
        require_openai(f"{section}.provider: {provider}")
        self.name = f"{provider}:{model}"
        self.preset = PRESETS[provider]
        self.options = options
        self.section = section
        self._address = checked_address(self.preset, options, provider=provider, section=section)
        self.ledger = Ledger(folder)
        self.judge = Judge(name=self.name, model=model, section=section, needs_key=self.preset.needs_key)
        self.refused: set[str] = set()
        self._metrics = metrics or Metrics()
        self._breaker = breaker or Breaker(self.name)
        self._places: asyncio.Semaphore
        self._sdk: AsyncOpenAI | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._making = asyncio.Lock()

    @property
    def state(self) -> ModelState:
        """Ready at once: whether the service answers is seen when it is asked."""
        if self._breaker.open:
            return ModelState(status="ready", detail="it does not answer at the moment")
        return ModelState(status="ready")

    async def close(self) -> None:
        sdk, self._sdk = self._sdk, None
        if sdk is not None and self._loop is asyncio.get_running_loop():
            await sdk.close()
        await self.ledger.close()

    @contextmanager
    def measured(self, operation: Operation) -> Iterator[None]:
        """Counts the call, and how long it took."""
        begun = asyncio.get_running_loop().time()
        result = "cancelled"
        try:
            yield
            result = "done"
        except ModelError as error:
            result = type(error).__name__
            raise
        except Exception as error:
            result = type(error).__name__
            raise
        finally:
            self._metrics.model(self.name, operation, result, asyncio.get_running_loop().time() - begun)

    @asynccontextmanager
    async def place(self, deadline: float) -> AsyncIterator[None]:
        """One of the `concurrent` places."""
        try:
            await self._prepared()
        except Failure as failure:
            raise failure.error from None
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError:
            raise ModelUnavailable(
                f"{self.name} has {self.options.concurrent} calls already: see {self.section}.concurrent"
            ) from None
        try:
            yield
        finally:
            self._places.release()

    async def retried(self, attempt: Callable[[], Awaitable[T]], deadline: float) -> T:
        """Raises `ModelError` when there is no use in another attempt."""
        tries = 0
        while True:
            try:
                return await attempt()
            except Failure as failure:
                tries = await self.again(failure, tries, deadline)

    async def again(self, failure: Failure, tries: int, deadline: float) -> int:
        """Waits until the next attempt, and returns its number. Raises the failure's error if there shall be none."""
        if failure.refused and failure.refused not in self.refused:
            log.info("a model does not take a field, which is left out from now on", model=self.name, field=failure.refused)
            self.refused.add(failure.refused)
            return tries
        pause = backoff(tries, most=8.0) * random.uniform(0.5, 1.0) if failure.pause is None else failure.pause
        now = asyncio.get_running_loop().time()
        if not failure.retry or tries >= self.options.retries or now + pause >= deadline:
            raise failure.error from None
        await asyncio.sleep(pause)
        return tries + 1

    @asynccontextmanager
    async def asked(self, ask: Ask, *, deadline: float, sent: Collection[str] = ()) -> AsyncIterator[Answer]:
        """One attempt. Raises `Failure`, for what happens while the answer is read too, and `ModelUnavailable` of the breaker."""
        sdk = await self._prepared()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = min(deadline, begun + self.options.timeout)
        self._breaker.admit()
        settled = self._breaker.abandoned
        try:
            async with asyncio.timeout_at(deadline):
                manager = ask(sdk)
                response = await manager.__aenter__()
            try:
                yield Answer(response, self.judge, deadline)
            finally:
                await manager.__aexit__(None, None, None)
            settled = self._breaker.succeeded
        except ModelError:
            settled = self._breaker.succeeded  # the service is well, the model is not
            raise
        except Exception as error:
            failure = self._failure(error, deadline - begun, sent)
            if failure is None:
                raise
            settled = self._breaker.failed if failure.counts else self._breaker.abandoned
            raise failure from None
        finally:
            settled()

    def _failure(self, error: Exception, seconds: float, sent: Collection[str]) -> Failure | None:
        import openai

        if isinstance(error, Failure):
            return error
        if isinstance(error, TimeoutError):
            return self.judge.too_slow(seconds)
        if isinstance(error, openai.APIStatusError):
            body = b""
            with suppress(Exception):
                body = error.response.content
            return self.judge.status(error.status_code, error.response.headers, body, sent)
        cause = error.__cause__
        if isinstance(error, openai.APITimeoutError):
            slow = "Connect" not in type(cause).__name__
            return self.judge.too_slow(seconds) if slow else self.judge.unreachable()
        if isinstance(error, openai.APIConnectionError):
            if isinstance(cause, Failure):
                return cause
            begun = type(cause).__name__ in ("ReadError", "RemoteProtocolError")
            return self.judge.broken_off() if begun else self.judge.unreachable()
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2"):
            return self.judge.broken_off()
        return None

    @asynccontextmanager
    async def spending(self, expected: Usage, conversation: str) -> AsyncIterator[Bill]:
        """Sets the expected cost aside, and books what it was afterwards. Raises `ModelUnavailable` when the budget is spent."""
        budget = self.options.daily_budget
        reservation = None
        try:
            reservation = await self.ledger.reserve(self.name, expected.cost, budget=budget)
        except BudgetSpent:
            spent = f"{self.name} may cost no more today: {self.section}.daily_budget is {budget:g}"
            raise ModelUnavailable(f"{spent}, and a call may need {expected.cost:.4g}") from None
        except (TransientError, sqlite3.Error, OSError):
            if budget is not None:
                raise ModelUnavailable(
                    f"{self.ledger.path} cannot be written, and {self.section}.daily_budget needs it"
                ) from None
            log.warning("what a model costs cannot be written down", model=self.name)
        bill = Bill()
        free = False
        try:
            yield bill
        except Failure as failure:
            free = failure.unbilled
            raise
        except ModelUnavailable:  # of the breaker: nothing was asked
            free = True
            raise
        finally:
            usage = bill.usage or (Usage() if free else expected)
            if reservation is not None:
                # Not to be cancelled with the call: the money is spent.
                await asyncio.shield(self._settle(reservation, conversation, usage))

    async def _settle(self, reservation: int, conversation: str, usage: Usage) -> None:
        try:
            new = await self.ledger.settle(reservation, conversation, usage)
        except (TransientError, sqlite3.Error, OSError):
            log.warning("what a model costs cannot be written down", model=self.name)
            new = False
        if usage != Usage():
            self._metrics.used(self.name, usage, new_conversation=new and bool(conversation))

    async def _prepared(self) -> "AsyncOpenAI":
        """Imports the package in a thread, since that takes most of a second."""
        loop = asyncio.get_running_loop()
        if self._sdk is None or self._loop is not loop:
            async with self._making:
                if self._sdk is None or self._loop is not loop:
                    self._places = asyncio.Semaphore(self.options.concurrent)
                    self._sdk = await asyncio.to_thread(self._make)
                    self._loop = loop
        return self._sdk

    def _make(self) -> "AsyncOpenAI":
        import openai

        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        address = self._address
        # Never None, or a key for another service would be taken from the environment. Who needs none ignores it.
        key: Any = key_of(self.options) or (tokens(self.name) if self.preset.google else "none")
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            timeout=self.options.timeout,
            event_hooks={"response": [bounding(openai.DefaultAsyncHttpxClient, self.judge)]},
        )
        common: dict[str, Any] = {
            "api_key": key,
            "max_retries": 0,
            "http_client": http,
            "timeout": _timeout(openai, self.options.timeout),
            "default_headers": {
                "Accept-Encoding": "identity",
                # The package would take these from the environment too, and send them to whichever service.
                "OpenAI-Organization": openai.Omit(),
                "OpenAI-Project": openai.Omit(),
            },
        }
        if self.preset.deployments:
            common["azure_endpoint"] = address.removesuffix("/openai")
            sdk: AsyncOpenAI = openai.AsyncAzureOpenAI(api_version=self.options.api_version, **common)
        else:
            sdk = openai.AsyncOpenAI(base_url=address, **common)
        for part in (sdk.chat.completions, sdk.embeddings, sdk.audio):  # imports them, here and not on the event loop
            _ = part.with_streaming_response
        return sdk


def _timeout(openai: Any, seconds: float) -> Any:
    return openai.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=None)


def require_openai(what: str) -> None:
    """Raises `MissingExtra`. Does not import the package: that takes long."""
    if any(importlib.util.find_spec(name) is None for name in ("openai", "jsonschema")):
        raise MissingExtra(what, "remote-models")
