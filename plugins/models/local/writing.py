"""One answer of a model: its text piece by piece, why it ended, and how many tokens it took."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from frontdesk.core.chat import ChatRequest, Finish
from frontdesk.core.errors import ModelFailed
from frontdesk.plugins.models.local.engine import Engine, Prompt, Sampling
from frontdesk.plugins.models.local.text import Detokenizer, Thoughts
from frontdesk.plugins.models.stops import Stops


class Writing:
    """`finish` and `tokens` are known once `pieces` has ended."""

    def __init__(
        self, engine: Engine, tokenizer: Any, request: ChatRequest, *, room: int, thinking: bool, special: bool, deadline: float
    ) -> None:
        """`thinking`: the prompt has begun a thought. `special` keeps special tokens. `deadline` is in the event loop's time."""
        self._engine = engine
        self._deadline = deadline
        self._sampling = Sampling(
            max_tokens=min(request.max_tokens, room),
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
        )
        self._tokens_to_text = Detokenizer(tokenizer, special=special)
        self._thoughts = Thoughts(begun=thinking)
        self._stops = Stops(request.stop)
        self.finish: Finish = "length"
        self.tokens = 0

    async def pieces(self, prompt: Prompt) -> AsyncGenerator[str]:
        """Raises `ModelFailed` if time is up before the model has said anything."""
        said = False
        async with aclosing(self._engine.generate(prompt, self._sampling)) as stream:
            while self.tokens < self._sampling.max_tokens and self.finish == "length":
                try:
                    async with asyncio.timeout_at(self._deadline):
                        ids = await anext(stream, None)
                except TimeoutError:
                    if not said:
                        raise ModelFailed("the model said nothing within the time of the request") from None
                    break
                if ids is None:
                    break
                self.tokens += len(ids)
                if ids[-1] in self._engine.ends:
                    self.finish = "stop"
                    ids = ids[:-1]
                if piece := self._shown(self._tokens_to_text.add(ids)):
                    said = True
                    yield piece
        if piece := self._rest():
            yield piece

    def _shown(self, text: str) -> str:
        shown = self._stops.pass_on(self._thoughts.add(text)) if text else ""
        if self._stops.stopped:
            self.finish = "stop"
        return shown

    def _rest(self) -> str:
        """What was held back for what might have come, but did not."""
        if self._stops.stopped:
            return ""
        return self._shown(self._tokens_to_text.rest()) + self._stops.pass_on(self._thoughts.rest()) + self._stops.rest()
