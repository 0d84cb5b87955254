"""Which models are configured, where they run, what they lack, and what they have cost today. Loads none of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from frontdesk.core.errors import ConfigurationError
from frontdesk.plugins.models.settings import ChatSettings, EmbeddingsSettings, ModelsSettings, SpeechSettings, VoiceSettings

Section = ChatSettings | SpeechSettings | VoiceSettings | EmbeddingsSettings

NEEDS = {
    "local": ("local-models", ("torch", "transformers", "accelerate", "jsonschema")),
    "whisper": ("voice", ("whisper", "torch", "av")),
    "espeak": ("voice", ("av",)),
    "piper": ("voice", ("av",)),
    "remote": ("remote-models", ("openai", "jsonschema")),
}
"""The extra of each provider, and the packages it brings; every service is `remote`."""


@dataclass(frozen=True, kw_only=True)
class Configured:
    """One section of `models`. `setting` is its key, such as `models.chat.fallback`."""

    setting: str
    section: Section

    @property
    def name(self) -> str:
        """As in logs and metrics."""
        section = self.section
        match section.provider:
            case "minilm":
                return "minilm"
            case "whisper":
                return f"whisper:{Path(section.model).name}"
            case "espeak" | "piper":
                assert isinstance(section, VoiceSettings)
                detail = section.voice or Path(section.model).name
                return f"{section.provider}:{detail}" if detail else section.provider
            case provider:
                return f"{provider}:{section.model}"


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a service was used for today. `cost` and `budget` are in the currency of the configured prices."""

    calls: int
    prompt: int
    completion: int
    cost: float
    budget: float | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`downloaded` is None for what has nothing to download; `bytes` is its size on disk. `install` brings what is `missing`."""

    setting: str
    name: str
    runs: str
    downloaded: bool | None = None
    folder: Path | None = None
    bytes: int | None = None
    missing: tuple[str, ...] = ()
    install: str | None = None
    today: Day | None = None


def configured(settings: ModelsSettings) -> list[Configured]:
    """Every model, fallbacks behind those they stand in for."""

    def sections() -> Iterator[Configured]:
        setting, chat = "models.chat", settings.chat
        while chat is not None:
            yield Configured(setting=setting, section=chat)
            setting, chat = f"{setting}.fallback", chat.fallback
        for name in ("speech", "voice", "embeddings"):
            if (section := getattr(settings, name)) is not None:
                yield Configured(setting=f"models.{name}", section=section)

    return list(sections())


async def inventory(settings: ModelsSettings, data_folder: Path) -> list[Entry]:
    """Raises `TransientError` if what was spent cannot be read."""
    used = await _today(data_folder)
    return [_entry(one, used.get(one.name)) for one in configured(settings)]


def pip(extras: Sequence[str]) -> str:
    return f'pip install "frontdesk[{",".join(extras)}]"'


def size(folder: Path) -> int:
    """Bytes of a file, or of all files in a folder, those that the hub's cache links to included."""
    if folder.is_file():
        return folder.stat().st_size
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def _today(data_folder: Path) -> dict[str, tuple[int, int, int, float]]:
    from frontdesk.plugins.models.remote.ledger import Ledger

    ledger = Ledger(data_folder)
    if not ledger.path.exists():  # to look must not make it
        return {}
    try:
        return {day.model: (day.calls, day.prompt, day.completion, day.cost) for day in await ledger.usage()}
    finally:
        await ledger.close()


def _entry(one: Configured, used: tuple[int, int, int, float] | None) -> Entry:
    section = one.section
    extra, missing = _lacking(section)
    folder, downloaded = None, None
    if not missing:
        folder, downloaded = _on_disk(section)
    day = None
    if (remote := _service(section)) is not None:
        calls, prompt, completion, cost = used or (0, 0, 0, 0.0)
        day = Day(calls=calls, prompt=prompt, completion=completion, cost=cost, budget=section.daily_budget)
    return Entry(
        setting=one.setting,
        name=one.name,
        runs=remote or _place(section),
        downloaded=downloaded,
        folder=folder,
        bytes=size(folder) if folder is not None and downloaded else None,
        missing=missing,
        install=pip([extra]) if missing and extra else None,
        today=day,
    )


def _lacking(section: Section) -> tuple[str | None, tuple[str, ...]]:
    """The extra, and the packages of it that are not installed."""
    if section.provider == "minilm":
        return None, ()
    extra, packages = NEEDS.get(section.provider, NEEDS["remote"])
    missing = tuple(package for package in packages if find_spec(package) is None)
    if isinstance(section, ChatSettings) and section.provider == "local":
        if section.adapter is not None and find_spec("peft") is None:
            missing = (*missing, "peft")
        if section.quantization in ("int8", "int4") and find_spec("torchao") is None:
            extra, missing = (f"{extra},quantization" if missing else "quantization"), (*missing, "torchao")
    return extra, missing


def _service(section: Section) -> str | None:
    """The address that a remote model is asked at; None for others."""
    from frontdesk.plugins.models.remote.presets import PRESETS

    preset = next((preset for provider, preset in PRESETS.items() if provider == section.provider), None)
    if preset is None:
        return None
    return section.base_url or preset.base_url or f"{section.provider}, whose base_url is not set"


def _place(section: Section) -> str:
    match section:
        case EmbeddingsSettings():
            return "in the bot's process; it comes with Frontdesk"
        case VoiceSettings():
            from frontdesk.plugins.models.speaking.programs import PROGRAMS

            try:
                return PROGRAMS[section.provider](section).path()
            except ConfigurationError as error:
                return str(error)
        case _:
            return f"a process of its own, device {section.device}"


def _on_disk(section: Section) -> tuple[Path | None, bool | None]:
    """Where it is or would be, and whether it is there."""
    if section.provider == "local":
        assert isinstance(section, ChatSettings)
        from frontdesk.plugins.models.local.pull import cached

        path = Path(section.model).expanduser()
        if path.is_dir():
            return path, True
        found = cached(section.model, section.revision)
        return found, found is not None
    if section.provider == "whisper":
        assert isinstance(section, SpeechSettings)
        path = whisper_file(section)
        return path, path.is_file()
    return None, None


def whisper_file(section: SpeechSettings) -> Path:
    """Where Whisper's checkpoint is, or will be. Imports whisper where the model is a published one."""
    from frontdesk.plugins.models.whisper.checkpoints import folder, published

    path = Path(section.model).expanduser()
    if path.is_file():
        return path
    address = published().get(section.model)
    return folder(section) / address.rsplit("/", 1)[1] if address else path
