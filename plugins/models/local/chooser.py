"""Chooses the tokens of a batch, each by the sampling of its own request. Imports torch and transformers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from transformers.generation import LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)

from frontdesk.plugins.models.local.engine import Sampling
from frontdesk.plugins.models.local.sampling import choose, generator


@dataclass(eq=False)
class Choice:
    """How a request's tokens are chosen. `rubbish` is set when its logits are no numbers; what follows has no meaning.

    With `keep_logits`, those of the last token are in `logits`.
    """

    sampling: Sampling
    processors: Any = ()
    """What the checkpoint asks for; they want to know the tokens before."""
    randomness: Any = field(init=False)
    rubbish: bool = False
    keep_logits: bool = False
    logits: Any = None

    def __post_init__(self) -> None:
        self.randomness = generator(self.sampling)

    def __call__(self, logits: Any, before: Sequence[int]) -> None:
        """Changes logits, shape `(vocabulary,)`, so that the largest is that of the token chosen. `before`: prompt and answer."""
        if self.keep_logits:
            self.logits = logits.clone()
        if self.processors:
            logits.copy_(self.processors(torch.tensor([before], device=logits.device), logits[None])[0])
        # The largest is NaN where any is, infinite where one is, and minus infinite only where all are.
        if not bool(torch.isfinite(logits.max())):
            self.rubbish = True
            logits.zero_()
        elif self.randomness is not None:
            logits[choose(logits, self.sampling, self.randomness)] = torch.inf


class Chooser(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Among the manager's logits processors, the one that there is.

    The manager's own sampling draws from one common source, so that a seed would mean nothing, and sorts the whole vocabulary
    for each setting, for greedy requests too. So the manager takes the largest logit, and this makes it that of the token chosen.

    `choices` is filled and emptied by the engine, by the id of the request; the manager's thread reads it.
    """

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.choices: dict[str, Choice] = {}
        self._batch: list[Any] = []

    def fill_defaults(self, int32_tensor: Any) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> Any:
        """Keeps who is in the batch, in the order of the rows; the manager wants a number for each."""
        self._batch = [request.state for request in requests_with_new_token]
        return torch.zeros(len(self._batch), dtype=torch.int32)

    def __call__(self, scores: Any, tensor_arg: Any) -> Any:
        """`scores` are `(rows, vocabulary)`: a row for each request in the batch, those without a new token behind the others."""
        for row, state in enumerate(self._batch):
            choice = self.choices.get(state.request_id)
            if choice is not None:
                choice(scores[row], state.initial_tokens + state.generated_tokens if choice.processors else ())
        return scores

    def processors(self) -> ContinuousBatchingLogitsProcessorList:
        """What the manager takes for its list of processors."""
        chosen = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([self]))
        # It counts the rows of arguments for those that it has made itself only.
        chosen.tensors_required = 1
        return chosen
