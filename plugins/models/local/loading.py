"""From settings to a model in memory. Blocks for as long as it takes: never called on an event loop.

Code that comes with a model is never run (`trust_remote_code` is not used), and weights are read as tensors only.
"""

import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from frontdesk.core.errors import ConfigurationError, MissingExtra
from frontdesk.plugins.models.local.memory import available
from frontdesk.plugins.models.local.pull import folder_of, missing
from frontdesk.plugins.models.settings import ChatSettings

Report = Callable[[str, float | None], None]
Kind = Literal["seq2seq", "causal", "vision"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """`ends` are the tokens that end an answer, `context` the most tokens that the model may read and write."""

    kind: Kind
    model: Any
    tokenizer: Any
    processor: Any | None
    device: str
    dtype: str
    context: int
    ends: frozenset[int]
    parameters: int


def load(settings: ChatSettings, report: Report) -> Loaded:
    """Raises `ConfigurationError` with the fix, and `ModelUnavailable` if the model is not here and the hub is out of reach."""
    with _packages():
        import torch
        import transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    device = _device(settings)
    folder = folder_of(settings.model, settings.revision, offline=settings.offline, progress=report)
    adapter = None
    if settings.adapter is not None:
        adapter = folder_of(settings.adapter, offline=settings.offline, setting="models.chat.adapter", progress=report)
    report(f"loading {settings.model}", None)
    with _broken(settings, folder):
        _check_files(folder)
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    kind = _kind(config, folder, settings)
    size = _size(folder)
    dtype = _dtype(settings, config, device, size)
    quantization = _quantization(settings, device)
    _check_memory(settings, config, device, dtype, size)
    with _broken(settings, folder):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        processor = transformers.AutoProcessor.from_pretrained(folder, local_files_only=True) if kind == "vision" else None
        model = _weights(kind, folder, dtype, device, quantization, from_hub=folder != Path(settings.model).expanduser())
    if adapter is not None:
        model = _adapted(model, adapter, settings)
    model.eval()
    report(f"loaded {settings.model}", 1.0)
    return Loaded(
        kind=kind,
        model=model,
        tokenizer=tokenizer,
        processor=processor,
        device=device,
        dtype=str(dtype).removeprefix("torch."),
        context=_context(settings, config, kind),
        ends=_ends(model, tokenizer),
        parameters=model.num_parameters(),
    )


@contextmanager
def _packages() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] in ("torch", "transformers", "accelerate", "huggingface_hub"):
            raise MissingExtra("A model in a process of its own (models.chat.provider = 'local')", "local-models") from error
        raise


@contextmanager
def _broken(settings: ChatSettings, folder: Path) -> Iterator[None]:
    """What libraries raise on files that are cut off, no JSON, or of another model."""
    import torch
    from safetensors import SafetensorError

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ConfigurationError(
            f"models.chat.model = {settings.model!r} does not fit into the device's memory: choose a smaller model, "
            "or set models.chat.quantization"
        ) from error
    except ImportError as error:
        raise ConfigurationError(f"models.chat.model = {settings.model!r} needs another package: {_first_line(error)}") from error
    except pickle.UnpicklingError as error:
        raise ConfigurationError(
            f"models.chat.model = {settings.model!r}: the .bin files in {folder} have more than tensors in them, perhaps "
            "code, and are not loaded; convert them to safetensors"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        own = folder == Path(settings.model).expanduser()  # whoever made it knows what else is in there
        mend = "its files are incomplete, broken" if own else f"delete {folder} and run `frontdesk models pull {settings.model}`"
        other = "or of a kind that transformers does not load" if own else "or choose another model"
        raise ConfigurationError(
            f"models.chat.model = {settings.model!r} cannot be loaded ({_first_line(error)}): {mend}, {other}"
        ) from error
    except Exception as error:
        # tokenizers raises bare Exceptions on files that are broken.
        if type(error) is not Exception:
            raise
        raise ConfigurationError(
            f"models.chat.model = {settings.model!r}: its tokenizer in {folder} is broken ({_first_line(error)})"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    if isinstance(error, KeyError) or not lines:  # its text is the key alone
        return " ".join((type(error).__name__, *lines[:1]))[:200]
    return lines[0][:200]


def _check_files(folder: Path) -> None:
    """Raises for weights that are missing or cut off, by their headers: it takes no time, whatever their size."""
    if lacking := missing(folder):
        raise ValueError(f"{', '.join(lacking[:3])} is missing")
    for file in sorted(folder.glob("*.safetensors")):
        length = file.stat().st_size
        with file.open("rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
            if length < 8 or not 0 < header <= length - 8:
                raise ValueError(f"{file.name} is cut off")
            tensors = json.loads(stream.read(header))
        end = max((entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"), default=0)
        if length != 8 + header + end:
            raise ValueError(f"{file.name} is cut off: {length} of {8 + header + end} bytes")


def _size(folder: Path) -> int:
    weights = list(folder.glob("*.safetensors")) or list(folder.glob("*.bin"))
    return sum(file.stat().st_size for file in weights)


def _device(settings: ChatSettings) -> str:
    import torch

    wanted = settings.device
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ConfigurationError(f"models.chat.device = {wanted!r}: must be auto, cpu, mps, cuda or cuda:1 and so on") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"models.chat.device = {wanted!r}: torch sees {torch.cuda.device_count()} CUDA devices here; use auto or cpu"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigurationError(f"models.chat.device = {wanted!r}: torch finds no Metal here; use auto or cpu")
    return f"cuda:{device.index or 0}" if device.type == "cuda" else wanted


def _kind(config: Any, folder: Path, settings: ChatSettings) -> Kind:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    family = config.model_type
    causal = family in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    can_see = family in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES and any(
        (folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")
    )
    if settings.vision and not can_see:
        raise ConfigurationError(f"models.chat.vision is on, but {settings.model!r} (a {family}) cannot see; leave it out")
    if can_see and not (settings.vision is False and causal):
        return "vision"
    if family in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES and config.is_encoder_decoder:
        return "seq2seq"
    if causal:
        return "causal"
    raise ConfigurationError(f"models.chat.model = {settings.model!r} is a {family}, which writes no text: choose a chat model")


def _dtype(settings: ChatSettings, config: Any, device: str, size: int) -> Any:
    import torch

    if settings.dtype != "auto":
        return getattr(torch, settings.dtype)
    saved = getattr(config, "dtype", None) or torch.float32
    if device.startswith("cuda"):
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        # T5 overflows in float16.
        return torch.float32 if config.model_type in ("t5", "mt5", "umt5") else torch.float16
    if device == "mps":
        return torch.float32 if saved == torch.float32 else torch.bfloat16
    # Half precision is several times slower on most CPUs, but a model that fits is faster than one that does not.
    free = available()
    fits = free is None or size * (4 / saved.itemsize) < 0.7 * free
    return torch.float32 if fits else torch.bfloat16


def _check_memory(settings: ChatSettings, config: Any, device: str, dtype: Any, size: int) -> None:
    """A process that takes more than there is would be killed, again and again, and take its neighbours with it."""
    import torch

    saved = getattr(config, "dtype", None) or torch.float32
    shares = {"none": 1.0, "int8": 1 / dtype.itemsize, "bnb-8bit": 1 / dtype.itemsize}
    wanted = size * (dtype.itemsize / saved.itemsize) * shares.get(settings.quantization, 0.6 / dtype.itemsize)
    free = torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else available()
    if free is not None and wanted > free:
        raise ConfigurationError(
            f"models.chat.model = {settings.model!r} takes {wanted / 1e9:.1f} GB as {dtype}, and {device} has "
            f"{free / 1e9:.1f} GB free: choose a smaller model, or set models.chat.quantization or models.chat.dtype"
        )


def _quantization(settings: ChatSettings, device: str) -> Any:
    wanted = settings.quantization
    setting = f"models.chat.quantization = {wanted!r}"
    if wanted == "none":
        return None
    import importlib.util

    from transformers import BitsAndBytesConfig, TorchAoConfig

    if wanted in ("int8", "int4"):
        if importlib.util.find_spec("torchao") is None:
            raise MissingExtra(setting, "quantization")
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig

        if wanted == "int8":
            return TorchAoConfig(Int8WeightOnlyConfig())
        if not device.startswith("cuda"):
            raise ConfigurationError(f"{setting} needs a CUDA device; use int8, which runs everywhere")
        return TorchAoConfig(Int4WeightOnlyConfig(group_size=32, int4_packing_format="tile_packed_to_4d"))
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigurationError(f"{setting} needs a package: pip install bitsandbytes; or use int8, which needs torchao")
    if wanted == "bnb-8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")


def _weights(kind: Kind, folder: Path, dtype: Any, device: str, quantization: Any, *, from_hub: bool) -> Any:
    import transformers

    classes = {
        "seq2seq": transformers.AutoModelForSeq2SeqLM,
        "causal": transformers.AutoModelForCausalLM,
        "vision": transformers.AutoModelForImageTextToText,
    }
    model, info = classes[kind].from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True if from_hub else None,
        dtype=dtype,
        device_map={"": device},
        quantization_config=quantization,
        output_loading_info=True,
    )
    if lacking := sorted(info["missing_keys"]):
        raise ValueError(f"the weights lack {len(lacking)} tensors, {lacking[0]} for one")
    return model


def _adapted(model: Any, folder: Path, settings: ChatSettings) -> Any:
    """Merged into the weights, so that it costs nothing; kept beside them where they are quantized."""
    from safetensors import SafetensorError

    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtra("models.chat.adapter", "local-models") from error
    try:
        adapted = PeftModel.from_pretrained(model, str(folder), local_files_only=True)
        return adapted if settings.quantization != "none" else adapted.merge_and_unload()
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
        pickle.UnpicklingError,
    ) as error:
        raise ConfigurationError(
            f"models.chat.adapter = {settings.adapter!r} is no LoRA adapter for {settings.model!r} ({_first_line(error)})"
        ) from error


def _context(settings: ChatSettings, config: Any, kind: Kind) -> int:
    text = config.get_text_config() if kind == "vision" else config
    # Models with relative positions have no hard limit: what they were trained on is the default only.
    relative = getattr(text, "relative_attention_num_buckets", None) is not None
    names = ("n_positions",) if relative else ("max_position_embeddings", "max_source_positions", "n_positions")
    known = [value for name in names if isinstance(value := getattr(text, name, None), int) and value > 0]
    own = known[0] if known else (512 if relative else 2048)
    if settings.context is None:
        return own
    return settings.context if relative else min(own, settings.context)


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """What the checkpoint says, and the end of a turn by its chat template: fine-tuned models often forget to say."""
    ends: set[int] = set()
    for given in (model.generation_config.eos_token_id, model.config.get_text_config().eos_token_id, tokenizer.eos_token_id):
        ends.update(given if isinstance(given, list | tuple) else () if given is None else (given,))
    template = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else ""
    added = tokenizer.get_added_vocab()
    for turn_end in ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end|>", "<|end_of_turn|>", "<turn|>"):
        if turn_end in added and turn_end in template:
            ends.add(added[turn_end])
    return frozenset(ends)
