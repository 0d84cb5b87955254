"""Where a checkpoint of Whisper comes from: a file, the folder of models, or the address that openai-whisper publishes it at."""

import asyncio
import gzip
import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import Any

from frontdesk.core.errors import ConfigurationError, MissingExtra, ModelUnavailable
from frontdesk.plugins.models.settings import SpeechSettings
from frontdesk.plugins.models.worker.service import Report

PIECE = 1 << 20

CONTEXT = 1500
"""Steps of the encoder in every Whisper model: 30 seconds."""


def folder(settings: SpeechSettings) -> Path:
    """Where models are kept: the one that openai-whisper itself uses, if no other is given."""
    if settings.download_folder is not None:
        return settings.download_folder
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "whisper"


def published() -> dict[str, str]:
    """The addresses of the published models by their names. The last folder of an address is the file's SHA-256."""
    try:
        import whisper
    except ImportError as error:
        raise MissingExtra("models.speech (whisper)", "voice") from error
    addresses: dict[str, str] = whisper._MODELS
    return addresses


async def pull(settings: SpeechSettings, report: Report) -> Path:
    """The model's file, downloaded if it is not there; a download that was cut off is gone on with.

    Raises `ConfigurationError` for what can never work, `ModelUnavailable` while the network or its server is away.
    """
    addresses = await asyncio.to_thread(published)
    address = addresses.get(settings.model)
    if address is None:
        return _file(settings, sorted(addresses))
    path = folder(settings) / address.rsplit("/", 1)[1]
    digest = address.split("/")[-2]
    if path.is_file():
        report("checking the model's file", None)
        if await asyncio.to_thread(_digest, path) == digest:
            return path
        if settings.offline:
            raise ConfigurationError(f"models.speech.offline: {path} is damaged; delete it, and run: frontdesk models pull")
    elif settings.offline:
        raise ConfigurationError(
            f"models.speech.offline: the model {settings.model} is not in {path.parent}; "
            "run `frontdesk models pull` where there is a network, or put its file there"
        )
    await _download(address, path, digest, settings.model, report)
    return path


def load(path: Path, device: str) -> Any:
    """The model in a file of openai-whisper's format, gzipped or not, on the device `auto`, `cpu` or `cuda`. Blocks.

    Raises `ConfigurationError` for a file that holds none, or a device that is not there.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ConfigurationError(f"models.speech.device: {device!r} is none; use auto, cpu or cuda") from error
    if place.type not in ("cpu", "cuda") or (place.type == "cuda" and not torch.cuda.is_available()):
        raise ConfigurationError(f"models.speech.device: there is no {device!r} here for Whisper; use auto")
    try:
        # Weights only: a file that would run code when it is read is refused.
        checkpoint = torch.load(_opened(path), map_location=place, weights_only=True)
        dimensions = ModelDimensions(**checkpoint["dims"])
        model = Whisper(dimensions)
        model.load_state_dict(checkpoint["model_state_dict"])
    except MemoryError:
        raise
    except Exception as error:  # what torch raises for a file that is none of its own has no common type
        raise ConfigurationError(
            f"models.speech.model: {path} is damaged, or no checkpoint of openai-whisper ({type(error).__name__})"
        ) from error
    if dimensions.n_audio_ctx != CONTEXT:
        raise ConfigurationError(f"models.speech.model: {path} does not hear 30 seconds at once, as every Whisper does")
    return model.to(place).eval()


def _opened(path: Path) -> io.BufferedIOBase:
    if path.suffix == ".gz":
        return io.BytesIO(gzip.decompress(path.read_bytes()))
    return path.open("rb")


def _file(settings: SpeechSettings, names: list[str]) -> Path:
    path = Path(settings.model).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"models.speech.model: {settings.model!r} is neither a file nor one of Whisper's models: {', '.join(names)}"
        )
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _download(address: str, path: Path, digest: str, name: str, report: Report) -> None:
    """Into a file beside it first, which a later call goes on with."""
    import aiohttp

    part = path.with_name(f"{path.name}.part")
    by_hand = f"run `frontdesk models pull` where there is a network, or put the file from {address} into {path.parent}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60), trust_env=True
        ) as http:
            await _receive(http, address, part, name, report)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelUnavailable(
            f"the model {name} is not in {path.parent}, and could not be downloaded ({type(error).__name__}); {by_hand}"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"models.speech.download_folder: {path.parent} cannot be written ({error.strerror or type(error).__name__})"
        ) from error
    report(f"checking the download of {name}", None)
    if await asyncio.to_thread(_digest, part) != digest:
        part.unlink()
        raise ModelUnavailable(f"what was downloaded from {address} is not the published model {name}; {by_hand}")
    part.replace(path)


async def _receive(http: Any, address: str, part: Path, name: str, report: Report) -> None:
    import aiohttp

    done = await asyncio.to_thread(lambda: part.stat().st_size if part.exists() else 0)
    async with http.get(address, headers={"Range": f"bytes={done}-"} if done else {}) as response:
        if response.status == 416:  # all of it was there: what it is will be checked
            return
        response.raise_for_status()
        if response.status != 206:
            done = 0
        total = done + response.content_length if response.content_length is not None else None
        if total is not None and shutil.disk_usage(part.parent).free < total - done:
            raise OSError(28, f"no room for the {total / 1e6:.0f} MB of the model {name}")
        with part.open("ab" if done else "wb") as file:
            async for piece in response.content.iter_chunked(PIECE):
                await asyncio.to_thread(file.write, piece)
                done += len(piece)
                report(f"downloading the model {name}: {done / 1e6:.0f} MB", done / total if total else None)
        if total is not None and done < total:
            raise aiohttp.ClientPayloadError("the download broke off")
