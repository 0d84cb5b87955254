"""How the next token is chosen, by the same arithmetic alone and in a batch."""

import random
from typing import Any

from frontdesk.plugins.models.local.engine import Sampling


def generator(sampling: Sampling) -> Any:
    """The randomness of one request, its own: what else is in the batch changes nothing. None where none is needed."""
    import torch

    if sampling.temperature <= 0:
        return None
    seed = sampling.seed if sampling.seed is not None else random.SystemRandom().getrandbits(63)
    return torch.Generator("cpu").manual_seed(seed % 2**63)


def choose(logits: Any, sampling: Sampling, randomness: Any) -> int:
    """The id of the next token by its logits, shape `(vocabulary,)`.

    Tokens in the order of their probability, as many as `top_p` asks for, and one random number that falls on one of them:
    rounding errors, which depend on the batch, can only move a choice that is on the very border.
    """
    import torch

    if randomness is None:
        return int(logits.argmax())
    probabilities, tokens = torch.softmax(logits.float().cpu() / sampling.temperature, dim=-1).sort(descending=True, stable=True)
    sums = probabilities.double().cumsum(dim=-1)
    kept = int(torch.searchsorted(sums, min(sampling.top_p, 1.0) * float(sums[-1]))) + 1
    kept = min(kept, len(tokens))
    drawn = torch.rand((), generator=randomness, dtype=torch.float64) * sums[kept - 1]
    return int(tokens[min(int(torch.searchsorted(sums[:kept], drawn, right=True)), kept - 1)])
