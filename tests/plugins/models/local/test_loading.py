import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.models.conftest import needs

from frontdesk.core.errors import ConfigurationError, MissingExtra, ModelUnavailable
from frontdesk.plugins.models.local import loading
from frontdesk.plugins.models.local.loading import Loaded, load
from frontdesk.plugins.models.settings import ChatSettings

pytestmark = needs("torch", "transformers", "peft", "torchao")


def loaded(model: Path | str, **options: Any) -> Loaded:
    return load(ChatSettings(provider="local", model=str(model), threads=1, **options), lambda words, share: None)


@pytest.fixture
def llama(llama_folder: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    return Path(shutil.copytree(llama_folder, tmp_path / "llama"))


def sharded(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="200KB")


def greedy(model: Loaded, text: str, tokens: int = 12) -> list[int]:
    ids = model.tokenizer(text, return_tensors="pt").input_ids
    written = model.model.generate(ids, max_new_tokens=tokens, do_sample=False)[0].tolist()
    return written if model.kind == "seq2seq" else written[ids.shape[1] :]


def test_the_kind_of_a_model_is_told_by_its_configuration(llama_folder: Path, t5_folder: Path) -> None:
    t5 = loaded(t5_folder)
    assert (t5.kind, t5.device, t5.dtype, t5.context) == ("seq2seq", "cpu", "float32", 128)
    assert t5.ends == {t5.tokenizer.eos_token_id}
    llama = loaded(llama_folder)
    assert (llama.kind, llama.context) == ("causal", 512)
    assert llama.ends == {llama.tokenizer.eos_token_id}
    assert not llama.model.training


def test_a_context_can_be_shortened_and_with_relative_positions_lengthened(llama_folder: Path, t5_folder: Path) -> None:
    assert loaded(llama_folder, context=100).context == 100
    assert loaded(llama_folder, context=10_000).context == 512
    assert loaded(t5_folder, context=1000).context == 1000


def test_the_end_of_a_turn_ends_an_answer_even_if_the_checkpoint_forgets_to_say_so(llama: Path) -> None:
    for name in ("config.json", "generation_config.json"):
        content = json.loads((llama / name).read_text())
        content["eos_token_id"] = 0
        (llama / name).write_text(json.dumps(content))
    assert loaded(llama).ends == {0, 2}


def test_numbers_have_the_format_that_is_asked_for(llama_folder: Path) -> None:
    import torch

    model = loaded(llama_folder, dtype="bfloat16")
    assert model.dtype == "bfloat16"
    assert {parameter.dtype for parameter in model.model.parameters()} == {torch.bfloat16}


def test_half_precision_is_taken_on_a_cpu_where_the_whole_does_not_fit(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "available", lambda: 400_000)
    assert loaded(llama_folder).dtype == "bfloat16"
    monkeypatch.setattr(loading, "available", lambda: 100_000)
    with pytest.raises(ConfigurationError, match="GB free: choose a smaller model"):
        loaded(llama_folder)


def test_weights_of_eight_bits_answer_nearly_as_the_whole_ones(taught_llama: Any, t5_folder: Path) -> None:
    import torch

    small = loaded(taught_llama.folder, quantization="int8")
    weight = small.model.model.layers[0].mlp.up_proj.weight
    assert "Int8" in type(weight).__name__
    whole = loaded(taught_llama.folder)
    ids = whole.tokenizer("Where is my order?", return_tensors="pt").input_ids
    with torch.inference_mode():
        difference = (small.model(ids).logits - whole.model(ids).logits).abs().max()
        scale = whole.model(ids).logits.abs().max()
    assert 0 < difference < 0.1 * scale
    assert loaded(t5_folder, quantization="int8").kind == "seq2seq"


def test_quantization_that_cannot_be_had_names_what_it_needs(llama_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    with pytest.raises(ConfigurationError, match="int4' needs a CUDA device; use int8"):
        loaded(llama_folder, quantization="int4", device="cpu")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install bitsandbytes"):
        loaded(llama_folder, quantization="bnb-4bit")
    with pytest.raises(MissingExtra, match=r"frontdesk\[quantization\]"):
        loaded(llama_folder, quantization="int8")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "toaster"])
def test_a_device_that_is_not_there_is_named(llama_folder: Path, device: str) -> None:
    import torch

    if (device == "cuda" and torch.cuda.is_available()) or (device == "mps" and torch.backends.mps.is_available()):
        pytest.skip("it is there")
    with pytest.raises(ConfigurationError, match=f"models.chat.device = '{device}'"):
        loaded(llama_folder, device=device)


def test_weights_in_several_files_are_loaded(llama: Path, llama_folder: Path) -> None:
    sharded(llama)
    assert len(list(llama.glob("*.safetensors"))) > 1
    assert greedy(loaded(llama), "Hello") == greedy(loaded(llama_folder), "Hello")


def test_a_folder_of_ones_own_may_have_torchs_files(llama: Path, llama_folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(llama / "model.safetensors"), llama / "pytorch_model.bin")
    (llama / "model.safetensors").unlink()
    assert greedy(loaded(llama), "Hello") == greedy(loaded(llama_folder), "Hello")


def test_files_of_torch_that_carry_code_are_refused(llama: Path, tmp_path: Path) -> None:
    import torch

    (llama / "model.safetensors").unlink()
    torch.save({"model.embed_tokens.weight": Touch(tmp_path / "touched")}, llama / "pytorch_model.bin")
    with pytest.raises(ConfigurationError, match="more than tensors"):
        loaded(llama)
    assert not (tmp_path / "touched").exists()


class Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self._path,))


def test_code_that_comes_with_a_model_is_never_run(llama: Path, tmp_path: Path) -> None:
    config = json.loads((llama / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}}
    (llama / "config.json").write_text(json.dumps(config))
    (llama / "code.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        loaded(llama)
    assert not (tmp_path / "touched").exists()


def cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def cut_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x10\x27\0\0\0\0\0\0{")


def empty_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def page_instead_of_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_text("<html>404 Not Found</html>" * 10)


def lose_shard(folder: Path) -> None:
    sharded(folder)
    min(folder.glob("model-*.safetensors")).unlink()


def break_index(folder: Path) -> None:
    sharded(folder)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": ["no"]}')


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama", ')


def lose_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def lose_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def other_sizes(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))


def more_layers(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))


def break_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')


def lose_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut_weights, "model.safetensors is cut off"),
        (cut_header, "model.safetensors is cut off"),
        (empty_weights, "model.safetensors is cut off"),
        (page_instead_of_weights, "cut off"),
        (lose_shard, "model-00001-of-.* is missing"),
        (break_index, "model.safetensors.index.json is missing"),
        (break_config, "config.json"),
        (lose_config, "config.json is missing"),
        (lose_weights, "model.safetensors is missing"),
        (other_sizes, "cannot be loaded"),
        (more_layers, "the weights lack 9 tensors"),
        (break_tokenizer, "tokenizer|cannot be loaded"),
        (lose_tokenizer, "tokenizer|cannot be loaded"),
    ],
)
def test_a_broken_checkpoint_says_what_is_broken_and_how_to_mend_it(llama: Path, damage: Any, reason: str) -> None:
    damage(llama)
    with pytest.raises(ConfigurationError, match=reason) as raised:
        loaded(llama)
    assert f"models.chat.model = {str(llama)!r}" in str(raised.value)
    assert "delete" not in str(raised.value)  # a folder of the operator's own
    assert len(str(raised.value)) < 700


def test_a_model_that_writes_no_text_is_refused(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTModel

    ViTModel(ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)).save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError, match="is a vit, which writes no text"):
        loaded(tmp_path)


def test_vision_cannot_be_wished_into_a_model(llama_folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.chat\.vision is on, but .* cannot see"):
        loaded(llama_folder, vision=True)


@pytest.fixture
def adapter(llama_folder: Path, tmp_path: Path) -> Path:
    """A LoRA adapter with weights that change what is said."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(llama_folder)
    model = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_is_merged_into_the_weights(llama_folder: Path, adapter: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    plain, adapted = loaded(llama_folder), loaded(llama_folder, adapter=str(adapter))
    assert type(adapted.model) is type(plain.model)
    beside = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama_folder), adapter).eval()
    ids = plain.tokenizer("Hello there", return_tensors="pt").input_ids
    expected = beside.generate(input_ids=ids, max_new_tokens=12, do_sample=False)[0].tolist()[ids.shape[1] :]
    assert greedy(adapted, "Hello there") == expected
    assert greedy(adapted, "Hello there") != greedy(plain, "Hello there")


def test_an_adapter_stays_beside_quantized_weights(llama_folder: Path, adapter: Path) -> None:
    model = loaded(llama_folder, adapter=str(adapter), quantization="int8")
    assert any("lora_" in name for name, _ in model.model.named_parameters())
    assert len(greedy(model, "Hello there")) > 0


def test_an_adapter_of_another_model_is_refused(t5_folder: Path, llama_folder: Path, adapter: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.chat\.adapter = .* is no LoRA adapter for"):
        loaded(t5_folder, adapter=str(adapter))
    with pytest.raises(ConfigurationError, match=r"models\.chat\.adapter = '/nowhere/adapter': there is no such folder"):
        loaded(llama_folder, adapter="/nowhere/adapter")
    (adapter / "adapter_model.safetensors").write_bytes(b"{}")
    with pytest.raises(ConfigurationError, match=r"models\.chat\.adapter"):
        loaded(llama_folder, adapter=str(adapter))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's, and whether the hub may be asked is left to the settings."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path / "hub"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to leave this machine, none of which succeeds."""
    attempts: list[Any] = []

    def refuse(*arguments: Any, **options: Any) -> Any:
        attempts.append(arguments)
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


def in_cache(cache: Path, folder: Path, name: str) -> Path:
    """As huggingface_hub lays it out."""
    home = cache / f"models--{name.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(folder, home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    return home / "snapshots" / commit


@pytest.mark.parametrize("offline", [True, False])
def test_a_model_in_the_cache_is_loaded_without_a_word_to_the_hub(
    cache: Path, connections: list[Any], llama_folder: Path, t5_folder: Path, offline: bool
) -> None:
    in_cache(cache, llama_folder, "shop/tiny-llama")
    in_cache(cache, t5_folder, "shop/tiny-t5")
    assert loaded("shop/tiny-llama", offline=offline).kind == "causal"
    assert loaded("shop/tiny-t5", offline=offline).kind == "seq2seq"
    assert connections == []


def test_torchs_files_in_the_cache_are_not_enough(cache: Path, connections: list[Any], llama_folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = in_cache(cache, llama_folder, "shop/tiny-llama")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigurationError):
        loaded("shop/tiny-llama", offline=True)


def test_a_model_that_is_not_here_names_the_command_that_fetches_it(cache: Path, connections: list[Any]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"models\.chat\.offline forbids .* `frontdesk models pull shop/tiny-llama`"
    ) as off:
        loaded("shop/tiny-llama", offline=True)
    assert str(cache) in str(off.value)
    assert connections == []
    with pytest.raises(ModelUnavailable, match=r"could not be fetched .*: run `frontdesk models pull shop/tiny-llama`") as away:
        loaded("shop/tiny-llama")
    assert str(cache) in str(away.value)
    assert away.value.retry_after
    assert connections


def test_half_a_download_is_no_model(cache: Path, connections: list[Any], llama: Path) -> None:
    sharded(llama)
    folder = in_cache(cache, llama, "shop/tiny-llama")
    max(folder.glob("model-*.safetensors")).unlink()
    with pytest.raises(ConfigurationError, match="not whole"):
        loaded("shop/tiny-llama", offline=True)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model", "~/no/such/model", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(cache: Path, connections: list[Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        loaded(name)
    assert connections == []
