"""What can be downloaded of the models: which files, whether they are here, and where they can be put by hand."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from frontdesk.config.inventory import configured, whisper_file
from frontdesk.core.errors import ConfigurationError, MissingExtra
from frontdesk.plugins.models.settings import ChatSettings, ModelsSettings, SpeechSettings

Tell = Callable[[str, float | None], None]
WHISPER = "whisper:"
PUBLISHED = SpeechSettings()


@dataclass(frozen=True, kw_only=True)
class Download:
    """A model or an adapter of the hub, or a checkpoint of Whisper. `setting` is the key that names it."""

    kind: Literal["hub", "whisper"]
    model: str
    revision: str | None = None
    setting: str
    speech: SpeechSettings = PUBLISHED

    @property
    def name(self) -> str:
        return f"{WHISPER if self.kind == 'whisper' else 'local:'}{self.model}"

    @property
    def by_hand(self) -> str:
        """What to do without a network."""
        if self.kind == "whisper":
            return f"By hand: put its file at {whisper_file(self.speech)}, or name any other file as {self.setting}."
        return (
            "By hand: put its files (config.json, the tokenizer's, *.safetensors) into any folder, and set "
            f"{self.setting} to that folder; or copy {_cache_folder(self.model)} from a machine that has it."
        )


def configured_downloads(settings: ModelsSettings) -> list[Download]:
    """Of all configured models and adapters that are no folder or file of this machine."""
    wanted = []
    for one in configured(settings):
        match one.section:
            case ChatSettings(provider="local") as chat:
                if not Path(chat.model).expanduser().is_dir():
                    wanted.append(Download(kind="hub", model=chat.model, revision=chat.revision, setting=f"{one.setting}.model"))
                if chat.adapter is not None and not Path(chat.adapter).expanduser().is_dir():
                    wanted.append(Download(kind="hub", model=chat.adapter, setting=f"{one.setting}.adapter"))
            case SpeechSettings(provider="whisper") as speech if not Path(speech.model).expanduser().is_file():
                wanted.append(Download(kind="whisper", model=speech.model, setting="models.speech.model", speech=_online(speech)))
    return wanted


def named_download(name: str, revision: str | None, settings: ModelsSettings) -> Download:
    """`google/flan-t5-small`, `local:google/flan-t5-small` or `whisper:base`. Raises `ConfigurationError`."""
    if name.startswith(WHISPER):
        speech = settings.speech if settings.speech is not None and settings.speech.provider == "whisper" else SpeechSettings()
        model = name.removeprefix(WHISPER)
        if not model:
            raise ConfigurationError("name one of Whisper's models, such as whisper:base")
        speech = _online(speech).model_copy(update={"model": model})
        return Download(kind="whisper", model=model, setting="models.speech.model", speech=speech)
    return Download(kind="hub", model=name.removeprefix("local:"), revision=revision, setting="models.chat.model")


def found(one: Download) -> Path | None:
    """Where it is on this machine, None if it is not, or not whole. Asks nobody. Raises `MissingExtra`."""
    if one.kind == "whisper":
        file = whisper_file(one.speech)
        return file if file.is_file() else None
    with _hub():
        from frontdesk.plugins.models.local.pull import cached

        folder = Path(one.model).expanduser()
        return folder if folder.is_dir() else cached(one.model, one.revision)


def pull(one: Download, tell: Tell) -> Path:
    """Downloads it, or what is missing of it. Blocks.

    Raises `ConfigurationError` for what can never be fetched, and `ModelUnavailable` without a network.
    """
    if one.kind == "whisper":
        from frontdesk.plugins.models.whisper import pull as pull_whisper

        return asyncio.run(pull_whisper(one.speech, tell))
    with _hub(), _ended_by_one_signal():
        from huggingface_hub import constants

        from frontdesk.plugins.models.local.pull import pull as pull_from_hub

        if constants.HF_HUB_OFFLINE:
            raise ConfigurationError("HF_HUB_OFFLINE is set, and forbids to ask the hub: unset it")
        folder: Path = pull_from_hub(one.model, one.revision, setting=one.setting, progress=tell)
        return folder


def _online(speech: SpeechSettings) -> SpeechSettings:
    """Whoever asks for a download means it, whatever holds for the bot."""
    return speech.model_copy(update={"offline": False})


def _cache_folder(model: str) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / str(repo_folder_name(repo_id=model, repo_type="model"))


@contextmanager
def _hub() -> Iterator[None]:
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise MissingExtra("A model of the Hugging Face hub", "local-models") from error
    yield


@contextmanager
def _ended_by_one_signal() -> Iterator[None]:
    """The hub's threads would first finish the files they are at. What is there already is kept, and gone on with."""

    def end(_signal: int, _frame: object) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\x1b[?25h\n")  # the bar has hidden the cursor
            sys.stderr.flush()
        os._exit(130)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
