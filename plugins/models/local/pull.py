"""Brings models from the hub to this machine, and finds those that are here.

What is on disk is looked at first and never asked for again, so that a start does not wait for the hub. The cache is
huggingface_hub's own: `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`, `HF_ENDPOINT` and `HF_TOKEN` mean what they mean everywhere.
Weights come from the hub as safetensors only: they cannot carry code. A folder of the operator's own may have torch's `.bin`
files too, which are read as plain tensors (`weights_only`).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from frontdesk.core.errors import ConfigurationError, ModelUnavailable

FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken")
NOT_FILES = ("*/*", "consolidated*", "training_args*", "README*", "LICENSE*")
"""No folders: they have the same weights once more, for other runtimes. Mistral's `consolidated` are a second copy too."""

Progress = Callable[[str, float | None], None]


def folder_of(
    model: str, revision: str | None = None, *, offline: bool = False, setting: str = "models.chat.model", progress: Progress
) -> Path:
    """The folder of a model: the one it names, the one in the cache, or the one it is downloaded into. Blocks for the download.

    Raises `ConfigurationError` for what does not exist or may not be fetched, and `ModelUnavailable` if the hub is out of reach.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1:
        raise ConfigurationError(f"{setting} = {model!r}: there is no such folder")
    if (found := cached(model, revision)) is not None:
        return found
    if offline or _offline():
        why = "HF_HUB_OFFLINE" if _offline() else "models.chat.offline"
        raise ConfigurationError(
            f"{setting} = {model!r} is not, or not whole, in {_cache()}, and {why} forbids to fetch it: "
            f"run `{_command(model, revision)}` without it, where there is a network"
        )
    return pull(model, revision, setting=setting, progress=progress)


def cached(model: str, revision: str | None = None) -> Path | None:
    """Where a model is in the cache, None if it is not, or not whole. Asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                model, revision=revision, local_files_only=True, allow_patterns=list(FILES), ignore_patterns=list(NOT_FILES)
            )
        )
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder if not missing(folder) else None


def missing(folder: Path) -> list[str]:
    """What a model's or an adapter's folder lacks. Weights that are listed must all be there."""
    if not any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
        return ["config.json"]
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        if any(folder.glob("*.safetensors")):
            return []
        index = folder / "pytorch_model.bin.index.json"
        if not index.is_file():
            return [] if any(folder.glob("*.bin")) else ["model.safetensors"]
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        return [f"a readable {index.name}"]
    return sorted(name for name in shards if not (folder / name).is_file())


def pull(model: str, revision: str | None = None, *, setting: str = "models.chat.model", progress: Progress) -> Path:
    """Downloads a model into the cache, and goes on where an earlier download was cut off. Blocks.

    `progress` is told what goes on and the share of bytes that is there. Raises as `folder_of` does.
    """
    from huggingface_hub import snapshot_download

    progress(f"asking the hub for {model}", None)
    patterns: dict[str, Any] = {"allow_patterns": list(FILES), "ignore_patterns": list(NOT_FILES)}
    try:
        planned = snapshot_download(model, revision=revision, dry_run=True, **patterns)
        wanted = sum(file.file_size or 0 for file in planned if file.will_download)
        if not any(file.filename.endswith(".safetensors") for file in planned):
            raise ConfigurationError(
                f"{setting} = {model!r} has no safetensors on the hub; other formats may carry code and are not fetched. "
                "Choose another model, or convert it and name the folder"
            )
        _check_space(model, wanted, setting)
        told = _bar(wanted, lambda share: progress(f"downloading {model} ({_size(wanted)})", share))
        return Path(snapshot_download(model, revision=revision, tqdm_class=told, **patterns))
    except ConfigurationError:
        raise
    except Exception as error:
        raise _explained(error, model, revision, setting) from error


def _explained(error: Exception, model: str, revision: str | None, setting: str) -> Exception:
    """What the hub, or the way to it, has said: huggingface_hub wraps it in errors of its own now and then."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    for cause in causes:
        match cause:
            case GatedRepoError():
                return ConfigurationError(
                    f"{setting} = {model!r}: its owner asks you to accept a licence on the hub first; then set HF_TOKEN"
                )
            case RevisionNotFoundError():
                return ConfigurationError(f"{setting} = {model!r} has no revision {revision!r} on the hub")
            case RepositoryNotFoundError() | HFValidationError():
                return ConfigurationError(
                    f"{setting} = {model!r}: the hub knows no such model, or keeps it private: check the name, or set HF_TOKEN"
                )
    return ModelUnavailable(
        f"{model!r} is not, or not whole, in {_cache()}, and could not be fetched ({type(causes[-1]).__name__}): "
        f"run `{_command(model, revision)}` where there is a network, or give {setting} a folder",
        retry_after=60,
    )


def _command(model: str, revision: str | None) -> str:
    return f"frontdesk models pull {model}" + (f" --revision {revision}" if revision else "")


def _offline() -> bool:
    from huggingface_hub.constants import is_offline_mode

    return bool(is_offline_mode())


def _cache() -> str:
    from huggingface_hub import constants

    return str(constants.HF_HUB_CACHE)


def _check_space(model: str, wanted: int, setting: str) -> None:
    folder = Path(_cache())
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise ConfigurationError(
            f"{setting} = {model!r} takes {_size(wanted)}, and {folder} has {_size(free)} free: set HF_HOME to a larger disk"
        )


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _bar(total: int, tell: Callable[[float], None]) -> type:
    """A progress bar that draws nothing. huggingface_hub makes one for files, one for bytes received, one for bytes written."""
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        furthest = 0.0

        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._counts_bytes = options.get("unit") == "B"
            self._done = 0.0
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self._done += n or 0
            if self._counts_bytes and total and self._done > Bar.furthest:
                Bar.furthest = self._done
                tell(min(1.0, self._done / total))

    return Bar
