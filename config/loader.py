"""Reads the configuration: one YAML or TOML file, and over it the environment.

`FRONTDESK_WEB__PORT=9000` stands for `web.port: 9000`; two underscores go one level down. Relative paths in a file are
relative to the file. Without any file the demo shop runs, and only then.
"""

import os
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from frontdesk.config.plugins import Found, channel_names, find_channel, find_plugins
from frontdesk.config.problems import described, mistyped_variables, model_of
from frontdesk.config.settings import DELIMITER, PREFIX, ChannelOptions, PluginOptions, Section, Settings
from frontdesk.core.channel import Transport
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.plugin import Plugin

NAMES = ("frontdesk.yaml", "frontdesk.yml", "frontdesk.toml")
DEMO = Path(__file__).parent / "demo" / "frontdesk.yaml"
FILE_VARIABLE = f"{PREFIX}CONFIG"
ALWAYS_ON = ("web", "desk")
"""Channels that run without being named in the configuration."""

Tree = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings with what they name. `origins` tells, for each dotted key that was given, who gave it."""

    settings: Settings
    file: Path
    origins: Mapping[str, str]
    plugins: Sequence[Plugin]
    channels: Mapping[str, type[Transport]]

    @property
    def demo(self) -> bool:
        return self.file == DEMO


def load(file: Path | None = None, *, core_only: bool = False) -> Configuration:
    """Raises `ConfigurationError` that names all that is wrong: each key, its value and the fix.

    `core_only` leaves the sections of channels and plugins alone, for commands that need none of their secrets.
    """
    path = find_file(file)
    tree = read_file(path)
    problems: list[ConfigurationError] = []
    found = Found(plugins=(), known=None) if core_only else _plugins(tree, path, problems)
    channels = dict.fromkeys(channel_names()) if core_only else _channels(tree, problems)
    model = _model(channels, found)
    tree = _prepared(tree, model, path.resolve().parent)
    origins = _origins(tree, path)
    settings = None
    try:
        settings = model(**_merged(tree, _Environment(model)()))
    except ValidationError as error:
        problems += [ConfigurationError(problem) for problem in described(error, model, origins)]
    problems += [ConfigurationError(problem) for problem in mistyped_variables(os.environ, model)]
    if len(problems) == 1:
        raise problems[0]
    if settings is None or problems:
        raise ConfigurationError("\n".join([f"{len(problems)} things are wrong:", *(f"- {each}" for each in problems)]))
    loaded = {name: channel for name, channel in channels.items() if channel is not None}
    return Configuration(settings=settings, file=path, origins=origins, plugins=found.plugins, channels=loaded)


def find_file(file: Path | None = None) -> Path:
    """The one asked for, the one that `FRONTDESK_CONFIG` names, the one in the working directory, or the demo's."""
    if file is None and (named := os.environ.get(FILE_VARIABLE)):
        file = Path(named)
    if file is not None:
        if not file.is_file():
            raise ConfigurationError(f"there is no file {file}: correct --config or {FILE_VARIABLE}")
        return file
    present = [path for name in NAMES if (path := Path(name)).is_file()]
    if len(present) > 1:
        raise ConfigurationError(f"{' and '.join(map(str, present))} are both here: keep one, or choose by --config")
    return present[0] if present else DEMO


def read_file(path: Path) -> Tree:
    """Raises `ConfigurationError` with the line of a syntax error."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        fix = "words with one of : ? # , [ { need quotes"
        raise ConfigurationError(f"{path}{line} is not valid YAML: {error.problem}; {fix}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigurationError(f"{path} must hold keys with values, such as `web: {{port: 8080}}`")
    return {str(key): _with_names(value) for key, value in tree.items()}


class _Environment(EnvSettingsSource):
    """Takes `a, b` for a list as well as JSON; what can be neither is left to the validation, which names it."""

    def __init__(self, model: type[BaseSettings]) -> None:
        super().__init__(model)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            if field is not None and get_origin(field.annotation) in (tuple, list, set, frozenset):
                return [part.strip() for part in value.split(",") if part.strip()]
            return value


def plugin_folders(path: Path) -> Sequence[Path]:
    """The folders that a configuration names, as far as it can be read."""
    try:
        return _plugin_options(read_file(path), path).folders
    except (ConfigurationError, ValidationError):
        return PluginOptions().folders


def _plugin_options(tree: Tree, path: Path) -> PluginOptions:
    """What decides which plugins there are, before their own settings can be looked at. Raises `ValidationError`."""
    section = _merged({"plugins": tree.get("plugins")}, _Environment(Settings)()).get("plugins")
    if not isinstance(section, dict):
        return PluginOptions()
    own = {key: value for key, value in section.items() if key in PluginOptions.model_fields}
    return PluginOptions(**_prepared(own, PluginOptions, path.resolve().parent))


def _plugins(tree: Tree, path: Path, problems: list[ConfigurationError]) -> Found:
    try:
        return find_plugins(_plugin_options(tree, path))
    except ValidationError:
        pass  # told by the validation of the whole
    except ConfigurationError as error:
        problems.append(error)
    return Found(plugins=(), known=None)


def _channels(tree: Tree, problems: list[ConfigurationError]) -> dict[str, type[Transport] | None]:
    """The classes of all channels that are to run, and None for the other installed ones."""
    given = tree.get("channels")
    sections: Tree = dict(given) if isinstance(given, dict) else {}
    for name in os.environ:
        match name.lower().split(DELIMITER):
            case [head, channel, *rest] if head == f"{PREFIX}channels".lower():
                section = sections.get(channel)
                switch = {"enabled": os.environ[name].lower() not in ("false", "0", "no", "off")} if rest == ["enabled"] else {}
                sections[channel] = {**(section if isinstance(section, dict) else {}), **switch}
            case _:
                pass
    channels: dict[str, type[Transport] | None] = {}
    for name in channel_names():
        section = sections.get(name)
        on = name in sections or name in ALWAYS_ON
        if isinstance(section, dict) and section.get("enabled") is False:
            on = False
        try:
            channels[name] = find_channel(name) if on else None
        except ConfigurationError as error:
            problems.append(error)
            channels[name] = None
    return channels


def _model(channels: Mapping[str, type[Transport] | None], found: Found) -> type[Settings]:
    """The static settings with a section for each channel and plugin; what is switched off is not looked at."""
    off: Any = (Any, None)
    sections = {
        name: _section(_combined(name, channel.Settings, ChannelOptions)) if channel else off
        for name, channel in channels.items()
    }
    channel_sections = create_model("channels", __base__=Section, **sections)
    if found.known is None:
        plugin_sections = _combined("plugins", PluginOptions, extra="allow")
    else:
        sections = dict.fromkeys(found.known, off)
        sections |= {plugin.name: _section(plugin.settings or Section) for plugin in found.plugins}
        plugin_sections = create_model("plugins", __base__=PluginOptions, **sections)
    return create_model("Settings", __base__=Settings, channels=_section(channel_sections), plugins=_section(plugin_sections))


def _section(model: type[BaseModel]) -> Any:
    """A field that is empty by default, and then checked too: some keys may be required."""
    return (model, Field(default={}, validate_default=True))


def _combined(name: str, *bases: type[BaseModel], extra: Literal["forbid", "allow"] = "forbid") -> type[BaseModel]:
    config = ConfigDict(extra=extra, frozen=True)
    return types.new_class(name, bases, {}, lambda body: body.update(model_config=config, __module__=__name__))


def _prepared(tree: Tree, model: type[BaseModel], folder: Path) -> Tree:
    """With paths relative to `folder` made absolute, and without keys that have no value."""
    prepared: Tree = {}
    for key, value in tree.items():
        field = model.model_fields.get(key)
        within = model_of(field)
        if value is None and within is None:
            continue
        if within is not None and isinstance(value, dict | None):
            prepared[key] = _prepared(value or {}, within, folder)
        elif field is not None and _is_path(field.annotation):
            prepared[key] = [_anchored(item, folder) for item in value] if isinstance(value, list) else _anchored(value, folder)
        else:
            prepared[key] = value
    return prepared


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(_is_path(argument) for argument in get_args(annotation))


def _anchored(value: Any, folder: Path) -> Any:
    return str(folder / Path(value).expanduser()) if isinstance(value, str) else value


def _merged(under: Tree, over: Tree) -> Tree:
    merged = dict(under)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _origins(tree: Tree, path: Path) -> dict[str, str]:
    origins = dict.fromkeys(_leaves(tree), "the demo" if path == DEMO else path.name)
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name != FILE_VARIABLE:
            origins[".".join(name[len(PREFIX) :].lower().split(DELIMITER))] = f"the environment, {name}"
    return origins


def _leaves(tree: Tree, prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _with_names(value: Any) -> Any:
    """YAML has keys that are no strings, such as `8080:` or `no:`."""
    match value:
        case dict():
            return {str(key): _with_names(item) for key, item in value.items()}
        case list():
            return [_with_names(item) for item in value]
        case _:
            return value
