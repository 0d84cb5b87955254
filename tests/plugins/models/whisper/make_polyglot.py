"""Makes polyglot.npz: the decoder of a tiny Whisper that hears sixteen sentences in English, German and Chinese.

The encoder is that of micro.pt.gz, as it is; only the decoder is trained, in three minutes on one core, on what espeak-ng says.
It knows nothing else. It lets tests see languages told apart for real. Needs espeak-ng:

    python -m tests.plugins.models.whisper.make_polyglot
"""

import contextlib
import io
import random
import subprocess
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from frontdesk.plugins.models.audio import encode, opened, writing

HERE = Path(__file__).parent

SENTENCES = {
    "en": [
        "I want to cancel my order.",
        "Where is my package?",
        "My blender is broken.",
        "I want to speak to a human.",
        "Thank you very much.",
        "How long does delivery take?",
    ],
    "de": [
        "Ich möchte meine Bestellung stornieren.",
        "Wo ist mein Paket?",
        "Mein Mixer ist kaputt.",
        "Ich möchte mit einem Menschen sprechen.",
        "Vielen Dank.",
    ],
    "zh": ["我想取消我的订单。", "我的包裹在哪里？", "我的搅拌机坏了。", "我想和人工客服说话。", "非常感谢。"],
}
VOICES = {"en": ["en-us", "en-gb", "en-gb-scotland"], "de": ["de"], "zh": ["cmn"]}
VARIANTS = ["", "+m1", "+m2", "+m3", "+m4", "+f1", "+f2", "+Andy", "+Annie", "+Denis", "+steph", "+Michael"]
"""Not among them, for the tests: m7, f3."""


def spoken(text, voice, speed):
    """Mono samples at 16 kHz."""
    import av

    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    wave = subprocess.run(command, capture_output=True, check=True).stdout
    resampler = av.AudioResampler("flt", "mono", 16000)
    pieces = []
    with av.open(io.BytesIO(wave)) as container:
        for frame in [*container.decode(audio=0), None]:
            if frame is not None:
                frame.pts = None
            pieces += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame)]
    return np.concatenate(pieces)


def through_opus(samples, bits):
    """What is left of samples in a voice note."""
    with tempfile.TemporaryDirectory() as folder, patch.object(writing, "BITS", bits):
        path = Path(folder) / "note.ogg"
        path.write_bytes(encode(samples, 16000).data)
        with opened(path, max_seconds=60) as recording:
            return np.concatenate(list(recording))


def main():
    import torch
    from tests.plugins.models.whisper.polyglot import DIMENSIONS, SPECIAL, micro
    from whisper.audio import log_mel_spectrogram, pad_or_trim
    from whisper.model import ModelDimensions, Whisper
    from whisper.tokenizer import get_tokenizer

    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = random.Random(0)
    source = micro()
    model = Whisper(ModelDimensions(**DIMENSIONS))
    weights = {name: value.float() for name, value in source["model_state_dict"].items()}
    old, new = get_tokenizer(False), get_tokenizer(True, num_languages=99)
    tokens = {
        (language, text): [
            new.sot,
            new.to_language_token(language),
            new.transcribe,
            new.no_timestamps,
            *new.encode(" " + text if language != "zh" else text),
            new.eot,
        ]
        for language, texts in SENTENCES.items()
        for text in texts
    }
    used = sorted({token for row in tokens.values() for token in row} | {new.special_tokens[name] for name in SPECIAL})
    place = {token: index for index, token in enumerate(used)}

    # Rows of the embedding: micro's where it has the same token, one common row for all tokens that are never said.
    rows = torch.randn(len(used) + 1, 128) * 0.05
    for token, index in place.items():
        with contextlib.suppress(KeyError):
            known = old.encoding.encode_single_token(new.encoding.decode([token]))
            rows[index] = weights["decoder.token_embedding.weight"][known]
    del weights["decoder.token_embedding.weight"]
    model.load_state_dict(weights, strict=False)
    rows.requires_grad_(True)
    others = float(np.log(DIMENSIONS["n_vocab"] - len(used)))

    print("speaking and encoding ...", flush=True)
    examples = []  # (features, (first, last) frame, tokens)
    with torch.no_grad():
        for turn in range(24):
            for (language, text), row in tokens.items():
                voice = rng.choice(VOICES[language]) + VARIANTS[(turn * 5 + rng.randrange(3)) % len(VARIANTS)]
                parts = [(spoken(text, voice, rng.randint(130, 175)), row)]
                if turn % 3:  # two sentences in one window, so that a part of a window is understood
                    (tongue, other), more = rng.choice(list(tokens.items()))
                    parts.append((spoken(other, rng.choice(VOICES[tongue]) + rng.choice(VARIANTS), rng.randint(130, 175)), more))
                samples, spans = np.zeros(0, np.float32), []
                for part, sequence in parts:
                    lead = np.zeros(rng.randrange(1600, 8000), np.float32)
                    spans.append((len(samples), len(samples) + len(lead) + len(part), sequence))
                    samples = np.concatenate((samples, lead, part))
                if turn % 4:
                    samples = through_opus(samples, rng.choice([16000, 24000, 32000]))
                samples = samples + rng.choice([0, 0, 0.002, 0.01]) * np.random.default_rng(turn).standard_normal(len(samples))
                mel = pad_or_trim(log_mel_spectrogram(samples.astype(np.float32), 80, padding=480000), 3000)
                features = model.encoder(mel[None])[0]
                for start, end, sequence in spans:
                    examples.append((features[start // 320 : -(-end // 320) + 10].clone(), sequence))
                if len(parts) == 1:
                    examples.append((features[:1500].clone(), row))
        for noise in (0, 0.001, 0.01, 0.05):
            samples = (noise * np.random.default_rng(1).standard_normal(480000)).astype(np.float32)
            features = model.encoder(log_mel_spectrogram(samples, 80)[None])[0]
            examples += [(features[: rng.randrange(50, 1500)].clone(), [new.sot, new.no_speech]) for _ in range(6)]
    print(len(examples), "examples", flush=True)

    parameters = [rows, *(value for name, value in model.decoder.named_parameters() if name != "token_embedding.weight")]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
    steps = 1500
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    for step in range(steps):
        examples.sort(key=lambda _: rng.random())
        batch = sorted(examples[:64], key=lambda example: len(example[0]))
        batch = batch[(at := rng.randrange(len(batch) - 8)) : at + 8]
        length = min(len(features) for features, _ in batch)
        loss = torch.zeros(())
        for features, sequence in batch:
            ids = torch.tensor([place[token] for token in sequence])
            x = rows[ids[:-1]][None] + model.decoder.positional_embedding[: len(ids) - 1]
            for block in model.decoder.blocks:
                x = block(x, features[None], mask=model.decoder.mask)
            logits = model.decoder.ln(x)[0] @ rows.T
            logits = torch.cat((logits[:, :-1], logits[:, -1:] + others), dim=1)
            loss = loss + torch.nn.functional.cross_entropy(logits, ids[1:], label_smoothing=0.02) / len(batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(step, round(loss.item(), 3), length, flush=True)

    kept = {
        name: value.detach().half().numpy()
        for name, value in model.decoder.named_parameters()
        if name != "token_embedding.weight"
    }
    np.savez_compressed(HERE / "polyglot.npz", **kept, used=np.array(used), rows=rows.detach().half().numpy())
    print((HERE / "polyglot.npz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
