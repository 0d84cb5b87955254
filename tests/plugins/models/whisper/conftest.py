"""What the tests of speech recognition share."""

from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from msgspec import msgpack

from frontdesk.plugins.models.audio import RATE, encode, opened
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.whisper.service import Answer, Order, WhisperService

from .polyglot import MICRO, write_polyglot

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture(scope="session")
def recordings():
    return RECORDINGS


@pytest.fixture(scope="session")
def polyglot(tmp_path_factory):
    """A checkpoint that hears a few sentences in English, German and Chinese."""
    path = tmp_path_factory.mktemp("whisper") / "polyglot.pt"
    write_polyglot(path)
    return path


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """A checkpoint of all languages with random weights."""
    path = tmp_path_factory.mktemp("whisper") / "untrained.pt"
    write_untrained(path)
    return path


def write_untrained(path, **dimensions):
    """Writes a small checkpoint with random weights, in openai-whisper's format."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(0)
    dims = {"n_mels": 80, "n_audio_ctx": 1500, "n_vocab": 51865, "n_text_ctx": 64}
    dims |= {f"n_{side}_{what}": size for side in ("audio", "text") for what, size in (("state", 32), ("head", 2), ("layer", 1))}
    model = Whisper(ModelDimensions(**(dims | dimensions)))
    weights = {name: torch.randn_like(value) * 0.1 for name, value in model.state_dict().items()}
    torch.save({"dims": dims | dimensions, "model_state_dict": weights}, path)


@pytest.fixture
async def start():
    """Loads models in this process: `ears = await start(path, batch=1, **settings)`."""
    started = []

    async def start(path=MICRO, *, batch=None, **settings):
        ears = Ears(SpeechSettings(model=str(path), threads=1, **settings), batch)
        started.append(ears)
        ears.facts = await ears.service.load(lambda words, share: None)
        ears.count()
        return ears

    yield start
    for ears in started:
        await ears.service.close()


class Ears:
    """A service, and how often its encoder has worked."""

    def __init__(self, settings, batch):
        self.service = WhisperService(settings, batch=batch)
        self.encoded = 0
        self.progress = []

    def count(self):
        def counted(module, args, output):
            self.encoded += len(output)

        self.service._decoder._model.encoder.register_forward_hook(counted)

    async def hear(self, path, **order):
        """The transcript of a recording. What was told of its progress is in `progress`."""
        self.progress.clear()
        async with aclosing(self.service.call("transcribe", msgpack.encode(Order(path=str(path), **order)))) as pieces:
            async for piece in pieces:
                answer = msgpack.decode(piece, type=Answer)
                if answer.transcript is not None:
                    return answer.transcript
                self.progress.append(answer.progress)
        raise AssertionError("no transcript")


@pytest.fixture(scope="session")
def samples_of():
    def samples_of(name):
        """The samples of a recording."""
        with opened(RECORDINGS / name, max_seconds=600) as recording:
            return np.concatenate(list(recording))

    return samples_of


@pytest.fixture
def note(tmp_path, samples_of):
    """Writes a voice note of recordings (by name), pauses (in seconds) and samples behind one another, and returns its path."""

    def note(*parts, name="note.ogg"):
        pieces = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(samples_of(part))
            else:
                pieces.append(part if isinstance(part, np.ndarray) else np.zeros(int(part * RATE), np.float32))
        path = tmp_path / name
        path.write_bytes(encode(np.concatenate(pieces), RATE).data)
        return path

    return note


def sounds():
    """Ten seconds each of what is no speech."""
    random = np.random.default_rng(0)
    size = 10 * RATE
    at = np.arange(size) / RATE
    white = random.standard_normal(size)
    spectrum = np.fft.rfft(random.standard_normal(size)) / np.sqrt(np.maximum(np.arange(size // 2 + 1), 1))
    pink = np.fft.irfft(spectrum, size)
    keys = np.zeros(size)
    for press in random.integers(0, size - 800, 60):
        keys[press : press + 400] += random.standard_normal(400) * np.exp(-np.arange(400) / 60)
    notes = np.repeat(random.choice([262, 294, 330, 349, 392, 440], 40), size // 40)
    made = {
        "silence": np.zeros(size),
        "hiss": 0.0005 * white,
        "white noise": 0.05 * white,
        "loud white noise": 0.3 * white,
        "pink noise": 0.3 * pink / np.abs(pink).max(),
        "noise that comes and goes": 0.2 * white * (at % 0.7 < 0.3),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * at) + 0.1 * np.sin(2 * np.pi * 150 * at),
        "sine": 0.3 * np.sin(2 * np.pi * 440 * at),
        "low sine": 0.3 * np.sin(2 * np.pi * 200 * at),
        "dial tone": 0.2 * np.sin(2 * np.pi * 350 * at) + 0.2 * np.sin(2 * np.pi * 440 * at),
        "busy tone": 0.3 * np.sin(2 * np.pi * 425 * at) * (at % 1 < 0.5),
        "sweep": 0.3 * np.sin(2 * np.pi * (100 * at + 150 * at * at)),
        "keyboard": 0.5 * keys,
        "square wave": 0.2 * np.sign(np.sin(2 * np.pi * 120 * at)),
        "melody": 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / RATE),
    }
    return {name: samples.clip(-1, 1).astype(np.float32) for name, samples in made.items()}
