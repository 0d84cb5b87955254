"""The model's end in the child process: requests in, pieces of answers out."""

import asyncio
import copy
import re
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import msgspec
from msgspec.structs import replace

from frontdesk.core.chat import ChatMessage, ChatPiece, ChatRequest, ChatResult, Finish, ToolCall, Usage
from frontdesk.core.errors import ConfigurationError, ModelFailed, PromptRejected
from frontdesk.plugins.models import checked
from frontdesk.plugins.models.checked import Unfit
from frontdesk.plugins.models.local import calls, prompt
from frontdesk.plugins.models.local.engine import Engine, Prompt, Sampling
from frontdesk.plugins.models.local.loading import Loaded, Report, load
from frontdesk.plugins.models.local.prompt import PlainPrompter, Prompter, TemplatePrompter
from frontdesk.plugins.models.local.writing import Writing
from frontdesk.plugins.models.settings import ChatSettings

ATTEMPTS = 2
"""At an answer that has to fulfil a schema: the second knows what was wrong with the first."""

TRY_AGAIN = "That was not right: {problem}. Answer again, with nothing but the corrected answer."


class ChatService:
    """See `worker.Service`. Its one method is `chat`: msgpack of a `ChatRequest` in, of `ChatPiece`s out.

    A plain answer comes in pieces. One that may call tools, or that has a schema, is checked first and comes whole.
    """

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        # Tokenizers are not safe in several threads at once: this one encodes with its own copy, the event loop decodes.
        self._encoding = ThreadPoolExecutor(1, thread_name_prefix="prompts")
        self._engine: Engine
        self._prompter: Prompter
        self._tokenizer: Any
        self._special: re.Pattern[str] | None = None

    async def load(self, report: Report) -> dict[str, Any]:
        loaded = await asyncio.to_thread(load, self._settings, report)
        self._tokenizer = loaded.tokenizer
        self._prompter, self._engine = self._made(loaded)
        self._special = _special_tokens(loaded.tokenizer)
        await self._engine.start()
        report("trying it out", None)
        try:
            await self._try_out()
        except ModelFailed as error:
            raise ConfigurationError(
                f"models.chat.model = {self._settings.model!r} was loaded, but breaks when it is asked: {error}. "
                "Try another models.chat.dtype, quantization or device"
            ) from error
        return {
            "kind": loaded.kind,
            "context": self._engine.context,
            "tools": self._prompter.tools,
            "pictures": loaded.kind == "vision",
            "device": loaded.device,
            "dtype": loaded.dtype,
            "quantization": self._settings.quantization,
            "parameters": loaded.parameters,
        }

    async def call(self, method: str, argument: bytes) -> AsyncIterator[bytes]:
        if method != "chat":
            raise ModelFailed("there is no such method")
        request = msgspec.msgpack.decode(argument, type=ChatRequest)
        async with aclosing(self.answer(request)) as pieces:
            async for piece in pieces:
                yield msgspec.msgpack.encode(piece)

    async def close(self) -> None:
        self._encoding.shutdown(wait=False, cancel_futures=True)
        if hasattr(self, "_engine"):
            await self._engine.close()

    async def answer(self, request: ChatRequest) -> AsyncGenerator[ChatPiece]:
        """Raises `PromptRejected`, `ModelFailed` and `ModelUnavailable`."""
        deadline = asyncio.get_running_loop().time() + request.seconds
        prompt.check(request, self._engine.context)
        checked.check_request(request)
        request = prompt.instructed(request)
        if request.schema is not None or (request.tools and request.tool_choice != "none"):
            result = await self._checked(request, deadline)
            if result.text:
                yield ChatPiece(text=result.text)
            yield ChatPiece(result=result)
            return
        ready, tail = await self._encoded(request)
        writing = self._writing(request, ready, tail, deadline)
        said = []
        async with aclosing(writing.pieces(ready)) as pieces:
            async for text in pieces:
                said.append(text)
                yield ChatPiece(text=text)
        usage = Usage(prompt=len(ready.ids), completion=writing.tokens)
        yield ChatPiece(result=ChatResult(text="".join(said), model=self._name, finish=writing.finish, usage=usage))

    async def _checked(self, request: ChatRequest, deadline: float) -> ChatResult:
        """An answer whose calls and whose JSON are what was asked for."""
        usage = Usage()
        problem = ""
        for _ in range(ATTEMPTS):
            ready, tail = await self._encoded(request)
            writing = self._writing(request, ready, tail, deadline)
            async with aclosing(writing.pieces(ready)) as pieces:
                text = "".join([piece async for piece in pieces])
            usage = Usage(prompt=usage.prompt + len(ready.ids), completion=usage.completion + writing.tokens)
            try:
                said, wishes, data = self._parsed(text, tail, request)
            except Unfit as error:
                problem = str(error)
                if writing.finish == "length":
                    problem += f"; it was cut off after {writing.tokens} tokens"
                    break
                again = ChatMessage(role="user", text=TRY_AGAIN.format(problem=problem))
                wrong = ChatMessage(role="assistant", text=self._plain(text))
                request = replace(request, messages=(*request.messages, wrong, again))
            else:
                finish: Finish = "tools" if wishes else writing.finish
                return ChatResult(text=said, model=self._name, finish=finish, calls=wishes, data=data, usage=usage)
        raise ModelFailed(f"the model's answer does not fulfil what was asked: {problem}")

    def _parsed(self, text: str, tail: str, request: ChatRequest) -> tuple[str, tuple[ToolCall, ...], Any]:
        """Raises `Unfit`."""
        if request.tools and request.tool_choice != "none":
            said, wishes = calls.parse(text, request.tools, self._tokenizer, tail)
            if wishes:
                return self._plain(said), wishes, None
            if request.tool_choice == "required":
                raise Unfit("one of the tools must be called")
        said = self._plain(text)
        return said, (), checked.answer(said, request.schema) if request.schema is not None else None

    def _plain(self, text: str) -> str:
        return self._special.sub("", text).strip() if self._special is not None else text.strip()

    def _writing(self, request: ChatRequest, ready: Prompt, tail: str, deadline: float) -> Writing:
        length = len(ready.ids)
        room = self._engine.room(length)
        if length < 1:
            raise PromptRejected("the prompt is empty")
        if room < 1:
            raise PromptRejected(f"the prompt has {length} tokens, and the model reads {self._engine.context} with its answer")
        return Writing(
            self._engine,
            self._tokenizer,
            request,
            room=room,
            thinking=tail.rstrip().endswith("<think>"),
            special=bool(request.tools) and request.tool_choice != "none",
            deadline=deadline,
        )

    async def _encoded(self, request: ChatRequest) -> tuple[Prompt, str]:
        return await asyncio.get_running_loop().run_in_executor(self._encoding, self._prompter.encode, request)

    async def _try_out(self) -> None:
        """A kernel that is missing, or memory that is too small, is better known before a customer asks."""
        ready, _ = await self._encoded(ChatRequest.of("Hello"))
        async with aclosing(self._engine.generate(ready, Sampling(max_tokens=2))) as stream:
            async for _ in stream:
                pass

    @property
    def _name(self) -> str:
        return f"local:{self._settings.model}"

    def _made(self, loaded: Loaded) -> tuple[Prompter, Engine]:
        """What makes the model's prompts, and what runs it; not started."""
        return _parts(loaded, self._settings)


def _special_tokens(tokenizer: Any) -> re.Pattern[str] | None:
    """What no customer is to see."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    texts = sorted({*tokenizer.all_special_tokens, *added}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, texts))) if texts else None


def _parts(loaded: Loaded, settings: ChatSettings) -> tuple[Prompter, Engine]:
    if loaded.kind == "vision":
        from frontdesk.plugins.models.local.vision import VisionEngine, VisionPrompter

        return VisionPrompter(loaded.processor), VisionEngine(loaded, settings)
    tokenizer = copy.deepcopy(loaded.tokenizer)
    prompter = TemplatePrompter(tokenizer) if tokenizer.chat_template else PlainPrompter(tokenizer)
    if loaded.kind == "seq2seq":
        from frontdesk.plugins.models.local.seq2seq import Seq2SeqEngine

        return prompter, Seq2SeqEngine(loaded, settings)
    from frontdesk.plugins.models.local.causal import CausalEngine

    return prompter, CausalEngine(loaded, settings)
