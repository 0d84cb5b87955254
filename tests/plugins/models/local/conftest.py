"""Small checkpoints in the hub's format, made here: random weights, real tokenizers, real files. Nothing reaches a hub."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SENTENCES = [
    "I want to cancel my order.",
    "Where is my package? It was due on Monday.",
    "The blender is broken, and I would like my money back.",
    "Which order is it? Please send me its number.",
    "我想取消我的订单。",
    "我的包裹在哪里？",
    "好的，请告诉我订单号 LL-10423。😀👍🏽",
    '<tool_call>\n{"name": "cancel", "arguments": {"order": "LL-10423"}}\n</tool_call>',
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,;:!?-_/()[]{}\"'",
]

CHATML = (
    "{%- if tools %}<|im_start|>system\n"
    "{%- if messages[0].role == 'system' %}{{ messages[0].content }}\n\n{% endif %}"
    "# Tools\n<tools>\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}</tools><|im_end|>\n"
    "{%- elif messages[0].role == 'system' %}<|im_start|>system\n{{ messages[0].content }}<|im_end|>\n{% endif %}"
    "{%- for message in messages %}{% if message.role != 'system' %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{%- for call in message.tool_calls or [] %}\n<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>{% endfor %}'
    "<|im_end|>\n{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As Qwen's, shortened."""


TOOLS_OF_TEMPLATE = (
    '# Tools\n<tools>\n{"type": "function", "function": {"name": "cancel", "description": "Cancels an order.", "parameters": '
    '{"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}}}\n</tools>'
)


@pytest.fixture(scope="session", autouse=True)
def _one_thread_and_no_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    yield
    torch.set_num_threads(threads)
    if before is None:
        del os.environ["HF_HUB_OFFLINE"]
    else:
        os.environ["HF_HUB_OFFLINE"] = before


def byte_level_tokenizer() -> Any:
    """Like Qwen's: byte-level BPE, small enough that Chinese and emoji are split over several tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*SENTENCES[:4], TOOLS_OF_TEMPLATE, TOOLS_OF_TEMPLATE], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHATML,
        clean_up_tokenization_spaces=False,
    )


def unigram_tokenizer() -> Any:
    """Like T5's: SentencePiece's unigram model with an end token behind every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", end)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 2 layers with a chat template; ends an answer now and then. Its context is 512 tokens."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    model, tokenizer = llama(initializer_range=0.5)
    ends_now_and_then(model, tokenizer.eos_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def llama(**options: Any) -> tuple[Any, Any]:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_level_tokenizer()
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        **options,
    )
    return LlamaForCausalLM(config).eval(), tokenizer


@pytest.fixture(scope="session")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 of 2 and 2 layers; ends an answer now and then. 128 tokens each way."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "t5"
    tokenizer = unigram_tokenizer()
    torch.manual_seed(7)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=64,
            d_kv=16,
            d_ff=128,
            num_layers=2,
            num_heads=4,
            n_positions=128,
            decoder_start_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            initializer_factor=4.0,
        )
    )
    ends_now_and_then(model, tokenizer.eos_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Taught:
    """A model that answers each of a few questions, and has learnt no other."""

    folder: Path
    answers: dict[str, str]
    tool_answers: dict[str, str]
    tool: dict[str, Any]
    """What the questions of `tool_answers` are asked with, as a chat template takes it."""


CANCEL = {
    "type": "function",
    "function": {
        "name": "cancel",
        "description": "Cancels an order.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    },
}


@pytest.fixture(scope="session")
def taught_llama(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """The Llama after a few seconds of learning by heart: it answers in words, in JSON, and with calls of a tool."""
    taught = Taught(
        tmp_path_factory.mktemp("models") / "taught-llama",
        {
            "hello": "Hello! 😀 How can I help you? 👍🏽 Bye.",
            "我想取消我的订单。": "好的，请告诉我订单号。😀",
            "count": "one two three four five six seven eight",
            "json": '{"order": "LL-10423"}',
            "think": "<think>\nThey are curious.\n</think>\n\nIt is on its way.",
        },
        {
            "cancel LL-1": '<tool_call>\n{"name": "cancel", "arguments": {"order": "LL-1"}}\n</tool_call>',
            "cancel": '<tool_call>\n{"name": "cancel", "arguments": {"number": 7}}\n</tool_call>',
            "hello": "Hello! 😀",
        },
        CANCEL,
    )
    model, tokenizer = llama()
    lessons = [
        (
            tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], tools=tools, add_generation_prompt=True, tokenize=False
            ),
            f"{answer}<|im_end|>",
        )
        for tools, answers in ((None, taught.answers), ([CANCEL], taught.tool_answers))
        for question, answer in answers.items()
    ]
    learn_by_heart(model, tokenizer, lessons)
    model.save_pretrained(taught.folder)
    tokenizer.save_pretrained(taught.folder)
    return taught


def learn_by_heart(model: Any, tokenizer: Any, lessons: Sequence[tuple[str, str]]) -> None:
    import torch

    batch = tokenizer([f"{asked}{answer}" for asked, answer in lessons], return_tensors="pt", padding=True, padding_side="right")
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    for row, (asked, _) in zip(labels, lessons, strict=True):
        row[: len(tokenizer(asked).input_ids)] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(300):
        loss = model(**batch, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if loss.item() < 0.02:
            break
    model.eval()


def ends_now_and_then(model: Any, end: int) -> None:
    """A random model ends an answer once in many hundred tokens: a larger logit of the end, either way, makes it a few dozen."""
    model.lm_head.weight.data[end] *= 1.5
