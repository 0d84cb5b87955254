"""Puts the tiny Whisper of three languages together: the encoder of micro.pt.gz and the decoder of polyglot.npz.

How it was made is in make_polyglot.py.
"""

import gzip
import io
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MICRO = HERE / "micro.pt.gz"

DIMENSIONS = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 128,
    "n_audio_head": 4,
    "n_audio_layer": 2,
    "n_vocab": 51865,
    "n_text_ctx": 64,
    "n_text_state": 128,
    "n_text_head": 4,
    "n_text_layer": 2,
}
SPECIAL = (
    "<|startoftranscript|>",
    "<|endoftext|>",
    "<|transcribe|>",
    "<|notimestamps|>",
    "<|nospeech|>",
    "<|en|>",
    "<|de|>",
    "<|zh|>",
)


def micro():
    """The checkpoint as openai-whisper keeps it: `dims` and `model_state_dict`."""
    import torch

    return torch.load(io.BytesIO(gzip.decompress(MICRO.read_bytes())), weights_only=True)


def write_polyglot(path):
    """Writes a checkpoint in openai-whisper's format."""
    import torch

    weights = {name: value for name, value in micro()["model_state_dict"].items() if name.startswith("encoder.")}
    with np.load(HERE / "polyglot.npz") as trained:
        rows = trained["rows"]
        embedding = np.repeat(rows[-1:], DIMENSIONS["n_vocab"], axis=0)
        embedding[trained["used"]] = rows[:-1]
        weights["decoder.token_embedding.weight"] = torch.from_numpy(embedding)
        weights |= {f"decoder.{name}": torch.from_numpy(trained[name]) for name in trained.files if name not in ("used", "rows")}
    torch.save({"dims": DIMENSIONS, "model_state_dict": weights}, path)
