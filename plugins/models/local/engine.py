"""What runs a loaded model: token ids in, token ids out, for many requests at a time.

The service turns messages into a `Prompt` and token ids back into text; an engine knows nothing of messages, text or tools.
There is one for each kind of model: `seq2seq`, `causal` and `vision`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a model reads. `tensors` is what an image processor has added, as the model's `forward` names it."""

    ids: Sequence[int]
    tensors: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are chosen. `temperature` 0 is greedy. The same seed gives the same tokens, alone or in a batch."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


class Engine(Protocol):
    """Runs requests side by side. Never computes on the event loop: it has a thread of its own."""

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""

    @property
    def context(self) -> int:
        """How many tokens prompt and answer may have; where there is an encoder, each of them for itself."""

    def room(self, prompt: int) -> int:
        """How many tokens an answer to a prompt of so many tokens can have; none or less if the prompt is too long."""

    async def start(self) -> None: ...

    def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[list[int]]:
        """The ids of the answer as they come, the token that ends it included; without one `max_tokens` was reached.

        Called with prompts of at least one token, and `max_tokens` of at least 1 and at most the `room`. Closing the generator
        takes the request out of the batch at once. Raises `ModelUnavailable` for what cannot be taken now, and `ModelFailed`.
        """

    async def close(self) -> None:
        """Ends what runs: open requests raise `ModelUnavailable`."""
