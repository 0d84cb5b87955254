"""A chat model behind a service that speaks OpenAI's protocol, in whichever dialect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from frontdesk.core.chat import ChatMessage, ChatPiece, ChatRequest, ChatResult, Finish, Usage, words
from frontdesk.core.errors import ModelFailed, PromptRejected
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Abilities, ModelState
from frontdesk.plugins.models.checked import Unfit, answer, check_request, tool_call
from frontdesk.plugins.models.local.text import Thoughts
from frontdesk.plugins.models.remote.breaker import Breaker
from frontdesk.plugins.models.remote.client import Bill, Client
from frontdesk.plugins.models.remote.failures import Failure
from frontdesk.plugins.models.remote.responses import Answer
from frontdesk.plugins.models.remote.wire import CompletionSaid, Heard, body, estimated_prompt, optional_fields
from frontdesk.plugins.models.settings import ChatSettings
from frontdesk.plugins.models.stops import Stops

MAX_CHARACTERS = 4_000_000
MAX_PICTURE_BYTES = 20 * 2**20
CHARACTERS_OF_A_TOKEN = 16
"""More than any text has on average: what goes beyond is refused without asking, or is a flood."""

USAGE_SECONDS = 2.0
"""How long the count of tokens is waited for once the answer has ended."""


class RemoteChat:
    """See `ChatModel`. Ready at once; whether the service answers is seen when it is asked.

    A call that fails is made again, where that may help and before anything of the answer was passed on. An answer that does
    not fulfil its schema is sent back once with the reason. Where time is up in the middle of a streamed text, it ends there
    (`length`).
    """

    def __init__(
        self,
        settings: ChatSettings,
        *,
        folder: Path,
        metrics: Metrics | None = None,
        section: str = "models.chat",
        breaker: Breaker | None = None,
    ) -> None:
        """`folder` is where `models.db` is kept; `section` names the settings. Raises `ConfigurationError`."""
        self._settings = settings
        self._client = Client(settings, section=section, folder=folder, metrics=metrics, breaker=breaker)
        self._section = section

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def state(self) -> ModelState:
        return self._client.state

    @property
    def abilities(self) -> Abilities:
        known = self._client.preset.seeing.search(self._settings.model) is not None
        pictures = known if self._settings.vision is None else self._settings.vision
        return Abilities(pictures=pictures, tools=True, context=self._settings.context)

    async def start(self) -> None:
        """It is ready as it is: whether the service answers is seen when it is asked."""

    async def stop(self) -> None:
        await self._client.close()

    async def loaded(self) -> None:
        return

    async def complete(self, request: ChatRequest) -> ChatResult:
        with self._client.measured("chat"):
            return await self._completed(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        with self._client.measured("chat"):
            if request.schema is not None:
                yield ChatPiece(result=await self._completed(request))
                return
            self._check(request)
            deadline = asyncio.get_running_loop().time() + request.seconds
            async with self._client.place(deadline), aclosing(self._streamed(request, deadline)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield ChatPiece(text=piece)
                    else:
                        yield ChatPiece(result=await self._result(request, piece, deadline))

    async def _completed(self, request: ChatRequest) -> ChatResult:
        self._check(request)
        deadline = asyncio.get_running_loop().time() + request.seconds
        async with self._client.place(deadline):
            heard = await self._client.retried(lambda: self._once(request, deadline), deadline)
            return await self._result(request, heard, deadline)

    def _check(self, request: ChatRequest) -> None:
        """Refuses at once what can be known to have no answer."""
        check_request(request)
        if not any(message.text.strip() or message.pictures or message.calls for message in request.messages):
            raise PromptRejected("there is nothing in the prompt")
        pictures = [picture for message in request.messages for picture in message.pictures]
        if pictures and not self.abilities.pictures:
            raise PromptRejected(f"{self.name} takes no pictures; {self._section}.vision says otherwise, if it does")
        if sum(len(picture.data) for picture in pictures) > MAX_PICTURE_BYTES:
            raise PromptRejected(f"the pictures are larger than {MAX_PICTURE_BYTES // 2**20} MiB together")
        context = self._settings.context
        most = MAX_CHARACTERS if context is None else min(MAX_CHARACTERS, context * CHARACTERS_OF_A_TOKEN)
        if words(request.messages) > most:
            raise PromptRejected(f"the conversation is too long for {self.name}")

    @asynccontextmanager
    async def _attempt(
        self, request: ChatRequest, deadline: float, *, stream: bool
    ) -> AsyncIterator[tuple[Answer, Bill, int, frozenset[str]]]:
        """The answer that begins, its bill, the estimated tokens of the prompt and the optional fields that were sent."""
        made = body(request, self._client.preset, model=self._settings.model, left_out=self._client.refused, stream=stream)
        prompt, sent = estimated_prompt(made), optional_fields(made)
        expected = Usage(prompt=prompt, completion=request.max_tokens, cost=self._cost(prompt, request.max_tokens))
        async with (
            self._client.spending(expected, request.conversation) as bill,
            self._client.asked(
                lambda sdk: sdk.chat.completions.with_streaming_response.create(**made), deadline=deadline, sent=sent
            ) as begun,
        ):
            yield begun, bill, prompt, sent

    async def _once(self, request: ChatRequest, deadline: float) -> "Whole":
        async with self._attempt(request, deadline, stream=False) as (begun, bill, prompt, sent):
            heard = Heard()
            said = self._said(await begun.whole(), sent, whole=True)
            shown = Shown(request.stop)
            text = shown.add(heard.add(said)) + shown.rest()
            bill.usage = self._usage(heard, prompt)
            self._bound(heard, request)
            return Whole(heard, text, "stop" if shown.stopped else heard.finish or "stop", bill.usage)

    async def _streamed(self, request: ChatRequest, deadline: float) -> "AsyncGenerator[str | Whole]":
        tries = 0
        while True:
            passed_on = False
            try:
                async with aclosing(self._streamed_once(request, deadline)) as pieces:
                    async for piece in pieces:
                        passed_on = True
                        yield piece
                return
            except Failure as failure:
                if passed_on:
                    raise failure.error from None
                tries = await self._client.again(failure, tries, deadline)

    async def _streamed_once(self, request: ChatRequest, deadline: float) -> "AsyncGenerator[str | Whole]":
        loop = asyncio.get_running_loop()
        heard, shown, text, ended = Heard(), Shown(request.stop), "", 0.0
        async with self._attempt(request, deadline, stream=True) as (begun, bill, prompt, sent):
            try:
                async with aclosing(self._chunks(begun, sent, lambda: ended or None)) as chunks:
                    async for said in chunks:
                        if said is None:  # [DONE]
                            heard.finish = heard.finish or "stop"
                            break
                        new = shown.add(heard.add(said))
                        bill.usage = self._usage(heard, prompt)
                        self._bound(heard, request)
                        text += new
                        if new:
                            yield new
                        if shown.stopped:
                            heard.finish = "stop"
                            break
                        if heard.finish and not ended:
                            ended = loop.time() + USAGE_SECONDS
            except TimeoutError:
                if heard.finish is None:
                    if not text:
                        raise
                    heard.finish = "length"
            if heard.finish is None:
                raise self._client.judge.broken_off()
            if last := shown.rest():
                text += last
                yield last
            bill.usage = self._usage(heard, prompt)
            yield Whole(heard, text, heard.finish, bill.usage)

    async def _chunks(
        self, begun: Answer, sent: Collection[str], until: Callable[[], float | None]
    ) -> AsyncGenerator[CompletionSaid | None]:
        """The pieces of a streamed answer, None for its declared end. A service that does not stream gives one."""
        if begun.media_type != "text/event-stream":
            said = self._said(await begun.whole(), sent, whole=True)
            for choice in said.choices or ():
                choice.finish_reason = choice.finish_reason or "stop"
            yield said
            return
        nothing = True
        async with aclosing(begun.events(until=until)) as events:
            async for event in events:
                nothing = False
                if event.strip() == b"[DONE]":
                    yield None
                    return
                yield self._said(event, sent)
        if nothing:
            raise self._client.judge.rubbish("answered nothing")

    def _said(self, content: bytes, sent: Collection[str], *, whole: bool = False) -> CompletionSaid:
        judge = self._client.judge
        if not content.strip():
            raise judge.rubbish("answered nothing")
        try:
            # Google puts errors into a list.
            said = msgspec.json.decode(content, type=CompletionSaid | list[CompletionSaid])
        except (msgspec.DecodeError, RecursionError):
            if content.lstrip().startswith(b"<"):
                raise judge.rubbish("answered with a page, not with JSON") from None
            raise judge.rubbish("answered what is no chat completion") from None
        if isinstance(said, list):
            said = said[0] if said else CompletionSaid()
        if said.error is not None:
            raise judge.inside(said.error, sent)
        if whole and not said.choices:
            raise judge.rubbish("answered without an answer in it")
        return said

    def _bound(self, heard: Heard, request: ChatRequest) -> None:
        if heard.size > request.max_tokens * CHARACTERS_OF_A_TOKEN + 2000:
            raise ModelFailed(f"{self.name} wrote far more than the {request.max_tokens} tokens that it was allowed")

    async def _result(self, request: ChatRequest, whole: "Whole", deadline: float) -> ChatResult:
        """What the answer is, checked. One that does not fit is asked for a second time."""
        try:
            return self._checked(request, whole)
        except Unfit as unfit:
            if whole.finish == "length":
                raise ModelFailed(f"{self.name} was cut off at {request.max_tokens} tokens: {unfit}") from None
            reason = str(unfit)
        again = replace(request, messages=(*request.messages, *_complaint(whole, reason, schema=request.schema is not None)))
        second = await self._client.retried(lambda: self._once(again, deadline), deadline)
        try:
            result = self._checked(request, second)
        except Unfit as unfit:
            raise ModelFailed(f"{self.name} answered twice what does not fit: {unfit}") from None
        spent = Usage(
            prompt=whole.usage.prompt + second.usage.prompt,
            completion=whole.usage.completion + second.usage.completion,
            cost=whole.usage.cost + second.usage.cost,
        )
        # What was streamed of the first answer stays said.
        return replace(result, usage=spent, text=result.text if request.schema is not None else whole.text or result.text)

    def _checked(self, request: ChatRequest, whole: "Whole") -> ChatResult:
        """Raises `Unfit`, and `ModelFailed` for an answer without anything in it."""
        offered = () if request.tool_choice == "none" else request.tools
        calls = tuple(tool_call(id, name, arguments, offered) for id, name, arguments in whole.heard.calls)
        finish: Finish = "tools" if calls else "stop" if whole.finish == "tools" else whole.finish
        data = None
        if not calls and finish != "filtered":
            if offered and request.tool_choice == "required":
                raise Unfit("call one of the tools")
            if not whole.text.strip() and not any(stop for stop in request.stop):
                used_up = (
                    f"used up its {request.max_tokens} tokens before it said anything" if finish == "length" else "said nothing"
                )
                raise ModelFailed(f"{self.name} {used_up}")
            if request.schema is not None:
                data = answer(whole.text, request.schema)
        return ChatResult(text=whole.text, model=self.name, finish=finish, calls=calls, data=data, usage=whole.usage)

    def _usage(self, heard: Heard, prompt: int) -> Usage:
        return heard.tokens(prompt, price_in=self._settings.input_price, price_out=self._settings.output_price)

    def _cost(self, prompt: int, completion: int) -> float:
        return (prompt * self._settings.input_price + completion * self._settings.output_price) / 1e6


class Shown:
    """What is shown of an answer: no thoughts, and nothing from a stop sequence on."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._thoughts = Thoughts()
        self._stops = Stops(stops)

    @property
    def stopped(self) -> bool:
        return self._stops.stopped

    def add(self, text: str) -> str:
        return self._stops.pass_on(self._thoughts.add(text))

    def rest(self) -> str:
        return self._stops.pass_on(self._thoughts.rest()) + self._stops.rest()


class Whole:
    """An answer that has ended. `text` is what was passed on of it, up to a stop sequence."""

    def __init__(self, heard: Heard, text: str, finish: Finish, usage: Usage) -> None:
        self.heard = heard
        self.text = text
        self.finish = finish
        self.usage = usage


def _complaint(whole: Whole, reason: str, *, schema: bool) -> tuple[ChatMessage, ChatMessage]:
    """Sends an answer back. Two messages, since many models want user and assistant to take turns."""
    said = whole.text[:8000] or "(a call of a tool)"
    wanted = "Answer again, with JSON only." if schema else "Please try again."
    return (
        ChatMessage(role="assistant", text=said),
        ChatMessage(role="user", text=f"That does not fit: {reason}. {wanted}"),
    )
