"""Rows of an encoder-decoder model that are decoded together, one token each at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from frontdesk.core.errors import ModelError, ModelFailed
from frontdesk.plugins.models.local.engine import Sampling
from frontdesk.plugins.models.local.sampling import checkpoint_processors, choose, generator

RELATIVE = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})
"""Families whose decoders know only distances between tokens. Rows that began at different times can then share a batch: the
later one is padded on the left, where its mask hides what never was."""


@dataclass(kw_only=True, eq=False)
class Row:
    """One request. `tell` gets each token, in the engine's thread, or why no more come, in any."""

    prompt: Sequence[int]
    sampling: Sampling
    tell: Callable[[int | ModelError], None]
    written: list[int] = field(default_factory=list)
    done: bool = False
    """Set from any thread to take the row out before the next token."""
    randomness: Any = None

    def __post_init__(self) -> None:
        self.randomness = generator(self.sampling)

    def fail(self, error: ModelError) -> None:
        if not self.done:
            self.done = True
            self.tell(error)


class Decoder:
    """What is the same for all cohorts of a model."""

    def __init__(self, model: Any, ends: frozenset[int]) -> None:
        config, generation = model.config, model.generation_config
        self.model = model
        self.ends = ends
        self.relative = config.model_type in RELATIVE
        self.pad = next(value for value in (generation.pad_token_id, config.pad_token_id, 0) if value is not None)
        starts = (generation.decoder_start_token_id, config.decoder_start_token_id, generation.bos_token_id, self.pad)
        self.start = next(value for value in starts if value is not None)
        self.forced_first = generation.forced_bos_token_id
        self.processors = checkpoint_processors(generation)

    def choose(self, logits: Any, rows: Sequence[Row]) -> list[int]:
        """A token for each row by the last logits, shape `(rows, vocabulary)`. Rows whose logits are no numbers fail."""
        import torch

        scores = logits.float()
        if self.processors:
            for number, row in enumerate(rows):
                before = torch.tensor([[self.start, *row.written]], device=scores.device)
                scores[number] = self.processors(before, scores[number : number + 1])[0]
        best, tokens = scores.max(dim=-1)
        for row, number in zip(rows, best.isfinite().tolist(), strict=True):
            if not number:
                row.fail(ModelFailed("the model computed rubbish: numbers that are none"))
        greedy = tokens.tolist()
        return [
            self.forced_first
            if self.forced_first is not None and not row.written
            else token
            if row.randomness is None or row.done
            else choose(scores[number], row.sampling, row.randomness)
            for number, (row, token) in enumerate(zip(rows, greedy, strict=True))
        ]


class Cohort:
    """Its state: `states` are the encoder's, shape `(rows, length, width)`; `read` and `wrote` are masks of what is no padding,
    of the encoder's length and of the decoder's columns so far.
    """

    def __init__(self, decoder: Decoder, rows: Sequence[Row]) -> None:
        """Encodes the prompts, padded on the right."""
        import torch

        model = decoder.model
        self._decoder = decoder
        self.rows = list(rows)
        device = model.device
        length = max(len(row.prompt) for row in rows)
        padded = [[*row.prompt, *([decoder.pad] * (length - len(row.prompt)))] for row in rows]
        masks = [[1] * len(row.prompt) + [0] * (length - len(row.prompt)) for row in rows]
        self._read = torch.tensor(masks, device=device)
        self._wrote = torch.zeros((len(rows), 0), dtype=self._read.dtype, device=device)
        encoder = model.get_encoder()
        self._states = encoder(input_ids=torch.tensor(padded, device=device), attention_mask=self._read).last_hidden_state
        self._last = torch.full((len(rows), 1), decoder.start, device=device)
        self._cache: Any = None

    def step(self) -> None:
        """One more token for each row; rows that have ended leave."""
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        decoder = self._decoder
        self.leave()
        if not self.rows:
            return
        self._wrote = torch.cat([self._wrote, self._wrote.new_ones((len(self.rows), 1))], dim=1)
        output = decoder.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self._states),
            attention_mask=self._read,
            decoder_input_ids=self._last,
            decoder_attention_mask=self._wrote,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = output.past_key_values
        tokens = decoder.choose(output.logits[:, -1], self.rows)
        self._last = torch.tensor(tokens, device=self._last.device)[:, None]
        for row, token in zip(self.rows, tokens, strict=True):
            if row.done:
                continue
            row.written.append(token)
            row.tell(token)
            row.done = row.done or token in decoder.ends or len(row.written) >= row.sampling.max_tokens

    def leave(self) -> None:
        """Takes out the rows that are done, and the columns that only they needed."""
        import torch

        staying = [number for number, row in enumerate(self.rows) if not row.done]
        if len(staying) == len(self.rows):
            return
        self.rows = [self.rows[number] for number in staying]
        if not self.rows:
            return
        kept = torch.tensor(staying, device=self._last.device)
        self._read, self._wrote, self._states, self._last = (
            tensor.index_select(0, kept) for tensor in (self._read, self._wrote, self._states, self._last)
        )
        length = int(self._read.sum(dim=1).max())
        unused = self._wrote.shape[1] - int(self._wrote.sum(dim=1).max())
        self._read, self._states, self._wrote = self._read[:, :length], self._states[:, :length], self._wrote[:, unused:]
        if self._cache is not None:
            own, read = _tensors(self._cache)
            self._cache = _cache(
                [tensor.index_select(0, kept)[:, :, unused:] for tensor in own],
                [tensor.index_select(0, kept)[:, :, :length] for tensor in read],
            )

    def join(self, other: "Cohort") -> None:
        """Takes in the rows of another cohort; both have made a step. Only where positions are relative."""
        import torch

        self.leave()
        other.leave()
        if not self.rows:
            self.__dict__.update(other.__dict__)
        if not other.rows or self.rows is other.rows:
            return
        columns = max(self._wrote.shape[1], other._wrote.shape[1])
        length = max(self._read.shape[1], other._read.shape[1])

        def padded(cohort: Cohort) -> tuple[Any, ...]:
            left, right = columns - cohort._wrote.shape[1], length - cohort._read.shape[1]
            pad = torch.nn.functional.pad
            own, read = _tensors(cohort._cache)
            return (
                [pad(tensor, (0, 0, left, 0)) for tensor in own],
                [pad(tensor, (0, 0, 0, right)) for tensor in read],
                pad(cohort._wrote, (left, 0)),
                pad(cohort._read, (0, right)),
                pad(cohort._states, (0, 0, 0, right)),
            )

        (own, read, wrote, mask, states), (its_own, its_read, its_wrote, its_mask, its_states) = padded(self), padded(other)
        self._cache = _cache(
            [torch.cat(pair) for pair in zip(own, its_own, strict=True)],
            [torch.cat(pair) for pair in zip(read, its_read, strict=True)],
        )
        self._wrote, self._read = torch.cat([wrote, its_wrote]), torch.cat([mask, its_mask])
        self._states, self._last = torch.cat([states, its_states]), torch.cat([self._last, other._last])
        self.rows += other.rows


def _tensors(cache: Any) -> tuple[list[Any], list[Any]]:
    """Keys and values in turn, layer by layer: the decoder's own, and those of what was read."""
    own, read = cache.self_attention_cache.layers, cache.cross_attention_cache.layers
    return (
        [tensor for layer in own for tensor in (layer.keys, layer.values)],
        [tensor for layer in read for tensor in (layer.keys, layer.values)],
    )


def _cache(own: Sequence[Any], read: Sequence[Any]) -> Any:
    from transformers import DynamicCache, EncoderDecoderCache

    return EncoderDecoderCache(
        DynamicCache(list(zip(own[::2], own[1::2], strict=True))), DynamicCache(list(zip(read[::2], read[1::2], strict=True)))
    )
