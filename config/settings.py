"""What an operator can set. The sections of channels and plugins are added by the loader, from their own settings models."""

import re
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from frontdesk.plugins.models.settings import ModelsSettings

PREFIX = "FRONTDESK_"
DELIMITER = "__"
DEFAULT_PLUGINS = Path("my_plugins")
"""Where plugins are looked for when the configuration names no folder; it need not exist."""


def _base_url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^/\s]+(/[^\s?#]*)?", url):
        raise ValueError("write the address that customers see, such as https://chat.shop.example")
    return url.rstrip("/")


def _language(tag: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
        raise ValueError("write language tags such as en, zh or pt-BR")
    return tag


def _timezone(name: str) -> str:
    if name != "UTC":
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError) as error:
            raise ValueError("write the name of a time zone, such as Europe/Berlin or UTC") from error
    return name


Language = Annotated[str, AfterValidator(_language)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebServer(Section):
    host: str = Field(default="127.0.0.1", min_length=1, description="address that the HTTP server listens on; 0.0.0.0 for all")
    port: int = Field(default=8080, ge=1, le=65535, description="port of the chat page, the desk and the webhooks")
    base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        default="", description="the address that customers and agents see, if a proxy stands in front"
    )


class StoreOptions(Section):
    kind: Literal["sqlite", "memory"] = Field(default="sqlite", description="memory keeps nothing when the process ends")
    path: Path | None = Field(default=None, description="the SQLite file; frontdesk.db in the data folder if nothing is given")


class TurnOptions(Section):
    seconds: float = Field(default=30.0, gt=0, description="time limit of a turn; then the customer gets an apology")
    attempts: int = Field(default=5, ge=1, description="how often a turn is tried before its messages become dead letters")
    concurrent: int = Field(default=500, ge=1, description="how many conversations are worked on at the same time")


class LoggingOptions(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="what is less important is left out")
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto is console in a terminal and json elsewhere"
    )
    message_text: bool = Field(default=False, description="log what customers and agents write; for debugging only")


class ChannelOptions(BaseModel):
    """What every channel's section has beside the channel's own settings."""

    enabled: bool = Field(default=True, description="false turns the channel off and keeps its settings")
    when_uncertain: Literal["send", "leave"] = Field(
        default="send",
        description="a reply that may or may not have arrived: send it again, or leave it as a dead letter for people to look at",
    )
    burst_seconds: float = Field(
        default=0.0, ge=0, le=60, description="how long a turn waits for more messages, to take a burst of them as one"
    )


class PluginOptions(Section):
    """`folders` is where plugins are looked for besides the installed ones."""

    folders: tuple[Path, ...] = Field(default=(DEFAULT_PLUGINS,), description="folders of plugin files")
    disabled: tuple[str, ...] = Field(default=(), description="plugins that are left out")
    order: tuple[str, ...] = Field(default=(), description="plugins that are asked first, in this order")


class Settings(BaseSettings):
    """The whole configuration. Values are given by the loader alone, which reads the file and the environment."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter=DELIMITER)

    web: WebServer = WebServer()
    store: StoreOptions = StoreOptions()
    data_folder: Path = Field(default=Path("data"), description="where everything that must be kept lies")
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1, description="languages the bot speaks, its own first")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(default="UTC", description="for dates such as 'tomorrow'")
    region: str = Field(default="US", pattern="^[A-Z]{2}$", description="country of phone numbers without a prefix, such as GB")
    turns: TurnOptions = TurnOptions()
    models: ModelsSettings = ModelsSettings()
    channels: Any = Field(default_factory=dict)
    plugins: PluginOptions = PluginOptions()
    logging: LoggingOptions = LoggingOptions()
    shutdown_seconds: float = Field(default=10.0, ge=0, le=600, description="time limit of each stage of a graceful stop")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def tzinfo(self) -> tzinfo:
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)

    @property
    def store_path(self) -> Path:
        return self.store.path or self.data_folder / "frontdesk.db"

    @property
    def enabled_channels(self) -> dict[str, ChannelOptions]:
        """The sections of the channels that run, each also an instance of the channel's own settings model."""
        return {name: section for name, section in self.channels if isinstance(section, ChannelOptions) and section.enabled}

    @property
    def plugin_sections(self) -> dict[str, BaseModel]:
        """The plugins' own settings, by plugin name."""
        names = type(self.plugins).model_fields.keys() - PluginOptions.model_fields.keys()
        return {name: section for name, section in self.plugins if name in names and isinstance(section, BaseModel)}
