"""How the next token is chosen, by the same arithmetic alone and in a batch."""

import random
from typing import Any

from frontdesk.plugins.models.local.engine import Sampling

NUCLEUS = 1024
"""`top_p` mostly keeps fewer tokens than so many: all of a large vocabulary are sorted only where it keeps more."""


def generator(sampling: Sampling) -> Any:
    """The randomness of one request, its own: what else is in the batch changes nothing. None where none is needed."""
    import torch

    if sampling.temperature <= 0:
        return None
    seed = sampling.seed if sampling.seed is not None else random.SystemRandom().getrandbits(63)
    return torch.Generator("cpu").manual_seed(seed % 2**63)


def choose(logits: Any, sampling: Sampling, randomness: Any) -> int:
    """The id of the next token by its logits, shape `(vocabulary,)`.

    The tokens that `top_p` keeps in the order of their ids, and one random number that falls on one of them: rounding errors,
    which depend on the batch, can only move a choice that is on the very border. In the order of their probabilities, tokens
    that are nearly as probable would change places.
    """
    import torch

    if randomness is None:
        return int(logits.argmax())
    probabilities = torch.softmax(logits.float().cpu() / sampling.temperature, dim=-1).double()
    tokens = None if sampling.top_p >= 1 else _nucleus(probabilities, sampling.top_p)
    sums = (probabilities if tokens is None else probabilities[tokens]).cumsum(dim=-1)
    drawn = torch.rand((), generator=randomness, dtype=torch.float64) * sums[-1]
    place = min(int(torch.searchsorted(sums, drawn, right=True)), len(sums) - 1)
    return place if tokens is None else int(tokens[place])


def _nucleus(probabilities: Any, top_p: float) -> Any:
    """The ids of the most probable tokens that have the share `top_p` together, in ascending order."""
    import torch

    share = top_p * float(probabilities.sum())
    best, tokens = probabilities.topk(min(NUCLEUS, len(probabilities)))
    if float(best.sum()) < share:
        best, tokens = probabilities.sort(descending=True)
    kept = min(int(torch.searchsorted(best.cumsum(dim=-1), share)) + 1, len(best))
    return tokens[:kept].sort().values


def checkpoint_processors(generation: Any) -> Any:
    """What the checkpoint's generation config asks of greedy decoding, too. Beams are not searched: a chat streams."""
    from transformers import (
        LogitsProcessorList,
        NoRepeatNGramLogitsProcessor,
        RepetitionPenaltyLogitsProcessor,
        SuppressTokensLogitsProcessor,
    )

    found = LogitsProcessorList()
    if generation.repetition_penalty not in (None, 1.0):
        found.append(RepetitionPenaltyLogitsProcessor(generation.repetition_penalty))
    if generation.no_repeat_ngram_size:
        found.append(NoRepeatNGramLogitsProcessor(generation.no_repeat_ngram_size))
    if generation.suppress_tokens:
        found.append(SuppressTokensLogitsProcessor(generation.suppress_tokens))
    return found
