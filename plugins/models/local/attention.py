"""Attention over a packed batch, conversation by conversation.

Transformers' continuous batching packs the tokens of all conversations into one row. Without flash attention it computes every
conversation's attention over the keys of all of them, and masks what is not its own: work, and a mask, that grow with the square
of the conversations. On a CPU that ate all that the batch had gained once prompts were some hundred tokens long.
"""

from typing import Any

NAME = "frontdesk_packed"


def register() -> str:
    """Makes it known to transformers by the name that is returned. Torch is imported here."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME


def attention(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **kwargs: Any) -> tuple[Any, None]:
    """As transformers' `sdpa`, and exactly that where the model is called alone, beside its batch."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if "cu_seq_lens_q" not in kwargs or kwargs.get("cache") is None:
        found: tuple[Any, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return found
    return packed_attention(module, query, key, value, **kwargs)


def packed_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    *,
    cache: Any,
    cu_seq_lens_q: Any,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Any, None]:
    """`query`, `key` and `value` are `(1, heads, tokens, width)` of all conversations.

    `cache` is transformers' paged cache, which keeps the new keys and values and returns them behind those that it has. There
    is no mask: a conversation's tokens see those before them, within the sliding window where the layer has one.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    if softcap is not None:
        raise ValueError("this attention has no soft cap")
    key, value = cache.update(key_states=key, value_states=value, layer_idx=module.layer_idx, kwargs=kwargs)
    queries, keys = cu_seq_lens_q.tolist(), kwargs["cu_seq_lens_k"].tolist()
    result = torch.empty_like(query)
    grouped = query.shape[1] != key.shape[1]
    for index in range(len(queries) - 1):
        own, seen = slice(queries[index], queries[index + 1]), slice(keys[index], keys[index + 1])
        new, total = own.stop - own.start, seen.stop - seen.start
        windowed = sliding_window is not None and total > sliding_window
        whole = new == total and not windowed
        mask = None
        if new > 1 and not whole:
            # Token i of the new ones stands at total - new + i.
            mask = torch.ones(new, total, dtype=torch.bool, device=query.device).tril(total - new)
            if windowed:
                mask = mask.triu(total - new - sliding_window + 1)
        elif windowed:
            seen = slice(seen.stop - sliding_window, seen.stop)
        result[:, :, own] = scaled_dot_product_attention(
            query[:, :, own],
            key[:, :, seen],
            value[:, :, seen],
            attn_mask=mask,
            is_causal=whole and new > 1,
            scale=scaling,
            enable_gqa=grouped,
        )
    return result.transpose(1, 2).contiguous(), None
